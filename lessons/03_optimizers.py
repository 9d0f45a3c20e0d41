# %% [markdown]
# # 3. What an optimizer does
#
# An *optimizer* changes the weights so that the loss falls. It is given the *gradient*: for every weight, how fast the
# loss rises with it. The plainest one, stochastic gradient descent (SGD), moves each weight against its gradient by
# `learning_rate * gradient`. This lesson lets eight optimizers walk downhill on a surface with two valleys.

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
# ## The surface
#
# Its height is `(x² - 1)² + 0.3 x + y²`. It has a *local minimum* near x = 0.96 and a lower, *global* one near
# x = -1.04. Between them is a ridge. The walk starts on the steep slope at the right, at (1.9, 1).

# %%
START = (1.9, 1.0)
STEPS = 120


def height(x, y):
    """The loss at a place."""
    return (x**2 - 1) ** 2 + 0.3 * x + y**2


def gradient(place):
    """How fast the height rises in both directions, float32, shape (2,)."""
    x, y = place.astype("float64")
    return np.array([4 * x * (x**2 - 1) + 0.3, 2 * y], dtype="float32")


# %% [markdown]
# ## The optimizers
#
# - **momentum** adds 0.9 of the last step to the new one. A ball that rolls does not stop in the first hollow.
# - **Nesterov** takes the gradient where momentum is about to carry the weights.
# - **decay** makes the learning rate smaller with every step: here `rate / (1 + 0.1 * step)`. Keras 2 had an argument
#   `decay` for it; in Keras 3 it is a schedule.
# - **clipnorm** shortens the gradient to length 1 where it is longer, and keeps its direction.
# - **clipvalue** cuts each component of the gradient to at most 0.5, which can turn its direction.

# %%
SGD = keras.optimizers.SGD
decaying = keras.optimizers.schedules.InverseTimeDecay(0.02, decay_steps=1, decay_rate=0.1)
optimizers = {
    "plain": SGD(0.02),
    "momentum": SGD(0.02, momentum=0.9),
    "Nesterov": SGD(0.02, momentum=0.9, nesterov=True),
    "decay": SGD(decaying),
    "clipnorm": SGD(0.02, clipnorm=1.0),
    "clipvalue": SGD(0.02, clipvalue=0.5),
    "RMSprop": keras.optimizers.RMSprop(0.02),
    "Adam": keras.optimizers.Adam(0.05),
}


def walk(optimizer):
    """The places that an optimizer goes through, shape (STEPS + 1, 2)."""
    weights = keras.Variable(np.array(START, dtype="float32"))
    places = [np.array(START, dtype="float32")]
    for _ in range(STEPS):
        optimizer.apply([ops.convert_to_tensor(gradient(places[-1]))], [weights])
        places.append(np.array(ops.convert_to_numpy(weights)))
    return np.stack(places)


paths = {name: walk(optimizer) for name, optimizer in optimizers.items()}

# %% [markdown]
# ## Where they end
#
# Plain SGD ends in the local minimum. Momentum carries the ball over the ridge into the global one. The clipped ones
# are slow at the start, where the slope is steep, and the decaying one has hardly moved since its rate fell.

# %%
print("optimizer   after 1 step      after 10 steps    at the end        valley")
for name, path in paths.items():
    # Adding 0 turns a rounded -0.0 into 0.0.
    shown = np.round(path.astype("float64"), 3) + 0.0
    places = "  ".join("({:6.3f}, {:6.3f})".format(*shown[step]) for step in (1, 10, STEPS))
    print(f"{name:10} {places}  {'global' if path[-1, 0] < 0 else 'local'}")

# %% [markdown]
# The first step of the clipped ones can be checked by hand. At the start the gradient is (20.14, 2). Its length is
# 20.24, so clipnorm divides it by 20.24; clipvalue makes it (0.5, 0.5).

# %%
slope = gradient(np.array(START))
length = np.sqrt((slope.astype("float64") ** 2).sum())
print(f"gradient at the start ({slope[0]:.3f}, {slope[1]:.3f}), length {length:.3f}")
by_hand = {"clipnorm": slope / length, "clipvalue": np.clip(slope, -0.5, 0.5), "plain": slope}
for name, used in by_hand.items():
    expected = np.array(START) - 0.02 * used
    print(f"{name:10} by hand ({expected[0]:.3f}, {expected[1]:.3f})")

# %%
x, y = np.meshgrid(np.linspace(-2.1, 2.1, 60), np.linspace(-1.2, 1.2, 40))
drawing = Figure(figsize=(9, 6), layout="constrained")
for axes, (name, path) in zip(drawing.subplots(2, 4).flat, paths.items(), strict=True):
    axes.contour(x, y, height(x, y), levels=9, linewidths=0.5, colors="0.6")
    axes.plot(*path.T, marker=".", markersize=3, linewidth=0.8, color="tab:blue")
    axes.plot(*path[-1], marker="x", color="tab:red")
    axes.set(title=name, xlim=(-2.1, 2.1), ylim=(-1.2, 1.2))
drawing.suptitle("120 steps downhill from the right; the cross is where each ends")
save(drawing, FIGURES / "optimizers.svg")
drawing
