"""What a neutral file says of itself: a block in ``metadata.json``, which plain Keras ignores.

The block is kept there, and not in a member of its own, because Keras unpacks a file with more than
three members to disk before it reads it.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from portable_models._keras.release import find_keras
from portable_models.files.archive import METADATA, Members
from portable_models.files.document import Json, canonical
from portable_models.files.errors import FileError, one_line, shorten

BLOCK = "portable"
FORMAT = 1
_PACKAGES = ("portable-models", "numpy", "h5py")
_DIGEST = "digest"


@dataclass(frozen=True)
class SeedState:
    """Where one of a model's random-number generators stands.

    Args:
        owner: the layer that holds it, as ``layers[2] Dropout``: position and class, because names
            of layers are drawn anew in every process.
        state: seed and counter, both integers.
    """

    owner: str
    state: tuple[int, int]


@dataclass(frozen=True)
class Passport:
    """Everything in a neutral file that plain Keras does not write.

    Args:
        backend: the backend that wrote the weights, or None where the source did not say.
        versions: versions of packages by name, those of the writing process.
        seed_generators: states in the order of the model's layers; None where they are not known.
        recipe: the frozen settings of the training, JSON-able, or None.
        unseeded_state: state of the framework's own generator, in base64, where the backend draws the
            masks of a Dropout without a seed from it (torch) and the model has one; else None.
        converted_from: ``keras_version`` and ``date_saved`` of a foreign source, or None.
    """

    backend: str | None
    versions: Mapping[str, str]
    seed_generators: tuple[SeedState, ...] | None = None
    recipe: Mapping[str, Any] | None = None
    unseeded_state: str | None = None
    converted_from: Mapping[str, Any] | None = None
    format: int = field(default=FORMAT)


def own_versions() -> dict[str, str]:
    """Versions of Python and of the packages that every writer has; reading them imports nothing."""
    # A nightly build of Keras is a package of another name.
    found = {"python": platform.python_version(), "keras": find_keras()}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed as a package"
    return found


def sign(members: Members, metadata: Mapping[str, Json], passport: Passport) -> Members:
    """Members with ``metadata.json`` holding the passport and a digest over everything.

    The digest finds damage and edits by other tools. It is no signature: who changes a file on purpose
    can compute it again.
    """
    document = {name: value for name, value in metadata.items() if name != BLOCK}
    document[BLOCK] = asdict(passport)
    document[BLOCK][_DIGEST] = _digest(members, document)
    return {METADATA: canonical(document)} | {
        name: content for name, content in members.items() if name != METADATA
    }


def read_passport(members: Members, metadata: Mapping[str, Json]) -> Passport | None:
    """The passport of a neutral file, or None for a foreign one.

    Raises:
        FileError: the digest is missing or wrong, or the block is of an unknown format or malformed.
    """
    block = metadata.get(BLOCK)
    if block is None:
        return None
    if not isinstance(block, Mapping) or block.get("format") != FORMAT:
        found = block.get("format") if isinstance(block, Mapping) else block
        raise FileError(
            f"metadata.json: the portable block has the format {shorten(found)}; this version reads {FORMAT}"
        )
    bare = {name: value for name, value in block.items() if name != _DIGEST}
    if block.get(_DIGEST) != _digest(members, {**metadata, BLOCK: bare}):
        raise FileError(
            "the digest is wrong: the file was damaged, or changed by another program after it was written. "
            "Write it again from the model"
        )
    try:
        return _parse(bare)
    except (TypeError, ValueError, KeyError) as error:
        raise FileError(
            f"metadata.json: the portable block is malformed: {one_line(str(error), 120)}"
        ) from error


def _parse(block: Mapping[str, Json]) -> Passport:
    states = block["seed_generators"]
    seeds = None
    if states is not None:
        seeds = tuple(SeedState(str(item["owner"]), _pair(item["state"])) for item in states)
    for name in ("versions", "recipe", "converted_from"):
        if not isinstance(block[name], Mapping | None):
            raise TypeError(f"{name} must be an object")
    for name in ("backend", "unseeded_state"):
        if not isinstance(block[name], str | None):
            raise TypeError(f"{name} must be text")
    return Passport(
        backend=block["backend"],
        versions=block["versions"] or {},
        seed_generators=seeds,
        recipe=block["recipe"],
        unseeded_state=block["unseeded_state"],
        converted_from=block["converted_from"],
    )


def _pair(state: Json) -> tuple[int, int]:
    seed, counter = state
    if not all(type(value) is int and -(2**63) <= value < 2**63 for value in (seed, counter)):
        raise TypeError("the state of a seed generator is two integers of 64 bits")
    return seed, counter


def _digest(members: Members, metadata: Mapping[str, Json]) -> str:
    """SHA-256 over the metadata (without the digest) and each member's name and SHA-256."""
    contents = members | {METADATA: canonical(metadata)}
    state = hashlib.sha256()
    for name in sorted(contents):
        state.update(f"{name}\0{hashlib.sha256(contents[name]).hexdigest()}\n".encode())
    return f"sha256:{state.hexdigest()}"
