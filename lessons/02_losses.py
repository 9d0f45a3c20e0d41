# %% [markdown]
# # 2. What a loss is
#
# A *loss* says with one number how wrong a prediction is. The optimizer lowers it, so the loss decides what the model
# learns. Which loss belongs to which problem:
#
# | problem | last layer | loss |
# | --- | --- | --- |
# | two classes | `Dense(1, activation="sigmoid")` | `binary_crossentropy` |
# | several classes, one is right | `Dense(n, activation="softmax")` | `categorical_crossentropy`, or `sparse_…` for integers |
# | a number (regression) | `Dense(1)` without an activation | `mse`; `mae` or `huber` where outliers matter less |
# | a sequence of symbols, not aligned with the input | `Dense(symbols + 1)` for each step | `ctc` |

# %%
import os
from pathlib import Path

import keras
import numpy as np
from keras import ops
from matplotlib.figure import Figure

from portable_models.plots import save

FIGURES = Path(os.environ.get("PORTABLE_MODELS_LESSON_FIGURES", "lesson-figures"))
FIGURES.mkdir(parents=True, exist_ok=True)

# %% [markdown]
# ## Crossentropy against squared error
#
# A review is positive: the target is 1. The model predicts a probability. Both losses are 0 where the prediction is 1.
# Near 0, where the model is surely wrong, squared error is at most 1 and crossentropy grows without bound.

# %%
predictions = np.array([0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99], dtype="float32")[:, None]
target = np.ones_like(predictions)


def numbers(tensor):
    """A tensor of any backend as a NumPy array."""
    return ops.convert_to_numpy(tensor)


crossentropy = numbers(keras.losses.binary_crossentropy(target, predictions))
squared = numbers(keras.losses.mean_squared_error(target, predictions))
print("prediction  crossentropy  squared error")
for prediction, first, second in zip(predictions[:, 0], crossentropy, squared, strict=True):
    print(f"{prediction:10.2f}  {first:12.4f}  {second:13.4f}")

# %% [markdown]
# ## Why it matters: the gradient that reaches the weights
#
# The prediction is `sigmoid(z)`. Training changes `z` by the derivative of the loss with respect to `z`: for
# crossentropy that is `prediction - target`, for squared error `2 (prediction - target) prediction (1 - prediction)`.
# The last two factors are nearly 0 where the prediction is nearly 0. With squared error, a model that is surely
# wrong hardly learns; with crossentropy it learns fastest there.

# %%
p = predictions[:, 0].astype("float64")
by_crossentropy, by_squared = p - 1, 2 * (p - 1) * p * (1 - p)
print("prediction  slope of crossentropy  slope of squared error")
for row in zip(p, by_crossentropy, by_squared, strict=True):
    print("{:10.2f}  {:21.4f}  {:22.4f}".format(*row))

# %%
steps = np.linspace(0.005, 1, 200, dtype="float32")[:, None]
curves = {
    "crossentropy": numbers(keras.losses.binary_crossentropy(np.ones_like(steps), steps)),
    "squared error": numbers(keras.losses.mean_squared_error(np.ones_like(steps), steps)),
}
drawing = Figure(figsize=(6, 3.6), layout="constrained")
axes = drawing.subplots()
for name, curve in curves.items():
    axes.plot(steps[:, 0], curve, label=name)
axes.set(xlabel="prediction, where the target is 1", ylabel="loss", title="How wrong is it?")
axes.legend()
save(drawing, FIGURES / "losses.svg")
drawing

# %% [markdown]
# ## Several classes
#
# `categorical_crossentropy` takes targets as one-hot vectors, `sparse_categorical_crossentropy` as the number of the
# class. They are the same loss: minus the logarithm of the probability that the right class was given.

# %%
probabilities = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]], dtype="float32")
classes = np.array([0, 1])
one_hot = np.eye(3, dtype="float32")[classes]
dense = numbers(keras.losses.categorical_crossentropy(one_hot, probabilities))
sparse = numbers(keras.losses.sparse_categorical_crossentropy(classes, probabilities))
by_hand = -np.log(probabilities[[0, 1], classes])
for name, values in {"categorical": dense, "sparse": sparse, "-log p": by_hand}.items():
    print(f"{name:12}", "  ".join(f"{value:.4f}" for value in values))

# %% [markdown]
# ## Regression
#
# `mse` squares an error, so that one error of 10 weighs as much as a hundred of 1. `mae` takes its size. `huber` is
# squared for small errors and linear for large ones.

# %%
errors = np.array([[0.1], [1.0], [10.0]], dtype="float32")
zero = np.zeros_like(errors)
for name in ("mean_squared_error", "mean_absolute_error", "huber"):
    values = numbers(getattr(keras.losses, name)(zero, errors))
    print(f"{name:20}", [round(float(value), 4) for value in values])

# %% [markdown]
# ## CTC: the target is shorter than the output
#
# A speech model gives one probability distribution for each of many short moments; the text has fewer letters. CTC
# sums the probability over all ways to place the letters on the moments. Symbol 0 stands for "no letter".

# %%
logits = np.random.default_rng(1).normal(size=(1, 6, 4)).astype("float32")
letters = np.array([[1, 3]])
print("ctc", round(float(numbers(keras.losses.ctc(letters, logits))[0]), 4))
