"""Operations on lists of tensors, called for every tensor by itself, on PyTorch.

PyTorch 2.13 can map over members neither operations on lists nor ``Tensor.item``, which Keras's SGD calls by
giving its learning rate as ``alpha``. A number that was a tensor stays one here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

_PREFIX = "_foreach_"
_NAMED = ("alpha", "value")
"""Arguments that are given by position to an operation on lists, and by name to one on a tensor."""
_VALUES = ("addcdiv", "addcmul")
"""Operations whose list of scalars is called ``value`` for one tensor."""
_FACTORS = {"add": "alpha", "sub": "alpha", "addcdiv": "value", "addcmul": "value"}
"""Operations that add a multiple of their second argument, or of its product or quotient with the third."""


class EachTensor(torch.fx.Interpreter):  # type: ignore[misc]  # torch is not followed
    """Runs a graph without operations on lists (``torch._foreach_add`` and the like) and without ``item``.

    Raises:
        AttributeError: there is no operation on one tensor of that name.
    """

    def call_function(self, target: Any, args: Any, kwargs: Mapping[str, Any]) -> Any:
        """Call an operation, or the one on single tensors in its place."""
        if target is torch.ops.aten._local_scalar_dense.default:
            return args[0]
        name = getattr(getattr(target, "overloadpacket", None), "__name__", "")
        if not name.startswith(_PREFIX):
            return super().call_function(target, *scaled(name, args, kwargs))
        return call_each(name.removeprefix(_PREFIX), target._schema, args, kwargs)


def call_each(name: str, schema: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[Any]:
    """What an operation gives for each entry of its lists.

    Args:
        name: of the operation on one tensor.
        schema: of the operation on lists.
        args: its arguments; the first is a list of tensors.
        kwargs: its arguments by name.
    """
    operation = getattr(torch.ops.aten, name)
    names = [argument.name for argument in schema.arguments]
    given = {**dict(zip(names, args, strict=False)), **kwargs}
    found = []
    for place in range(len(args[0])):
        unnamed, named = [], {}
        for key, value in given.items():
            one = value[place] if isinstance(value, (list, tuple)) else value
            if key in _NAMED:
                named[key] = one
            elif key == "scalars" and name in _VALUES:
                named["value"] = one
            else:
                unnamed.append(one)
        arguments, rest = scaled(name, unnamed, named)
        found.append(operation(*arguments, **rest))
    return found


def scaled(
    name: str, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """Arguments of an operation, with a factor that is a tensor multiplied in before.

    Args:
        name: of the operation on one tensor. Others than those of ``_FACTORS`` are left as they are; PyTorch
            refuses a tensor there.
        args: the first is what is added to, the second what the factor belongs to.
        kwargs: the arguments by name.
    """
    args, kwargs = list(args), dict(kwargs)
    factor = kwargs.get(_FACTORS.get(name, ""))
    if isinstance(factor, torch.Tensor):
        del kwargs[_FACTORS[name]]
        args[1] = args[1] * factor.to(args[1].dtype)
    return args, kwargs
