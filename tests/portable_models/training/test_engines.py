"""Both engines give the same training, feature by feature; on the backend of this process."""

import csv
import functools

import keras
import numpy as np
import pytest

from portable_models import Recipe, cross_validate, portable_random
from portable_models.data import ArraySamples

from .study import fit

pytestmark = pytest.mark.usefixtures("any_number_of_steps")

ROWS, BATCH = 53, 8  # the last batch holds 5 rows


def data(outputs=1, classes=2):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(ROWS, 6)).astype("float32")
    y = (x[:, :outputs].sum(axis=1) > 0).astype("float32") * (classes - 1)
    return x, y


def dense(*, norm=False, dropout=0.0, penalty=None, activity=None, units=1):
    layers = keras.layers
    parts = [
        keras.Input((6,)),
        layers.Dense(7, "relu", kernel_regularizer=penalty, activity_regularizer=activity),
    ]
    parts += [layers.BatchNormalization()] if norm else []
    parts += [layers.Dropout(dropout), layers.GaussianNoise(0.1)] if dropout else []
    return keras.Sequential([*parts, layers.Dense(units, "sigmoid")])


def several():
    a, b = keras.Input((6,), name="a"), keras.Input((6,), name="b")
    joined = keras.layers.Concatenate()([keras.layers.Dense(4, "relu")(a), b])
    return keras.Model(
        {"a": a, "b": b},
        {
            "first": keras.layers.Dense(1, name="first")(joined),
            "second": keras.layers.Dense(1, "sigmoid", name="second")(joined),
        },
    )


class OwnLoss(keras.Sequential):
    """Overrides what Keras lets a portable model override."""

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        loss = super().compute_loss(x, y, y_pred, sample_weight, training)
        return loss + 0.1 * keras.ops.mean(keras.ops.square(y_pred))


def optimizer(name, **config):
    return {"class_name": name, "config": config}


SCHEDULED = keras.optimizers.SGD(
    keras.optimizers.schedules.ExponentialDecay(0.05, decay_steps=5, decay_rate=0.7), momentum=0.9
)
STEP = optimizer("SGD", learning_rate=0.05)
FEATURES = {
    "plain": (dense, {}),
    "adam": (dense, {"optimizer": "adam"}),
    "schedule": (dense, {"optimizer": keras.optimizers.serialize(SCHEDULED)}),
    "clipping": (dense, {"optimizer": optimizer("RMSprop", global_clipnorm=0.05)}),
    "weight_decay": (dense, {"optimizer": optimizer("AdamW", weight_decay=0.1)}),
    "ema": (dense, {"optimizer": optimizer("Adam", use_ema=True, ema_momentum=0.5)}),
    "ema_overwriting": (
        dense,
        {"optimizer": optimizer("Adam", use_ema=True, ema_overwrite_frequency=3)},
    ),
    "accumulation": (dense, {"optimizer": optimizer("SGD", gradient_accumulation_steps=3)}),
    "auc": (dense, {"metrics": ("AUC", "accuracy", "Precision"), "optimizer": STEP}),
    "l2": (lambda: dense(penalty="l2"), {"optimizer": STEP}),
    "activity": (lambda: dense(activity="l2"), {"optimizer": STEP}),
    "norm": (lambda: dense(norm=True), {"optimizer": STEP}),
    "dropout": (lambda: dense(dropout=0.4), {"optimizer": STEP}),
    "class_weight": (dense, {"class_weight": {0: 1.0, 1: 3.0}, "optimizer": STEP}),
    "own_loss": (
        lambda: OwnLoss([keras.Input((6,)), keras.layers.Dense(1, "sigmoid")]),
        {"optimizer": STEP},
    ),
    "one_batch": (dense, {"batch_size": 200, "optimizer": STEP}),
    "no_shuffling": (dense, {"shuffle": False, "optimizer": STEP}),
    "no_rest": (dense, {"batch_size": 53, "optimizer": STEP}),
}


def train(engine, build=dense, samples=None, settings=None, validate=True):
    recipe = Recipe(
        **{"loss": "binary_crossentropy", "epochs": 3, "batch_size": BATCH, "seed": 4}
        | (settings or {})
    )
    with portable_random(recipe.seed):
        model = build()
    rows = samples if samples is not None else ArraySamples(*data())
    found = fit(
        model,
        rows,
        recipe,
        validation=rows.subset(np.arange(20)) if validate else None,
        engine=engine,
        prove=False,
    )
    # PyTorch compiles no code of the user's own; the one feature that is some is named here.
    own = build is FEATURES["own_loss"][0] and keras.config.backend() == "torch"
    assert found.engine == ("keras" if own else engine), found.engine_reason
    return model, found


def same(one, other, tolerance=2e-6):
    """History and weights, to a few roundings of numbers of order 1 in some twenty steps."""
    (first, training), (second, compiled) = one, other
    assert training.history.keys() == compiled.history.keys()
    for name, values in training.history.items():
        np.testing.assert_allclose(
            compiled.history[name], values, rtol=tolerance, atol=tolerance, err_msg=name
        )
    for variable, a, b in zip(
        first.weights, first.get_weights(), second.get_weights(), strict=True
    ):
        np.testing.assert_allclose(b, a, rtol=tolerance, atol=tolerance, err_msg=variable.path)


@functools.cache
def reference(feature):
    """The training by ``Model.fit``, which knows nothing of the ways to make a program."""
    build, settings = FEATURES[feature]
    return train("keras", build, settings=settings)


