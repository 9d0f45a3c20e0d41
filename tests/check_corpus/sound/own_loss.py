import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="corpus")
class Penalised(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.body = layers.Dense(1)

    def build(self, shape):
        self.body.build(shape)

    def call(self, x):
        return self.body(x)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return ops.mean(ops.square(y - y_pred)) + 0.1 * ops.mean(ops.square(y_pred))


def build_model():
    model = Penalised()
    model.build((None, 3))
    model.compile(keras.optimizers.SGD(0.05))
    return model


def example_targets(rng, batch):
    return rng.normal(size=(batch, 1)).astype("float32")
