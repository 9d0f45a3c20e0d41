"""A second way is taken when the first fails or does not verify, and the result says so."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from portable_models.export import exporting
from portable_models.export.children import write_answer
from portable_models.export.messages import plain_reason
from portable_models.export.orders import Order
from portable_models.export.routes import ROUTES, Way
from portable_models.export.signature import Signature, Tensor

TENSOR = Tensor("x", (None, 2), "float32")
SIGNATURE = Signature((TENSOR,), (replace(TENSOR, name="y"),)).to_dict()
REFERENCE = {
    "signature": SIGNATURE,
    "probes": [{"name": "random", "batch": 3}],
    "random": {},
    "left_out": [],
    "precision": "float32",
    "trainable": [],
    "latency_s": 0.0,
    "versions": {},
}


@pytest.fixture
def played(tmp_path, monkeypatch):
    """Runs an order whose processes are played here: ``outcomes`` says what each way comes to."""

    def play(outcomes, target="onnx"):
        route = replace(ROUTES[target], others=(Way("jax", ()), Way("torch", ())), packages={})
        monkeypatch.setattr(Order, "route", property(lambda order: route))
        monkeypatch.setattr(exporting, "check", lambda order: None)
        monkeypatch.setattr(
            exporting.loading, "origin", lambda path, imports: exporting.loading.Origin()
        )

        def run_jobs(module, jobs, folder, environment, *, on_done):
            for job in jobs:
                write_answer(job.result, {"status": "done", "seconds": 0.0, **answer(job.request)})
                on_done(job)

        def answer(request):
            values = np.ones((3, 2), np.float32)
            if request.get("action") == "reference":
                np.savez(request["out"], **{"0/in/0": values, "0/out/0": values, "0/floor/0": 0.0})
                return REFERENCE
            if request.get("action") == "convert":
                outcome = outcomes[request["way"]]
                if outcome in ("failed", "refused"):
                    return {"status": outcome, "reason": f"way {request['way']} cannot"}
                Path(request["artifact"]).write_text(outcome)
                return {"signature": SIGNATURE, "versions": {}}
            factor = 1.0 if Path(request["artifact"]).read_text() == "right" else 1.01
            np.savez(request["out"], **{"0/out/0": factor * values})
            return {"versions": {}, "settings": {}, "latency_s": 0.0}

        monkeypatch.setattr(exporting, "run_jobs", run_jobs)
        order = Order(tmp_path / "model.keras", target, tmp_path / "model.onnx")
        (result,) = exporting.export_many([order])
        return result

    return play


def test_the_first_way_is_taken_where_it_verifies(played, tmp_path):
    result = played(["right"])
    assert (result.status, result.notes, result.route["hub"]) == ("verified", (), "tensorflow")
    assert (tmp_path / "model.onnx").read_text() == "right"


@pytest.mark.parametrize("first", ["failed", "refused", "wrong"])
def test_the_second_way_is_taken_and_the_result_says_why(played, tmp_path, first):
    result = played([first, "right"])
    assert (result.status, result.route["hub"]) == ("verified", "jax")
    assert result.notes[0].startswith("the way by Keras on tensorflow was left: ")
    assert (tmp_path / "model.onnx").read_text() == "right"


def test_where_no_way_verifies_nothing_is_left_and_every_reason_is_kept(played, tmp_path):
    result = played(["failed", "wrong", "wrong"])
    assert result.status == "different"
    assert len(result.notes) == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("outcomes", "status", "hub"),
    [
        # Numbers that are off say more than a refusal, whichever came first.
        (["wrong", "refused", "refused"], "different", "tensorflow"),
        (["refused", "wrong", "refused"], "different", "jax"),
        (["failed", "refused", "refused"], "failed", "tensorflow"),
    ],
)
def test_what_is_told_where_no_way_stands(played, outcomes, status, hub):
    result = played(outcomes)
    assert (result.status, result.route["hub"]) == (status, hub)
    assert len(result.notes) == 2


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("loc(x): 'tf.Conv2D' op is neither a custom op nor a flex op", "--size height=N"),
        ("\x1b[31m'tf.FFT' op is neither a custom op nor a flex op", "operation tf.FFT; build"),
        (
            "You marked x as dynamic but your code specialized it to be a constant (17).",
            "one batch",
        ),
        ('in user code: File "/home/a/b.py", line 3, in f bad value. Then more.', "bad value."),
        ("", "it gave no reason"),
    ],
)
def test_a_converters_words_are_never_shown_raw(text, plain):
    found = plain_reason(ValueError(text))
    assert plain in found
    assert "\x1b" not in found
    assert "b.py" not in found
    assert len(found) < 400
