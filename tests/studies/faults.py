"""Faults that are planted in one backend's worker, once keras is imported there."""

import keras


def rho():
    """RMSprop forgets a little more slowly than it should."""
    original = keras.optimizers.RMSprop.__init__

    def patched(self, *arguments, **settings):
        original(self, *arguments, **{**settings, "rho": 0.91})

    keras.optimizers.RMSprop.__init__ = patched


def dropout_rate():
    """Dropout keeps a little more than it should."""
    original = keras.layers.Dropout.__init__

    def patched(self, rate, *arguments, **settings):
        original(self, rate * 0.9, *arguments, **settings)

    keras.layers.Dropout.__init__ = patched


def initial_scale():
    """glorot_uniform draws a little wider than it should."""
    original = keras.initializers.GlorotUniform.__call__
    keras.initializers.GlorotUniform.__call__ = lambda self, shape, dtype=None: (
        original(self, shape, dtype) * 1.01
    )


def dense_scale():
    """Dense puts out a little more than it should."""
    original = keras.layers.Dense.call

    def patched(self, inputs, *arguments, **settings):
        return original(self, inputs, *arguments, **settings) * 1.0001

    keras.layers.Dense.call = patched


def smoothed_labels():
    """The crossentropy smooths its labels, which it should not."""
    original = keras.losses.BinaryCrossentropy.__init__

    def patched(self, *arguments, **settings):
        original(self, *arguments, **{**settings, "label_smoothing": 0.01})

    keras.losses.BinaryCrossentropy.__init__ = patched


def dense_doubled():
    """Dense puts out twice what it should, which half precision cannot explain."""
    original = keras.layers.Dense.call

    def patched(self, inputs, *arguments, **settings):
        return original(self, inputs, *arguments, **settings) * 2

    keras.layers.Dense.call = patched


def learning_rate():
    """RMSprop takes steps that are 3 % longer than they should be."""
    original = keras.optimizers.RMSprop.__init__

    def patched(self, learning_rate=0.001, *arguments, **settings):
        original(self, learning_rate * 1.03, *arguments, **settings)

    keras.optimizers.RMSprop.__init__ = patched
