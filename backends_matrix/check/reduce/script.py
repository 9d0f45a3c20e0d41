"""The script that shows one failure: one layer or operation, its inputs, and what it computes on each backend."""

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
    """The source of the script; it exits with 1 where backends differ."""
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
        "            xs = [x + o if keras.backend.is_float_dtype(x.dtype) else x for x, o in zip(xs, self.offsets)]",
        f"            {', '.join(names)}{',' if len(names) == 1 else ''} = xs",
        f"            return {body}",
        "    rng = np.random.default_rng(0)",
        f"    xs = [{', '.join(inputs)}]",
        "    model = Model()",
        "    before = keras.ops.convert_to_numpy(model(xs))",
        "    model.set_weights([w if not w.any() else rng.normal(size=w.shape) for w in model.get_weights()])",
        "    after = keras.ops.convert_to_numpy(model(xs))",
        f"    model.compile({case.optimizer}, loss=lambda y, p: keras.ops.sum(y * keras.ops.cast(p, y.dtype)))",
        "    model.train_on_batch(xs, rng.normal(size=after.shape).astype('float32'))",
        "    found = {'output': after} | {f'{i} {w.name}': w for i, w in enumerate(model.get_weights() and model.weights)}",
        "    print('RESULT' + json.dumps({k: np.array(v).astype(float).tolist() for k, v in found.items()}))",
        "",
        "",
        "if sys.argv[1:]:",
        "    sys.exit(show())",
        "results = {}",
        f"for name in {list(case.backends)!r}:",
        "    run = subprocess.run([sys.executable, __file__, 'show'], env=os.environ | {'KERAS_BACKEND': name}, capture_output=True, text=True)",
        "    results[name] = run.stdout.partition('RESULT')[2] or run.stderr[-300:]",
        "    print(name, results[name][:2000])",
        "same = len(set(results.values())) == 1",
        "print('the same' if same else 'compare the lines above: they differ by more than rounding')",
    ]
    return "\n".join(lines) + "\n"
