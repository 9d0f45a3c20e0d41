"""Golden digests: the constants are the same on every backend, which is the proof across backends."""

import warnings

import keras
import numpy as np
import pytest

from portable_models.random import portable_random

ops, draw = keras.ops, keras.random

EXACT = {
    "uniform": lambda seed: draw.uniform((100, 7), seed=seed),
    "uniform_symmetric": lambda seed: draw.uniform((100, 7), -0.3, 0.3, seed=seed),
    "uniform_between": lambda seed: draw.uniform((100, 7), 0.3, 0.7, seed=seed),
    "uniform_of_no_shape": lambda seed: draw.uniform((), seed=seed),
    "normal": lambda seed: draw.normal((100, 7), stddev=0.05, seed=seed),
    "normal_around_one": lambda seed: draw.normal((100, 7), 1.0, 0.3, seed=seed),
    "truncated_normal": lambda seed: draw.truncated_normal((100, 7), stddev=0.05, seed=seed),
    "randint": lambda seed: draw.randint((100, 7), -3, 1000, seed=seed),
    "randint_of_all": lambda seed: draw.randint((100, 7), -(2**31), 2**31, seed=seed),
    "dropout": lambda seed: draw.dropout(ops.ones((100, 7)), 0.3, seed=seed),
    "dropout_of_rows": lambda seed: draw.dropout(ops.ones((50, 7)), 0.3, (None, 1), seed=seed),
    "shuffle": lambda seed: draw.shuffle(ops.arange(101, dtype="int32"), seed=seed),
    "shuffle_columns": lambda seed: draw.shuffle(
        ops.reshape(ops.arange(60, dtype="int32"), (4, 15)), axis=1, seed=seed
    ),
    "binomial": lambda seed: draw.binomial((40,), 20, 0.3, seed=seed),
}
GOLDEN = {
    "uniform": "6f59b59b6ae8",
    "uniform_symmetric": "08d4e047a1d9",
    "uniform_between": "622400a0f65a",
    "uniform_of_no_shape": "57fa70dd6892",
    "normal": "726f4b4e55b0",
    "normal_around_one": "9940b6462ea9",
    "truncated_normal": "e27bb626007d",
    "randint": "c63172c254fe",
    "randint_of_all": "f44c7867f8bc",
    "dropout": "89551f822e91",
    "dropout_of_rows": "cad9bfd399aa",
    "shuffle": "e6ce5ff4b8e1",
    "shuffle_columns": "953ffc14e556",
    "binomial": "18adfde81b4a",
}

SHARES = [[0.1, 0.6, 0.3]]
ROUNDED = {
    "gamma": (
        lambda seed: draw.gamma((4,), 0.7, seed=seed),
        [0.83920383, 0.26117164, 5.0664530, 1.6016638],
    ),
    "beta": (
        lambda seed: draw.beta((4,), 0.2, 0.7, seed=seed),
        [5.0245608e-11, 0.12490985, 0.24810175, 0.042102743],
    ),
    "categorical": (
        lambda seed: draw.categorical(
            ops.log(ops.convert_to_tensor(SHARES, dtype="float32")), 8, seed=seed
        ),
        [1, 0, 1, 1, 0, 1, 1, 1],
    ),
}


@pytest.mark.parametrize("name", EXACT)
def test_every_bit_is_the_same_on_every_backend_however_it_is_run(name, way, seed, digest):
    with portable_random(1):
        assert digest(way(EXACT[name])(seed)) == GOLDEN[name]


@pytest.mark.parametrize("name", EXACT)
def test_an_integer_seed_draws_like_its_key(name, digest):
    with portable_random(1):
        assert digest(EXACT[name](5)) == GOLDEN[name]


