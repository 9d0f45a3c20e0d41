"""What the source and an exception say, without running a model."""

import pytest

from backends_matrix.check import Kind
from backends_matrix.check.diagnosis import explain_failure, read_suspicions

from .corpus import samples

MISTAKES = samples("mistakes")


@pytest.mark.parametrize("sample", MISTAKES, ids=repr)
def test_a_mistake_is_seen_in_the_source(sample):
    found = read_suspicions([str(sample.path)])
    assert set(sample.lines) & {each.line for each in found}
    assert all(each.reason and each.hint for each in found)


@pytest.mark.parametrize("sample", samples("sound"), ids=repr)
def test_sound_source_gives_little_to_suspect(sample):
    harmless = {"config"}
    assert {each.rule for each in read_suspicions([str(sample.path)])} <= harmless


def failure(message, frames=()):
    return {"type": "TypeError", "message": message, "frames": list(frames), "causes": []}


def test_an_exception_is_explained_and_not_only_echoed():
    message = "'str' object has no attribute '_error_repr'"
    found = explain_failure(failure(message), [], "forward", everywhere=False)
    assert found.kind is Kind.AUTHOR
    assert "operation of TensorFlow" in found.cause


def test_an_exception_is_blamed_on_the_line_that_raised_it(tmp_path):
    path = tmp_path / "model.py"
    path.write_text(
        "import keras\nimport tensorflow as tf\n\n\nclass A(keras.layers.Layer):\n"
        "    def call(self, x):\n        return tf.nn.relu(x)\n"
    )
    frame = {"file": str(path), "line": 7, "function": "call", "code": ""}
    suspicions = read_suspicions([str(path)])
    found = explain_failure(failure("anything", [frame]), suspicions, "forward", everywhere=False)
    assert (found.file, found.line, found.rule) == (str(path), 7, "foreign-op")


def test_what_one_backend_lacks_is_keras_own():
    said = failure("Resizing with Lanczos is not supported by the PyTorch backend.")
    assert explain_failure(said, [], "forward", everywhere=False).kind is Kind.KERAS


def test_a_file_that_cannot_be_read_gives_nothing(tmp_path):
    broken = tmp_path / "broken.py"
    broken.write_text("def (")
    assert read_suspicions([str(broken), str(tmp_path / "nowhere.py")]) == []
