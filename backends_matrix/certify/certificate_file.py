"""``certificate.json``: write it, and read one that may come from anyone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from backends_matrix.atomic_files import write_atomically
from backends_matrix.certify.certificate import (
    KIND,
    SCHEMA,
    Certificate,
    Plan,
    SideRecord,
    Study,
    judge_sides,
    to_json,
)
from backends_matrix.certify.dependencies import require_statistics
from backends_matrix.certify.fields import LARGEST_COUNT, Fields
from backends_matrix.certify.margin import Margin, MarginKind
from backends_matrix.certify.pairs import SeedResult
from backends_matrix.certify.settings import MOST_SEEDS
from backends_matrix.errors import CallError, RunError
from backends_matrix.run.cell import BACKENDS, DEVICES, ENGINES
from backends_matrix.untrusted_json import TooDeepError, parse_json

FILE_NAME = "certificate.json"
LARGEST = 64 * 2**20
"""Bytes; 1,000 seeds on three sides take about 1 MB."""
_DEEPEST = 12
_MOST_SIDES = 64
_MOST_METRICS = 64


def write_certificate(certificate: Certificate, folder: Path) -> Path:
    """Write ``certificate.json`` into a folder, whole or not at all.

    Raises:
        RunError: it cannot be written.
    """
    path = folder / FILE_NAME
    text = json.dumps(to_json(certificate), indent=1, ensure_ascii=False, allow_nan=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return write_atomically(path, text.encode("utf-8", "backslashreplace") + b"\n")
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error.strerror or error}") from None


def digest_certificate(path: Path) -> str:
    """SHA-256 of a certificate's file.

    Args:
        path: the file, or the folder that holds ``certificate.json``.

    Raises:
        OSError: it cannot be read.
    """
    file = path / FILE_NAME if path.is_dir() else path
    return hashlib.sha256(file.read_bytes()).hexdigest()


def read_certificate(path: Path) -> Certificate:
    """Read a certificate, and hold its verdicts against its own numbers.

    Args:
        path: the file, or the folder that holds ``certificate.json``. Nothing in it is run or imported.

    Raises:
        CallError: it is missing, no certificate, of another schema, has missing or wrong values, or says
            something else than its numbers do.
    """
    require_statistics()
    if path.is_dir():
        path = path / FILE_NAME
    value = _read_json(path)

    def fail(what: str) -> NoReturn:
        raise CallError(f"{path} is no valid certificate: {what}")

    if not isinstance(value, dict) or value.get("kind") != KIND:
        fail(f"it does not begin as a file that 'portable certify' writes (kind {KIND!r})")
    if value.get("schema") != SCHEMA or isinstance(value.get("schema"), bool):
        fail(f"schema {value.get('schema')!r}; this version reads schema {SCHEMA}")
    return _Reader(fail).certificate(value)


def _read_json(path: Path) -> Any:
    try:
        # A pipe would be waited for, and a device may never end.
        if path.exists() and not path.is_file():
            raise CallError(f"{path} is not a file")
        if (size := path.stat().st_size) > LARGEST:
            raise CallError(f"{path} has {size:,} bytes, and a certificate has at most {LARGEST:,}")
        return parse_json(path.read_text(encoding="utf-8"), _DEEPEST)
    except FileNotFoundError:
        raise CallError(
            f"there is no {path}; name a {FILE_NAME} that 'portable certify --out DIR' has written"
        ) from None
    except OSError as error:
        raise CallError(f"{path} cannot be read: {error.strerror or error}") from None
    except TooDeepError:
        raise CallError(f"{path} is nested too deeply to be a certificate") from None
    except ValueError as error:  # UnicodeDecodeError and JSONDecodeError are such
        raise CallError(f"{path} is not JSON in UTF-8, or it is cut off ({error})") from None


class _Reader(Fields):
    """Turns plain JSON values into a certificate, and names the first that is wrong."""

    def certificate(self, value: Mapping[str, Any]) -> Certificate:
        margins = self._margins(value)
        plan = self._plan(self.read_object(value, "plan"))
        digests = self.read_object(value, "digests")
        given = self.read_list(value, "sides", 2, _MOST_SIDES)
        sides = [self._side(each, digests, tuple(margins)) for each in given]
        if len({side.name for side in sides}) != len(sides):
            self.fail("two sides have one name")
        for seed in plan.seeds:
            for side in sides:
                if seed not in side.results:
                    self.fail(f"the side {side.name!r} has no result for seed {seed}")
        certificate = Certificate(
            study=self._study(self.read_object(value, "study")),
            margins=margins,
            plan=plan,
            sides=sides,
            comparisons=judge_sides(sides, plan.seeds, margins, plan.alpha, plan.power),
            notes=[
                self.read_text(each, "notes") for each in self.read_list(value, "notes", 0, 1000)
            ],
            against=self.read_text(value.get("against"), "against"),
        )
        self._compare_verdicts(value, certificate)
        return certificate

    def _compare_verdicts(self, value: Mapping[str, Any], certificate: Certificate) -> None:
        written = [
            (each.get("metric"), each.get("side"), each.get("verdict"))
            for each in self.read_list(value, "comparisons", 1, _MOST_SIDES * _MOST_METRICS)
            if isinstance(each, dict)
        ]
        computed = [
            (each.metric, each.side, each.verdict.value) for each in certificate.comparisons
        ]
        if written != computed or value.get("verdict") != certificate.verdict.value:
            self.fail("its verdicts are not what its own results and margins come to")

    def _study(self, value: Mapping[str, Any]) -> Study:
        if not isinstance(value.get("synthetic"), bool):
            self.fail("study.synthetic must be true or false")
        epochs = value.get("epochs")
        experiment, variant, data, description = (
            self.read_text(value.get(name), f"study.{name}")
            for name in ("experiment", "variant", "data", "description")
        )
        return Study(
            experiment,
            variant,
            data,
            description,
            synthetic=value["synthetic"],
            epochs=None if epochs is None else self.read_count(epochs, "study.epochs", 1, 10**9),
        )

    def _margins(self, value: Mapping[str, Any]) -> dict[str, Margin]:
        found = self.read_object(value, "margins")
        if not 1 <= len(found) <= _MOST_METRICS:
            self.fail(f"margins must name 1 to {_MOST_METRICS} metrics")
        margins = {}
        for name, each in found.items():
            if not isinstance(each, dict) or each.get("kind") not in tuple(MarginKind):
                self.fail(
                    f"the margin of {name[:40]!r} must have a value and the kind relative or absolute"
                )
            number = self.read_number(each.get("value"), "the value of a margin")
            if number <= 0 or (each["kind"] == MarginKind.RELATIVE and number >= 1):
                self.fail(
                    f"the margin of {name[:40]!r} must be above 0, and below 1 where it is relative"
                )
            margins[name] = Margin(number, MarginKind(each["kind"]))
        return margins

    def _plan(self, value: Mapping[str, Any]) -> Plan:
        alpha, power = (
            self.read_number(value.get(name), f"plan.{name}") for name in ("alpha", "power")
        )
        if not (0 < alpha < 0.5 and 0 < power < 1):
            self.fail("plan.alpha must be between 0 and 0.5, and plan.power between 0 and 1")
        seeds, pilot = (
            [
                self.read_count(each, f"plan.{name}")
                for each in self.read_list(value, name, fewest, MOST_SEEDS)
            ]
            for name, fewest in (("seeds", 1), ("pilot", 0))
        )
        if len(set(seeds)) != len(seeds):
            self.fail("plan.seeds names a seed twice, and one training counts once")
        wanted = [
            None if value.get(name) is None else self.read_count(value[name], f"plan.{name}")
            for name in ("wanted", "wanted_unpaired")
        ]
        return Plan(alpha, power, seeds, pilot, *wanted)

    def _side(self, value: Any, digests: Mapping[str, Any], metrics: tuple[str, ...]) -> SideRecord:
        if not isinstance(value, dict):
            self.fail("a side must be an object")
        for name, known in (("backend", BACKENDS), ("engine", ENGINES), ("device", DEVICES)):
            if value.get(name) not in known:
                self.fail(f"the {name} of a side must be one of {', '.join(known)}")
        samples = self.read_object(value, "samples")
        for each in samples.values():
            self.read_count(each, "the samples of a side")
        return SideRecord(
            name=self.read_text(value.get("name"), "the name of a side"),
            backend=value["backend"],
            pipeline=self.read_text(value.get("pipeline"), "the pipeline of a side"),
            engine=value["engine"],
            device=value["device"],
            setup=self.read_text(value.get("setup"), "the setup of a side"),
            environment=self.read_object(value, "environment"),
            results={
                self._seed(seed): self._result(seed, each, digests, metrics, samples)
                for seed, each in self.read_object(value, "results").items()
            },
        )

    def _result(
        self,
        seed: str,
        value: Any,
        digests: Mapping[str, Any],
        metrics: tuple[str, ...],
        samples: Mapping[str, int],
    ) -> SeedResult:
        if not isinstance(value, dict):
            self.fail(f"the result of seed {seed[:20]} must be an object")
        proofs = value.get("digests", digests.get(seed))
        if not isinstance(proofs, dict) or not all(
            isinstance(each, str) for each in proofs.values()
        ):
            self.fail(f"the digests of seed {seed[:20]} must be texts by kind")
        values = self.read_object(value, "values")
        fault = self.read_text(value.get("fault", ""), "the fault of a seed")
        diverged = value.get("diverged", False) is True
        if not fault and not diverged:
            if set(values) != set(metrics):
                self.fail(
                    f"seed {seed[:20]} must have a value of each metric: {', '.join(metrics)}"
                )
            numbers = {
                name: self.read_number(values[name], f"seed {seed[:20]}") for name in metrics
            }
            return SeedResult(numbers, proofs, samples=samples)
        return SeedResult({}, proofs, diverged, fault)

    def _seed(self, text: str) -> int:
        if not (
            text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= LARGEST_COUNT
        ):
            self.fail(f"{text[:20]!r} is no seed")
        return int(text)
