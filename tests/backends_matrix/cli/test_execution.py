"""The verdict is shown whatever happens to its files."""

import errno

import pytest

from backends_matrix import report as reports
from backends_matrix.cli import execution
from backends_matrix.report import ReportError, matrix_report
from backends_matrix.run.settings import MatrixSettings


class Made:
    def __init__(self, document):
        self.document = document


@pytest.fixture
def execute(monkeypatch, tmp_path):
    """Give a function that ends a command with this document, and breaks what it is told to break."""

    def run(document, **broken):
        monkeypatch.setattr(matrix_report, "matrix", lambda *given, **named: Made(document))
        for name, error in broken.items():

            def fail(*given, error=error, **named):
                raise error

            monkeypatch.setattr(reports, name, fail)
        with pytest.raises(SystemExit) as ended:
            execution.execute(["imdb"], MatrixSettings(out=tmp_path))
        return ended.value.code

    return run


FULL = ReportError("out/report.json cannot be written: No space left on device")


def document_of(verdict):
    differs = verdict == "differ"
    comparison = {
        **dict.fromkeys(("experiment", "variant", "quantity", "reference", "backend"), "x"),
        **{"level": 2, "epoch": 1, "pipeline": "numpy", "difference": 2.0 if differs else 0.5},
        **{"tolerance": 1.0, "smallest_passing": 1.0, "why": ""},
        "verdict": "differs" if differs else "agrees",
    }
    return {
        **{"schema": 1, "verdict": verdict, "created": "", "command": [], "experiments": {}},
        "project": {"name": "portable_models", "version": "1"},
        "environment": {"python": "3", "platform": "", "cores": 1, "backends": {}},
        "comparisons": [comparison],
        **{"cells": [], "claims": [], "examples": [], "problems": []},
    }


@pytest.mark.parametrize(("verdict", "code"), [("agree", 3), ("differ", 1), ("error", 3)])
@pytest.mark.parametrize("error", [FULL, OSError(errno.ENOSPC, "No space left on device")])
def test_on_a_full_disk_the_verdict_is_shown(execute, capsys, verdict, code, error):
    assert execute(document_of(verdict), render_all=error) == code
    output, errors = capsys.readouterr()
    assert f"{verdict.upper()}: " in output
    assert "No space left on device" in errors
    assert "Traceback" not in errors


def test_ctrl_c_while_the_report_is_drawn_shows_the_verdict(execute, capsys):
    assert execute(document_of("agree"), render_all=KeyboardInterrupt()) == 3
    output, errors = capsys.readouterr()
    assert "AGREE: " in output
    assert "the report was not drawn: interrupted" in errors


@pytest.mark.parametrize(("verdict", "code"), [("agree", 3), ("differ", 1)])
def test_an_output_that_takes_nothing_keeps_a_difference(execute, capsys, verdict, code):
    broken = {"show": OSError(errno.ENOSPC, "No space left on device")}
    assert execute(document_of(verdict), render_all=FULL, **broken) == code
    assert f"the verdict is '{verdict}'" in capsys.readouterr().err
