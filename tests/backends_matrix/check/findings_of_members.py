"""What the members of a check left behind, made by hand: no process runs."""

import numpy as np

from backends_matrix.check.members import Member, Stage


class Found:
    """Stages by ``phase__name``, a space as ``_``; what is not given never ran."""

    def __init__(self, **stages):
        self._stages = stages

    def stage(self, phase, name):
        return self._stages.get(f"{phase}__{name}".replace(" ", "_"), Stage())


def stage(data=None, **arrays):
    """A stage that has run; ``group=[...]`` are its arrays."""
    flat = {f"{g}/{n}": np.asarray(v) for g, each in arrays.items() for n, v in _items(each)}
    return Stage("ok", data=data or {}, arrays=flat)


def _items(group):
    return group.items() if isinstance(group, dict) else enumerate(group)


def members(**found):
    """``jax=...``, ``jax_float64=...``: findings by member."""
    return {
        Member(name.removesuffix("_float64"), name.endswith("_float64")): each
        for name, each in found.items()
    }
