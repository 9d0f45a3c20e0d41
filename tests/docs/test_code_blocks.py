"""Every block of Python on the pages runs, on every backend that it is for."""

import re

import pytest

from .pages import blocks, own_model, run

ON_ONE = ("move-my-model.md", "my-own-data.md")
"""Pages whose blocks say the same as others that run on every backend; one backend tries the words."""


@pytest.mark.parametrize(("page", "text"), blocks("python"))
def test_a_block_of_code_runs_on_every_backend_it_is_for(page, text, backends, tmp_path):
    meant = re.match(r"# KERAS_BACKEND=(\w+)", text)
    wanted = [name for name in backends if meant is None or name == meant.group(1)]
    if meant is None and page.name in ON_ONE:
        wanted = wanted[-1:]
    for name in ("model.py", "my_package.py"):
        (tmp_path / name).write_text(own_model())
    program = ["-c", text]
    if "import backends_matrix" in text:
        wanted = wanted[:1]  # it starts every backend itself, whatever the variable says
    if "import pytest" in text:
        (tmp_path / "test_own_model.py").write_text(text)
        program = ["-m", "pytest", "--quiet", "test_own_model.py"]
    outputs = set()
    for backend in wanted:
        done = run(program, tmp_path, backend)
        assert done.returncode == 0, done.stdout + done.stderr
        outputs.add(done.stdout)
    # What one block prints, it prints alike everywhere.
    assert len(outputs) <= 1
