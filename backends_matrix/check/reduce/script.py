"""The script that shows one failure: a layer or operation, its inputs, and what each backend computes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

MOST_LINES = 40


@dataclass(frozen=True)
class Case:
    """What a script shows.

    Args:
        title: one line.
        source: an expression that makes a layer, or one of ``x0``, ``x1`` ... that calls an operation.
        shapes: of the inputs, without the batch.
        dtypes: of the inputs.
        batch: rows.
        values: how the inputs are made: normal, zeros, ids or ramp.
        optimizer: an expression.
        saved_on: a backend that writes the model to a file which the others read; "" for none.
        takes: list, where a layer is called with a list of tensors.
        backends: those that are compared.
        training: the first call is in training mode too.
    """

    title: str
    source: str
    shapes: tuple[tuple[int, ...], ...]
    dtypes: tuple[str, ...]
    batch: int = 2
    values: str = "normal"
    optimizer: str = "keras.optimizers.SGD(1.0)"
    saved_on: str = ""
    takes: str = "tensor"
    backends: Sequence[str] = ("jax", "tensorflow", "torch")

    def smaller(self) -> list[Case]:
        """Cases that are smaller in one respect."""
        found = []
        if self.batch > 1:
            found.append(replace(self, batch=1))
        if self.values == "normal":
            found.append(replace(self, values="ramp"))
        for place, shape in enumerate(self.shapes):
            for axis, size in enumerate(shape):
                for less in {2, size // 2, size - 1}:
                    if 1 <= less < size:
                        new = (*shape[:axis], less, *shape[axis + 1 :])
                        shapes = (*self.shapes[:place], new, *self.shapes[place + 1 :])
                        found.append(replace(self, shapes=shapes))
        return found

    @property
    def size(self) -> int:
        """How many numbers go in."""
        total = 0
        for shape in self.shapes:
            count = self.batch
            for length in shape:
                count *= length
            total += count
        return total


_MADE = {
    "normal": "rng.normal(size={shape}).astype({dtype!r})",
    "zeros": "np.zeros({shape}, {dtype!r})",
    "ids": "np.ones({shape}, {dtype!r})",
    "ramp": "np.arange(np.prod({shape})).reshape({shape}).astype({dtype!r})",
}


def write_script(case: Case) -> str:
    """The source of the script: it prints the outputs, and the weights after one step, on every backend."""
    inputs = []
    for shape, dtype in zip(case.shapes, case.dtypes, strict=True):
        values = case.values if dtype.startswith("float") or case.values == "zeros" else "ids"
        inputs.append(_MADE[values].format(shape=(case.batch, *shape), dtype=dtype))
    is_layer = case.source.startswith("keras.layers.")
    names = [f"x{index}" for index in range(len(inputs))]
    given = f"[{', '.join(names)}]" if case.takes == "list" else ", ".join(names)
    body = f"self.inner({given})" if is_layer else case.source
    lines = [
        f'"""{case.title}"""',
        "import json, os, subprocess, sys",
        "import numpy as np",
        "",
        "",
        "def show():",
        "    import keras",
        "    class Model(keras.Model):",
        "        def build(self, shapes):",
        *([f"            self.inner = {case.source}"] if is_layer else []),
        "            self.offsets = [self.add_weight(shape=s[1:], initializer='zeros') for s in shapes]",
        "        def call(self, xs):",
        "            is_float = keras.backend.is_float_dtype",
        "            pairs = zip(xs, self.offsets)",
        "            xs = [x + offset if is_float(x.dtype) else x for x, offset in pairs]",
        f"            {', '.join(names)}{',' if len(names) == 1 else ''} = xs",
        f"            return {body}",
        "    rng = np.random.default_rng(0)",
        f"    xs = [{', '.join(inputs)}]",
        "    model = Model()",
        "    model(xs)",
        "    weights = model.get_weights()",
        "    model.set_weights([rng.normal(size=w.shape) if w.any() else w for w in weights])",
        "    output = keras.ops.convert_to_numpy(model(xs))",
        "    loss = lambda y, p: keras.ops.sum(y * keras.ops.cast(p, y.dtype))",
        f"    model.compile({case.optimizer}, loss=loss)",
        "    model.train_on_batch(xs, rng.normal(size=output.shape).astype('float32'))",
        "    found = [output, *model.get_weights()]",
        "    print('RESULT' + json.dumps([each.astype(float).ravel().tolist() for each in found]))",
        "",
        "",
        "if sys.argv[1:]:",
        "    sys.exit(show())",
        f"for name in {list(case.backends)!r}:",
        "    env = os.environ | {'KERAS_BACKEND': name}",
        "    command = [sys.executable, __file__, 'show']",
        "    run = subprocess.run(command, env=env, capture_output=True, text=True)",
        "    print(name, run.stdout.partition('RESULT')[2][:2000] or run.stderr[-300:])",
    ]
    return "\n".join(lines) + "\n"
