"""A Dask cluster whose members come unfit and late, and whose grader goes without a word."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from attention_course.grading.batch import helper
from attention_course.grading.batch.helper import NoWorkers
from attention_course.grading.batch.team import CannotGrade, Team
from attention_course.grading.batch.worker import Job

from .clusters import cluster
from .conftest import RIGHT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="helpers need socket pairs"),
]

ANOTHER_CHECKOUT = """
from attention_course.grading.batch import versions
versions.own_code = lambda: "an older one"
"""


def test_who_joins_late_and_may_not_grade_costs_nobody_a_mark(small: Any, tmp_path: Path) -> None:
    names = [f"student-{number}" for number in range(6)]
    for name in names:
        small.hand_in(name, RIGHT)
    (tmp_path / "sitecustomize.py").write_text(ANOTHER_CHECKOUT)
    said: list[str] = []
    with cluster(tmp_path / "cluster", 0) as started:

        def say(sentence: str) -> None:
            said.append(sentence)
            if "waiting for one" in sentence and len(started.workers) == 0:
                started.add("env", f"PYTHONPATH={tmp_path}")
            if "was sent away" in sentence:
                started.add()

        summary = small.grade(pool=started.pool(say))
        started.wait_for(1)
        assert started.workers[0].wait(60) is not None and started.workers[1].poll() is None
    assert set(summary.graded) == set(names) and summary.ungraded == {}
    away = [sentence for sentence in said if "was sent away" in sentence]
    assert len(away) == 1 and "its attention-course is not the grader's" in away[0]


def test_unfit_workers_that_come_again_and_again_do_not_keep_a_run_alive(
    small: Any, tmp_path: Path
) -> None:
    small.hand_in("student-1")
    (tmp_path / "sitecustomize.py").write_text(ANOTHER_CHECKOUT)
    with cluster(tmp_path / "cluster", 0) as started:

        def say(sentence: str) -> None:
            started.add("env", f"PYTHONPATH={tmp_path}")

        def pool(*about: Any) -> Any:
            made = started.pool(say, empty=60)(*about)
            made.seconds, made.empty = 1.0, 1.0
            return made

        with pytest.raises(NoWorkers, match=r"one that may not: its attention-course .* mend"):
            small.grade(pool=pool)
    assert small.state()["rows"]["grades"] == []


def test_a_lost_plug_in_is_given_again_and_nobody_sent_away(
    small: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from attention_course.grading.distributed import ClusterPool

    hand_out = ClusterPool._hand_out

    def after_a_moment_without_the_scheduler(self: ClusterPool, *about: Any) -> Any:
        monkeypatch.setattr(ClusterPool, "_hand_out", hand_out)
        assert self._client is not None
        self._client.unregister_worker_plugin(self.name)
        return hand_out(self, *about)

    monkeypatch.setattr(ClusterPool, "_hand_out", after_a_moment_without_the_scheduler)
    names = [f"student-{number}" for number in range(4)]
    for name in names:
        small.hand_in(name)
    with cluster(tmp_path / "cluster", 1) as started:
        summary = small.grade(pool=started.pool(small.told.say))
        assert started.count() == 1
    assert set(summary.graded) == set(names) and summary.ungraded == {}
    assert small.told.sentences == []


def test_a_grader_that_is_killed_leaves_nothing_on_the_cluster(small: Any, tmp_path: Path) -> None:
    from distributed import Client

    def held(dask_worker: Any) -> list[str]:
        import psutil

        names = [name for name in dask_worker.plugins if name.startswith("attention-course")]
        return names + [str(p.pid) for p in psutil.Process().children(recursive=True)]

    def kept(dask_scheduler: Any) -> list[str]:
        return [name for name in dask_scheduler.worker_plugins if name.startswith("attention")]

    for number in range(30):
        small.hand_in(f"student-{number:02}")
    with cluster(tmp_path / "cluster", 1) as started:
        grader = subprocess.Popen(
            [sys.executable, "-m", "attention_course.cli", "grade", "ps1",
             "--scheduler", started.address],
            cwd=small.root,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        until = time.monotonic() + 120
        while len(list((small.root / "autograded").glob("*"))) < 2:
            assert grader.poll() is None and time.monotonic() < until
            time.sleep(0.02)
        with Client(started.address, set_as_default=False) as client:
            assert len(client.run_on_scheduler(kept)) == 1
            assert len(next(iter(client.run(held).values()))) >= 2
            grader.kill()
            grader.wait()
            while client.run_on_scheduler(kept) or any(client.run(held).values()):
                assert time.monotonic() < until
                time.sleep(0.1)


def test_a_scheduler_that_goes_at_the_very_start_is_one_sentence(
    small: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from attention_course.grading import distributed
    from attention_course.grading.distributed import ClusterPool

    monkeypatch.setattr(distributed, "CONNECT", 2.0)  # for so long the scheduler is looked for
    send_away = ClusterPool._send_away
    with cluster(tmp_path / "cluster", 1) as started:

        def killed(self: ClusterPool, client: Any) -> None:
            assert started.scheduler is not None
            started.scheduler.kill()
            started.scheduler.wait()
            send_away(self, client)

        monkeypatch.setattr(ClusterPool, "_send_away", killed)
        small.hand_in("student-1")
        with pytest.raises(NoWorkers, match="is gone; what was graded is kept"):
            small.grade(pool=started.pool(small.told.say))


def test_a_machine_whose_processes_end_before_they_are_ready_blames_no_submission(
    small: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = small.hand_in("student-1")
    monkeypatch.setattr(helper, "WORKER", "attention_course.no_such_module")
    team = Team(small.course.assignment("ps1"), 60.0)
    with pytest.raises(CannotGrade, match=r"before they are ready .*no_such_module"):
        team.grade(Job("student-1", str(place)))
    team.close()


def test_a_team_that_was_ended_while_it_loads_starts_nobody_else(
    small: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = small.hand_in("student-1")
    started: list[helper.Helper] = []
    team = Team(small.course.assignment("ps1"), 60.0)
    bury = Team._bury

    def ended_meanwhile(self: Team, one: helper.Helper) -> str:
        started.append(one)
        self.close()
        return bury(self, one)

    monkeypatch.setattr(Team, "_bury", ended_meanwhile)
    team._all[0].process.kill()
    with pytest.raises(CannotGrade, match="its helpers were ended"):
        team.grade(Job("student-1", str(place)))
    assert len(started) == 1 and started[0].process.poll() is not None


def test_a_machine_that_can_start_no_process_blames_no_submission(
    small: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(CannotGrade, match="it can start no process"):
        Team(small.course.assignment("ps1"), 60.0)
