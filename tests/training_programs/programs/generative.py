"""Models that generate: their losses are made in a ``train_step`` of their own."""

from __future__ import annotations

import keras
from keras import layers, ops

from .program import BACKEND, Programs
from .samples import floats, regression

PROGRAMS = Programs("generative", "Keras code examples, generative deep learning")


class Sampling(layers.Layer):
    """Draws a latent vector from its mean and the logarithm of its variance."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(1337)

    def call(self, inputs):
        mean, log_var = inputs
        noise = keras.random.normal(ops.shape(mean), seed=self.seed_generator)
        return mean + ops.exp(0.5 * log_var) * noise


class VaeBase(keras.Model):
    """Encoder, decoder, and one tracker for each part of the loss."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        pixels = keras.Input((8, 8, 1))
        hidden = layers.Conv2D(4, 3, strides=2, padding="same", activation="relu")(pixels)
        hidden = layers.Dense(6, activation="relu")(layers.Flatten()(hidden))
        mean, log_var = (
            layers.Dense(2, name="mean")(hidden),
            layers.Dense(2, name="log_var")(hidden),
        )
        self.encoder = keras.Model(pixels, [mean, log_var, Sampling()([mean, log_var])])
        latent = keras.Input((2,))
        hidden = layers.Reshape((4, 4, 2))(layers.Dense(32, activation="relu")(latent))
        hidden = layers.Conv2DTranspose(4, 3, strides=2, padding="same", activation="relu")(hidden)
        self.decoder = keras.Model(
            latent, layers.Conv2DTranspose(1, 3, padding="same", activation="sigmoid")(hidden)
        )
        self.total_loss_tracker = keras.metrics.Mean(name="loss")
        self.reconstruction_loss_tracker = keras.metrics.Mean(name="reconstruction_loss")
        self.kl_loss_tracker = keras.metrics.Mean(name="kl_loss")
        self.kl_weight = 1.0
        self.built = True

    @property
    def metrics(self):
        return [
            self.total_loss_tracker,
            self.reconstruction_loss_tracker,
            self.kl_loss_tracker,
        ]

    def call(self, inputs):
        mean, log_var, z = self.encoder(inputs)
        return self.decoder(z), mean, log_var

    def three_losses(self, x, outputs):
        decoded, mean, log_var = outputs
        crossentropy = keras.losses.binary_crossentropy(x, decoded)
        reconstruction = ops.mean(ops.sum(crossentropy, axis=(1, 2)))
        kl = -0.5 * (1 + log_var - ops.square(mean) - ops.exp(log_var))
        kl = ops.mean(ops.sum(kl, axis=1))
        return reconstruction + self.kl_weight * kl, reconstruction, kl


if BACKEND == "jax":
    import jax

    class VAE(VaeBase):
        def losses_and_updates(self, trainable, non_trainable, x):
            outputs, non_trainable = self.stateless_call(trainable, non_trainable, x)
            total, reconstruction, kl = self.three_losses(x, outputs)
            return total, ((total, reconstruction, kl), non_trainable)

        def train_step(self, state, data):
            trainable, non_trainable, optimizer, metrics = state
            x = data[0] if isinstance(data, tuple) else data
            grad_fn = jax.value_and_grad(self.losses_and_updates, has_aux=True)
            (_, (losses, non_trainable)), grads = grad_fn(trainable, non_trainable, x)
            trainable, optimizer = self.optimizer.stateless_apply(optimizer, grads, trainable)
            logs, updated = {}, []
            for metric, loss in zip(self.metrics, losses, strict=True):
                own = metrics[len(updated) : len(updated) + len(metric.variables)]
                own = metric.stateless_update_state(own, loss)
                logs[metric.name] = metric.stateless_result(own)
                updated += own
            return logs, (trainable, non_trainable, optimizer, updated)

elif BACKEND == "tensorflow":
    import tensorflow as tf

    class VAE(VaeBase):
        def train_step(self, data):
            with tf.GradientTape() as tape:
                losses = self.three_losses(data, self(data))
            grads = tape.gradient(losses[0], self.trainable_weights)
            self.optimizer.apply_gradients(zip(grads, self.trainable_weights, strict=True))
            for metric, loss in zip(self.metrics, losses, strict=True):
                metric.update_state(loss)
            return {metric.name: metric.result() for metric in self.metrics}

else:
    import torch

    class VAE(VaeBase):
        def train_step(self, data):
            x = data[0] if isinstance(data, tuple) else data
            losses = self.three_losses(x, self(x))
            self.zero_grad()
            losses[0].backward()
            weights = list(self.trainable_weights)
            with torch.no_grad():
                self.optimizer.apply([weight.value.grad for weight in weights], weights)
            for metric, loss in zip(self.metrics, losses, strict=True):
                metric.update_state(loss)
            return {metric.name: metric.result() for metric in self.metrics}


def vae():
    model = VAE()
    model.compile(optimizer=keras.optimizers.Adam())
    return model


@PROGRAMS.add(vae, notes="fit(x) without y; logs are those of the step's own three trackers")
def vae_without_y(folder):
    return {"x": floats()[0], "epochs": 3, "batch_size": 8}


class KlAnnealing(keras.callbacks.Callback):
    """Sets a plain attribute of the model, which a compiled step has read once."""

    def on_epoch_begin(self, epoch, logs=None):
        self.model.kl_weight = min(1.0, epoch / 2)


@PROGRAMS.add(
    vae,
    source="Stack Overflow: warm-up of the KL term in a variational autoencoder",
    notes="a Python attribute, so Model.fit on JAX and TensorFlow goes on with the first value",
)
def vae_with_kl_annealing_by_an_attribute(folder):
    return {"x": floats()[0], "epochs": 3, "batch_size": 8, "callbacks": [KlAnnealing()]}


def denoising_autoencoder():
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.GaussianNoise(0.2),
            layers.Conv2D(4, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(4, 3, padding="same", activation="relu"),
            layers.UpSampling2D(2),
            layers.Conv2D(1, 3, padding="same", activation="sigmoid"),
        ]
    )
    model.compile("adam", "binary_crossentropy")
    return model


@PROGRAMS.add(denoising_autoencoder)
def denoising(folder):
    x = floats()[0]
    return {"x": x, "y": x, "epochs": 2, "batch_size": 8, "validation_data": (x[:9], x[:9])}


class VaeByAddLoss(keras.Model):
    """The KL term is added in ``call``; ``compile`` has the reconstruction."""

    def __init__(self):
        super().__init__()
        self.hidden = layers.Dense(6, activation="relu")
        self.mean, self.log_var = layers.Dense(2), layers.Dense(2)
        self.sampling = Sampling()
        self.decode = keras.Sequential([layers.Dense(6, activation="relu"), layers.Dense(5)])

    def call(self, inputs):
        hidden = self.hidden(inputs)
        mean, log_var = self.mean(hidden), self.log_var(hidden)
        kl = -0.5 * ops.mean(1 + log_var - ops.square(mean) - ops.exp(log_var))
        self.add_loss(0.1 * kl)
        return self.decode(self.sampling([mean, log_var]))


def vae_by_add_loss():
    model = VaeByAddLoss()
    model.compile(optimizer="adam", loss="mse", metrics=["mae"])
    return model


@PROGRAMS.add(vae_by_add_loss, notes="unbuilt until fit, and draws in its call")
def unbuilt_vae_by_add_loss(folder):
    x = regression()[0]
    return {"x": x, "y": x, "epochs": 3, "batch_size": 16, "validation_split": 0.2}
