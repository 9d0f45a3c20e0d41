"""Probes cover random inputs and edges at three batches, and respect what an input can take."""

import numpy as np
import pytest

from portable_models.export.errors import ExportError
from portable_models.export.probes import LARGE, probes
from portable_models.export.signature import Signature, Tensor

FEATURES = Tensor("features", (None, 4), "float32")
TOKENS = Tensor("tokens", (None, None), "int32", limit=50)


def by_name(*tensors, batch=17):
    return {(p.name, p.batch): p.inputs for p in probes(Signature(tensors, ()), batch)}


def test_kinds_and_batches():
    assert list(by_name(FEATURES)) == [
        ("random", 17),
        ("random", 1),
        ("random", 5),
        ("zeros", 17),
        ("large", 17),
        ("negative", 17),
    ]


@pytest.mark.parametrize("batch", [1, 2, 5, 17])
def test_exported_batch_is_among_at_least_two(batch):
    batches = [p.batch for p in probes(Signature((FEATURES,), ()), batch) if p.name == "random"]
    assert batch in batches
    assert 1 in batches
    assert len(set(batches)) == len(batches) >= 2


def test_edges_are_what_they_are_called():
    found = by_name(FEATURES)
    assert not found["zeros", 17][0].any()
    assert (found["negative", 17][0] <= 0).all()
    assert np.abs(found["large", 17][0]).max() > LARGE


def test_token_ids_stay_below_their_limit_and_are_never_negative():
    found = by_name(TOKENS)
    assert ("negative", 17) not in found
    for (tokens,) in found.values():
        assert tokens.dtype == np.int32
        assert 0 <= tokens.min() <= tokens.max() < 50
    assert (found["large", 17][0] == 49).all()


def test_float_input_of_token_ids_gets_whole_numbers():
    found = by_name(Tensor("tokens", (None, 6), "float32", limit=9))
    assert (found["random", 17][0] % 1 == 0).all()


def test_free_axis_has_another_size_at_another_batch():
    found = by_name(TOKENS)
    assert found["random", 5][0].shape[1] != found["random", 17][0].shape[1]


def test_input_that_cannot_take_an_edge_gets_random_values_beside_one_that_can():
    numbers, tokens = by_name(FEATURES, TOKENS)["negative", 17]
    assert (numbers <= 0).all()
    assert tokens.min() >= 0


def test_same_probes_every_time():
    first, second = (probes(Signature((FEATURES, TOKENS), ())) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert all(map(np.array_equal, one.inputs, other.inputs))


def test_strings_cannot_be_probed():
    with pytest.raises(ExportError, match="inputs of dtype string cannot be probed"):
        probes(Signature((Tensor("text", (None,), "string"),), ()))


def test_signature_survives_json():
    signature = Signature((FEATURES, TOKENS), (Tensor("price", (None, 1), "float32"),))
    assert Signature.from_dict(signature.to_dict()) == signature
