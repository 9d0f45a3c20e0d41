"""Images: convolutions, normalisation, augmentation inside of the model."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers, ops

from .program import Programs
from .samples import floats, images, rng

PROGRAMS = Programs("vision", "Keras code examples, computer vision")


def mnist_convnet():
    model = keras.Sequential(
        [
            keras.Input(shape=(8, 8, 1)),
            layers.Conv2D(4, kernel_size=(3, 3), activation="relu"),
            layers.MaxPooling2D(pool_size=(2, 2)),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model


@PROGRAMS.add(mnist_convnet)
def simple_convnet(folder):
    x, y = floats()
    y = keras.utils.to_categorical(y, 3)
    return {"x": x, "y": y, "batch_size": 8, "epochs": 3, "validation_split": 0.1}


def augmented():
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.RandomFlip("horizontal"),
            layers.RandomRotation(0.1),
            layers.Rescaling(1.0 / 255),
            layers.Conv2D(4, 3, strides=2, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(3e-4),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="acc")],
    )
    return model


@PROGRAMS.add(augmented, notes="uint8 images; augmentation draws in training only")
def augmentation_inside_the_model(folder):
    x, y = images(channels=3)
    return {"x": x, "y": y, "batch_size": 8, "epochs": 2, "validation_data": (x[:9], y[:9])}


def separable():
    """A small Xception-like block with a residual."""
    inputs = keras.Input((8, 8, 1))
    x = layers.Conv2D(4, 3, padding="same")(inputs)
    x = residual = layers.Activation("relu")(layers.BatchNormalization()(x))
    x = layers.SeparableConv2D(6, 3, padding="same")(x)
    x = layers.BatchNormalization()(x)
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    x = layers.add([x, layers.Conv2D(6, 1, strides=2, padding="same")(residual)])
    x = layers.DepthwiseConv2D(3)(x)
    outputs = layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling2D()(x))
    model = keras.Model(inputs, outputs)
    model.compile(
        keras.optimizers.SGD(0.02, momentum=0.9),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


@PROGRAMS.add(
    separable, notes="moving averages of BatchNormalization; another batch size in validation"
)
def separable_convolutions(folder):
    x, y = floats()
    return {
        "x": x,
        "y": y,
        "batch_size": 8,
        "epochs": 2,
        "validation_data": (x[:9], y[:9]),
        "validation_batch_size": 4,
    }


def unet():
    inputs = keras.Input((8, 8, 1))
    first = layers.Conv2D(3, 3, padding="same", activation="relu")(inputs)
    deep = layers.MaxPooling2D()(first)
    deep = layers.Conv2D(6, 3, padding="same", activation="relu")(deep)
    up = layers.Conv2DTranspose(3, 2, strides=2)(layers.Dropout(0.1)(deep))
    merged = layers.Concatenate()([up, first])
    model = keras.Model(inputs, layers.Conv2D(2, 1, activation="softmax")(merged))
    model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=[one_class_iou()])
    return model


def one_class_iou():
    return keras.metrics.OneHotMeanIoU(num_classes=2, sparse_y_pred=False, name="iou")


def dice(y_true, y_pred):
    """1 - Dice coefficient of the second class."""
    y_true, y_pred = ops.cast(y_true[..., 0], y_pred.dtype), y_pred[..., 1]
    shared = ops.sum(y_true * y_pred)
    return 1 - (2 * shared + 1) / (ops.sum(y_true) + ops.sum(y_pred) + 1)


def unet_with_dice():
    model = unet()
    model.compile("adam", loss=dice)
    return model


@PROGRAMS.add(unet_with_dice, notes="a loss function that gives one number for the batch")
def segmentation_by_unet(folder):
    x, _ = floats()
    masks = (x > 0.5).astype("uint8")
    return {"x": x, "y": masks, "batch_size": 8, "epochs": 2, "validation_data": (x[:9], masks[:9])}


def normalisations():
    spectral = layers.SpectralNormalization(layers.Conv2D(4, 3, padding="same"), power_iterations=2)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            spectral,
            layers.GroupNormalization(groups=2),
            layers.Activation("gelu"),
            layers.SpatialDropout2D(0.2),
            layers.AveragePooling2D(2),
            layers.LayerNormalization(),
            layers.Flatten(),
            layers.UnitNormalization(),
            layers.GaussianDropout(0.1),
            layers.AlphaDropout(0.1),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


@PROGRAMS.add(normalisations, notes="power iteration is a state; four kinds of dropout")
def normalisations_and_dropouts(folder):
    x, y = floats()
    return {"x": x, "y": y, "batch_size": 8, "epochs": 2, "validation_data": (x[:9], y[:9])}


def transfer():
    base = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(4, 3, padding="same"),
            layers.BatchNormalization(),
            layers.ReLU(),
        ],
        name="base",
    )
    base.trainable = False
    inputs = keras.Input((8, 8, 1))
    x = layers.GlobalAveragePooling2D()(base(inputs, training=False))
    model = keras.Model(inputs, layers.Dense(1)(layers.Dropout(0.2)(x)))
    model.compile(
        optimizer=keras.optimizers.Adam(),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[keras.metrics.BinaryAccuracy()],
    )
    return model


@PROGRAMS.add(
    transfer, source="Keras guide, transfer learning and fine-tuning", notes="a frozen base"
)
def frozen_base(folder):
    x, y = floats()
    y = (y > 0).astype("float32")
    return {"x": x, "y": y, "epochs": 2, "batch_size": 8, "validation_data": (x[:9], y[:9])}


class Mixup(keras.utils.PyDataset):
    """Two images in one, with a label in between; drawn anew from seed and epoch."""

    def __init__(self, x, y):
        super().__init__()
        self.x, self.y, self.epoch = x, y, 0

    def __len__(self):
        return 3

    def __getitem__(self, index):
        draw = rng(100 * self.epoch + index)
        one, two = draw.integers(0, len(self.x), (2, 8))
        part = draw.beta(0.4, 0.4, (8, 1)).astype("float32")
        mixed = self.x[one] * part[..., None, None] + self.x[two] * (1 - part[..., None, None])
        return mixed, self.y[one] * part + self.y[two] * (1 - part)

    def on_epoch_end(self):
        self.epoch += 1


@PROGRAMS.add(mnist_convnet, source="Keras code examples, MixUp augmentation", notes="a PyDataset")
def mixup_from_a_dataset(folder):
    x, y = floats()
    return {"x": Mixup(x, np.eye(3, dtype="float32")[y]), "epochs": 3}
