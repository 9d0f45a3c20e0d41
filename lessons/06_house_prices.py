# %% [markdown]
# # 6. House prices: cross-validation
#
# A *regression*: the target is a number, the median house price of a district of Boston in 1978, in thousands of
# dollars. There are only 404 training rows, so a single validation set says little. The study is that of F. Chollet,
# *Deep Learning with Python*, section 3.6. The table is embedded; no network is needed.
#
# By default the lesson trains for 40 epochs with batches of 16. `PORTABLE_MODELS_LESSON_DATA=full` trains as published:
# 200 epochs, one row at a time. At that length rounding alone carries two trainings apart, so the last digits are no
# longer equal on the three backends: see "What agrees means".

# %%
import os
from pathlib import Path

import numpy as np

from portable_models import Recipe, cross_validate, evaluate, fit, portable_random
from portable_models.data import FEATURES, load_boston, standardise
from portable_models.models import boston_regressor
from portable_models.plots import Curve, Figure, draw, exponential_moving_average, save

PUBLISHED_LENGTH = os.environ.get("PORTABLE_MODELS_LESSON_DATA", "sample") != "sample"
FIGURE_FOLDER = Path(os.environ.get("PORTABLE_MODELS_LESSON_FIGURES", "lesson-figures"))
FIGURE_FOLDER.mkdir(parents=True, exist_ok=True)
RECIPE = Recipe(
    optimizer="rmsprop",
    loss="mse",
    metrics=("mae",),
    epochs=200 if PUBLISHED_LENGTH else 40,
    batch_size=1 if PUBLISHED_LENGTH else 16,
)

# %% [markdown]
# ## The features, brought to one scale
#
# One feature counts rooms, another one is a tax rate of several hundred. Each is *standardised*: its mean is
# subtracted, and it is divided by its standard deviation. Mean and deviation are those of the training rows; the test
# rows must not have a say in anything.

# %%
data = load_boston()
x_raw, y = np.asarray(data.train.x), np.asarray(data.train.y)
x, x_test = standardise(x_raw, data.test.x)
rooms = FEATURES.index("RM")
print("rows", x.shape, "test rows", x_test.shape)
print(f"rooms before: mean {x_raw[:, rooms].mean():.3f}, deviation {x_raw[:, rooms].std():.3f}")
print("rooms after: mean 0, deviation", round(float(x[:, rooms].std()), 3))

# %% [markdown]
# ## K-fold cross-validation
#
# The rows are cut into k folds. k models are trained; each is validated on the fold that it did not see. Their mean
# score says more than any single one. The last layer has no activation, so that it can give any number; the loss is
# the mean squared error (`mse`), and the score the mean absolute error (`mae`), in thousands of dollars.
#
# Published for four folds and 100 epochs: 2.0036, 2.2126, 2.8791, 2.3664, mean 2.3654.

# %%
results = {}
for folds in (3, 4):
    results[folds] = cross_validate(boston_regressor, (x, y), RECIPE, folds=folds, warn=False)
    scores = results[folds].last("val_mae")
    each = " ".join(f"{score:.2f}" for score in scores)
    print(f"{folds} folds: mae {each}; mean {np.mean(scores):.2f}")

# %% [markdown]
# ## The curve of the folds' mean, whole and smoothed
#
# The whole curve is ruled by its first epochs. Without the first ten, and smoothed by an exponential moving average of
# factor 0.9, it shows where validation stops getting better.

# %%
curve = results[4].mean["val_mae"]
for name, skip, smoothing in (("whole", 0, None), ("smoothed", 10, 0.9)):
    figure = Figure(
        name=name,
        title=f"Validation MAE, mean of four folds, {name}",
        x_label="epoch",
        y_label="MAE (thousand dollars)",
        curves=(Curve("folds", "val_mae", "validation MAE"),),
        skip_first=skip,
        smoothing=smoothing,
    )
    save(draw(figure, {"folds": results[4].mean}), FIGURE_FOLDER / f"prices-{name}.svg")
smooth = exponential_moving_average(curve[10:], 0.9)
print("mae at epochs 1, 10, 20, 40:", " ".join(f"{curve[at - 1]:.2f}" for at in (1, 10, 20, 40)))
print("smoothed curve, first and last point:", f"{smooth[0]:.2f} {smooth[-1]:.2f}")

# %% [markdown]
# ## Train, validate, choose, test
#
# *Hyper-parameters*, such as the number of units, are not learnt. Each choice is trained on one part and compared on
# the validation part. The winner is trained again on both parts, and the test rows are used once, at the very end. If
# they were used to choose, the last number would flatter the model.

# %%
cut = 100
scores = {}
for units in (4, 16, 64):
    with portable_random(1):
        model = boston_regressor(units=(units, units))
    training = fit(
        model, x[cut:], y[cut:], recipe=RECIPE, validation_data=(x[:cut], y[:cut]), verbose=0
    )
    scores[units] = training.history["val_mae"][-1]
    print(f"{units:3} units: validation mae {scores[units]:.2f}")
winner = min(scores, key=scores.__getitem__)
with portable_random(1):
    model = boston_regressor(units=(winner, winner))
fit(model, x, y, recipe=RECIPE, verbose=0)
tested = evaluate(model, x_test, np.asarray(data.test.y))
print(f"chosen: {winner} units; test mae {tested['mae']:.2f} (published, 80 epochs: about 2.7)")
