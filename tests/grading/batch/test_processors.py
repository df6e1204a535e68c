"""Workers stay on processors of their own where there is one for each."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from attention_course.grading.batch.processors import Places
from attention_course.grading.sandbox.warm import fork_works

pytestmark = [
    pytest.mark.skipif(fork_works() is not None, reason="nothing can be forked here"),
    pytest.mark.skipif(
        len(getattr(os, "sched_getaffinity", lambda _: ())(0)) < 2,
        reason="needs two processors",
    ),
]

# A test cell runs in the worker; what it asks of the answer runs in the student's process.
NOTED = """
import os, time
theirs = where()
with open("PLACE", "a") as file:
    print(os.getpid(), sorted(os.sched_getaffinity(0)), sorted(theirs), file=file)
time.sleep(0.2)
assert double(2) == 4
"""
WHERE = "import os\ndef where():\n    return list(os.sched_getaffinity(0))\ndef double(x):\n    "
DEADLY = """
import signal
from pathlib import Path
if Path("once.txt").is_file() and not Path("PLACE-mark").exists():
    Path("PLACE-mark").touch()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def two() -> list[int]:
    return sorted(os.sched_getaffinity(0))[:2]


def noted(small: Any, workers: int, processors: list[int], place: Path) -> dict[str, set[str]]:
    """By worker, the processors that it and the students' processes may use."""

    def pin() -> None:
        os.sched_setaffinity(0, processors)

    done = small.command("grade", "ps1", "--workers", str(workers), preexec_fn=pin)
    assert done.returncode == 0, done.stderr
    found: dict[str, set[str]] = {}
    for line in place.read_text().splitlines():
        worker, where = line.split(" ", 1)
        found.setdefault(worker, set()).add(where)
    return found


def test_as_many_workers_as_processors_have_one_each_and_so_have_their_submissions(
    tmp_path: Path, make_small: Any, two: list[int]
) -> None:
    place = tmp_path / "noted.txt"
    small = make_small(NOTED.replace("PLACE", str(place)))
    for number in range(6):
        small.hand_in(f"student-{number}", {"double": WHERE + "return 2 * x"})
    found = noted(small, 2, two, place)
    assert sorted(map(sorted, found.values())) == [[f"[{one}] [{one}]"] for one in two]
    assert all(small.automatic(f"student-{n}")["test_double"] == 2.0 for n in range(6))


def test_fewer_workers_than_processors_go_where_there_is_room(
    tmp_path: Path, make_small: Any, two: list[int]
) -> None:
    place = tmp_path / "noted.txt"
    small = make_small(NOTED.replace("PLACE", str(place)))
    small.hand_in("student-1", {"double": WHERE + "return 2 * x"})
    assert list(noted(small, 1, two, place).values()) == [{f"{two} {two}"}]


def test_who_takes_a_dead_worker_s_place_stays_on_its_processor(
    tmp_path: Path, make_small: Any, two: list[int]
) -> None:
    place = tmp_path / "noted.txt"
    small = make_small((NOTED + DEADLY).replace("PLACE", str(place)))
    for number in range(12):
        more = {"once": ""} if number == 3 else {}
        small.hand_in(f"student-{number:02}", {"double": WHERE + "return 2 * x"}, **more)
    found = noted(small, 2, two, place)
    assert len(found) == 3  # the one that died, too
    assert {where for wheres in found.values() for where in wheres} == {
        f"[{one}] [{one}]" for one in two
    }
    assert all(small.automatic(f"student-{n:02}")["test_double"] == 2.0 for n in range(12))


def test_the_place_whose_worker_has_ended_is_free_and_its_worker_buried() -> None:
    places = Places(2)
    before = os.sched_getaffinity(0)
    workers = []
    for place in (0, 1):
        assert places.free() == place
        with places.at(place):
            workers.append(os.posix_spawnp("sleep", ["sleep", "60"], os.environ))
        places.take(place, workers[-1])
    assert os.sched_getaffinity(0) == before
    os.kill(workers[1], signal.SIGKILL)
    os.waitid(os.P_PID, workers[1], os.WEXITED | os.WNOWAIT)
    assert places.free() == 1
    assert not Path(f"/proc/{workers[1]}").exists()
    os.kill(workers[0], signal.SIGKILL)
    os.waitpid(workers[0], 0)
