"""A child that dies or hangs fails its own job only, and no child outlives the parent's interest."""

import os
from pathlib import Path

import pytest

from portable_models.export.children import Job, run_jobs

CHILD = "child_of_tests"


@pytest.fixture(autouse=True)
def _path(monkeypatch):
    # What the parent can import, the child can.
    monkeypatch.syspath_prepend(Path(__file__).parent)


def run(folder, *acts, **settings):
    jobs = [Job({"act": act}, folder / f"{number}.json") for number, act in enumerate(acts)]
    run_jobs(CHILD, jobs, folder, {}, **settings)
    return [job.answer() for job in jobs]


def test_one_process_does_all_jobs(tmp_path):
    answers = run(tmp_path, "work", "work", "work")
    assert len({answer["pid"] for answer in answers}) == 1


def test_crash_fails_its_own_job_with_code_and_log(tmp_path):
    first, second, third = run(tmp_path, "work", "crash", "work")
    assert (first["status"], third["status"]) == ("done", "done")
    assert second == {
        "status": "failed",
        "reason": "the child process ended with code 7; last lines of its log: about to crash",
    }


def test_signal_is_named(tmp_path):
    (answer,) = run(tmp_path, "abort")
    assert "was killed by signal 6" in answer["reason"]


def test_hang_is_ended_and_the_next_job_is_done(tmp_path):
    # Starting Python took 0.1 s on an idle machine and over 1 s on a loaded one.
    hanging, following = run(tmp_path, "hang", "work", limit_s=20.0)
    assert hanging == {"status": "failed", "reason": "took longer than 20 s"}
    assert following["status"] == "done"


def test_every_job_is_reported_in_order(tmp_path):
    seen = []
    run(tmp_path, "work", "crash", "work", on_done=lambda job: seen.append(job.result.name))
    assert seen == ["0.json", "1.json", "2.json"]


def test_interrupt_ends_the_child(tmp_path):
    found = []

    def interrupt(job):
        found.append(job.answer()["pid"])
        raise KeyboardInterrupt

    jobs = [Job({"act": act}, tmp_path / f"{act}.json") for act in ("work", "hang")]
    with pytest.raises(KeyboardInterrupt):
        run_jobs(CHILD, jobs, tmp_path, {}, on_done=interrupt)
    with pytest.raises(ProcessLookupError):
        os.kill(found[0], 0)
