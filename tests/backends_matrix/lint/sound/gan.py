"""A GAN whose train step asks which backend runs."""

import keras
from keras import layers, ops


class GAN(keras.Model):
    def __init__(self, discriminator, generator, latent_dim):
        super().__init__()
        self.discriminator = discriminator
        self.generator = generator
        self.latent_dim = latent_dim
        self.seed_generator = keras.random.SeedGenerator(1337)
        self.d_loss_tracker = keras.metrics.Mean(name="d_loss")
        self.built = True

    def compile(self, d_optimizer, g_optimizer, loss_fn):
        super().compile()
        self.d_optimizer = d_optimizer
        self.g_optimizer = g_optimizer
        self.loss_fn = loss_fn

    def train_step(self, *args, **kwargs):
        if keras.backend.backend() == "jax":
            return self._jax_train_step(*args, **kwargs)
        if keras.backend.backend() == "tensorflow":
            return self._tensorflow_train_step(*args, **kwargs)
        if keras.backend.backend() == "torch":
            return self._torch_train_step(*args, **kwargs)
        raise NotImplementedError(keras.backend.backend())

    def _jax_train_step(self, state, data):
        import jax

        variables, other = state[0], state[1:]
        grad_fn = jax.value_and_grad(self._loss, has_aux=True)
        (loss, _), _gradients = grad_fn(variables, data)
        return {"d_loss": loss}, (variables, *other)

    def _loss(self, variables, data):
        return ops.mean(data[0]), None

    def _tensorflow_train_step(self, data):
        import tensorflow as tf

        images = data[0] if isinstance(data, tuple) else data
        batch = tf.shape(images)[0]
        noise = keras.random.normal((batch, self.latent_dim), seed=self.seed_generator)
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(self.discriminator(self.generator(noise)))
        gradients = tape.gradient(loss, self.discriminator.trainable_weights)
        self.d_optimizer.apply(gradients, self.discriminator.trainable_weights)
        self.d_loss_tracker.update_state(loss)
        return {"d_loss": self.d_loss_tracker.result()}

    def _torch_train_step(self, data):
        import torch

        images = data[0] if isinstance(data, tuple) else data
        noise = keras.random.normal((images.shape[0], self.latent_dim), seed=self.seed_generator)
        loss = torch.mean(self.discriminator(self.generator(noise)))
        self.discriminator.zero_grad()
        loss.backward()
        gradients = [v.value.grad for v in self.discriminator.trainable_weights]
        with torch.no_grad():
            self.d_optimizer.apply(gradients, self.discriminator.trainable_weights)
        self.d_loss_tracker.update_state(loss.detach().cpu().numpy())
        return {"d_loss": float(self.d_loss_tracker.result())}


def build_model():
    discriminator = keras.Sequential(
        [keras.Input((6,)), layers.Dense(4), layers.LeakyReLU(0.2), layers.Dense(1)]
    )
    generator = keras.Sequential([keras.Input((3,)), layers.Dense(4), layers.Dense(6)])
    return GAN(discriminator, generator, 3)
