"""Two networks and two optimizers: models with a ``compile`` and a ``train_step`` of their own."""

from __future__ import annotations

import keras
from keras import layers, ops

from .program import BACKEND, Programs
from .samples import regression

PROGRAMS = Programs("adversarial", "Keras code examples, DCGAN and WGAN by overriding train_step")


class GanBase(keras.Model):
    def __init__(self, discriminator, generator, latent_dim):
        super().__init__()
        self.discriminator, self.generator = discriminator, generator
        self.latent_dim = latent_dim
        self.seed_generator = keras.random.SeedGenerator(1337)
        self.built = True

    def compile(self, d_optimizer, g_optimizer, loss_fn):
        super().compile()
        self.d_optimizer, self.g_optimizer, self.loss_fn = d_optimizer, g_optimizer, loss_fn
        self.d_loss_metric = keras.metrics.Mean(name="d_loss")
        self.g_loss_metric = keras.metrics.Mean(name="g_loss")

    @property
    def metrics(self):
        return [self.d_loss_metric, self.g_loss_metric]

    def noise(self, like):
        return keras.random.normal((ops.shape(like)[0], self.latent_dim), seed=self.seed_generator)

    def discriminator_loss(self, real, fake):
        scores = self.discriminator(ops.concatenate([fake, real], axis=0))
        rows = ops.shape(real)[0]
        labels = ops.concatenate([ops.ones((rows, 1)), ops.zeros((rows, 1))], axis=0)
        return self.loss_fn(labels, scores)

    def generator_loss(self, latent):
        scores = self.discriminator(self.generator(latent))
        return self.loss_fn(ops.zeros_like(scores), scores)


if BACKEND == "tensorflow":
    import tensorflow as tf

    class GAN(GanBase):
        def train_step(self, real):
            fake = self.generator(self.noise(real))
            with tf.GradientTape() as tape:
                d_loss = self.discriminator_loss(real, fake)
            weights = self.discriminator.trainable_weights
            self.d_optimizer.apply_gradients(
                zip(tape.gradient(d_loss, weights), weights, strict=True)
            )
            latent = self.noise(real)
            with tf.GradientTape() as tape:
                g_loss = self.generator_loss(latent)
            weights = self.generator.trainable_weights
            self.g_optimizer.apply_gradients(
                zip(tape.gradient(g_loss, weights), weights, strict=True)
            )
            self.d_loss_metric.update_state(d_loss)
            self.g_loss_metric.update_state(g_loss)
            return {"d_loss": self.d_loss_metric.result(), "g_loss": self.g_loss_metric.result()}

elif BACKEND == "jax":
    # The trainer's state holds the variables of model.optimizer only: two optimizers have no place in it.
    GAN = GanBase

else:
    import torch

    class GAN(GanBase):
        def descend(self, loss, weights, optimizer):
            self.zero_grad()
            loss.backward()
            weights = list(weights)
            with torch.no_grad():
                optimizer.apply([weight.value.grad for weight in weights], weights)

        def train_step(self, data):
            real = data[0] if isinstance(data, tuple) else data
            fake = self.generator(self.noise(real)).detach()
            d_loss = self.discriminator_loss(real, fake)
            self.descend(d_loss, self.discriminator.trainable_weights, self.d_optimizer)
            g_loss = self.generator_loss(self.noise(real))
            self.descend(g_loss, self.generator.trainable_weights, self.g_optimizer)
            self.d_loss_metric.update_state(d_loss)
            self.g_loss_metric.update_state(g_loss)
            return {"d_loss": self.d_loss_metric.result(), "g_loss": self.g_loss_metric.result()}


def gan():
    generator = keras.Sequential([keras.Input((3,)), layers.Dense(8, "relu"), layers.Dense(5)])
    discriminator = keras.Sequential(
        [keras.Input((5,)), layers.Dense(8), layers.LeakyReLU(0.2), layers.Dense(1)]
    )
    model = GAN(discriminator, generator, latent_dim=3)
    model.compile(
        d_optimizer=keras.optimizers.Adam(learning_rate=0.0003),
        g_optimizer=keras.optimizers.Adam(learning_rate=0.0003),
        loss_fn=keras.losses.BinaryCrossentropy(from_logits=True),
    )
    return model


class ReadGenerator(keras.callbacks.Callback):
    """Reads what the generator makes after each epoch, as the examples save images."""

    def __init__(self):
        super().__init__()
        self.observations = []

    def on_epoch_end(self, epoch, logs=None):
        latent = ops.ones((2, self.model.latent_dim))
        self.observations.append(ops.convert_to_numpy(self.model.generator(latent)))


@PROGRAMS.add(
    gan,
    backends=("tensorflow", "torch"),
    notes="compile() takes other arguments; no model.optimizer. Not on JAX, where the trainer's state "
    "has no place for a second optimizer",
)
def gan_with_own_compile(folder):
    return {"x": regression()[0], "epochs": 3, "batch_size": 8, "callbacks": [ReadGenerator()]}


class Perturbed(keras.Model):
    """Noise of its own is added to what it sees; ``compute_loss`` takes the mean of both losses."""

    def __init__(self, body):
        super().__init__()
        self.body = body
        self.seed_generator = keras.random.SeedGenerator(7)
        self.built = True

    def call(self, inputs, training=None):
        return self.body(inputs, training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        loss = super().compute_loss(x, y, y_pred, sample_weight, training)
        if not training:
            return loss
        noise = 0.1 * keras.random.normal(ops.shape(x), seed=self.seed_generator)
        disturbed = self.body(x + noise, training=training)
        return 0.5 * (loss + super().compute_loss(x, y, disturbed, sample_weight, training))


def perturbed():
    body = keras.Sequential([keras.Input((5,)), layers.Dense(6, "tanh"), layers.Dense(1)])
    model = Perturbed(body)
    model.compile("rmsprop", "mse", metrics=["mae"])
    return model


@PROGRAMS.add(
    perturbed,
    source="Neural structured learning, adversarial regularization; without the inner gradient",
    notes="compute_loss that draws from a seed generator while training",
)
def robust_regression(folder):
    x, y = regression()
    return {"x": x, "y": y, "epochs": 3, "batch_size": 8, "validation_data": (x[:10], y[:10])}
