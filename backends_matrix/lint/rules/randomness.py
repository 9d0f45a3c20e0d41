"""PK4: random numbers in compiled code."""

from __future__ import annotations

from backends_matrix.lint.events import Call
from backends_matrix.lint.frame import Frame
from backends_matrix.lint.rule import Report, Rule, define, on
from backends_matrix.lint.values import Kind

NUMPY = define(
    Rule(
        "PK401",
        "numpy-random",
        "randomness",
        "NumPy draws random numbers in compiled code.",
        "JAX and TensorFlow draw once, while they compile, and use the same numbers in every step; PyTorch "
        "draws anew.",
        "Use keras.random with a keras.random.SeedGenerator made in __init__.",
    )
)
PYTHON = define(
    Rule(
        "PK402",
        "python-random",
        "randomness",
        "Python's random module draws in compiled code.",
        "JAX and TensorFlow draw once, while they compile, and use the same number in every step; PyTorch "
        "draws anew.",
        "Use keras.random with a keras.random.SeedGenerator made in __init__.",
    )
)
UNSEEDED = define(
    Rule(
        "PK403",
        "unseeded-random",
        "randomness",
        "A function of keras.random is called without a seed in compiled code.",
        "JAX cannot compile it: the global seed is state that the compiled function does not get.",
        "Make self.seed_generator = keras.random.SeedGenerator(seed) in __init__ and pass it as seed.",
        "ValueError: When tracing a JAX function, you should only use seeded random ops (JAX)",
    )
)
IN_CALL = define(
    Rule(
        "PK404",
        "seed-generator-in-call",
        "randomness",
        "A SeedGenerator is made in compiled code.",
        "It starts again at each call, and its state is a variable made in a compiled function, "
        "which raises on "
        "TensorFlow or draws the same numbers every time.",
        "Make it in __init__ and keep it in an attribute.",
        "ValueError: tf.function only supports singleton tf.Variables (TensorFlow)",
    )
)
NOT_STORED = define(
    Rule(
        "PK405",
        "seed-generator-not-stored",
        "randomness",
        "A layer draws with a SeedGenerator that is none of its attributes.",
        "Keras does not know the generator's state. It is not saved, and on JAX a compiled function does not "
        "advance it, so that every call draws the same numbers; TensorFlow and PyTorch draw anew.",
        "Make one in __init__ of each layer that draws and keep it in an attribute.",
    )
)

_DRAWING = {
    *{
        "normal",
        "uniform",
        "randint",
        "categorical",
        "truncated_normal",
        "dropout",
        "shuffle",
        "gamma",
    },
    *{"binomial", "beta"},
}
_NOT_DRAWING = {"seed", "default_rng", "RandomState", "SeedSequence", "get_state", "Generator"}


def _applies(frame: Frame) -> bool:
    return frame.is_traced and not frame.gates


@on(Call)
def check_draws(event: Call, report: Report) -> None:
    """Draws of random numbers."""
    frame, name = event.frame, event.name
    if not name or not _applies(frame):
        return
    last = name.rpartition(".")[2]
    if name.startswith("numpy.random."):
        if last not in _NOT_DRAWING or last == "default_rng":
            report(
                NUMPY, frame, event.node, f"{name} draws once per compilation on jax and tensorflow"
            )
    elif name.startswith("random.") and last not in _NOT_DRAWING and last != "Random":
        report(
            PYTHON, frame, event.node, f"{name} draws once per compilation on jax and tensorflow"
        )
    elif name == "keras.random.SeedGenerator":
        report(
            IN_CALL,
            frame,
            event.node,
            "a SeedGenerator is made each time that this is called or compiled",
        )
    elif name.startswith("keras.random.") and last in _DRAWING:
        _check_seed(event, report)


def _check_seed(event: Call, report: Report) -> None:
    seed = event.keywords.get("seed")
    if "**" in event.keywords:
        return
    if seed is None and "seed" not in event.keywords:
        # The seed is the last parameter of each of these functions, after at least three others.
        if len(event.args) >= 4 or (
            event.name.endswith(("shuffle", "categorical")) and len(event.args) > 2
        ):
            return
        report(UNSEEDED, event.frame, event.node, f"{event.name} has no seed")
    elif seed is not None and seed.kind is Kind.SEED and seed.name == "module":
        report(
            NOT_STORED,
            event.frame,
            event.node,
            "the SeedGenerator is a global and no attribute of the layer",
        )
    elif seed is not None and seed.kind is Kind.OTHER and seed.literal is None and _is_none(event):
        report(UNSEEDED, event.frame, event.node, f"{event.name} has the seed None")


def _is_none(event: Call) -> bool:
    expression = event.expression(99, "seed")
    return getattr(expression, "value", "") is None
