"""One network for handwritten digits in three styles: Sequential, Functional and subclassed.

The three are interchangeable: equal layer names, equal weight paths (``hidden/kernel`` …), and
weights files of one layout, so what one has saved the others load, on every backend.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers


def mnist_sequential(
    pixels: int = 784, *, units: int = 32, classes: int = 10, name: str = "mnist"
) -> keras.Model:
    """The network as a list of layers.

    Args:
        pixels: how many pixels an image has.
        units: width of the hidden relu layer.
        classes: how many digits there are.
        name: the model's name.

    Returns:
        A new, uncompiled model from float32 ``(n, pixels)`` to probabilities ``(n, classes)``.
    """
    return keras.Sequential(
        [layers.Input((pixels,), name="pixels"), *_built_layers(pixels, units, classes)], name=name
    )


def mnist_functional(
    pixels: int = 784, *, units: int = 32, classes: int = 10, name: str = "mnist"
) -> keras.Model:
    """The network as a graph of layers; arguments and result as :func:`mnist_sequential`."""
    hidden, digits = _built_layers(pixels, units, classes)
    inputs = layers.Input((pixels,), name="pixels")
    return keras.Model(inputs, digits(hidden(inputs)), name=name)


def mnist_subclassed(
    pixels: int = 784, *, units: int = 32, classes: int = 10, name: str = "mnist"
) -> keras.Model:
    """The network as a class of its own; arguments and result as :func:`mnist_sequential`."""
    return MnistClassifier(pixels, units=units, classes=classes, name=name)


@keras.saving.register_keras_serializable("portable_models")
class MnistClassifier(keras.Model):  # type: ignore[misc]  # keras has no complete types
    """The subclassed style.

    Args:
        pixels: how many pixels an image has.
        units: width of the hidden relu layer.
        classes: how many digits there are.
        **kwargs: ``name``, ``dtype`` and ``trainable`` of ``keras.Model``.
    """

    def __init__(
        self, pixels: int = 784, *, units: int = 32, classes: int = 10, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.pixels, self.units, self.classes = pixels, units, classes
        # Keras writes a model's weights under the first attribute, by alphabet, that leads to a
        # layer. Behind "layers", the attributes of these two leave the file as the other styles
        # write it.
        self.stage_hidden, self.stage_output = _built_layers(pixels, units, classes)
        self.build((None, pixels))

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Accept the input's shape; the layers are built already.

        Raises:
            ValueError: images of another size.
        """
        if input_shape[-1] != self.pixels:
            raise ValueError(
                f"{type(self).__name__} takes images of {self.pixels} pixels; got {input_shape[-1]}"
            )
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Probabilities ``(n, classes)`` of images ``(n, pixels)``."""
        return self.stage_output(self.stage_hidden(inputs))

    def get_config(self) -> dict[str, Any]:
        """Everything that ``__init__`` takes."""
        own = {"pixels": self.pixels, "units": self.units, "classes": self.classes}
        return {**super().get_config(), **own}


def _built_layers(pixels: int, units: int, classes: int) -> tuple[layers.Layer, layers.Layer]:
    """Both layers, built outside any model, so that no model's name gets into weight paths."""
    hidden = layers.Dense(units, activation="relu", name="hidden")
    digits = layers.Dense(classes, activation="softmax", name="digits")
    hidden.build((None, pixels))
    digits.build((None, units))
    return hidden, digits
