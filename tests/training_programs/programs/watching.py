"""Keras's own callbacks, each where it has something to do."""

from __future__ import annotations

import keras
from keras import layers

from .program import Programs
from .samples import binary, regression

PROGRAMS = Programs("watching", "Keras API documentation, callbacks; Stack Overflow")


def network(optimizer="adam", dropout=0.0):
    model = keras.Sequential(
        [
            keras.Input((5,)),
            layers.Dense(6, activation="relu", name="body"),
            layers.Dropout(dropout, name="drop"),
            layers.Dense(1, name="head"),
        ]
    )
    model.compile(optimizer() if callable(optimizer) else optimizer, "mse", metrics=["mae"])
    return model


def sgd(rate=0.05, **settings):
    return lambda: network(lambda: keras.optimizers.SGD(rate, **settings))


def given(*callbacks, **more):
    x, y = regression()
    held_out = (x[27:], y[27:])
    return {
        "x": x[:27],
        "y": y[:27],
        "epochs": 5,
        "batch_size": 8,
        "validation_data": held_out,
        "callbacks": list(callbacks),
    } | more


@PROGRAMS.add(sgd(0.2), notes="stops, and puts back the weights of the best epoch")
def early_stopping_restores(folder):
    return given(
        keras.callbacks.EarlyStopping(monitor="val_loss", patience=1, restore_best_weights=True),
        epochs=8,
    )


@PROGRAMS.add(sgd(0.2), notes="never stops before its start; a mode and a baseline")
def early_stopping_with_baseline(folder):
    return given(
        keras.callbacks.EarlyStopping(
            monitor="val_mae", patience=1, mode="min", baseline=0.05, start_from_epoch=2
        ),
        epochs=8,
    )


@PROGRAMS.add(sgd(0.2))
def reduce_lr_on_plateau(folder):
    return given(
        keras.callbacks.ReduceLROnPlateau(monitor="loss", factor=0.3, patience=1, cooldown=1)
    )


@PROGRAMS.add(sgd(), notes="a function of epoch and learning rate; the rate is in the logs")
def learning_rate_scheduler(folder):
    return given(
        keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate if epoch < 2 else rate * 0.5)
    )


@PROGRAMS.add(
    network, notes="weights of every epoch, by name with the epoch and a value of the logs"
)
def model_checkpoint_every_epoch(folder):
    return given(
        keras.callbacks.ModelCheckpoint(
            str(folder / "epoch-{epoch:02d}.weights.h5"), save_weights_only=True
        ),
        epochs=3,
    )


@PROGRAMS.add(sgd(0.2), notes="only where it is better")
def model_checkpoint_of_the_best(folder):
    return given(
        keras.callbacks.ModelCheckpoint(
            str(folder / "best.keras"), monitor="val_mae", save_best_only=True, mode="min"
        )
    )


@PROGRAMS.add(network, notes="saves by batches, not by epochs")
def model_checkpoint_by_batches(folder):
    return given(
        keras.callbacks.ModelCheckpoint(
            str(folder / "batch-{batch:02d}.weights.h5"), save_weights_only=True, save_freq=3
        ),
        epochs=3,
    )


@PROGRAMS.add(network)
def csv_logger(folder):
    return given(keras.callbacks.CSVLogger(str(folder / "log.csv"), separator=","), epochs=3)


@PROGRAMS.add(network, notes="a training that stays finite")
def terminate_on_nan_is_not_needed(folder):
    return given(keras.callbacks.TerminateOnNaN(), epochs=3)


@PROGRAMS.add(sgd(1e20), notes="a training that ends at its first batch that is not finite")
def terminate_on_nan(folder):
    return given(keras.callbacks.TerminateOnNaN(), epochs=4)


@PROGRAMS.add(sgd(1e20), notes="a training that goes on with NaN to the end")
def nan_to_the_end(folder):
    return given(epochs=3)


@PROGRAMS.add(
    lambda: network(lambda: keras.optimizers.Adam(0.02, use_ema=True, ema_momentum=0.8)),
    notes="validates the averages, trains the weights",
)
def swap_ema_weights(folder):
    return given(keras.callbacks.SwapEMAWeights(swap_on_epoch=False))


@PROGRAMS.add(
    lambda: network(lambda: keras.optimizers.SGD(0.05, use_ema=True, ema_momentum=0.5)),
    notes="the averages at the end of every epoch, saved by the callback behind it",
)
def swap_ema_weights_on_epoch(folder):
    path = str(folder / "ema-{epoch}.weights.h5")
    return given(
        keras.callbacks.SwapEMAWeights(swap_on_epoch=True),
        keras.callbacks.ModelCheckpoint(path, save_weights_only=True),
        epochs=3,
    )


@PROGRAMS.add(network)
def lambda_callback_of_epochs(folder):
    seen: list = []
    callback = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: seen.append(("begin", epoch)),
        on_epoch_end=lambda epoch, logs: seen.append(("end", epoch, dict(logs))),
        on_train_end=lambda logs: seen.append(("over", dict(logs))),
    )
    callback.observations = seen
    return given(callback, epochs=3)


@PROGRAMS.add(network, notes="one callback alone, not a list")
def one_callback_alone(folder):
    stop = keras.callbacks.EarlyStopping("loss", patience=2)
    return given() | {"callbacks": stop, "epochs": 3}


@PROGRAMS.add(network, notes="written for every epoch; what is in the files is not compared")
def backup_and_restore(folder):
    return given(keras.callbacks.BackupAndRestore(str(folder / "backup")), epochs=3)


def with_dropout():
    model = network(dropout=0.4)
    model.compile("rmsprop", "binary_crossentropy", metrics=["accuracy"])
    return model


@PROGRAMS.add(
    with_dropout,
    notes="all at once, as in many notebooks: best file, early end, slower rate, a log",
)
def the_usual_four(folder):
    x, y = binary()
    return {
        "x": x,
        "y": y,
        "validation_split": 0.25,
        "epochs": 5,
        "callbacks": [
            keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True),
            keras.callbacks.ModelCheckpoint(str(folder / "best.weights.h5"), save_best_only=True,
                                            save_weights_only=True),
            keras.callbacks.ReduceLROnPlateau(patience=1, factor=0.2),
            keras.callbacks.CSVLogger(str(folder / "training.csv")),
        ],
    }  # fmt: skip


@PROGRAMS.add(network, notes="a History among the callbacks is the one that fit returns")
def own_history(folder):
    return given(keras.callbacks.History(), epochs=2)