@pytest.mark.parametrize("name", EXACT)
def test_a_seed_generator_starts_with_its_key_and_goes_on(name, digest):
    generator = keras.random.SeedGenerator(5)
    with portable_random(1):
        first, second = digest(EXACT[name](generator)), digest(EXACT[name](generator))
    assert first == GOLDEN[name]
    assert second != first


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_other_float_types_hold_the_float32_draw(dtype):
    with portable_random(1), warnings.catch_warnings():
        # JAX says that it gives float32 where float64 is asked for.
        warnings.filterwarnings("ignore", "Explicitly requested dtype float64", UserWarning)
        single = draw.normal((50,), 0.5, 0.2, seed=3)
        other = draw.normal((50,), 0.5, 0.2, dtype=dtype, seed=3)
        expected = ops.cast(single, dtype)
    assert other.dtype == expected.dtype
    np.testing.assert_array_equal(
        *(ops.convert_to_numpy(ops.cast(each, "float32")) for each in (other, expected))
    )


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-1.0, 1.0), (0.25, 1.0)])
def test_a_uniform_number_lies_below_the_upper_bound(way, dtype, low, high):
    # 40,000 numbers: rounding to bfloat16 would lift one in 512 to the bound.
    with portable_random(1):
        found = way(lambda seed: draw.uniform((40_000,), low, high, dtype=dtype, seed=seed))(
            ops.convert_to_tensor([2, 3], dtype="int32")
        )
    values = ops.convert_to_numpy(ops.cast(found, "float32"))
    assert low <= values.min()
    assert values.max() < high


def test_equal_bounds_give_their_value():
    with portable_random(1):
        found = ops.convert_to_numpy(draw.uniform((5,), 0.7, 0.7, seed=1))
    np.testing.assert_array_equal(found, np.full(5, 0.7, np.float32))


def test_bounds_and_moments_may_be_tensors():
    low, high = ops.convert_to_tensor([0.0, 10.0]), ops.convert_to_tensor([1.0, 20.0])
    with portable_random(1):
        unit = ops.convert_to_numpy(draw.uniform((100, 2), seed=4))
        found = ops.convert_to_numpy(draw.uniform((100, 2), low, high, seed=4))
        standard = ops.convert_to_numpy(draw.normal((100, 2), seed=4))
        moved = ops.convert_to_numpy(draw.normal((100, 2), low, high, seed=4))
    # A product and a sum, each rounded to half a unit in the last place of at most 100.
    np.testing.assert_allclose(found, unit * [1, 10] + [0, 10], atol=2e-6)
    np.testing.assert_allclose(moved, standard * [1, 20] + [0, 10], atol=1e-5)


@pytest.mark.parametrize("function", ROUNDED)
def test_the_others_agree_to_rounding_however_they_are_run(function, way, seed):
    sample, expected = ROUNDED[function]
    with portable_random(1):
        found = ops.convert_to_numpy(way(sample)(seed))
    # A dozen float32 operations, exponential and logarithm among them, of a few units in the last place.
    np.testing.assert_allclose(np.ravel(found), expected, rtol=2e-5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: draw.uniform((2,), dtype="int32"), "requires a floating point"),
        (lambda: draw.normal((2,), dtype="int32"), r"normal draws floats.*got int32"),
        (lambda: draw.randint((2,), 3, 3), r"minval < maxval.*got minval=3, maxval=3"),
        (lambda: draw.randint((2,), 0, 2**32), "portable integers need numbers"),
        (lambda: draw.dropout(ops.ones(3), 1.5), r"rate of dropout must be a number of 0 to 1"),
    ],
)
def test_a_wrong_argument_is_named(call, message):
    with portable_random(1), pytest.raises(ValueError, match=message):
        call()


def test_a_binomial_draw_of_too_many_trials_is_refused():
    with portable_random(1), pytest.raises(NotImplementedError, match="at most 4096 trials; got"):
        draw.binomial((2,), 5000, 0.5)


def test_dropout_keeps_a_gradient_only_where_it_keeps_the_input(way, seed):
    x = ops.convert_to_tensor(np.array([np.inf, np.nan, -1.0, 2.0] * 50, np.float32))
    with portable_random(1):
        found = ops.convert_to_numpy(way(lambda seed: draw.dropout(x, 0.5, seed=seed))(seed))
        mask = ops.convert_to_numpy(draw.dropout(ops.ones(200), 0.5, seed=seed))
    np.testing.assert_array_equal(found == 0, mask == 0)


@pytest.mark.parametrize(("rate", "expected"), [(0.0, 3.0), (1.0, 0.0)])
def test_dropout_of_nothing_and_of_everything(rate, expected):
    with portable_random(1):
        found = ops.convert_to_numpy(draw.dropout(ops.ones(50) * 3.0, rate, seed=1))
    np.testing.assert_array_equal(found, np.full(50, expected))
