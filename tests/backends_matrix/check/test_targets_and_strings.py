"""Targets go to the output that they are of, and strings have a clear verdict on every backend."""

SEVERAL = """
import keras

def build_model():
    inputs = keras.Input((4,))
    x = keras.layers.Dense(6, "tanh")(inputs)
    outputs = {
        # Not in the order of the alphabet, in which outputs are flattened.
        "price": keras.layers.Dense(1, name="price")(x),
        "kind": keras.layers.Dense(3, "softmax", name="kind")(x),
    }
    model = keras.Model(inputs, outputs)
    losses = {"price": "mse", "kind": "sparse_categorical_crossentropy"}
    model.compile("sgd", losses, metrics={"price": ["mae"]})
    return model
"""

WORDS = """
import keras

def build_model():
    words = keras.Input((1,), dtype="string")
    ids = keras.layers.StringLookup(vocabulary=["a", "b", "c"])(words)
    x = keras.layers.Flatten()(keras.layers.Embedding(4, 3)(ids))
    model = keras.Model(words, keras.layers.Dense(1)(x))
    model.compile("sgd", "mse")
    return model
"""


def result_of(checked, tmp_path, text):
    (tmp_path / "model.py").write_text(text)
    return checked(tmp_path / "model.py")


def test_each_of_several_outputs_gets_its_own_target(checked, tmp_path):
    result = result_of(checked, tmp_path, SEVERAL)
    assert result.verdict == "portable", result.reason
    assert {c.status for c in result.checks if c.name in ("loss", "fit", "one step")} == {"pass"}


def test_strings_enter_a_model_on_tensorflow_alone_and_it_is_said(checked, tmp_path):
    result = result_of(checked, tmp_path, WORDS)
    failed = [each for each in result.checks if each.status == "fail"]
    assert result.verdict == "not portable"
    assert {each.backend for each in failed} <= {"jax", "torch"}
    # It is a limit of Keras and no mistake of the author's, whatever the exception says.
    assert {each.kind for each in failed} == {"keras"}, [
        (f.name, f.backend, f.cause) for f in failed
    ]
    assert any("only TensorFlow has tensors of strings" in each.cause for each in failed)
