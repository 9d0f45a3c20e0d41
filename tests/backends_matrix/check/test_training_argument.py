"""Whether a model's layers learn that they are trained, in the forms that people write."""

import pytest

MODEL = """
import keras
from keras import layers


@keras.saving.register_keras_serializable(package="tests")
class Classifier(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.hidden = layers.Dense(8)
        self.norm = {norm}
        self.out = layers.Dense(2)

    def build(self, input_shape):
        self.hidden.build(input_shape)
        self.norm.build((None, 8))
        self.out.build((None, 8))
        self.built = True

    def call(self, x{parameters}):
        return self.out(self.norm(self.hidden(x){handed}))


def build_model():
    model = Classifier()
    model(keras.ops.zeros((1, 4)))
    return model
"""
NORM = "layers.BatchNormalization()"
INSIDE = "keras.Sequential([layers.BatchNormalization()])"
LOST = [
    (NORM, ", training=None", ""),
    (INSIDE, ", training=False", ""),
]
ALIKE = [
    # What does not name the argument is told on no backend.
    (NORM, "", ""),
    (NORM, ", **kwargs", ", **kwargs"),
    (NORM, ", training=None", ", training=training"),
    (INSIDE, ", training=False", ", training=training"),
]


@pytest.fixture
def rows(checked, tmp_path):
    def run(norm, parameters, handed):
        path = tmp_path / "model.py"
        path.write_text(MODEL.format(norm=norm, parameters=parameters, handed=handed))
        return checked(path)

    return run


@pytest.mark.parametrize("form", LOST)
def test_the_model_that_does_not_hand_training_on_is_named(rows, form):
    result = rows(*form)
    named = [each for each in result.failures if each.known_gap == "training-not-handed-on"]
    assert {each.backend for each in named} == {"jax"}
    assert "Classifier.call" in named[0].cause
    line = MODEL.splitlines().index("    def call(self, x{parameters}):") + 1
    assert (named[0].layer, named[0].line) == ("classifier", line)


@pytest.mark.parametrize("form", ALIKE)
def test_a_model_that_is_trained_alike_is_portable(rows, form):
    assert rows(*form).verdict == "portable"
