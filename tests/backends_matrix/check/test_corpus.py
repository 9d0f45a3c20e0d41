"""Every model of the corpus is judged rightly: some in every run, all of them where they are asked for."""

import pytest

from backends_matrix.check import Kind

from .corpus import samples

# A few of each kind that are fast, for every run; the whole corpus takes some ten minutes.
SHORT = {
    "mlp_compiled", "badly_conditioned", "nan_everywhere",
    "if_on_tensor", "in_place", "config_default", "float64_assumed",
    "even_average_pooling", "leaky_relu_at_zero",
}  # fmt: skip


def cases(group):
    return [
        pytest.param(each, id=repr(each), marks=() if repr(each) in SHORT else pytest.mark.corpus)
        for each in samples(group)
    ]


def told(result):
    return [(c.name, c.backend, str(c.kind), c.layer, c.line, c.cause) for c in result.failures]


@pytest.mark.parametrize("sample", cases("sound"))
def test_a_sound_model_is_portable(sample, checked):
    result = checked(sample.path)
    assert result.verdict == "portable", told(result)
    assert result.executed > 100


@pytest.mark.parametrize("sample", cases("mistakes"))
def test_a_mistake_is_the_authors_and_has_its_line(sample, checked):
    result = checked(sample.path)
    assert result.verdict == "not portable"
    mine = [each for each in result.failures if each.kind is Kind.AUTHOR]
    assert set(sample.lines) & {each.line for each in mine}, told(result)
    assert all(each.hint for each in mine if each.line in sample.lines)


@pytest.mark.parametrize("sample", cases("mistakes"))
def test_a_mistake_is_blamed_on_nobody_else(sample, checked):
    result = checked(sample.path)
    assert {each.kind for each in result.failures} == {Kind.AUTHOR}, told(result)


@pytest.mark.parametrize("sample", cases("differences"))
def test_a_difference_is_keras_own_and_names_its_layer(sample, checked):
    result = checked(sample.path)
    assert result.verdict == "not portable"
    assert {each.kind for each in result.failures} == {Kind.KERAS}, told(result)
    named = {
        each.backend
        for each in result.failures
        if sample.layer in each.layer.lower() or sample.layer in each.cause.lower()
    }
    assert named, told(result)
    assert not sample.backend or sample.backend in named, told(result)


def test_the_corpus_is_as_large_as_promised():
    counts = [len(samples(group)) for group in ("sound", "mistakes", "differences")]
    assert counts[0] >= 16
    assert counts[1] >= 22
    assert counts[2] >= 12
