"""What went wrong in a converter, as a sentence that says what to do; its own words are never shown raw."""

from __future__ import annotations

import re
from collections.abc import Callable

LONGEST = 300

_ANSI = re.compile(r"\x1b\[[0-9;]*m|\[[0-9;]+m")
_FILE = re.compile(r'File "[^"]*", line \d+, in \S+|(?:/[\w.+-]+){2,}/?(?::\d+)*')


def _operation(found: re.Match[str]) -> str:
    return (
        f"the converter does not know the operation {found.group(1)}; build that part of the model from "
        "other layers, or choose another target"
    )


_KNOWN: tuple[tuple[str, Callable[[re.Match[str]], str]], ...] = (
    (
        r"'tf\.(Conv\w+)' op is neither",
        lambda found: (
            f"LiteRT holds {found.group(1)} only where the sizes of the image are fixed; give them: "
            "--size height=N --size width=N"
        ),
    ),
    (r"'(tf\.\w+)' op is neither a custom op", _operation),
    (r"Some ops are not supported by the native TFLite runtime.*?\b(tf\.\w+)", _operation),
    (r"Tensorflow op \[[^:\]]*: (\w+)\] is not supported", _operation),
    (r"No ONNX function found for.*?(aten[\w.:]+)", _operation),
    (
        r"(?:Cannot|No conversion rule|not supported).{0,80}?operation[s]? (?:of type )?['\"]?([\w:]+)",
        _operation,
    ),
    (
        r"as dynamic but your code specialized it to be a constant",
        lambda found: (
            "PyTorch's exporter fixed a size that has to stay free, so the artifact would take one batch only"
        ),
    ),
    (
        r"Could not guard on data-dependent expression|data-dependent",
        lambda found: (
            "the model branches on values, and PyTorch's exporter traces shapes only; "
            "write it without the branch"
        ),
    ),
    (
        r"inconclusive|InconclusiveDimension|symbolic dim|contains symbolic|1D sequences of concrete",
        lambda found: (
            "JAX cannot decide about a free size in the model; give the free axes sizes: --size NAME=N"
        ),
    ),
    (
        r"Cannot concatenate arrays with shapes that differ",
        lambda found: (
            "sizes of free axes do not fit together in the model; give them: --size NAME=N"
        ),
    ),
)


def plain_reason(error: BaseException) -> str:
    """One sentence for an error of a converter or runtime.

    A cause that is known is explained. Of another one the kind and the first sentence are given, without
    colours, file names and stack traces.
    """
    text = " ".join(_ANSI.sub("", str(error)).split())
    for pattern, explain in _KNOWN:
        if found := re.search(pattern, text):
            return explain(found)
    text = _FILE.sub("", text)
    text = re.sub(r"^in user code: *", "", text).strip()
    first = re.split(r"(?<=[.!?]) (?=[A-Z\-(])", text, maxsplit=1)[0]
    return f"{type(error).__name__}: {' '.join(first.split())[:LONGEST] or 'it gave no reason'}"
