import keras
from keras import layers, ops


LOSS = "categorical_crossentropy"


def build_model():
    return keras.applications.MobileNetV3Small(
        input_shape=(32, 32, 3),
        alpha=0.35,
        weights=None,
        classes=4,
        include_preprocessing=True,
        dropout_rate=0.0,
    )
