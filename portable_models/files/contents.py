"""A model file read and checked, before Keras sees any of it. No framework is needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from portable_models.files.archive import CONFIG, METADATA, WEIGHTS, Members, read_archive
from portable_models.files.configuration import Trust, check_configuration
from portable_models.files.document import Json, canonical, parse
from portable_models.files.errors import DEFAULT_LIMITS, FileError, Limits
from portable_models.files.neutral import Change, neutralise
from portable_models.files.passport import Passport, read_passport
from portable_models.files.weights import WeightsInfo, check_weights

StrPath = str | PathLike[str]


@dataclass(frozen=True)
class Contents:
    """A ``.keras`` file that passed every check.

    Args:
        members: the members' bytes by name; ``config.json`` is the neutral one already.
        metadata: the parsed ``metadata.json``.
        config: the neutral configuration.
        changes: what was changed in the configuration to make it neutral; empty for a neutral file.
        passport: what the file says of itself, or None for one that this project did not write.
        weights: shapes of the data sets in the weights, and notes about odd values.
    """

    members: Members
    metadata: Mapping[str, Json]
    config: Mapping[str, Json]
    changes: list[Change]
    passport: Passport | None
    weights: WeightsInfo


def describe(
    path: StrPath, *, allow: tuple[str, ...] = (), limits: Limits = DEFAULT_LIMITS
) -> Contents:
    """Read and check a ``.keras`` file without building the model.

    Args:
        path: a ``.keras`` file, neutral or foreign.
        allow: names of packages whose objects the file may hold, besides Keras's and this project's.
        limits: bounds on sizes.

    Raises:
        FileError: the file is refused; the message says why in one line.
    """
    return read_contents(Path(path), Trust(Trust().packages | set(allow)), limits)


def read_contents(path: Path, trust: Trust, limits: Limits = DEFAULT_LIMITS) -> Contents:
    """What :func:`describe` does, with any :class:`Trust`."""
    members = read_archive(path, limits)
    try:
        metadata = parse(members[METADATA], METADATA, limits)
        passport = read_passport(members, metadata)
        config = parse(members[CONFIG], CONFIG, limits)
        check_configuration(config, trust, limits)
        weights = check_weights(members[WEIGHTS], limits)
    except FileError as error:
        raise FileError(f"{path}: {error}") from error.__cause__
    neutral, changes = neutralise(config)
    return Contents(
        members=members | {CONFIG: canonical(neutral)},
        metadata=metadata,
        config=neutral,
        changes=changes,
        passport=passport,
        weights=weights,
    )
