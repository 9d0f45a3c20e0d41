"""Every pair of writing and reading backend: a resumed training equals an uninterrupted one."""

import importlib.util
import itertools

import numpy as np
import pytest

from portable_models.files import describe

INSTALLED = [name for name in ("jax", "tensorflow", "torch") if importlib.util.find_spec(name)]
OPTIMIZERS = ("sgd_momentum", "rmsprop", "adam", "adamw")
PAIRS = list(itertools.product(INSTALLED, INSTALLED))
STYLES = ("sequential", "functional", "subclassed")
# Ten units in the last place of float32 numbers between 4 and 8, as the losses are: the backends'
# uninterrupted trainings differ by half of that. Another mask or another optimizer state gives 1e-2.
ROUNDING = 10 * 4.8e-7


@pytest.fixture(scope="session")
def moved(children, tmp_path_factory):
    """Every file written by every backend and resumed by every backend; a folder by case."""
    root = tmp_path_factory.mktemp("moved")
    cases = [("portable", optimizer) for optimizer in OPTIMIZERS]
    cases.append(("keras", "adam"))
    folders = {}
    for kind, optimizer in cases:
        for name, child in children.items():
            folder = folders[kind, optimizer, name] = root / f"{kind}-{optimizer}-{name}"
            folder.mkdir()
            child.ask(do="write", folder=str(folder), kind=kind, optimizer=optimizer)
        for child in children.values():
            child.wait()
    for (kind, optimizer, writer), folder in folders.items():
        # Keras's own random numbers differ between backends: that training is resumed where it began.
        readers = {writer: children[writer]} if kind == "keras" else children
        for child in readers.values():
            child.ask(do="resume", folder=str(folder), kind=kind, optimizer=optimizer)
        for child in readers.values():
            child.wait()
    return folders


def arrays(path):
    with np.load(path) as file:
        return dict(file)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize(("writer", "reader"), PAIRS)
def test_resumed_training_equals_uninterrupted_training(moved, writer, reader, optimizer):
    folder = moved["portable", optimizer, writer]
    resumed = arrays(folder / reader / "resumed.npz")
    expected = arrays(folder / "uninterrupted.npz")
    # Exact on one backend; rounding where another one computes the second half.
    tolerance = 0 if writer == reader else ROUNDING
    for name, value in resumed.items():
        np.testing.assert_allclose(value, expected[name], rtol=0, atol=tolerance, err_msg=name)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize(("writer", "reader"), PAIRS)
def test_weights_and_optimizer_state_arrive_exactly(moved, writer, reader, optimizer):
    folder = moved["portable", optimizer, writer]
    saved, loaded = arrays(folder / "at_save.npz"), arrays(folder / reader / "loaded.npz")
    assert saved.keys() == loaded.keys()
    for name, value in saved.items():
        np.testing.assert_array_equal(value, loaded[name], err_msg=name)


# On torch Keras draws the masks of an unseeded Dropout from torch's own generator; the file holds its state.
@pytest.mark.parametrize("backend", INSTALLED)
def test_dropout_of_keras_resumes_exactly_on_its_own_backend(moved, backend):
    folder = moved["keras", "adam", backend]
    resumed = arrays(folder / backend / "resumed.npz")
    expected = arrays(folder / "uninterrupted.npz")
    for name, value in resumed.items():
        np.testing.assert_array_equal(value, expected[name], err_msg=name)


@pytest.mark.parametrize("writer", INSTALLED)
def test_file_says_who_wrote_it_and_how_it_was_trained(moved, writer):
    passport = describe(moved["portable", "adam", writer] / "model.keras").passport
    assert passport.backend == writer
    assert passport.recipe == {"optimizer": "adam"}
    assert {
        writer,
        "keras",
        "numpy",
        "h5py",
        "python",
        "portable-models",
    } <= passport.versions.keys()
    seeded, unseeded = passport.seed_generators
    # Six steps, and one mask drawn in each.
    assert (seeded.owner, seeded.state) == ("layers[3] Dropout", (11, 6))
    assert (unseeded.owner, unseeded.state[1]) == ("layers[5] Dropout", 6)
    # Only torch has a Dropout without a seed draw from a generator of the process.
    assert (passport.unseeded_state is not None) == (writer == "torch")


@pytest.fixture(scope="session")
def styles(children, tmp_path_factory):
    """The digits network saved in three styles by every backend, and read by every backend."""
    root = tmp_path_factory.mktemp("styles")
    for writer in children:
        (root / writer).mkdir()
        for style in STYLES:
            children[writer].ask(do="write_style", folder=str(root / writer), style=style)
            children[writer].wait()
        for child in children.values():
            child.ask(do="read_styles", folder=str(root / writer), writer=writer)
        for child in children.values():
            child.wait()
    return root


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(("writer", "reader"), PAIRS)
def test_three_styles_of_one_network_give_one_output_everywhere(styles, writer, reader, style):
    expected = arrays(styles / INSTALLED[0] / f"{INSTALLED[0]}-reads-{INSTALLED[0]}.npz")
    outputs = arrays(styles / writer / f"{reader}-reads-{writer}.npz")
    # Probabilities below 1: a few units in the last place of float32.
    np.testing.assert_allclose(outputs[style], expected["sequential"], rtol=0, atol=3e-7)
