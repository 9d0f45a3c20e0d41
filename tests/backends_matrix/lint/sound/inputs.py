"""Several inputs and outputs, as positions and as dictionaries; shared layers; a residual block."""

import keras
from keras import layers, ops


def residual(x, filters):
    shortcut = x
    x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
    x = layers.Conv2D(filters, 3, padding="same")(x)
    x = layers.add([x, shortcut])
    return layers.Activation("relu")(x)


def build_model():
    image = keras.Input((16, 16, 3), name="image")
    table = keras.Input((5,), name="table")
    x = layers.Rescaling(1.0 / 255)(image)
    x = layers.Conv2D(8, 3, activation="relu")(x)
    x = layers.MaxPooling2D(2)(x)
    x = residual(x, 8)
    x = layers.GlobalAveragePooling2D()(x)
    shared = layers.Dense(8, activation="relu")
    both = layers.concatenate([shared(x), shared(layers.Dense(8)(table))])
    both = layers.Dropout(0.5)(both)
    priority = layers.Dense(1, name="priority")(both)
    department = layers.Dense(4, name="department")(both)
    model = keras.Model(
        {"image": image, "table": table}, {"priority": priority, "department": department}
    )
    model.compile(
        optimizer=keras.optimizers.RMSprop(1e-3),
        loss={
            "priority": keras.losses.BinaryCrossentropy(from_logits=True),
            "department": keras.losses.CategoricalCrossentropy(from_logits=True),
        },
        loss_weights={"priority": 1.0, "department": 0.2},
    )
    return model


class Mixer(keras.Model):
    """A dictionary in, a dictionary out."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.left = layers.Dense(4)
        self.right = layers.Dense(4)

    def call(self, inputs):
        left = self.left(inputs["left"])
        right = self.right(inputs["right"])
        outputs = {}
        outputs["sum"] = left + right
        outputs["largest"] = ops.maximum(left, right)
        for name in ("sum", "largest"):
            outputs[name] = ops.tanh(outputs[name])
        return outputs


class Either(keras.Model):
    """A tensor, or a list or dictionary of tensors."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.head = layers.Dense(2)

    def call(self, inputs, mask=None):
        if isinstance(inputs, dict):
            inputs = list(inputs.values())
        if isinstance(inputs, (list, tuple)):
            inputs = ops.concatenate(inputs, axis=-1) if len(inputs) > 1 else inputs[0]
        return self.head(inputs)
