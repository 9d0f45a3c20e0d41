"""What ``save`` writes, what ``load`` gives back, and what both refuse. On this process's backend."""

import dataclasses
import json

import keras
import numpy as np
import pytest

from portable_models.files import FileError, SeedState, convert, describe, load, save
from portable_models.files.passport import sign

from . import hostile_files as hostile
from . import moving_network as network
from .hostile_files import METADATA


@keras.saving.register_keras_serializable("tests_of_files")
class Scale(keras.layers.Layer):
    """A registered layer of a user."""

    def build(self, shape):
        self.factor = self.add_weight(shape=(shape[-1],), initializer="ones")

    def call(self, x):
        return x * self.factor


class Unregistered(keras.layers.Layer):
    def call(self, x):
        return x


@pytest.fixture(scope="module")
def trained():
    """A compiled and trained network, and one file of it."""
    model = network.compiled("adam")
    network.train(model)
    return model


@pytest.fixture
def saved(trained, tmp_path):
    path = tmp_path / "model.keras"
    save(trained, path, recipe={"epochs": 2, "losses": ["mse"]})
    return path


def single(*layers):
    return keras.Sequential([keras.Input((3,)), *layers])


def test_plain_keras_opens_the_file(trained, saved):
    model = keras.saving.load_model(saved)
    for ours, theirs in zip(trained.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert model.optimizer.iterations == 6


def test_file_has_the_members_that_keras_writes(saved):
    assert list(hostile.read_members(saved)) == [METADATA, "config.json", "model.weights.h5"]


def test_configuration_names_no_backend(saved):
    config = describe(saved).config["compile_config"]
    assert config["jit_compile"] == "auto"
    assert config["optimizer"]["module"] == "keras.optimizers"
    assert config["optimizer"]["registered_name"] is None
    assert "keras.src.backend" not in json.dumps(describe(saved).config)


def test_loaded_model_compiles_as_its_backend_would(saved, trained):
    model = load(saved)
    assert model.jit_compile == trained.jit_compile
    assert type(model.optimizer) is type(trained.optimizer)


def test_compile_false_gives_the_bare_model(saved):
    assert not load(saved, compile=False).compiled


def test_recipe_comes_back(saved):
    assert describe(saved).passport.recipe == {"epochs": 2, "losses": ["mse"]}


def test_saving_a_loaded_model_changes_nothing_but_the_date(saved, tmp_path):
    again = tmp_path / "again.keras"
    save(load(saved), again)
    first, second = hostile.read_members(saved), hostile.read_members(again)
    assert first["model.weights.h5"] == second["model.weights.h5"]
    assert first["config.json"] == second["config.json"]
    assert describe(saved).passport.seed_generators == describe(again).passport.seed_generators


def test_seed_generators_go_on_where_they_were(trained, saved):
    states = [seed.state for seed in describe(saved).passport.seed_generators]
    assert states[0] == (11, 6)
    restored = load(saved)
    x = np.ones((40, network.FEATURES), "float32")
    ours, theirs = (
        keras.ops.convert_to_numpy(model.get_layer("dropout")(x[:, :6], training=True))
        for model in (load(saved), restored)
    )
    np.testing.assert_array_equal(ours, theirs)
    assert len(np.unique(ours)) == 2


def test_without_their_states_a_resumed_training_differs(saved, tmp_path):
    """What plain Keras gives, and why the states are kept."""
    members = hostile.read_members(saved)
    metadata = json.loads(members[METADATA])
    del metadata["portable"]
    hostile.pack(tmp_path / "plain.keras", members | {METADATA: json.dumps(metadata).encode()})
    kept, lost = (network.train(load(path)) for path in (saved, tmp_path / "plain.keras"))
    assert np.max(np.abs(np.subtract(kept, lost))) > 1e-3


def test_loading_and_saving_keeps_where_unseeded_dropout_was(saved, tmp_path):
    model = load(saved)
    keras.layers.Dropout(0.5)(np.ones((9, 9), "float32"), training=True)
    save(model, tmp_path / "again.keras")
    states = [describe(path).passport.unseeded_state for path in (saved, tmp_path / "again.keras")]
    assert states[0] == states[1]


@pytest.mark.parametrize("state", ["", "AAAA", "no base64!"])
def test_unseeded_state_that_does_not_fit_stops_the_training(saved, state):
    contents = describe(saved)
    passport = dataclasses.replace(contents.passport, unseeded_state=state)
    hostile.pack(saved, sign(contents.members, contents.metadata, passport))
    model = load(saved)
    with pytest.raises(FileError, match="own generator, saved with the model, does not fit here"):
        network.train(model)


def test_nested_and_shared_generators_are_each_kept_once(tmp_path):
    shared = keras.layers.Dropout(0.5, seed=1)
    inner = keras.Sequential([keras.Input((3,)), keras.layers.Dropout(0.5, seed=2)])
    inputs = keras.Input((3,))
    model = keras.Model(inputs, shared(inner(shared(inputs))))
    save(model, tmp_path / "model.keras")
    seeds = describe(tmp_path / "model.keras").passport.seed_generators
    assert sorted((seed.owner.split()[1], seed.state) for seed in seeds) == [
        ("Dropout", (1, 0)),
        ("Sequential", (2, 0)),
    ]
    load(tmp_path / "model.keras")


def test_seed_of_32_bits_is_kept(tmp_path):
    """A state is wrapped into the reader's integers; one of another backend may exceed them."""
    path = tmp_path / "model.keras"
    save(single(keras.layers.Dropout(0.5, seed=7)), path)
    contents = describe(path)
    high = SeedState("layers[0] Dropout", (2**31 + 5, 9))
    passport = contents.passport.__class__("jax", {}, (high,))
    hostile.pack(path, sign(contents.members, contents.metadata, passport))
    state = load(path).layers[0].seed_generator.state.numpy().astype("uint32")
    assert state.tolist() == [2**31 + 5, 9]


def test_registered_layer_of_this_process_needs_no_permission(tmp_path):
    model = single(Scale())
    save(model, tmp_path / "model.keras")
    assert isinstance(load(tmp_path / "model.keras").layers[0], Scale)


def test_lambda_is_refused_when_it_is_saved(tmp_path):
    model = single(keras.layers.Lambda(lambda x: x))
    with pytest.raises(FileError, match=r"cannot move to another process.*Lambda with Python byt"):
        save(model, tmp_path / "model.keras")
    assert list(tmp_path.iterdir()) == []


def test_unregistered_layer_is_refused_when_it_is_saved(tmp_path):
    with pytest.raises(FileError, match="register_keras_serializable decorates"):
        save(single(Unregistered()), tmp_path / "model.keras")
    assert list(tmp_path.iterdir()) == []


def test_model_without_weights_is_refused(tmp_path):
    with pytest.raises(FileError, match="is not built; call it once"):
        save(keras.Sequential([keras.layers.Dense(1)]), tmp_path / "model.keras")


def test_recipe_that_is_no_json_is_refused(trained, tmp_path):
    with pytest.raises(FileError, match=r"recipe cannot be written as JSON.*ndarray"):
        save(trained, tmp_path / "model.keras", recipe={"x": np.zeros(2)})


@pytest.mark.parametrize("name", ["model.h5", "model", "model.keras.zip"])
def test_other_suffix_is_refused(trained, tmp_path, name):
    with pytest.raises(FileError, match=r"expected a name that ends in \.keras"):
        save(trained, tmp_path / name)


def test_folder_that_is_not_there_is_refused(trained, tmp_path):
    with pytest.raises(FileError, match="cannot be written: No such file or directory"):
        save(trained, tmp_path / "missing" / "model.keras")


@pytest.mark.parametrize("name", ["absent.keras", ""])
def test_file_that_is_not_there_is_refused(tmp_path, name):
    with pytest.raises(FileError, match=r"no such file; expected a \.keras file"):
        load(tmp_path / name)


def test_earlier_file_stays_when_saving_fails(saved, tmp_path):
    before = saved.read_bytes()
    with pytest.raises(FileError, match="Lambda"):
        save(single(keras.layers.Lambda(lambda x: x)), saved)
    assert saved.read_bytes() == before


def edited(path, change):
    """The file with its metadata altered and not signed again."""
    members = hostile.read_members(path)
    metadata = json.loads(members[METADATA])
    change(metadata)
    hostile.pack(path, members | {METADATA: json.dumps(metadata).encode()})


@pytest.mark.parametrize(
    "change",
    [
        lambda metadata: metadata["portable"].update(recipe={"epochs": 3}),
        lambda metadata: metadata["portable"]["seed_generators"].pop(),
        lambda metadata: metadata["portable"].update(digest="sha256:0"),
        lambda metadata: metadata["portable"].pop("digest"),
        lambda metadata: metadata.update(keras_version="9"),
    ],
    ids=["recipe", "seeds", "digest", "no digest", "version"],
)
def test_edited_metadata_has_a_wrong_digest(saved, tmp_path, change):
    edited(saved, change)
    with pytest.raises(FileError, match="the digest is wrong"):
        load(saved)
    with pytest.raises(FileError, match="the digest is wrong"):
        convert(saved, tmp_path / "out.keras")


@pytest.mark.parametrize("name", ["model.weights.h5", "config.json"])
def test_member_of_another_file_has_a_wrong_digest(saved, tmp_path, name):
    other = tmp_path / "other.keras"
    save(network.compiled("rmsprop"), other)
    swapped = {name: hostile.read_members(other)[name]}
    hostile.pack(saved, hostile.read_members(saved) | swapped)
    with pytest.raises(FileError, match="the digest is wrong"):
        load(saved)


@pytest.mark.parametrize("block", [7, {"format": 99}])
def test_block_of_another_format_is_refused(saved, block):
    edited(saved, lambda metadata: metadata.update(portable=block))
    with pytest.raises(FileError, match=r"has the format (7|99); this version reads 1"):
        load(saved)


@pytest.mark.parametrize("state", [[1], [1, 2, 3], [0.5, 1], ["1", 2], [2**70, 0], None], ids=str)
def test_signed_block_of_a_wrong_shape_is_refused(saved, state):
    contents = describe(saved)
    passport = contents.passport.__class__("jax", {}, (SeedState("layers[0] Dropout", state),))
    hostile.pack(saved, sign(contents.members, contents.metadata, passport))
    with pytest.raises(FileError, match="the portable block is malformed"):
        load(saved)


def test_seed_generators_of_another_model_are_refused(saved):
    contents = describe(saved)
    passport = contents.passport.__class__("jax", {}, (SeedState("layers[0] Noise", (1, 1)),))
    hostile.pack(saved, sign(contents.members, contents.metadata, passport))
    with pytest.raises(FileError, match=r"seed generators of \['layers\[0\] Noise'\], but the mod"):
        load(saved)
    with pytest.warns(UserWarning, match="so training cannot resume exactly"):
        assert not load(saved, compile=False).compiled
