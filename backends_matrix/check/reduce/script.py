"""The script that shows one failure: a few layers, their inputs, and what each backend computes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends_matrix.check.reduce.case import Case, Given, Shown

MOST_LINES = 40

_FIRST = '''"""{title}"""
import json, os, subprocess, sys
import numpy as np

def show({arguments}):
    import keras
'''

_LAST = """
if sys.argv[1:]:
    sys.exit(show(*sys.argv[1:]))
{loop}
    env = os.environ | {{'KERAS_BACKEND': {backend}}}
    command = [sys.executable, __file__, {arguments}]
    run = subprocess.run(command, env=env, capture_output=True, text=True)
    print({label}, run.stdout.partition('RESULT')[2][:2000] or run.stderr[-300:])
"""

_MADE = {
    "normal": "rng.normal(size={shape})",
    "zeros": "np.zeros({shape})",
    "ones": "np.ones({shape})",
    "ramp": "np.arange({count}.0).reshape({shape})",
}


def write_script(case: Case) -> str:
    """The source of the script.

    It prints the outputs, or the weights and state after one step, on every backend; or, for a file, the
    outputs (and, where training goes on, the weights after one more step) of the model that was written and
    of the one that was read.
    """
    alone = case.shown in (Shown.FORWARD, Shown.STEP)
    body = _file_lines(case)
    if alone:
        body = _step_lines(case) if case.shown is Shown.STEP else _forward_lines(case)
    if not any("rng." in line for line in body if line != _GENERATOR):
        body.remove(_GENERATOR)
    first = _FIRST.format(
        title=case.title.replace("\\", " ").replace('"', "'"),
        arguments="backend" if alone else "writer, task",
    )
    names = list(case.backends)
    if alone:
        last = _LAST.format(
            loop=f"for name in {names!r}:", backend="name", arguments="name", label="name"
        )
    else:
        pairs = f"for writer, name in [(w, n) for w in {names!r} for n in ['', *{names!r}]]:"
        last = _LAST.format(
            loop=pairs,
            backend="name or writer",
            arguments="writer, 'read' if name else 'write'",
            label="f'{writer}>{name}' if name else writer",
        )
    lines = [f"    {line}" for line in body]
    return first + "\n".join(lines) + last


def _definitions(case: Case) -> list[str]:
    return [line for each in case.definitions for line in each.splitlines() if line.strip()]


def _inputs(case: Case) -> str:
    return ", ".join(_input(case, given) for given in case.inputs)


def _input(case: Case, given: Given) -> str:
    shape = (case.batch, *given.shape)
    values = case.values
    if values == "recorded" and given.recorded is not None:
        written = np.array2string(
            recorded_values(case, given), separator=",", threshold=1 << 20, max_line_width=1 << 20
        )
        return f"np.array({' '.join(written.split())}, {given.dtype!r})".replace(", ", ",")
    if not given.dtype.startswith("float") and values not in ("zeros", "ones"):
        values = "ones"
    made = _MADE.get(values, _MADE["normal"])
    return f"{made.format(shape=shape, count=int(np.prod(shape)))}.astype({given.dtype!r})"


def recorded_values(case: Case, given: Given) -> NDArray[Any]:
    """The corner of what was recorded, in the shape that is shown."""
    array = np.asarray(given.recorded)
    corner = array[tuple(slice(size) for size in (case.batch, *given.shape))]
    return np.round(corner, 4) if corner.dtype.kind == "f" else corner


def _layers(case: Case) -> dict[str, tuple[str, str]]:
    """By path of a layer: its short name and the expression that makes it."""
    found: dict[str, tuple[str, str]] = {}
    for node in case.nodes:
        if node.layer and node.layer not in found:
            found[node.layer] = f"layer{len(found)}", node.make
    return found


def _calls(case: Case, prefix: str) -> list[str]:
    layers = _layers(case)
    lines = []
    for number, node in enumerate(case.nodes):
        layer = f"{prefix}{layers[node.layer][0]}" if node.layer else ""
        written = node.call.format(*map(str, node.sources), layer=layer)
        lines.append(f"h{number} = {written}")
    return lines


_WEIGHTS = (
    "[w.assign(rng.normal(size=w.shape)) for w in model.weights if w.numpy().any() "
    "and 'float' in w.dtype and (w.trainable or (w.numpy() != 1).any())]"
)
"""Every backend draws other initial weights. Weights that are all 0, and a state that is all 1, stay."""

_LOSS = "lambda y, p: keras.ops.sum(y * keras.ops.cast(p, y.dtype))"
_GENERATOR = "rng = np.random.default_rng(0)"
_PRINTED = {
    "outputs": "keras.tree.flatten(out)",
    "weights": "model.trainable_weights",
    "state": "model.non_trainable_weights",
}


def _found(*parts: str) -> list[str]:
    written = ", ".join(f"{part!r}: {_PRINTED[part]}" for part in parts)
    return [
        f"parts = {{{written}}}",
        "lists = lambda w: keras.ops.convert_to_numpy(w).astype(float).ravel().tolist()",
        "print('RESULT' + json.dumps({k: [lists(w) for w in v] for k, v in parts.items()}))",
    ]


def _equal_weights(case: Case) -> list[str]:
    return [_WEIGHTS] if case.equal_weights else []


def _forward_lines(case: Case) -> list[str]:
    if case.direct:
        calls = _calls(case, "")
        names = [f"x{index}" for index in range(len(case.inputs))]
        inputs = [_input(case, given) for given in case.inputs]
        return [
            *_definitions(case),
            _GENERATOR,
            *[f"{name} = {each}" for name, each in zip(names, inputs, strict=True)],
            *[f"{name} = {make}" for name, make in _layers(case).values()],
            *calls[:-1],
            f"out = {calls[-1].partition(' = ')[2]}",
            *_found("outputs"),
        ]
    return [
        *_definitions(case),
        *_functional(case),
        _GENERATOR,
        f"xs = [{_inputs(case)}]",
        *_equal_weights(case),
        f"out = model(xs{', training=True' if case.training else ''})",
        *_found("outputs"),
    ]


def _step_lines(case: Case) -> list[str]:
    shown = (case.part,) if case.part else tuple(_PRINTED)
    fit = ["y = rng.normal(size=out.shape).astype('float32')", _fit(case)]
    if not case.part:
        fit = ["if 'float' in str(out.dtype):", *[f"    {line}" for line in fit]]
    return [
        *_definitions(case),
        *(_functional(case) if case.functional else _with_offsets(case)),
        _GENERATOR,
        f"xs = [{_inputs(case)}]",
        *([] if case.functional or not case.equal_weights else ["model(xs)"]),
        *_equal_weights(case),
        "out = model(xs)",
        f"model.compile({case.optimizer}, loss={_LOSS})",
        *fit,
        *_found(*shown),
    ]


def _with_offsets(case: Case) -> list[str]:
    """A model that adds weights of 0 to its inputs, so that a step shows the inputs' gradients too."""
    names = [f"x{index}" for index in range(len(case.inputs))]
    calls = _calls(case, "self.")
    moved = [
        f"xs[{index}] + self.zeros[{index}]" if "float" in given.dtype else f"xs[{index}]"
        for index, given in enumerate(case.inputs)
    ]
    return [
        "class Model(keras.Model):",
        "    def build(self, shapes):",
        *[f"        self.{name} = {make}" for name, make in _layers(case).values()],
        "        self.zeros = [self.add_weight(shape=s[1:], initializer='zeros') for s in shapes]",
        "    def call(self, xs, training=False):",
        f"        {', '.join(names)} = {', '.join(moved)}",
        *[f"        {line}" for line in calls[:-1]],
        f"        return {calls[-1].partition(' = ')[2]}",
        "model = Model()",
    ]


