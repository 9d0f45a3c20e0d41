"""``portable versions``: what it prints and how it exits."""

import pytest
from click.testing import CliRunner

from backends_matrix.cli import versions as cli_versions
from backends_matrix.cli.versions import command as versions
from backends_matrix.errors import CallError
from backends_matrix.versions import Finding, Outcome, Tag, load


def invoke(*arguments):
    return CliRunner().invoke(versions, arguments)


@pytest.mark.parametrize("arguments", [(), ("list",)])
def test_every_row_is_listed(arguments):
    result = invoke(*arguments)
    assert result.exit_code == 0
    assert all(name in result.output for name in load().rows)


def test_rows_of_a_tag_are_listed():
    output = invoke("list", "--tag", "newest").output
    assert "keras-nightly" in output
    assert "torch-2.1.0" not in output


@pytest.mark.parametrize(
    ("findings", "code"),
    [
        ([(Outcome.WORKS, True)], 0),
        ([(Outcome.WORKS, True), (Outcome.FAILS, False)], 1),
        ([(Outcome.FAILS, False), (None, False)], 3),
    ],
)
def test_the_exit_code_tells_what_was_found(monkeypatch, findings, code):
    found = [Finding(row="a", outcome=outcome, as_expected=fits) for outcome, fits in findings]
    monkeypatch.setattr(cli_versions, "verify_rows", lambda *given, **named: found)
    result = invoke("verify", "a")
    assert result.exit_code == code
    good = sum(fits for _, fits in findings)
    assert result.output.endswith(f"{good} of {len(findings)} rows as expected\n")


def test_cheap_rows_are_verified_where_none_are_named(monkeypatch):
    asked = []
    monkeypatch.setattr(
        cli_versions, "verify_rows", lambda *given, **named: asked.append(given) or []
    )
    invoke("verify")
    invoke("verify", "--tag", "newest")
    invoke("verify", "a")
    assert asked == [((), Tag.CHEAP), ((), Tag.NEWEST), (("a",), None)]


def test_an_unknown_row_is_a_wrong_call():
    result = invoke("verify", "jax-9")
    assert isinstance(result.exception, CallError)
    assert str(result.exception).startswith("no row is called 'jax-9': expected one of")


def test_rows_and_a_tag_together_are_a_wrong_call():
    result = invoke("verify", "a", "--tag", "cheap")
    assert isinstance(result.exception, CallError)
    assert "give the rows (a) or --tag cheap" in str(result.exception)
