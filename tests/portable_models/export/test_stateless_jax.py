"""The parameters as a pytree and the model as a pure function of them: ``jit``, ``grad``, ``vmap``."""

import os

import keras
import numpy as np
import pytest
from keras import layers

from portable_models.export import stateless

ON_JAX = os.environ["KERAS_BACKEND"] == "jax"
needs_jax = pytest.mark.skipif(not ON_JAX, reason="a JAX function is made where Keras runs on JAX")


def network():
    keras.utils.set_random_seed(4)
    inputs = keras.Input((5,), name="sizes")
    hidden = layers.BatchNormalization()(layers.Dense(6, activation="tanh")(inputs))
    outputs = layers.Dense(2, name="price")(layers.Dropout(0.5)(hidden))
    return keras.Model(inputs, outputs)


def rows(count):
    return {"sizes": np.random.default_rng(count).normal(size=(count, 5)).astype("float32")}


@needs_jax
def test_jitted_function_is_the_model_at_any_batch():
    import jax

    model = network()
    apply, params = stateless(model)
    for x in (rows(1), rows(7)):
        found = jax.jit(apply)(params, x)
        expected = model.predict_on_batch(x["sizes"])
        np.testing.assert_allclose(found["price"], expected, rtol=0, atol=1e-6)


@needs_jax
def test_gradients_are_those_of_differences():
    import jax

    apply, params = stateless(network())
    x = rows(7)

    def loss(trainable):
        return (apply({**params, "trainable": trainable}, x)["price"] ** 2).mean()

    gradients = jax.jit(jax.grad(loss))(params["trainable"])
    assert gradients.keys() == params["trainable"].keys()
    rng = np.random.default_rng(0)
    way = {
        name: rng.normal(size=value.shape).astype("float32")
        for name, value in params["trainable"].items()
    }

    def moved(step):
        return float(loss({k: v + step * way[k] for k, v in params["trainable"].items()}))

    slope = sum(float((gradients[name] * way[name]).sum()) for name in way)
    # A central difference of float32 losses is good to a few thousandths.
    assert (moved(1e-2) - moved(-1e-2)) / 2e-2 == pytest.approx(slope, rel=1e-2)


@needs_jax
def test_members_stacked_along_a_first_axis_are_mapped_over():
    import jax

    apply, params = stateless(network())
    x = rows(7)
    factors = np.asarray([0.5, 1.0, 2.0], "float32")
    stacked = jax.tree.map(
        lambda value: np.stack([factor * np.asarray(value) for factor in factors]), params
    )
    found = jax.vmap(apply, in_axes=(0, None))(stacked, x)["price"]
    assert found.shape == (3, 7, 2)
    for member, factor in enumerate(factors):
        one = apply(jax.tree.map(lambda value, f=factor: f * value, params), x)["price"]
        np.testing.assert_allclose(found[member], one, rtol=0, atol=1e-5)


@needs_jax
def test_the_model_is_left_as_it_was():
    model = network()
    before = [np.asarray(value) for value in model.get_weights()]
    apply, params = stateless(model)
    apply({**params, "trainable": {k: v + 1 for k, v in params["trainable"].items()}}, rows(2))
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.skipif(ON_JAX, reason="another backend is meant")
def test_another_backend_is_told_what_to_do():
    with pytest.raises(RuntimeError, match="set KERAS_BACKEND=jax before keras is imported"):
        stateless(network())
