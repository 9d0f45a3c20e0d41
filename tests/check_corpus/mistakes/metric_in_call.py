import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="corpus")
class Watched(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.body = layers.Dense(1)

    def build(self, shape):
        self.body.build(shape)

    def call(self, x):
        metric = keras.metrics.Mean(name="seen")  # here
        metric.update_state(ops.mean(x))
        return self.body(x) + metric.result()


def build_model():
    model = Watched()
    model.build((None, 3))
    model.compile("sgd", "mse")
    return model
