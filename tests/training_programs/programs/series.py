"""Time series: windows, recurrent and dilated networks, states that are kept between batches."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

from .program import Programs
from .samples import rng, series

PROGRAMS = Programs("series", "Keras code examples, timeseries; questions on recurrent networks")


def compiled(*parts, loss="mse", optimizer="adam", metrics=("mae",)):
    model = keras.Sequential(list(parts))
    model.compile(optimizer=optimizer, loss=loss, metrics=list(metrics))
    return model


def classifier():
    return compiled(
        keras.Input((8, 2)),
        # A bias before BatchNormalization has no gradient but rounding, of which Adam makes whole steps.
        layers.Conv1D(6, 3, padding="same", use_bias=False),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.Conv1D(6, 3, padding="same", activation="relu"),
        layers.GlobalAveragePooling1D(),
        layers.Dense(2, activation="softmax"),
        loss="sparse_categorical_crossentropy",
        metrics=["sparse_categorical_accuracy"],
    )


@PROGRAMS.add(
    classifier, notes="the callbacks of the example: best model, slower learning rate, early end"
)
def conv1d_classification(folder):
    x, y = series()
    callbacks = [
        keras.callbacks.ModelCheckpoint(
            str(folder / "best_model.keras"), save_best_only=True, monitor="val_loss"
        ),
        keras.callbacks.ReduceLROnPlateau(
            monitor="val_loss", factor=0.5, patience=1, min_lr=0.0001
        ),
        keras.callbacks.EarlyStopping(monitor="val_loss", patience=3, verbose=0),
    ]
    return {
        "x": x,
        "y": (y[:, 0] > 0).astype("int64"),
        "batch_size": 8,
        "epochs": 4,
        "callbacks": callbacks,
        "validation_split": 0.2,
    }


def lstm():
    return compiled(keras.Input((8, 2)), layers.LSTM(5), layers.Dense(1))


@PROGRAMS.add(lstm)
def lstm_forecast(folder):
    x, y = series()
    callbacks = [keras.callbacks.EarlyStopping(monitor="val_loss", min_delta=0, patience=5)]
    held_out = (x[24:], y[24:])
    return {
        "x": x[:24],
        "y": y[:24],
        "epochs": 3,
        "batch_size": 8,
        "validation_data": held_out,
        "callbacks": callbacks,
    }


def bidirectional():
    return compiled(
        keras.Input((8, 2)),
        layers.Bidirectional(layers.GRU(4, return_sequences=True)),
        layers.Bidirectional(layers.LSTM(3, recurrent_dropout=0.2, dropout=0.1)),
        layers.Dense(1),
        optimizer="rmsprop",
    )


@PROGRAMS.add(bidirectional, notes="recurrent dropout draws in the loop")
def bidirectional_gru_with_recurrent_dropout(folder):
    x, y = series()
    return {"x": x, "y": y, "batch_size": 8, "epochs": 2}


def stateful():
    return compiled(
        keras.Input(batch_shape=(4, 8, 2)),
        layers.LSTM(4, stateful=True),
        layers.Dense(1),
        metrics=[],
    )


class ResetStates(keras.callbacks.Callback):
    """What people write for stateful networks: states start afresh in every epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        for layer in self.model.layers:
            if getattr(layer, "stateful", False):
                layer.reset_states()


@PROGRAMS.add(
    stateful,
    backends=("jax", "tensorflow"),
    source="Machine Learning Mastery, stateful LSTM",
    notes="the states are weights that a callback resets. On PyTorch Model.fit itself fails: backward meets "
    "a state that was assigned in place",
)
def stateful_lstm_with_resets(folder):
    x, y = series(32)
    return {"x": x, "y": y, "batch_size": 4, "epochs": 3, "callbacks": [ResetStates()]}


def conv_lstm():
    return compiled(
        keras.Input((None, 6, 6, 1)),
        layers.ConvLSTM2D(3, 3, padding="same", return_sequences=True, activation="relu"),
        layers.BatchNormalization(),
        layers.Conv3D(1, 3, padding="same", activation="sigmoid"),
        loss="binary_crossentropy",
        metrics=[],
    )


@PROGRAMS.add(conv_lstm)
def next_frames_by_conv_lstm(folder):
    frames = (rng(10).random((10, 5, 6, 6, 1)) < 0.3).astype("float32")
    held_out = (frames[8:, :-1], frames[8:, 1:])
    return {
        "x": frames[:8, :-1],
        "y": frames[:8, 1:],
        "batch_size": 4,
        "epochs": 2,
        "validation_data": held_out,
    }


def dilated():
    inputs = keras.Input((8, 2))
    x = inputs
    for rate in (1, 2, 4):
        skip = layers.Conv1D(4, 1)(x)
        x = layers.Conv1D(4, 2, dilation_rate=rate, padding="causal", activation="relu")(x)
        x = layers.Add()([layers.SpatialDropout1D(0.2)(x), skip])
    model = keras.Model(inputs, layers.Dense(1)(x[:, -1]))
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(1e-2, 5, 0.9)),
        keras.losses.Huber(delta=0.5),
        metrics=[keras.metrics.RootMeanSquaredError(name="rmse"), "mape"],
    )
    return model


@PROGRAMS.add(dilated, notes="schedule, Huber with its delta, slicing a symbolic tensor")
def dilated_convolutions(folder):
    x, y = series()
    return {"x": x.astype("float64"), "y": y.astype("float64"), "batch_size": 8, "epochs": 3}


def anomaly():
    model = keras.Sequential(
        [
            layers.Input((8, 1)),
            layers.Conv1D(4, 3, padding="same", strides=2, activation="relu"),
            layers.Dropout(0.2),
            layers.Conv1DTranspose(4, 3, padding="same", strides=2, activation="relu"),
            layers.Conv1DTranspose(1, 3, padding="same"),
        ]
    )
    model.compile(optimizer=keras.optimizers.Adam(learning_rate=0.001), loss="mse")
    return model


@PROGRAMS.add(anomaly)
def anomaly_autoencoder(folder):
    x = series(features=1)[0]
    stop = keras.callbacks.EarlyStopping(monitor="val_loss", patience=1, mode="min")
    return {
        "x": x,
        "y": x,
        "epochs": 4,
        "batch_size": 16,
        "validation_split": 0.1,
        "callbacks": [stop],
    }


def several_steps_ahead():
    """Encoder, a repeated vector, decoder."""
    return compiled(
        keras.Input((5, 2)),
        layers.LSTM(4),
        layers.RepeatVector(3),
        layers.LSTM(4, return_sequences=True),
        layers.TimeDistributed(layers.Dense(2)),
        optimizer=keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True, clipvalue=0.5),
    )


@PROGRAMS.add(several_steps_ahead, source="Machine Learning Mastery, encoder-decoder LSTM")
def encoder_decoder_forecast(folder):
    x, _ = series()
    return {"x": x[:, :5], "y": x[:, 5:], "batch_size": 8, "epochs": 3}


@PROGRAMS.add(
    lstm, name="windows_of_timeseries_dataset", backends=("tensorflow",), notes="a tf.data.Dataset"
)
def windows(folder):
    wave = np.sin(np.arange(60) * 0.3)[:, None] * np.ones((1, 2))
    make = keras.utils.timeseries_dataset_from_array
    train, held_out = (
        make(part[:-8], part[8:, :1], sequence_length=8, batch_size=8)
        for part in (wave[:40], wave[40:])
    )
    return {"x": train, "validation_data": held_out, "epochs": 2}
