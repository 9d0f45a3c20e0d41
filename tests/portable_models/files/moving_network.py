"""The network and the training that the tests of moving files share; run in each backend's process."""

import keras
import numpy as np

SAMPLES, FEATURES, BATCH, EPOCHS = 48, 6, 16, 2
OPTIMIZERS = ("sgd_momentum", "rmsprop", "adam", "adamw")


def optimizer(name):
    return {
        "sgd_momentum": lambda: keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
        "rmsprop": lambda: keras.optimizers.RMSprop(0.003, momentum=0.5, centered=True),
        "adam": lambda: keras.optimizers.Adam(0.01, amsgrad=True),
        # A schedule and clipping: both depend on state or settings that the file must carry.
        "adamw": lambda: keras.optimizers.AdamW(
            keras.optimizers.schedules.ExponentialDecay(0.01, 2, 0.9), clipnorm=1.0
        ),
    }[name]()


def network():
    """Regularised, with statistics and two seed generators: whatever a resumed training needs."""
    inputs = keras.Input((FEATURES,), name="features")
    hidden = keras.layers.Dense(
        12, activation="relu", kernel_regularizer=keras.regularizers.L2(1e-3), name="hidden"
    )(inputs)
    hidden = keras.layers.BatchNormalization(name="statistics")(hidden)
    hidden = keras.layers.Dropout(0.5, seed=11, name="dropout")(hidden)
    hidden = keras.layers.Dense(8, activation="tanh", name="narrow")(hidden)
    # Without a seed: it is drawn when the layer is made, so a reader must not draw its own.
    hidden = keras.layers.Dropout(0.25, name="unseeded")(hidden)
    outputs = keras.layers.Dense(1, name="value")(hidden)
    return keras.Model(inputs, outputs, name="moving")


def compiled(name):
    """The network with the same weights on every backend."""
    model = network()
    numbers = np.random.default_rng(5)
    model.set_weights(
        [
            np.abs(weight) if "variance" in variable.path else weight
            for variable in model.weights
            for weight in [numbers.normal(0, 0.5, variable.shape).astype("float32")]
        ]
    )
    model.compile(optimizer(name), loss="mse", metrics=["mae"])
    return model


def data():
    numbers = np.random.default_rng(7)
    x = numbers.normal(size=(SAMPLES, FEATURES)).astype("float32")
    return x, (x[:, :1] * 2 - x[:, 1:2] + 0.5).astype("float32")


def train(model):
    """Fit for a few epochs in a fixed order: loss and metric of each."""
    x, y = data()
    history = model.fit(x, y, batch_size=BATCH, epochs=EPOCHS, shuffle=False, verbose=0).history
    return [history["loss"], history["mae"]]


def state(model):
    """Weights and optimizer variables as arrays by name."""
    arrays = {f"weight {index}": value for index, value in enumerate(model.get_weights())}
    arrays |= {
        f"optimizer {index}": variable.numpy()
        for index, variable in enumerate(model.optimizer.variables)
    }
    return {name: np.asarray(value) for name, value in arrays.items()}
