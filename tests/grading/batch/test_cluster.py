"""Grading on a Dask cluster: workers die, join late, hang, are the wrong ones; marks stay right."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from attention_course.grading.batch.helper import NoWorkers

from .clusters import Cluster, cluster
from .conftest import PARTLY, RIGHT, WRONG

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="helpers need socket pairs"),
]


@pytest.fixture
def two_workers(tmp_path: Path) -> Iterator[Cluster]:
    with cluster(tmp_path / "cluster", 2) as started:
        yield started


def a_class(small: Any, size: int) -> list[str]:
    answers = (RIGHT, WRONG, PARTLY, {"double": "def double(:"}, {"half": "raise SystemExit"})
    names = [f"student-{number:03}" for number in range(1, size + 1)]
    for number, name in enumerate(names):
        small.hand_in(name, answers[number % len(answers)])
    return names


def twin(small: Any, place: Path) -> Any:
    return type(small)(Path(shutil.copytree(small.root, place)))


class During:
    """Does something on another thread once so many submissions are graded."""

    def __init__(self, small: Any, at: int, deed: Callable[[], None]) -> None:
        self.small, self.at, self.deed = small, at, deed
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.done = False

    def _run(self) -> None:
        until = time.monotonic() + 120
        while len(self.small.told.steps) < self.at and time.monotonic() < until:
            time.sleep(0.01)
        self.deed()
        self.done = True

    def __enter__(self) -> During:
        self.thread.start()
        return self

    def __exit__(self, *about: object) -> None:
        self.thread.join(130)


def each_once(small: Any, names: list[str]) -> bool:
    return Counter(small.told.steps) == Counter(names)


def test_marks_and_files_are_those_of_this_machine(
    small: Any, tmp_path: Path, two_workers: Cluster
) -> None:
    names = a_class(small, 7)
    small.hand_in("student-003", note="kept", data="1 2 3")
    other = twin(small, tmp_path / "other")
    small.grade()
    summary = other.grade(pool=two_workers.pool(other.told.say))
    assert other.state() == small.state()
    assert set(summary.graded) == set(names) and each_once(other, names)
    again = other.grade(pool=two_workers.pool(other.told.say))
    assert again.graded == {} and len(again.unchanged) == len(names)


def test_a_worker_killed_midway_costs_nobody_a_mark(
    small: Any, tmp_path: Path, two_workers: Cluster
) -> None:
    names = a_class(small, 14)
    other = twin(small, tmp_path / "other")
    other.grade()
    pool = two_workers.pool(small.told.say)
    with During(small, 4, two_workers.workers[0].kill) as during:
        summary = small.grade(pool=pool)
    assert during.done and two_workers.workers[0].wait(10) == -signal.SIGKILL
    assert set(summary.graded) == set(names) and each_once(small, names)
    assert small.state() == other.state()


def test_who_joins_late_takes_part_and_until_then_it_waits(small: Any, tmp_path: Path) -> None:
    names = a_class(small, 3)
    with cluster(tmp_path / "cluster", 0) as started:
        said: list[str] = []

        def say(sentence: str) -> None:
            said.append(sentence)
            started.add()  # only once the grader has said that it waits

        summary = small.grade(pool=started.pool(say))
    assert set(summary.graded) == set(names)
    assert said == [
        f"no worker has joined the Dask scheduler at {started.address}; waiting for one"
    ]


def test_a_worker_that_hangs_is_given_up(small: Any, tmp_path: Path) -> None:
    names = a_class(small, 12)
    patience = {"DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "3s"}
    with cluster(tmp_path / "cluster", 2, **patience) as started:
        hang = started.workers[0]
        with During(small, 3, lambda: hang.send_signal(signal.SIGSTOP)) as during:
            summary = small.grade(pool=started.pool(small.told.say))
        assert during.done and hang.poll() is None
    assert set(summary.graded) == set(names) and each_once(small, names)


def test_workers_of_another_kind_are_sent_away(
    small: Any, two_workers: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    from attention_course.grading import distributed

    a_class(small, 2)
    monkeypatch.setattr(distributed, "own_code", lambda: "a newer one")
    said: list[str] = []
    with pytest.raises(NoWorkers, match=r"no worker has joined .* what was graded is kept"):
        small.grade(pool=two_workers.pool(said.append, empty=2))
    away = [sentence for sentence in said if "was sent away" in sentence]
    assert len(away) == 2 and all("is not the grader's" in sentence for sentence in away)
    assert small.state()["rows"]["grades"] == []


def test_an_unprotected_worker_is_sent_away(small: Any, two_workers: Cluster) -> None:
    a_class(small, 1)
    said: list[str] = []
    with pytest.raises(NoWorkers):
        small.grade(
            pool=two_workers.pool(said.append, isolation="plain", required=("files",), empty=2)
        )
    assert any("was sent away" in s and "configuration asks for it" in s for s in said)


def test_a_helper_that_dies_is_replaced_and_its_submission_set_aside(
    make_small: Any, tmp_path: Path, two_workers: Cluster
) -> None:
    deadly = make_small(
        "from pathlib import Path\nimport os\n"
        "if Path('always.txt').is_file():\n    os.kill(os.getpid(), 9)\nassert double(2) == 4"
    )
    names = a_class(deadly, 5)
    deadly.hand_in("student-002", always="")
    summary = deadly.grade(pool=two_workers.pool(deadly.told.say))
    assert set(summary.graded) == set(names) and list(summary.ungraded) == ["student-002"]
    assert deadly.marks("student-002")["test_double"] == (None, None, True)
    assert deadly.automatic("student-001")["test_double"] == 2.0
    assert "ended the grader's process" in summary.ungraded["student-002"]["test_double"]


def test_a_scheduler_that_goes_leaves_a_state_to_go_on_from(
    small: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from attention_course.grading import distributed

    monkeypatch.setattr(distributed, "CONNECT", 2.0)  # for so long the scheduler is looked for
    names = a_class(small, 12)
    with cluster(tmp_path / "cluster", 1) as started:
        assert started.scheduler is not None
        pool = started.pool(small.told.say)
        with (
            During(small, 3, started.scheduler.kill),
            pytest.raises(NoWorkers, match="is gone; what was graded is kept"),
        ):
            small.grade(pool=pool)
        kept = set(small.told.steps)
        assert 3 <= len(kept) < len(names)
    with cluster(tmp_path / "another", 1) as started:
        summary = small.grade(pool=started.pool(small.told.say))
    assert set(summary.unchanged) == kept and set(summary.graded) == set(names) - kept


def test_the_command_grades_says_so_and_goes_on_after_ctrl_c(
    small: Any, two_workers: Cluster
) -> None:
    names = a_class(small, 40)
    line = ["grade", "ps1", "--scheduler", two_workers.address]
    process = subprocess.Popen(
        [sys.executable, "-m", "attention_course.cli", *line],
        cwd=small.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    until = time.monotonic() + 120
    while len(list((small.root / "autograded").glob("*"))) < 4:
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130 and "Continue with: attention-course grade ps1" in said
    done = small.command(*line)
    assert done.returncode == 0, done.stderr
    found = re.search(r"(\d+) graded, (\d+) unchanged", done.stdout)
    assert found is not None and int(found[1]) + int(found[2]) == len(names)
    assert 4 <= int(found[2]) < len(names)
    assert len(small.state()["rows"]["notebooks"]) == len(names)


def test_nobody_at_the_address_is_one_sentence(small: Any) -> None:
    small.hand_in("student-001")
    done = small.command("grade", "ps1", "--scheduler", "tcp://127.0.0.1:9")
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in done.stderr
    assert "dask scheduler" in done.stderr
    both = small.command("grade", "ps1", "--scheduler", "tcp://127.0.0.1:9", "--workers", "2")
    assert both.returncode == 2 and "give one of them" in both.stderr


def test_nothing_is_left_on_the_workers(small: Any, two_workers: Cluster) -> None:
    from distributed import Client

    def helpers(dask_worker: Any) -> list[str]:
        import psutil

        names = [name for name in dask_worker.plugins if name.startswith("attention-course")]
        return names + [str(p.pid) for p in psutil.Process(os.getpid()).children(recursive=True)]

    a_class(small, 4)
    small.grade(pool=two_workers.pool(small.told.say))
    with Client(two_workers.address, set_as_default=False) as client:
        assert list(client.run(helpers).values()) == [[], []]


def test_ten_workers_killed_at_random_among_a_hundred_submissions(
    small: Any, tmp_path: Path, two_workers: Cluster
) -> None:
    names = a_class(small, 100)
    other = twin(small, tmp_path / "other")
    other.grade()
    chance = random.Random(20)
    moments = sorted(chance.sample(range(2, 96), 10))
    killed: list[int] = []

    def kill_ten() -> None:
        for moment in moments:
            until = time.monotonic() + 120
            while len(small.told.steps) < moment and time.monotonic() < until:
                time.sleep(0.005)
            victim = chance.choice([w for w in two_workers.workers if w.poll() is None])
            victim.kill()
            killed.append(victim.wait())
            two_workers.add()

    pool = two_workers.pool(small.told.say)
    with During(small, 0, kill_ten) as during:
        summary = small.grade(pool=pool)
    assert during.done and killed == [-signal.SIGKILL] * 10
    assert not summary.problems and not summary.ungraded
    assert set(summary.graded) == set(names) and each_once(small, names)
    assert small.state() == other.state()
    # One row for each student and test, as in the class that was graded here.
    assert len(small.state()["rows"]["submissions"]) == 100
