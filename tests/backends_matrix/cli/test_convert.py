"""``portable convert``: which classes a file may hold is said by module, as in ``portable export``."""

from click.testing import CliRunner

from backends_matrix.cli import convert as cli_convert
from backends_matrix.cli import main


def test_modules_that_are_imported_elsewhere_are_allowed_here(tmp_path, monkeypatch):
    allowed = []

    def convert_file(source, destination, allow):
        allowed.extend(allow)
        return []

    monkeypatch.setattr(cli_convert, "convert_file", convert_file)
    source = tmp_path / "model.keras"
    source.write_bytes(b"no zip")
    command = ["convert", str(source), str(tmp_path / "out.keras")]
    given = ["--allow", "zoo", "--import", "my_package.layers"]
    done = CliRunner().invoke(main, [*command, *given])
    assert done.exit_code == 0, done.output
    assert allowed == ["zoo", "my_package"]
