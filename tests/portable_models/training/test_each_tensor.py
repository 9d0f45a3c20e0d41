"""Operations on lists of tensors, called for every tensor; on PyTorch."""

import pytest

from portable_models._backend import current

if current().name != "torch":
    pytest.skip("operations on lists are PyTorch's", allow_module_level=True)

from portable_models._backend.torch_foreach import EachTensor, call_each, scaled
from portable_models._backend.torch_step import torch, trace

FIRST = [torch.tensor([1.0, 4.0]), torch.tensor([[9.0]])]
SECOND = [torch.tensor([2.0, 0.5]), torch.tensor([[3.0]])]
THIRD = [torch.tensor([0.5, 2.0]), torch.tensor([[1.5]])]
CALLS = {
    "mul by a number": lambda: torch._foreach_mul(FIRST, 0.9),
    "mul by numbers": lambda: torch._foreach_mul(FIRST, [0.9, 0.1]),
    "mul by tensors": lambda: torch._foreach_mul(FIRST, SECOND),
    "add with alpha": lambda: torch._foreach_add(FIRST, SECOND, alpha=0.3),
    "add of a number": lambda: torch._foreach_add(FIRST, 1e-7),
    "sub with alpha": lambda: torch._foreach_sub(FIRST, SECOND, alpha=2),
    "div": lambda: torch._foreach_div(FIRST, SECOND),
    "sqrt": lambda: torch._foreach_sqrt(FIRST),
    "lerp": lambda: torch._foreach_lerp(FIRST, SECOND, 0.1),
    "addcmul": lambda: torch._foreach_addcmul(FIRST, SECOND, THIRD, value=0.1),
    "addcmul with numbers": lambda: torch._foreach_addcmul(FIRST, SECOND, THIRD, [0.1, 0.2]),
    "addcdiv": lambda: torch._foreach_addcdiv(FIRST, SECOND, THIRD, value=-0.5),
    "maximum": lambda: torch._foreach_maximum(FIRST, SECOND),
}


@pytest.mark.parametrize("name", CALLS)
def test_an_operation_gives_what_it_gives_on_lists(name):
    call = CALLS[name]
    module = trace(lambda: tuple(call()), [])
    targets = [node.target for node in module.graph.nodes if node.op == "call_function"]
    assert any("_foreach_" in str(target) for target in targets)
    for found, expected in zip(EachTensor(module).run(), call(), strict=True):
        torch.testing.assert_close(found, expected, rtol=0, atol=0)


def test_an_operation_without_one_for_a_single_tensor_is_an_error():
    schema = torch.ops.aten._foreach_add.Scalar._schema
    with pytest.raises(AttributeError):
        call_each("no_such_operation", schema, (FIRST, 1.0), {})


@pytest.mark.parametrize("name", ["add", "addcmul"])
def test_a_factor_that_was_a_tensor_stays_one(name):
    """Keras's SGD gives its learning rate so, and ``item`` cannot be mapped over members."""

    def step(factor):
        if name == "add":
            return tuple(torch._foreach_add(FIRST, SECOND, alpha=factor.item()))
        return tuple(torch._foreach_addcmul(FIRST, SECOND, THIRD, value=factor.item()))

    factor = torch.tensor(0.3)
    module = trace(step, [factor])
    assert any("_local_scalar_dense" in str(node.target) for node in module.graph.nodes)
    run = torch.func.vmap(EachTensor(module).run)
    factors = torch.stack([factor, 2 * factor])
    for found, one, two in zip(run(factors), step(factor), step(2 * factor), strict=True):
        # A sum with a factor is rounded once, a product and a sum are rounded twice.
        torch.testing.assert_close(found, torch.stack([one, two]), rtol=2.4e-7, atol=0)


def test_a_factor_of_another_operation_is_left_to_pytorch_which_refuses_it():
    """``rsub`` subtracts a multiple of its first argument: to multiply the second would be wrong."""
    factors = {"alpha": torch.tensor(0.3)}
    assert scaled("rsub", FIRST, factors) == (FIRST, factors)
    given = torch.tensor([0.3, 0.6])
    with pytest.raises(Exception, match=r"vmap|alpha"):
        torch.func.vmap(lambda alpha: torch.ops.aten.rsub.Tensor(*FIRST, alpha=alpha))(given)
