"""A server that is not there, goes away, comes back, or refuses: one sentence, and no password."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from attention_course.commands.course_folder import CourseFolder, Refusal
from attention_course.commands.gradebook import database_words, look_at
from attention_course.grading.batch import gradebook as gradebook_module
from attention_course.grading.database import GradebookLost

from .contents import run
from .servers import free_port

pytestmark = [pytest.mark.slow, pytest.mark.postgres]
STUDENTS = 8


def fill(course: Any) -> None:
    for number in range(1, STUDENTS + 1):
        wrong = {"double": "def double(x):\n    return x"} if number % 3 == 0 else {}
        course.hand_in(f"student-{number:02}", wrong, notes=str(number))


def one_sentence(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 2, done.stdout + done.stderr
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert "Traceback" not in done.stderr
    assert lines[-1].startswith("attention-course: the gradebook "), done.stderr
    return lines[-1]


@pytest.mark.parametrize("command", [("grade", "ps1"), ("report", "ps1")])
def test_a_server_that_is_not_there_is_one_sentence(course: Any, command: tuple[str, ...]) -> None:
    course.hand_in("student-01")
    course.use(f"postgresql://grader@127.0.0.1:{free_port()}/gradebook")
    done = run(course.root, "attention_course.cli", *command)
    said = one_sentence(done)
    assert "/gradebook cannot be reached (" in said and "Connection refused" in said
    assert "start its server, or mend c.CourseDirectory.db_url in nbgrader_config.py" in said
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_wrong_password_is_one_sentence_without_it(course: Any) -> None:
    course.hand_in("student-01")
    url = course.server.url_with_password(course.database)
    course.use(url.replace(course.server.passwords["grader"], "open sesame 4711"))
    done = run(course.root, "attention_course.cli", "grade", "ps1")
    assert 'password authentication failed for user "grader"' in one_sentence(done)
    assert "sesame" not in done.stdout + done.stderr + course.written()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://grader:open@sesame@127.0.0.1/x", "has an @ too many"),
        ("postgresql://grader@127.0.0.1:sesame/x", "cannot be read as a database's URL"),
        ("sesame", "cannot be read as a database's URL"),
    ],
)
@pytest.mark.parametrize("command", ["grade", "report", "doctor"])
def test_a_url_that_cannot_be_read_is_not_repeated(
    course: Any, url: str, said: str, command: str
) -> None:
    course.hand_in("student-01")
    course.use(url)
    done = run(course.root, "attention_course.cli", command, *["ps1"][: command != "doctor"])
    heard = " ".join((done.stdout + done.stderr).split())
    assert done.returncode != 0
    assert said in heard or command == "doctor"
    assert "sesame" not in heard and "Traceback" not in heard


def test_a_password_in_the_url_is_written_nowhere(course: Any) -> None:
    course.use(course.server.url_with_password(course.database))
    course.hand_in("student-01")
    course.hand_in_text("student-02", "no JSON")
    password = course.server.passwords["grader"]
    heard = ""
    for command in (("grade", "ps1"), ("report", "ps1"), ("doctor",), ("grade", "ps1", "--json")):
        done = run(course.root, "attention_course.cli", *command)
        heard += done.stdout + done.stderr
    assert "2 graded" in heard
    assert password not in heard and password not in course.written()
    pages = [path.read_text() for path in (course.root / "reports").iterdir()]
    assert pages and not any(password in page for page in pages)


class Stops:
    """A pool in this process that does something to the server before the fourth submission."""

    def __init__(self, here: Any, deed: Any) -> None:
        self.here, self.deed = here, deed

    def __call__(self, *about: Any) -> Any:
        pool, deed = self.here(*about), self.deed

        def run_jobs(jobs: Any) -> Any:
            for number, job in enumerate(list(jobs)):
                if number == 3:
                    deed()
                yield pool.one(job)

        pool.run = run_jobs
        return pool


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["stopped", "crashed"])
def test_a_server_that_goes_away_ends_the_run_and_the_next_one_goes_on(
    fragile: Any, here: Any, how: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(fragile)
    waits: list[float] = []
    monkeypatch.setattr(gradebook_module, "time", SimpleNamespace(sleep=waits.append))
    with pytest.raises(GradebookLost) as lost:
        fragile.grade(pool=Stops(here, lambda: fragile.server.stop(how)))
    said = str(lost.value)
    assert f"127.0.0.1:{fragile.server.port}/{fragile.database} is lost (" in said
    assert "the marks of 3 submissions are in it" in said
    assert said.endswith("go on with: attention-course grade ps1")
    assert 3 < sum(waits) < 15  # what a restart may take
    assert fragile.told.sentences == []  # no submission is blamed
    fragile.server.start()
    summary = fragile.grade()
    assert len(summary.unchanged) >= 3 and len(summary.unchanged) + len(summary.graded) == STUDENTS
    assert summary.problems == {}
    assert len({row[0] for row in fragile.state()["rows"]["grades"]}) == STUDENTS


def test_a_server_that_is_started_again_is_waited_for(
    fragile: Any, here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(fragile)
    waits: list[float] = []

    def back_after_two(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            fragile.server.start()

    monkeypatch.setattr(gradebook_module, "time", SimpleNamespace(sleep=back_after_two))
    summary = fragile.grade(pool=Stops(here, fragile.server.stop))
    assert len(summary.graded) == STUDENTS and summary.problems == {} and len(waits) >= 2
    assert fragile.grade().graded == {}


def test_the_command_says_it_once_and_goes_on_later(fragile: Any) -> None:
    fill(fragile)
    process = subprocess.Popen(
        [sys.executable, "-m", "attention_course.cli", "grade", "ps1", "--workers", "1"],
        cwd=fragile.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until(lambda: any(fragile.root.glob("autograded/*/ps1/p1.ipynb")), process)
    fragile.server.stop(signal.SIGQUIT)
    out, errors = process.communicate(timeout=120)
    said = one_sentence(subprocess.CompletedProcess([], process.returncode, out, errors))
    assert "go on with: attention-course grade ps1" in said
    assert errors.count("the gradebook ") == 1
    assert fragile.server.passwords["grader"] not in out + errors + fragile.written()
    fragile.server.start()
    done = run(fragile.root, "attention_course.cli", "grade", "ps1", "--workers", "1")
    assert done.returncode == 0, done.stderr
    assert len({row[0] for row in fragile.state()["rows"]["grades"]}) == STUDENTS


def until(condition: Any, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 120
    while not condition() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.002)


def test_a_server_that_answers_nothing_is_given_up_on(fragile: Any) -> None:
    process = fragile.server.process
    fragile.use(fragile.server.url(fragile.database, "?connect_timeout=2"))
    process.send_signal(signal.SIGSTOP)
    try:
        done = run(fragile.root, "attention_course.cli", "report", "ps1")
    finally:
        process.send_signal(signal.SIGCONT)
    assert "timeout" in one_sentence(done)


def test_a_driver_that_is_missing_is_one_sentence(
    course: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course.hand_in("student-01")
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(Refusal, match="the driver psycopg is not installed"):
        with database_words(CourseFolder(course.root)):
            from sqlalchemy import create_engine

            create_engine(course.server.url(course.database))
    standing = look_at(CourseFolder(course.root))
    assert standing.found.endswith("the driver psycopg is not installed")
    assert "psycopg[binary]" in standing.mend
