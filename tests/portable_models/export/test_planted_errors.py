"""An artifact with an error that a converter could make is never called verified."""

import os

import keras
import numpy as np
import pytest
from keras import layers

from portable_models import files
from portable_models.export import ROUTES, Order, export_many

BACKEND = os.environ["KERAS_BACKEND"]
OWN_TARGET = {"jax": "jax", "tensorflow": "saved_model", "torch": "torch-module"}[BACKEND]

# What acts on the layers acts on every target; the others act on the call, which a module made layer by
# layer does not go through.
ON_LAYERS = ("epsilon", "kernel", "statistics")
FAULTS = {
    "pairs": ("epsilon", "swapped", "clipped", "frozen", "kernel", "statistics"),
    "masked": ("epsilon", "clipped", "frozen", "mask", "kernel"),
    "pixels": ("epsilon", "clipped", "frozen", "kernel", "statistics"),
}
ALL = [
    (fault, model, target)
    for model, faults in FAULTS.items()
    for fault in faults
    for target in ("saved_model", "jax", "onnx", "torch-module", "torch")
    if fault in ON_LAYERS or not target.startswith("torch")
]
QUICK = [("swapped", "pairs"), ("clipped", "pixels"), ("frozen", "pairs")]
QUICK += [("mask", "masked"), ("kernel", "pairs"), ("statistics", "pairs"), ("epsilon", "pairs")]


def pairs():
    one, other = keras.Input((6,), name="one"), keras.Input((6,), name="other")
    x = layers.Subtract()([layers.Dense(6, "tanh")(one), other])
    x = layers.BatchNormalization()(x)
    return keras.Model([one, other], layers.Dense(3, name="scores")(x), name="pairs")


def masked():
    tokens = keras.Input((9,), dtype="int32", name="tokens")
    x = layers.Embedding(20, 6, mask_zero=True)(tokens)
    x = layers.GRU(6)(x)
    x = layers.LayerNormalization()(layers.Dense(6)(x))
    return keras.Model(tokens, layers.Dense(2, name="scores")(x), name="masked")


def pixels():
    image = keras.Input((8, 8, 3), dtype="uint8", name="image")
    x = layers.Conv2D(4, 3)(layers.Rescaling(1 / 255)(image))
    x = layers.GlobalAveragePooling2D()(layers.ReLU()(layers.BatchNormalization()(x)))
    return keras.Model(image, layers.Dense(2, name="scores")(x), name="pixels")


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """The models' files; no weight and no statistic is as a new layer has it."""
    folder = tmp_path_factory.mktemp("sources")
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    for build in (pairs, masked, pixels):
        model = build()
        for variable in model.weights:
            if variable.path.endswith("moving_variance"):
                variable.assign(rng.uniform(0.2, 2.0, variable.shape))
            else:
                variable.assign(variable + 0.1 * rng.standard_normal(variable.shape))
        files.save(model, folder / f"{build.__name__}.keras")
    return folder


def exported(cases, sources, folder, imports):
    suffix = {name: route.artifact.rstrip("/") for name, route in ROUTES.items()}
    orders = [
        Order(
            sources / f"{model}.keras",
            target,
            folder / f"{fault}-{model}-{target}{suffix[target]}",
            imports=imports,
        )
        for fault, model, target in cases
    ]
    return export_many(orders)


def verified_in_spite_of(cases, results):
    return [case for case, found in zip(cases, results, strict=True) if found.status == "verified"]


def not_different(cases, results):
    pairs = zip(cases, results, strict=True)
    return [
        (case, str(found.status), found.reason)
        for case, found in pairs
        if found.status != "different"
    ]


def test_every_kind_of_error_is_found_on_the_target_of_this_backend(sources, tmp_path):
    cases = [
        (fault, model, OWN_TARGET)
        for fault, model in QUICK
        if fault in ON_LAYERS or OWN_TARGET != "torch-module"
    ]
    results = exported(cases, sources, tmp_path, ("planted_errors",))
    assert verified_in_spite_of(cases, results) == []
    # Found by comparing, or by an artifact that does not run on another batch: not by a crash before.
    assert not_different(cases, results) == []
    assert list(tmp_path.iterdir()) == []


def test_without_an_error_the_same_models_are_verified(sources, tmp_path):
    cases = [("none", model, OWN_TARGET) for model in FAULTS]
    results = exported(cases, sources, tmp_path, ())
    assert [(found.status, found.reason) for found in results] == [("verified", "")] * len(cases)


@pytest.mark.all_exports
def test_no_planted_error_of_sixty_is_verified(sources, tmp_path):
    assert len(ALL) >= 60
    results = exported(ALL, sources, tmp_path, ("planted_errors",))
    assert verified_in_spite_of(ALL, results) == []
    assert not_different(ALL, results) == []
