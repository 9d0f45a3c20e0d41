# differs: cast,jax
"""A layer of the user's own that keeps the mean of the last batch in bytes: its state differs, its outputs do not."""

import keras


@keras.saving.register_keras_serializable()
class Thumbnail(keras.layers.Layer):
    def build(self, shape):
        self.seen = self.add_weight(shape=shape[1:], initializer="zeros", trainable=False)

    def call(self, inputs, training=False):
        if training:
            self.seen.assign(keras.ops.cast(keras.ops.mean(inputs * 500.0, axis=0), "uint8"))
        return inputs


def build_model():
    inputs = keras.Input((6,))
    x = Thumbnail(name="thumbnail")(keras.layers.Dense(5)(inputs))
    return keras.Model(inputs, keras.layers.Dense(3)(x))
