"""The data sets by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from portable_models.data.boston import load_boston
from portable_models.data.imdb import load_imdb
from portable_models.data.samples import DataSet
from portable_models.data.sources import SAMPLE, DataError, Source


def _imdb(source: Source, trust: bool) -> DataSet:
    return load_imdb(source, trust=trust)


_LOADERS: Final[Mapping[str, Callable[[Source, bool], DataSet]]] = MappingProxyType(
    {"imdb": _imdb, "boston": load_boston}
)


def load(name: str, source: Source = SAMPLE, *, trust: bool = False) -> DataSet:
    """A data set by name.

    Args:
        name: ``"imdb"`` or ``"boston"``.
        source: ``"sample"`` (embedded, no network), ``"full"`` (the folder that ``$PORTABLE_MODELS_DATA``
            names, then Keras's cache, then Keras's download), or the path of an ``.npz`` file or of a
            folder that holds it.
        trust: unpickle arrays of a file whose SHA-256 is not a known one. Pickles can run code.

    Raises:
        DataError: there is no data set of this name, or its file is missing, damaged or not trusted.

    Example:
        >>> boston = load("boston")
        >>> len(boston.train), len(boston.test)
        (404, 102)
    """
    if name not in _LOADERS:
        raise DataError(
            f"there is no data set {name!r}; expected one of {', '.join(sorted(_LOADERS))}"
        )
    return _LOADERS[name](source, trust)
