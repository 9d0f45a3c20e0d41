"""Ways to run a function of ``work`` in another process; each gives what the function returns."""

import json
import sys
import textwrap
from pathlib import Path

from .conftest import run_command

HERE = Path(__file__).parent
HEAD = f"import json, sys; sys.path.insert(0, {str(HERE)!r})\n"


def last(lines):
    return json.loads(lines[-1])


def by_option(function, folder):
    """``python -c``."""
    program = f"{HEAD}import process_work as work; print(json.dumps(work.{function}()))"
    return last(run_command([sys.executable, "-c", program]))


def by_spawning(function, folder):
    """A pool of spawned processes, from a script."""
    file = folder / "script.py"
    file.write_text(
        f"{HEAD}import multiprocessing, process_work as work\n"
        "if __name__ == '__main__':\n"
        f"    here = work.{function}()\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
        f"        (there,) = pool.map(work.{function}, [0])\n"
        "    assert here == there, (here, there)\n"
        "    print(json.dumps(there))"
    )
    return last(run_command([sys.executable, str(file)]))


def by_forking(function, folder):
    """A forked process, before its parent has computed."""
    program = (
        f"{HEAD}import multiprocessing, process_work as work\n"
        f"work.portable_models.{'fit' if function == 'train' else 'random'}\n"
        "with multiprocessing.get_context('fork').Pool(1) as pool:\n"
        f"    print(json.dumps(pool.map(work.{function}, [0])[0]))"
    )
    return last(run_command([sys.executable, "-c", program]))


def by_pytest(function, folder):
    """A test, run by pytest."""
    file = folder / "test_it.py"
    file.write_text(
        f"{HEAD}import process_work as work\n"
        f"def test_it():\n    json.dump(work.{function}(), open('found.json', 'w'))\n"
    )
    # No settings of a project around it.
    (folder / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(file)]
    run_command(command, cwd=folder)
    return json.loads((folder / "found.json").read_text())


def by_notebook(function, folder):
    """Cells in a Jupyter kernel, the second one run twice."""
    program = f"""
    import json, nbformat, nbclient
    cells = [
        {HEAD + "import process_work as work"!r},
        "print(json.dumps(work.{function}()))",
        "print(json.dumps(work.{function}()))",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(each) for each in cells])
    nbclient.NotebookClient(notebook, timeout=200, kernel_name="python3").execute()
    first, second = ("".join(each.text for each in cell.outputs if each.name == "stdout")
                     for cell in notebook.cells[1:])
    assert json.loads(first.splitlines()[-1]) == json.loads(second.splitlines()[-1])
    print(second.splitlines()[-1])
    """
    return last(run_command([sys.executable, "-c", textwrap.dedent(program)], cwd=folder))


def in_a_thread(function, folder):
    """Two threads at once, in a fresh process."""
    program = (
        f"{HEAD}import process_work as work\nfrom concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(2) as threads:\n"
        f"    first, second = threads.map(work.{function}, range(2))\n"
        "assert first == second, (first, second)\n"
        "print(json.dumps(first))"
    )
    return last(run_command([sys.executable, "-c", program]))


WAYS = [by_option, by_spawning, by_forking, by_pytest, by_notebook, in_a_thread]
