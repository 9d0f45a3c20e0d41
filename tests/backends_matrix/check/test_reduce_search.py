"""The search for a small script: what it tries, when it ends, and what it keeps."""

from dataclasses import replace

import pytest

from backends_matrix.check.reduce import search
from backends_matrix.check.reduce.case import Case, Given, Node, Reference, Shown
from backends_matrix.check.reduce.description import title_of
from backends_matrix.check.reduce.reducer import reduce_failures
from backends_matrix.check.reduce.trial import Failure, Outcome
from backends_matrix.check.result import Check, Kind, Status

NODE = Node("a", "keras.layers.Dense(units=8)", "{layer}({0})", (Reference(True, 0),), "Dense")
CASE = Case("", (NODE,), (Given((6,), "float32"),), functional=True, shown=Shown.FORWARD)
PAIRS = frozenset({("jax", "torch"), ("tensorflow", "torch")})
FAILS = Check("outputs", "torch", Status.FAIL, Kind.KERAS, "outputs differ", "a")
FILE_FAILS = replace(FAILS, name="read file", backend="jax>torch", layer="")


@pytest.fixture
def trying(monkeypatch):
    """``trying(function)``: what a try of a case gives, and the tries that were made."""

    def use(give):
        tries = []

        def try_case(case, pool, timeout, only=()):
            tries.append((case, tuple(only)))
            return give(case, len(tries), tuple(only))

        monkeypatch.setattr(search, "try_case", try_case)
        return tries

    return use


def searching(check=FAILS, part="outputs", seconds=60.0, sound=()):
    lines = []
    return search.Search(check, part, None, 60.0, seconds, lines.append, sound), lines


def differs(case, pairs=PAIRS, part="outputs"):
    return Outcome({"jax": {part: [[1.0]]}}, [Failure(part, pairs, 0.5)])


AGREES = Outcome({}, [])


def test_what_is_found_is_as_small_as_it_can_be(trying):
    trying(lambda case, number, only: differs(case))
    found = searching()[0].find([CASE])
    assert (found.case.batch, found.case.inputs[0].shape) == (1, (1,))
    assert found.case.direct


def test_a_case_without_the_failure_is_not_gone_on_with(trying):
    trying(lambda case, number, only: differs(case) if case.batch == 2 else AGREES)
    assert searching()[0].find([CASE]).case.batch == 2


def test_no_script_is_tried_twice(trying):
    tries = trying(lambda case, number, only: differs(case))
    searching()[0].find([CASE])
    texts = [search.write_script(case) for case, _ in tries[:-1]]
    assert len(texts) == len(set(texts))


def test_an_interrupt_keeps_the_smallest_so_far(trying):
    def give(case, number, only):
        if number == 4:
            raise KeyboardInterrupt
        return differs(case)

    tries = trying(give)
    its, _ = searching()
    found = its.find([CASE])
    assert found.case == tries[2][0]
    assert its.interrupted


def test_an_interrupt_before_anything_was_found_is_said(trying):
    def give(case, number, only):
        raise KeyboardInterrupt

    trying(give)
    its, _ = searching()
    assert its.find([CASE]) is None
    assert "interrupted" in its.reason


def test_a_search_whose_time_is_over_says_so_and_tries_nothing(trying):
    tries = trying(lambda case, number, only: differs(case))
    its, _ = searching(seconds=0.0)
    assert its.find([CASE]) is None
    assert not tries
    assert "--reduce-time" in its.reason


def test_the_number_of_tries_is_bounded(trying):
    endless = (replace(CASE, title=str(number)) for number in range(10_000))
    tries = trying(lambda case, number, only: AGREES)
    its, _ = searching()
    assert its.find(endless) is None
    assert len(tries) == search.TRIES


def test_progress_names_the_check_and_the_length_of_the_script(trying):
    trying(lambda case, number, only: differs(case))
    its, lines = searching()
    its.find([CASE])
    assert lines[0] == "reduce outputs on torch: try 1 (Ctrl-C keeps the best so far)"
    assert "try 2, 24 lines" in lines[1]


def of_files(case, only, wrong):
    labels = only or [f"{a}>{b}" for a in case.backends for b in case.backends]
    pairs = frozenset((each.partition(">")[0], each) for each in labels if wrong(each))
    return differs(case, pairs) if pairs else AGREES


def test_files_are_tried_between_one_pair_that_fails_and_one_that_is_sound(trying):
    tries = trying(
        lambda case, number, only: of_files(case, only, lambda pair: pair.startswith("jax>"))
    )
    case = replace(CASE, shown=Shown.FILE)
    found = searching(FILE_FAILS, "read file", sound=["torch>torch"])[0].find([case])
    assert {only for _, only in tries[:-1]} == {("jax>torch", "torch>torch")}
    assert tries[-1][1] == ()
    assert len(found.failure.pairs) == 3
    assert title_of(found.case, found.failure).endswith("if jax has written it")


def test_a_script_that_spoils_every_file_shows_another_failure(trying):
    def give(case, number, only):
        return of_files(case, only, lambda pair: pair.startswith("jax>") or case.batch == 1)

    trying(give)
    case = replace(CASE, shown=Shown.FILE)
    found = searching(FILE_FAILS, "read file", sound=["torch>torch"])[0].find([case])
    assert found.case.batch == 2


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ({("jax", "torch"), ("tensorflow", "torch")}, "on torch differ from those on jax and tensorflow"),
        ({("jax", "torch")}, "differ between jax and torch"),
    ],
)  # fmt: skip
def test_a_title_says_who_differs_from_whom(pairs, said):
    title = title_of(CASE, Failure("outputs", frozenset(pairs), 0.5))
    assert title == f"Dense: outputs {said}"


def test_where_no_judge_has_recorded_the_model_that_is_the_reason(tmp_path):
    found = reduce_failures([FAILS], {}, None, tmp_path, "model", 60.0, 60.0, print)
    assert [each.reason for each in found] == ["no judge could record the model's calls"]
    assert not list(tmp_path.iterdir())
