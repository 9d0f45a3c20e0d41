"""Models of keras.applications for small images, without weights."""

from __future__ import annotations

import keras

IMAGE = {"input_shape": (32, 32, 3), "weights": None, "classes": 5}


def mobilenet_v3_small() -> keras.Model:
    """Squeeze-and-excitation and hard swish."""
    return keras.applications.MobileNetV3Small(**IMAGE)


def efficientnet_b0() -> keras.Model:
    """Rescaling and Normalization inside, swish, stochastic depth."""
    return keras.applications.EfficientNetB0(**IMAGE)


def resnet50_v2() -> keras.Model:
    """Residual blocks that normalise first, with max pooling and zero padding."""
    return keras.applications.ResNet50V2(**IMAGE)


def densenet121() -> keras.Model:
    """Dense blocks joined by concatenation."""
    return keras.applications.DenseNet121(**IMAGE)