@pytest.mark.parametrize("feature", FEATURES)
def test_history_and_weights_are_those_of_model_fit(feature):
    build, settings = FEATURES[feature]
    same(
        reference(feature),
        train("compiled", build, settings=settings),
        # Adam and its kin divide by the root of a mean square, which is small at the start.
        tolerance=2e-5 if "optimizer" in settings and settings["optimizer"] is not STEP else 2e-6,
    )


def test_several_inputs_and_outputs_with_sample_weights():
    # Whole batches only: Keras averages the losses of single outputs over batches, not samples, where it
    # does not know a batch's size ("loss-of-one-output" of known_gaps.toml).
    x, y = (array[:48] for array in data())
    weights = np.linspace(0.0, 2.0, 48).astype("float32")
    samples = ArraySamples({"a": x, "b": x[:, ::-1].copy()}, {"first": y, "second": y}, weights)
    settings = {
        "loss": {"first": "mse", "second": "binary_crossentropy"},
        "loss_weights": {"first": 1.0, "second": 0.3},
        "metrics": {"first": ["mae"], "second": ["accuracy"]},
        "optimizer": STEP,
    }
    same(train("keras", several, samples, settings), train("compiled", several, samples, settings))


def test_integers_and_float64_arrive_as_model_fit_has_them():
    def build():
        return keras.Sequential(
            [
                keras.Input((4,), dtype="int32"),
                keras.layers.Embedding(10, 3),
                keras.layers.Flatten(),
                keras.layers.Dense(3, "softmax"),
            ]
        )

    rng = np.random.default_rng(0)
    samples = ArraySamples(rng.integers(0, 10, (ROWS, 4)).astype("int32"), rng.integers(0, 3, ROWS))
    settings = {"loss": "sparse_categorical_crossentropy", "optimizer": STEP}
    same(train("keras", build, samples, settings), train("compiled", build, samples, settings))
    wide = ArraySamples(data()[0].astype("float64"), data()[1].astype("float64"))
    same(
        train("keras", samples=wide, settings={"optimizer": STEP}),
        train("compiled", samples=wide, settings={"optimizer": STEP}),
    )


@functools.cache
def folds_by_keras(replica):
    return folds("keras", replica)


def folds(engine, replica):
    settings = {"loss": "binary_crossentropy", "epochs": 2, "batch_size": BATCH, "seed": 1}
    return cross_validate(
        lambda: dense(norm=True, dropout=0.3),
        ArraySamples(*data()),
        Recipe(**settings, optimizer="adam"),
        engine=engine,
        replica=replica,
    )


@pytest.mark.parametrize("replica", [0, 1])
def test_folds_share_a_program_and_nothing_else(replica):
    one, other = folds_by_keras(replica), folds("compiled", replica)
    for theirs, ours in zip(one.folds, other.folds, strict=True):
        assert ours.digests == theirs.digests
        for name, values in theirs.history.items():
            np.testing.assert_allclose(ours.history[name], values, rtol=2e-5, err_msg=name)
    assert len({tuple(each.history["loss"]) for each in other.folds}) == 4


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision(policy):
    keras.config.set_dtype_policy(policy)
    try:
        one, other = (
            train(engine, settings={"optimizer": STEP}) for engine in ("keras", "compiled")
        )
    finally:
        keras.config.set_dtype_policy("float32")
    # Outputs are rounded to the half type, and losses of order 1 are computed from them: one unit.
    same(one, other, tolerance=2**-10 if policy == "mixed_float16" else 2**-7)


def test_callbacks_of_epochs_see_what_they_see_under_model_fit(tmp_path):
    def run(engine):
        folder = tmp_path / engine
        folder.mkdir()
        callbacks = (
            lambda: keras.callbacks.EarlyStopping("loss", min_delta=0.02, patience=1),
            lambda: keras.callbacks.ReduceLROnPlateau("loss", patience=1),
            lambda: keras.callbacks.CSVLogger(folder / "log.csv"),
            lambda: keras.callbacks.ModelCheckpoint(folder / "{epoch}.keras"),
        )
        settings = {"optimizer": STEP, "callbacks": callbacks, "epochs": 30}
        found = train(engine, settings=settings)
        rows = list(csv.DictReader((folder / "log.csv").read_text().splitlines()))
        return found, sorted(path.name for path in folder.iterdir()), rows

    (one, files, log), (other, their_files, their_log) = run("keras"), run("compiled")
    same(one, other)
    assert 1 < len(one[1].history["loss"]) < 30
    assert files == their_files
    assert [set(row) for row in log] == [set(row) for row in their_log]


def test_a_model_goes_on_where_it_was():
    """State lives in the model, so the engines can take turns."""
    build, settings = FEATURES["adam"]
    model, _ = train("compiled", build, settings=settings)
    again, _ = train("keras", build, settings=settings)
    for each in (model, again):
        each.fit(*data(), batch_size=BATCH, shuffle=False, verbose=0)
    assert int(model.optimizer.iterations) == int(again.optimizer.iterations) == 28
    for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-5)


def test_a_replica_is_rounded_otherwise_in_both_engines_alike():
    runs = [fit_replica(engine, replica) for engine in ("keras", "compiled") for replica in (0, 1)]
    moved = [np.max(np.abs(runs[i][0] - runs[i + 1][0])) for i in (0, 2)]
    assert all(0 < distance < 1e-4 for distance in moved)
    for original, compiled in ((0, 2), (1, 3)):
        for a, b in zip(runs[original], runs[compiled], strict=True):
            np.testing.assert_allclose(b, a, rtol=2e-6, atol=2e-6)


def fit_replica(engine, replica):
    with portable_random(0):
        model = dense()
    recipe = Recipe(loss="mse", epochs=2, batch_size=BATCH, optimizer=STEP)
    fit(model, data(), recipe, engine=engine, replica=replica, prove=False)
    return model.get_weights()
