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
