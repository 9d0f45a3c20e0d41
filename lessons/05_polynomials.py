# %% [markdown]
# # 5. Underfitting and overfitting
#
# A model that is too simple cannot follow the data: it *underfits*. A model that has too much freedom follows the noise
# as well: it *overfits*. Polynomials of degree 1, 4 and 15 show both. Each is one Dense layer without an activation.

# %%
import os
from pathlib import Path

import keras
import numpy as np
from matplotlib.figure import Figure
from numpy.polynomial import legendre

from portable_models import fit, portable_random, predict
from portable_models.plots import save

FIGURES = Path(os.environ.get("PORTABLE_MODELS_LESSON_FIGURES", "lesson-figures"))
FIGURES.mkdir(parents=True, exist_ok=True)
DEGREES = (1, 4, 15)

# %% [markdown]
# ## The data
#
# 20 noisy samples of a cosine to learn from, and 200 others of the same curve to test with.

# %%
rng = np.random.default_rng(4)


def truth(x):
    """The curve behind the samples."""
    return np.cos(1.5 * np.pi * (x + 1) / 2)


x_train = np.linspace(-1, 1, 20)
y_train = truth(x_train) + rng.normal(scale=0.25, size=x_train.shape)
x_test = np.linspace(-1, 1, 200)
y_test = truth(x_test) + rng.normal(scale=0.25, size=x_test.shape)

# %% [markdown]
# ## The features
#
# The powers 1, x, x², …, x¹⁵ are so alike that gradient descent would take millions of steps. Legendre polynomials of
# the same degrees span the same curves and are nearly independent of each other; a QR factorisation makes them wholly
# so on the training points. The model is the same polynomial, written in other coordinates.


# %%
def features(degree):
    """Training and test features, float32, shapes (20, degree + 1) and (200, degree + 1)."""
    basis = legendre.legvander(x_train, degree)
    _, triangle = np.linalg.qr(basis)
    scale = np.linalg.inv(triangle) * np.sqrt(len(x_train))
    both = (basis @ scale, legendre.legvander(x_test, degree) @ scale)
    return tuple(each.astype("float32") for each in both)


# %% [markdown]
# ## Training
#
# Every step sees all 20 samples, so an epoch is one step. Plain SGD is enough: the problem has one minimum only.

# %%
curves, errors = {}, {}
for degree in DEGREES:
    train, test = features(degree)
    with portable_random(0):
        model = keras.Sequential(
            [keras.Input((degree + 1,)), keras.layers.Dense(1, use_bias=False)]
        )
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
    training = fit(
        model, train, y_train, epochs=100, batch_size=20, seed=0, verbose=0, engine="keras"
    )
    curves[degree] = predict(model, test)[:, 0]
    errors[degree] = training.history["loss"][-1], float(np.mean((curves[degree] - y_test) ** 2))

# %% [markdown]
# ## What came out
#
# The training error falls with every degree. The test error is lowest for degree 4: degree 1 cannot bend, and degree 15
# bends through every noisy sample.

# %%
print("degree  training error  test error")
for degree, (on_training, on_test) in errors.items():
    print(f"{degree:6}  {on_training:14.3f}  {on_test:10.3f}")

# %%
drawing = Figure(figsize=(9, 3), layout="constrained")
for axes, degree in zip(drawing.subplots(1, 3, sharey=True), DEGREES, strict=True):
    axes.plot(x_train, y_train, "o", markersize=3, color="0.3", label="samples")
    axes.plot(x_test, truth(x_test), color="tab:green", label="truth")
    axes.plot(x_test, curves[degree], color="tab:blue", label="model")
    axes.set(title=f"degree {degree}", ylim=(-2.5, 2.5))
axes.legend()
save(drawing, FIGURES / "polynomials.svg")
drawing
