"""A cell, a loop over time with scan, an encoder and decoder with states, padding by length."""

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="sound")
class Cell(layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.state_size = units

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), name="kernel")
        self.recurrent = self.add_weight(shape=(self.units, self.units), name="recurrent")
        self.built = True

    def call(self, inputs, states):
        before = states[0]
        h = ops.matmul(inputs, self.kernel)
        output = ops.tanh(h + ops.matmul(before, self.recurrent))
        return output, [output]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable(package="sound")
class Decay(layers.Layer):
    def __init__(self, rate=0.9, **kwargs):
        super().__init__(**kwargs)
        self.rate = rate

    def call(self, inputs):
        steps = ops.moveaxis(inputs, 1, 0)

        def step(carry, x):
            carry = self.rate * carry + (1 - self.rate) * x
            return carry, carry

        start = ops.zeros_like(steps[0])
        _, outputs = ops.scan(step, start, steps)
        return ops.moveaxis(outputs, 0, 1)

    def get_config(self):
        return {**super().get_config(), "rate": self.rate}


@keras.saving.register_keras_serializable(package="sound")
class MaskedMean(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def compute_mask(self, inputs, mask=None):
        return None

    def call(self, inputs, mask=None):
        if mask is None:
            return ops.mean(inputs, axis=1)
        weights = ops.expand_dims(ops.cast(mask, inputs.dtype), -1)
        total = ops.sum(weights, axis=1)
        return ops.sum(inputs * weights, axis=1) / ops.maximum(total, 1.0)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[2])


def build_model():
    source = keras.Input((None,), dtype="int32")
    x = layers.Embedding(20, 6, mask_zero=True)(source)
    encoded, h, c = layers.LSTM(6, return_sequences=True, return_state=True)(x)
    x = layers.LSTM(6, return_sequences=True)(encoded, initial_state=[h, c])
    x = layers.RNN(Cell(6), return_sequences=True)(x)
    x = Decay()(x)
    return keras.Model(source, layers.Dense(2)(MaskedMean()(x)))
