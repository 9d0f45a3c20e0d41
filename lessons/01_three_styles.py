# %% [markdown]
# # 1. One model, written in three styles
#
# A model is a stack of *layers*. A layer takes a tensor, computes another one from it with its *weights*, and hands
# it on. Keras 3 has three ways to write a model:
#
# - **Sequential**: a list of layers, one after the other;
# - **Functional**: layers are called on symbolic tensors, so that a model may branch, join and have several outputs;
# - **subclassed**: a class of your own, with any Python code in `call`.
#
# This lesson writes the same network three times and shows that the three give the same numbers, on every backend.

# %%
import tempfile
from pathlib import Path

import keras
import numpy as np

from portable_models import fit, portable_random
from portable_models.files import load, save
from portable_models.losses import SparseCategoricalCrossentropyOfProbabilities
from portable_models.models import mnist_functional, mnist_sequential, mnist_subclassed

# %% [markdown]
# ## Layers infer their shapes
#
# Only the input's shape is written down. `Dense(32)` learns from it that its kernel has the shape (784, 32), and the
# next layer learns from the first one that its kernel has the shape (32, 10). 784 is the number of pixels of an image
# of 28 by 28, and 10 the number of digits.

# %%
sequential = keras.Sequential(
    [
        keras.Input((784,)),
        keras.layers.Dense(32, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
for layer in sequential.layers:
    print(type(layer).__name__, [tuple(weight.shape) for weight in layer.weights])
print("weights in all:", sequential.count_params())

# %% [markdown]
# ## The three styles
#
# The library has this network in each style. `portable_random(seed)` draws the initial weights from a generator that
# gives the same bits on JAX, TensorFlow and PyTorch; the seed of `keras.utils.set_random_seed` does not.

# %%
styles = {
    "Sequential": mnist_sequential,
    "Functional": mnist_functional,
    "subclassed": mnist_subclassed,
}
models = {}
for name, build in styles.items():
    with portable_random(7):
        models[name] = build()
images = np.random.default_rng(0).random((256, 784), dtype="float32")
digits = (images[:, :10]).argmax(axis=1)
first = np.asarray(models["Sequential"].predict(images, verbose=0))
for name, model in models.items():
    outputs = np.asarray(model.predict(images, verbose=0))
    same = bool((outputs == first).all())
    print(f"{name:10} largest probability {outputs.max():.5f}, equal to Sequential's: {same}")

# %% [markdown]
# ## They train alike
#
# `compile` says how the weights are to be changed: by which *optimizer*, to lower which *loss*. *Metrics* are watched
# and change nothing. `fit` goes through the samples in *batches*; one round through all samples is an *epoch*.
#
# The loss is the library's own crossentropy: Keras's treats probabilities of nearly 0 or 1 otherwise on TensorFlow than
# on JAX and PyTorch, and `fit` would warn of it. `engine="keras"` asks for `Model.fit` itself: eight steps an epoch are
# done before a program is compiled.

# %%
losses = {}
for name, model in models.items():
    model.compile(
        optimizer=keras.optimizers.SGD(0.1),
        loss=SparseCategoricalCrossentropyOfProbabilities(),
        metrics=["accuracy"],
    )
    training = fit(
        model, images, digits, epochs=3, batch_size=32, seed=1, verbose=0, engine="keras"
    )
    losses[name] = [round(loss, 4) for loss in training.history["loss"]]
    print(f"{name:10} loss of each epoch {losses[name]}")

# %% [markdown]
# ## A file moves between styles and backends
#
# The three write the same weights under the same names, so a file of one style is read by the others; the same file is
# read on every backend.

# %%
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "digits.keras"
    save(models["Functional"], path)
    again = load(path)
before = np.asarray(models["Functional"].predict(images[:5], verbose=0))
after = np.asarray(again.predict(images[:5], verbose=0))
print("the loaded model gives the same outputs:", bool((before == after).all()))

# %% [markdown]
# ## What only the Functional style can do
#
# A graph may branch: two branches that are joined, a *residual* connection that adds a layer's input to its output,
# and several outputs ("heads"), each with a loss of its own. The total loss is their weighted sum.

# %%
with portable_random(3):
    inputs = keras.Input((784,), name="image")
    left = keras.layers.Dense(16, activation="relu")(inputs)
    right = keras.layers.Dense(16, activation="tanh")(inputs)
    joined = keras.layers.Concatenate()([left, right])
    residual = keras.layers.Add()([joined, keras.layers.Dense(32, activation="relu")(joined)])
    digit = keras.layers.Dense(10, activation="softmax", name="digit")(residual)
    brightness = keras.layers.Dense(1, name="brightness")(residual)
    branched = keras.Model(inputs, {"digit": digit, "brightness": brightness})
branched.compile(
    optimizer="sgd",
    loss={"digit": "sparse_categorical_crossentropy", "brightness": "mse"},
    loss_weights={"digit": 1.0, "brightness": 0.5},
)
targets = {"digit": digits, "brightness": images.mean(axis=1, keepdims=True)}
history = branched.fit(images, targets, epochs=1, batch_size=256, verbose=0).history
total = history["digit_loss"][0] + 0.5 * history["brightness_loss"][0]
print(f"total loss {history['loss'][0]:.4f} = digit + 0.5 * brightness = {total:.4f}")
