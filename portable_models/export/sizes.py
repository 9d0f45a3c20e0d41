"""Sizes of free axes: unequal on every axis, as far as the model takes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from portable_models.export.errors import ExportError
from portable_models.export.signature import Tensor

FREE_AXIS = 12
"""Size given to a free axis (a sequence's length) where nothing else is known."""

STEPS = (1, 2, 4, 8, 16, 32, 64)
"""What the sizes of a model's free axes may have to be multiples of: a U-Net of five levels needs 32."""

# No two are equal, and none is the batch that is exported, so that a mixed-up axis shows. The first are odd:
# even ones alone would pass where multiples of 2 are needed.
_USUAL = (9, 12, 15, 14, 11, 10)
_OTHER = (13, 16, 19, 18, 20, 21)
_WORDS = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}


def axis_names(tensor: Tensor) -> dict[str, int]:
    """What the axes of an input can be called in ``--size``: ``NAME.1``, ``length``, ``height`` and so on."""
    names = {f"{tensor.name}.{axis}": axis for axis in range(1, len(tensor.shape))}
    free = [axis for axis, size in enumerate(tensor.shape) if size is None and axis]
    return {**dict(zip(_WORDS.get(len(free), ()), free, strict=False)), **names}


def with_sizes(tensors: Sequence[Tensor], sizes: Mapping[str, int]) -> tuple[Tensor, ...]:
    """The inputs with the sizes that the user gave to free axes.

    Raises:
        ExportError: no free axis is called so.
    """
    used: set[str] = set()
    made = []
    for tensor in tensors:
        shape = list(tensor.shape)
        for name, axis in axis_names(tensor).items():
            if name in sizes and shape[axis] is None:
                shape[axis] = sizes[name]
                used.add(name)
        made.append(replace(tensor, shape=tuple(shape)))
    if unknown := [name for name in sizes if name not in used]:
        known = [
            name
            for tensor in tensors
            for name, axis in axis_names(tensor).items()
            if tensor.shape[axis] is None
        ]
        raise ExportError(
            f"--size {unknown[0]}: no free axis is called so; the free axes are "
            f"{', '.join(dict.fromkeys(known)) or 'none: every size is fixed'}"
        )
    return tuple(made)


def ways(tensors: Sequence[Tensor]) -> Iterator[tuple[Tensor, ...]]:
    """Ways to give sizes to free axes, from the most different ones to equal ones.

    Every axis of its own; one size for the same axis of all inputs (tokens and their mask); one for all.
    Each with sizes of any number, then with multiples of 2, 4, …
    """
    for step in STEPS:
        seen = set()
        for name in ("{input}_{axis}", "free_{axis}", "free"):
            made = tuple(
                replace(
                    tensor,
                    step=step,
                    symbols=tuple(
                        ("batch" if not axis else name.format(input=index, axis=axis))
                        if size is None
                        else ""
                        for axis, size in enumerate(tensor.shape)
                    ),
                )
                for index, tensor in enumerate(tensors)
            )
            made = tuple(
                replace(t, symbols=tuple(f"free_{s}" if s[:1].isdigit() else s for s in t.symbols))
                for t in made
            )
            pattern = _pattern(made)
            if pattern not in seen:
                seen.add(pattern)
                yield made


def concrete(tensors: Sequence[Tensor], rows: int, *, other: bool = False) -> list[tuple[int, ...]]:
    """The shapes of one set of inputs.

    Args:
        tensors: the inputs.
        rows: rows of the batch.
        other: take other sizes for the free axes, so that none can have been baked in.
    """
    names = list(
        dict.fromkeys(
            symbol for tensor in tensors for symbol in tensor.symbols if symbol not in ("", "batch")
        )
    )
    default = FREE_AXIS + 4 if other else FREE_AXIS
    found = []
    for tensor in tensors:
        shape = [rows]
        for axis, size in enumerate(tensor.shape[1:], 1):
            symbol = tensor.symbols[axis] if tensor.symbols else ""
            if size is not None:
                shape.append(size)
            elif symbol:
                shape.append(_size(names.index(symbol), tensor.step, other))
            else:
                shape.append(default)
        found.append(tuple(shape))
    return found


def has_free_axis(tensors: Sequence[Tensor]) -> bool:
    """Whether an axis other than the batch is free."""
    return any(size is None for tensor in tensors for size in tensor.shape[1:])


def _size(place: int, step: int, other: bool) -> int:
    usual = (_OTHER if other else _USUAL)[place % len(_USUAL)]
    if step == 1:
        return usual
    # Odd multiples: an even one would pass where twice the step is needed.
    if step == 2:
        odd = (9, 11, 7, 15, 13, 17) if other else (7, 5, 9, 11, 13, 15)
    elif step == 4:
        odd = (5, 7, 3, 11, 9, 13) if other else (3, 5, 7, 9, 11, 13)
    else:
        odd = (1, 3, 7, 5, 11, 9) if other else (3, 1, 5, 7, 9, 11)
    return step * odd[place % 6]


def _pattern(tensors: Sequence[Tensor]) -> tuple[int, ...]:
    """Which axes have the same size: two ways that differ in names only have the same pattern."""
    symbols = [symbol for tensor in tensors for symbol in tensor.symbols if symbol]
    return tuple(symbols.index(symbol) for symbol in symbols)
