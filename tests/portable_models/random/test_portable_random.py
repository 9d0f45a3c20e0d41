"""What entering and leaving ``portable_random`` does to Keras, in one thread and in several."""

import threading

import keras
import numpy as np
import pytest
from keras.src.backend.common import global_state
from keras.src.layers.preprocessing.data_layer import DataLayer
from keras.src.random import seed_generator

from portable_models._keras.operations import get_operations
from portable_models.random import portable_random


def state():
    """Everything of Keras that draws: random modules, initializers, image functions, seeds."""
    owners = [
        keras.src.backend.random,
        get_operations("image"),
        keras.src.random,
        keras.random,
        keras.initializers,
        seed_generator,
        DataLayer,
        *(
            value
            for module in (keras.initializers, keras.layers)
            for value in vars(module).values()
            if isinstance(value, type)
        ),
    ]
    held = {(id(owner), name): value for owner in owners for name, value in vars(owner).items()}
    return held | {("global", name): value for name, value in _global_attributes().items()}


def _global_attributes():
    return {
        name: value
        for name, value in vars(global_state.GLOBAL_STATE_TRACKER).items()
        if "seed" in name or "random" in name
    }


def assert_same(before, after):
    assert before.keys() == after.keys()
    assert [key for key in before if before[key] is not after[key]] == []


def draws():
    """Numbers from each kind of function that is replaced."""
    layer = keras.layers.Dropout(0.5)
    found = [
        keras.random.uniform((3,), seed=1),
        keras.random.normal((3,)),
        keras.initializers.Orthogonal()((2, 2)),
        layer(keras.ops.ones((2, 4)), training=True),
    ]
    return [keras.ops.convert_to_numpy(each) for each in found]


def assert_equal(some, others):
    for one, other in zip(some, others, strict=True):
        np.testing.assert_array_equal(one, other)


def in_thread(function):
    """What a function gives in a thread of its own; its exception is raised here."""
    found, raised = [], []

    def run():
        try:
            found.append(function())
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if raised:
        raise raised[0]
    return found[0]


class StopError(Exception):
    pass


@pytest.mark.parametrize("error", [StopError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_an_exception_leaves_keras_as_it_was(error):
    @portable_random(3)
    def leave():
        draws()
        raise error

    before = state()
    with pytest.raises(error):
        leave()
    assert_same(before, state())


@pytest.mark.parametrize("attribute", ["there", "none", "missing"])
def test_the_global_generator_comes_back(attribute):
    name = "global_seed_generator"
    held = vars(global_state.GLOBAL_STATE_TRACKER)
    outside = held.pop(name, None)
    if attribute != "missing":
        held[name] = keras.random.SeedGenerator(1) if attribute == "there" else None
    before = state()
    with portable_random(0):
        draws()
    assert_same(before, state())
    held[name] = outside


def test_a_session_may_be_cleared_inside():
    before = vars(keras.src.backend.random).copy()
    with portable_random(0):
        first = draws()
        keras.utils.clear_session()
        draws()
    assert vars(keras.src.backend.random) == before
    with portable_random(0):
        assert_equal(first, draws())


def test_nested_contexts_draw_from_the_inner_seed_and_go_on():
    before = state()
    with portable_random(1):
        whole = draws() + draws()
    with portable_random(2):
        inner = draws()
    with portable_random(1):
        first = draws()
        with portable_random(2):
            assert_equal(inner, draws())
        with pytest.raises(StopError), portable_random(1):
            raise StopError
        assert_equal(whole, first + draws())
    assert_same(before, state())


def test_a_wrong_exit_does_nothing_to_keras():
    before = state()
    with pytest.raises(IndexError):
        portable_random(0).__exit__(None, None, None)
    assert_same(before, state())


def test_another_thread_draws_as_keras_does():
    seeded = keras.ops.convert_to_numpy(keras.random.uniform((4,), seed=5))

    def draw():
        return keras.ops.convert_to_numpy(keras.random.uniform((4,), seed=5))

    with portable_random(0):
        assert not np.array_equal(draw(), seeded)
        np.testing.assert_array_equal(in_thread(draw), seeded)


def test_two_threads_draw_as_each_would_alone():
    alone = {}
    for seed in (1, 2):
        with portable_random(seed):
            alone[seed] = [draws() for _ in range(4)]
    before = state()
    barrier = threading.Barrier(2)
    found = {}

    def run(seed):
        # Both are inside before either draws, and the first to leave leaves the other one inside.
        with portable_random(seed):
            barrier.wait(30)
            first = [draws() for _ in range(2)]
            barrier.wait(30)
            if seed == 2:
                left.wait(30)
            found[seed] = first + [draws() for _ in range(2)]
        left.set()

    left = threading.Event()
    threads = [threading.Thread(target=run, args=(seed,)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed in (1, 2):
        for some, others in zip(alone[seed], found[seed], strict=True):
            assert_equal(some, others)
    assert_same(before, state())


def test_one_instance_serves_several_threads():
    shared = portable_random(4)
    with portable_random(4):
        alone = draws()
    before = state()
    with shared:
        first = draws()

        def inside():
            with shared:
                return draws()

        assert_equal(alone, in_thread(inside))
    assert_equal(alone, first)
    assert_same(before, state())


def test_a_decorated_function_enters_anew_at_each_call():
    @portable_random(6)
    def build():
        """Build."""
        return draws()

    assert_equal(build(), build())
    assert_equal(build(), in_thread(build))
    assert build.__name__ == "build"
    assert build.__doc__ == "Build."


def test_what_others_wrapped_meanwhile_stays_theirs(monkeypatch):
    module = keras.src.backend.random
    original = module.uniform
    with portable_random(0):
        placed = module.uniform

        def wrapper(*args, **settings):
            return placed(*args, **settings)

        monkeypatch.setattr(module, "uniform", wrapper)
    assert module.uniform is wrapper
    drawn = keras.ops.convert_to_numpy(keras.random.uniform((2,), seed=1))
    np.testing.assert_array_equal(
        drawn, keras.ops.convert_to_numpy(original((2,), 0.0, 1.0, "float32", 1))
    )
    monkeypatch.undo()
    # What came back is the function that belonged to the context; the next one takes it away.
    with portable_random(0):
        pass
    assert module.uniform is original


def test_augmix_is_refused():
    layer = keras.layers.AugMix(value_range=(0, 1))
    images = keras.ops.ones((1, 8, 8, 3))
    with (
        portable_random(0),
        pytest.raises(NotImplementedError, match=r"AugMix.* Python's own generator.*RandomShear"),
    ):
        layer(images, training=True)
    with portable_random(0):
        assert layer(images, training=False).shape == (1, 8, 8, 3)
    assert "chain_transforms" in layer.get_random_transformation(images)
