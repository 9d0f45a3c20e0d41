# %% [markdown]
# # 7. The fight against overfitting
#
# *Optimization* lowers the loss on the training data; *generalization* is how the model does on data it never saw. Four
# ways to keep the second from falling behind: more training data; less capacity; penalties on the weights; Dropout.
# The study is that of F. Chollet, *Deep Learning with Python*, section 4.4, on the reviews of lesson 4. Its published
# findings are about the course of the curves; its figures of each epoch are not published as numbers.
#
# By default 6 epochs on synthetic reviews; `PORTABLE_MODELS_LESSON_DATA=full` takes 20 on the real ones.

# %%
import os
from pathlib import Path

import keras
import numpy as np
from keras import ops

from portable_models import Member, Recipe, fit_many, portable_random
from portable_models.data import load_imdb
from portable_models.models import regularization_variant
from portable_models.plots import Curve, CurveStyle, Figure, draw, save

DATA = os.environ.get("PORTABLE_MODELS_LESSON_DATA", "sample")
FIGURES = Path(os.environ.get("PORTABLE_MODELS_LESSON_FIGURES", "lesson-figures"))
FIGURES.mkdir(parents=True, exist_ok=True)
EPOCHS = 6 if DATA == "sample" else 20
data = load_imdb(DATA)


def train(variant, optimizer="rmsprop"):
    """The history of one variant, validated on the test reviews."""
    with portable_random(0):
        model = regularization_variant(variant)
    recipe = Recipe(
        optimizer=optimizer,
        loss="binary_crossentropy",
        metrics=("accuracy",),
        epochs=EPOCHS,
        batch_size=512,
    )
    (training,) = fit_many([Member(model, data.train, recipe, data.test)], warn=False)
    return training.history


def report(name, history):
    """Print where a variant's validation loss is lowest, and how it ends."""
    losses = history["val_loss"]
    best = int(np.argmin(losses))
    print(
        f"{name:14} lowest val_loss {losses[best]:.2f} at epoch {best + 1}; last {losses[-1]:.2f}, "
        f"training loss {history['loss'][-1]:.2f}; "
        f"val_accuracy at epoch 2 {history['val_accuracy'][1]:.2f}"
    )


# %% [markdown]
# ## Capacity: 16 against 4 units, with RMSprop and with Adam
#
# A network with fewer weights cannot learn as much by heart. It begins to overfit later, and gets worse more slowly.

# %%
histories = {}
for optimizer in ("rmsprop", "adam"):
    for variant in ("original", "smaller"):
        name = variant + ("_adam" if optimizer == "adam" else "")
        histories[name] = train(variant, optimizer)
        report(name, histories[name])

# %% [markdown]
# ## Penalties on the weights
#
# A *regularizer* adds a penalty to the loss: `rate * sum(|w|)` for L1, `rate * sum(w²)` for L2, both for L1L2. Large
# weights then cost something, and the model stays simpler. The penalty is added in training only, so the training loss
# is higher than the original's.

# %%
kernel = np.array([[1.0, -2.0], [0.5, 0.0]], dtype="float32")
regularizers = keras.regularizers
for penalty in (regularizers.L1(0.001), regularizers.L2(0.001), regularizers.L1L2(0.001, 0.001)):
    cost = float(ops.convert_to_numpy(penalty(kernel)))
    print(f"{type(penalty).__name__:4} of {kernel.tolist()}: {cost:.5f}")
for variant in ("l1", "l2", "l1_l2"):
    histories[variant] = train(variant)
    report(variant, histories[variant])

# %% [markdown]
# ## A penalty on the outputs, divided by the batch size
#
# An *activity regularizer* looks at what a layer gives out. That is a sum over all samples of the batch, so Keras divides
# it by the number of samples; otherwise a larger batch would be punished more.

# %%
layer = keras.layers.Dense(
    2, kernel_initializer="ones", activity_regularizer=keras.regularizers.L2(0.01)
)
for size in (1, 4):
    layer(ops.ones((size, 3)))
    penalty = float(ops.convert_to_numpy(layer.losses[0]))
    print(f"batch of {size}: sum of squares {size * 18}, penalty {penalty:.4f}")
histories["activity_l2"] = train("activity_l2")
report("activity_l2", histories["activity_l2"])

# %% [markdown]
# ## Dropout, at training and at test time
#
# `Dropout(0.5)` sets half of its inputs to 0 while the model trains, another half each time. What is left is doubled, so
# that the sum stays the same on average. At test time it does nothing. `portable_random` makes the mask the same on
# every backend.

# %%
with portable_random(5):
    dropout = keras.layers.Dropout(0.5, seed=11)
    inputs = ops.ones((1, 10))
    for call in ("first", "second"):
        kept = ops.convert_to_numpy(dropout(inputs, training=True))[0]
        print(f"training, {call:6} call:", " ".join(f"{value:.0f}" for value in kept))
    print(
        "test:                 ",
        " ".join(f"{v:.0f}" for v in ops.convert_to_numpy(dropout(inputs))[0]),
    )
    many = ops.convert_to_numpy(dropout(ops.ones((1, 10_000)), training=True))
    print(f"mean of 10,000 outputs while training: {many.mean():.3f}")
histories["dropout"] = train("dropout")
report("dropout", histories["dropout"])

# %% [markdown]
# ## The figures
#
# One for each way: validation loss of the original as crosses and dots, and of the variant beside it.

# %%
for name in [each for each in histories if each not in ("original", "original_adam")]:
    original = "original_adam" if name.endswith("_adam") else "original"
    figure = Figure(
        name=name,
        title=f"Validation loss: {original} and {name}",
        x_label="epoch",
        y_label="validation loss",
        curves=(
            Curve(original, "val_loss", original, CurveStyle.DOTS),
            Curve(name, "val_loss", name, CurveStyle.DOTS),
        ),
    )
    save(draw(figure, histories), FIGURES / f"overfitting-{name}.svg")
print("figures", len(list(FIGURES.glob("overfitting-*.svg"))))
