"""Probes cover random inputs and edges at three batches, and respect what an input can take."""

import numpy as np
import pytest

from portable_models.export.probes import LARGE, probes
from portable_models.export.signature import Signature, Tensor, Values

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


def test_words_are_drawn_from_the_vocabulary():
    values = Values("StringLookup", choices=("red", "green", "never seen"))
    found = by_name(Tensor("colour", (None, 1), "string", values=values))
    assert set(np.unique(found["random", 17][0])) == {"red", "green", "never seen"}
    assert "large" not in {name for name, _ in found}


def test_bytes_take_all_their_values():
    found = by_name(Tensor("image", (None, 8, 8, 3), "uint8"))["random", 17][0]
    assert len(np.unique(found)) == 256


def test_statistics_and_ranges_are_followed():
    mean, deviation = ((1000.0, -5.0),), ((10.0, 0.1),)
    tensor = Tensor(
        "x", (None, 2), "float32", values=Values("Normalization", mean=mean, deviation=deviation)
    )
    drawn = probes(Signature((tensor,), ()), batch=4000)[0].inputs[0]
    # Means of 4,000 draws lie within 0.016 deviations; five times that is never met by chance.
    np.testing.assert_allclose(drawn.mean(0), mean[0], atol=0.08 * 10)
    np.testing.assert_allclose(drawn.std(0), deviation[0], rtol=0.1)
    pixels = Tensor("image", (None, 4, 4, 3), "float32", values=Values("Rescaling", 0.0, 255.0))
    drawn = by_name(pixels)["random", 17][0]
    assert 0 <= drawn.min() < 5 < 250 < drawn.max() <= 255


def test_rows_are_padded_at_the_end_and_at_the_start():
    values = Values("Embedding", masks=True)
    ids = by_name(Tensor("tokens", (None, 9), "int32", 50, values))["random", 17][0]
    assert (ids[0] > 0).all()
    assert any(row[0] == 0 and row[-1] > 0 for row in ids)
    assert any(row[0] > 0 and row[-1] == 0 for row in ids)


def test_masks_leave_something_in_every_row():
    for kind in ("bool", "int32"):
        for found in by_name(Tensor("padding_mask", (None, 7), kind)).values():
            assert found[0].any(axis=-1).all()


def test_sample_comes_first_and_as_it_is():
    sample = {"features": np.arange(12.0).reshape(3, 4)}
    first = probes(Signature((FEATURES,), ()), sample=sample)[0]
    assert (first.name, first.batch) == ("sample", 3)
    assert np.array_equal(first.inputs[0], sample["features"].astype("float32"))


def test_signature_survives_json():
    signature = Signature((FEATURES, TOKENS), (Tensor("price", (None, 1), "float32"),))
    assert Signature.from_dict(signature.to_dict()) == signature
