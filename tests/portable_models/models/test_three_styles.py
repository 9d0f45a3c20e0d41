"""One network in three styles: equal outputs, weights that move, files that load."""

import itertools

import keras
import numpy as np
import pytest

from portable_models.models import (
    MnistClassifier,
    mnist_functional,
    mnist_sequential,
    mnist_subclassed,
)

STYLES = {
    "sequential": mnist_sequential,
    "functional": mnist_functional,
    "subclassed": mnist_subclassed,
}
PAIRS = list(itertools.permutations(STYLES, 2))
IMAGES = np.random.default_rng(1).random((7, 784), dtype="float32")


def outputs(model):
    return model.predict(IMAGES, verbose=0)


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_outputs_are_identical_with_identical_weights(source, target):
    first, second = STYLES[source](), STYLES[target]()
    second.set_weights(first.get_weights())
    np.testing.assert_array_equal(outputs(first), outputs(second))


@pytest.mark.parametrize("style", STYLES)
def test_weights_have_the_same_paths(style):
    expected = ["hidden/kernel", "hidden/bias", "digits/kernel", "digits/bias"]
    assert [weight.path for weight in STYLES[style]().weights] == expected


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_weights_file_of_one_style_loads_into_another(source, target, tmp_path):
    first, second = STYLES[source](), STYLES[target]()
    first.save_weights(tmp_path / "weights.weights.h5")
    second.load_weights(tmp_path / "weights.weights.h5")
    np.testing.assert_array_equal(outputs(first), outputs(second))


@pytest.mark.parametrize("style", STYLES)
def test_saved_model_loads_with_equal_outputs_and_names(style, tmp_path):
    model = STYLES[style](name="digits_of_mine")
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(outputs(model), outputs(again))
    assert again.name == "digits_of_mine"
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]


@pytest.mark.parametrize("style", STYLES)
def test_reloaded_model_trains_on(style, tmp_path):
    model = STYLES[style](4, units=3, classes=2)
    model.compile("adam", "sparse_categorical_crossentropy")
    x, y = np.eye(4, dtype="float32"), np.array([0, 1, 0, 1])
    model.fit(x, y, epochs=2, batch_size=4, verbose=0, shuffle=False)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    for each in (model, again):
        each.fit(x, y, epochs=2, batch_size=4, verbose=0, shuffle=False)
    # Same operations in the same order on the same numbers, so nothing may differ.
    for mine, its in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, its)


def test_subclassed_config_is_complete():
    config = MnistClassifier(16, units=5, classes=3, name="small").get_config()
    again = MnistClassifier.from_config(config)
    assert [weight.shape for weight in again.weights] == [(16, 5), (5,), (5, 3), (3,)]
    assert again.name == "small"


def test_images_of_another_size_are_refused():
    with pytest.raises(ValueError, match="takes images of 16 pixels; got 20"):
        MnistClassifier(16).build((None, 20))
