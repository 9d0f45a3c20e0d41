"""Segmentation measured by MeanIoU as it comes."""

import keras
from keras import layers


def build_model():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="softmax")])
    metric = keras.metrics.OneHotMeanIoU(num_classes=3, name="iou")
    model.compile("sgd", "categorical_crossentropy", metrics=[metric])
    return model


# named: configuration of iou
