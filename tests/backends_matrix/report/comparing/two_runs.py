"""Two made-up runs in folders, and the command that compares them."""

import json

from click.testing import CliRunner

from backends_matrix.cli import main


def write(folder, document):
    folder.mkdir(exist_ok=True)
    text = document if isinstance(document, str) else json.dumps(document)
    (folder / "report.json").write_text(text, encoding="utf-8")


def portable(folder, *arguments):
    """Run the command in a folder; the comparison is among what comes back, where one was made."""
    made = folder / "found.json"
    words = [str(folder / word) if not word.startswith("-") else word for word in arguments]
    done = CliRunner().invoke(main, ["compare", *words, "--json", str(made)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    done.found = json.loads(made.read_text(encoding="utf-8")) if made.exists() else None
    return done