def _functional(case: Case) -> list[str]:
    names = [f"x{index}" for index in range(len(case.inputs))]
    inputs = [f"keras.Input({given.shape}, dtype={given.dtype!r})" for given in case.inputs]
    return [
        f"{', '.join(names)} = {', '.join(inputs)}",
        *[f"{name} = {make}" for name, make in _layers(case).values()],
        *_calls(case, ""),
        f"model = keras.Model([{', '.join(names)}], h{len(case.nodes) - 1})",
    ]


def _file_lines(case: Case) -> list[str]:
    resumes = case.shown is Shown.RESUMED
    weights = case.shown is Shown.WEIGHTS_FILE
    path = "f'{writer}.weights.h5'" if weights else "f'{writer}.keras'"
    read = (
        f"model.load_weights({path})"
        if weights
        else f"model = keras.saving.load_model({path}{_custom(case)})"
    )
    write = f"model.save_weights({path})" if weights else f"model.save({path})"
    step = _fit(case)
    shown = ("outputs", "weights") if resumes else ("outputs",)
    return [
        *_definitions(case),
        *_functional(case),
        *([f"model.compile({case.optimizer}, loss='mse')"] if resumes else []),
        _GENERATOR,
        f"xs = [{_inputs(case)}]",
        *_equal_weights(case),
        *(["y = np.ones(model(xs).shape, 'float32')"] if resumes else []),
        "if task == 'read':",
        f"    {read}",
        "else:",
        *([f"    {step}"] if resumes else []),
        f"    {write}",
        "out = model(xs)",
        *([step] if resumes else []),
        *_found(*shown),
    ]


def _fit(case: Case) -> str:
    # Not train_on_batch: it makes the inputs constants of TensorFlow's graph, and in 0 + variable, which
    # becomes the variable itself, a gradient may read what the optimizer has written already.
    return f"model.fit(xs, y, batch_size={case.batch}, shuffle=False, verbose=0)"


def _custom(case: Case) -> str:
    classes = [
        line.partition("(")[0].partition(":")[0].removeprefix("class ")
        for each in case.definitions
        for line in each.splitlines()
        if line.startswith("class ")
    ]
    listed = ", ".join(f"{name!r}: {name}" for name in classes)
    return f", custom_objects={{{listed}}}" if classes else ""
