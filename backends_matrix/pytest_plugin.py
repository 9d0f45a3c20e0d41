"""Checks of portability as tests: ``assert_portable``, ``@pytest.mark.portable``, ``portable_checks``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

    from backends_matrix.check.pool import Pool
    from backends_matrix.check.result import Check, TargetResult

CHECKS = (
    "import", "build", "inputs", "forward", "second call", "compiled", "types and shapes", "initial weights",
    "outputs", "outputs in training", "loss", "gradients", "state", "one step", "fit", "fit logs", "evaluate",
    "get_config", "config outputs", "kept tensors", "save", "read file", "resume training", "read weights",
)  # fmt: skip
"""The checks that ``portable_checks`` makes a test of; all others are reported by the test ``everything
else``."""

REST = "everything else"

_pools: list[Pool] = []


@dataclass(frozen=True)
class PortableCheck:
    """One check of one model, to be called with nothing.

    Args:
        target: what is checked.
        name: which check.
        options: of :func:`backends_matrix.check.check`, as sorted pairs.
    """

    target: Any
    name: str
    options: tuple[tuple[str, Any], ...] = ()

    def __call__(self) -> None:
        """Run all checks of the model, once a session, and fail if this one failed.

        Raises:
            AssertionError: it failed; the message says why and where.
        """
        result = _result(self.target, self.options)
        mine = [
            check
            for check in result.failures
            if check.name == self.name or (self.name == REST and check.name not in CHECKS)
        ]
        if mine:
            raise AssertionError(_told(result, mine))
        ran = any(check.name == self.name for check in result.checks)
        if result.verdict == "error" and not ran:
            raise AssertionError(
                f"{result.target}: it did not come to {self.name!r}: {result.reason}"
            )

    def __repr__(self) -> str:
        return f"{_name(self.target)}-{self.name.replace(' ', '_')}"


def assert_portable(target: Any, **options: Any) -> TargetResult:
    """Check a model and fail if it is not portable.

    Args:
        target: a function at the top of a module that builds a model, a path, or a live model.
        **options: fields of ``CheckSettings``, such as ``backends=("jax", "torch")`` or ``expected={...}``.

    Returns:
        The result.

    Raises:
        AssertionError: a check failed, or nothing could be checked; the message says why and where.
    """
    result = _result(target, tuple(sorted(options.items(), key=lambda item: item[0])))
    if result.verdict != "portable":
        raise AssertionError(_told(result, list(result.failures)))
    return result


def portable_checks(*targets: Any, **options: Any) -> pytest.MarkDecorator:
    """Parametrize a test by every check of every model, in the manner of ``parametrize_with_checks``.

    Example::

        @backends_matrix.portable_checks(build_model)
        def test_portable(portable_check):
            portable_check()
    """
    import pytest

    given = tuple(sorted(options.items(), key=lambda item: item[0]))
    cases = [PortableCheck(target, name, given) for target in targets for name in (*CHECKS, REST)]
    return pytest.mark.parametrize("portable_check", cases, ids=repr)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line(
        "markers",
        "portable(**options): the test returns, or is, a builder of a Keras model that must be portable",
    )


def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that is marked ``portable``: what it returns is checked.

    The test builds nothing itself: it returns a builder, a path, or a model; a test whose name is not
    bound by fixtures and that returns a model is taken for the builder.
    """
    marker = pyfuncitem.get_closest_marker("portable")
    if marker is None:
        return None
    # As pytest's own hook does. The public ``fixturenames`` also lists fixtures that are no arguments.
    names = pyfuncitem._fixtureinfo.argnames  # noqa: SLF001
    arguments = {name: pyfuncitem.funcargs[name] for name in names}
    target = pyfuncitem.obj(**arguments)
    if target is None:
        raise AssertionError(
            f"{pyfuncitem.name} is marked portable and returned None; return a builder, a path or a "
            f"Keras model"
        )
    assert_portable(target, **dict(marker.kwargs))
    return True


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the warm workers."""
    del config
    while _pools:
        _pools.pop().close()
    _cached.cache_clear()


def _result(target: Any, options: tuple[tuple[str, Any], ...]) -> TargetResult:
    try:
        return _cached(target, options)
    except TypeError:
        # An option that cannot be hashed, such as a dict of expectations.
        return _run(target, dict(options))


@cache
def _cached(target: Any, options: tuple[tuple[str, Any], ...]) -> TargetResult:
    return _run(target, dict(options))


def _run(target: Any, options: Mapping[str, Any]) -> TargetResult:
    from backends_matrix.check import CheckSettings, check
    from backends_matrix.check.pool import Pool

    settings = CheckSettings(**options)
    if not _pools:
        _pools.append(Pool(settings))
    return check(target, settings=settings, pool=_pools[0]).targets[0]


def _told(result: TargetResult, failed: list[Check]) -> str:
    from backends_matrix.check.junit import describe

    lines = [f"{result.target} is {result.verdict} ({result.executed} checks ran)"]
    lines += [f"  {each.name} on {each.backend}: {describe(each)}" for each in failed[:20]]
    if not failed:
        lines.append(f"  {result.reason}")
    return "\n".join(lines)


def _name(target: Any) -> str:
    return str(getattr(target, "__name__", target))
