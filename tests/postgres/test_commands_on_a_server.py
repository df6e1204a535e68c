"""Regrades, reports, exports, feedback, formgrader and the doctor with the gradebook on a server."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from attention_course.commands.course_folder import CourseFolder, copy_course
from attention_course.commands.gradebook import look_at
from attention_course.commands.report import configured

from .contents import run
from .servers import free_port

pytestmark = [pytest.mark.slow, pytest.mark.postgres]


@pytest.fixture
def graded(course: Any) -> Any:
    course.hand_in("student-01")
    course.hand_in("student-02", {"double": "def double(x):\n    return x"})
    course.hand_in_text("student-03", "no JSON")
    course.grade()
    return course


def test_a_class_that_did_not_change_runs_nothing(graded: Any) -> None:
    before = graded.state()
    done = run(graded.root, "attention_course.cli", "grade", "ps1", "--json")
    said = json.loads(done.stdout)
    assert said["graded"] == {} and len(said["unchanged"]) == 3
    assert graded.state() == before


def test_a_class_that_moves_to_a_server_is_graded_there(course: Any, tmp_path: Path) -> None:
    """Marks in the file stay there: what is remembered of a run does not count for another."""
    course.use(f"sqlite:///{tmp_path / 'gradebook.db'}")
    assert run(course.root, "nbgrader", "generate_assignment", "ps1", "--force").returncode == 0
    course.hand_in("student-01")
    course.grade()
    course.use(course.server.url(course.database))
    assert course.grade().graded == {"student-01": "its marks were missing"}
    assert course.automatic("student-01")["test_double"] == 2.0


def test_report_feedback_and_exports_work(graded: Any) -> None:
    exporters = ("", "CanvasExport", "MoodleExport")
    for number, exporter in enumerate(exporters):
        chosen = [f"--exporter=attention_course.grading.export.{exporter}"] if exporter else []
        done = run(graded.root, "nbgrader", "export", f"--to={number}.csv", *chosen)
        assert done.returncode == 0, done.stderr
        assert "student-02" in (graded.root / f"{number}.csv").read_text("utf-8-sig")
    done = run(graded.root, "nbgrader", "generate_feedback", "ps1")
    assert done.returncode == 0, done.stderr
    assert (graded.root / "feedback" / "student-01" / "ps1" / "p1.html").is_file()
    done = run(graded.root, "attention_course.cli", "report", "ps1")
    assert done.returncode == 0, done.stderr
    assert "student-03" in (graded.root / "reports" / "ps1.html").read_text()


def test_nbgraders_own_commands_for_the_database_work(graded: Any) -> None:
    for command in (
        ("student", "add", "student-09", "--first-name=First"),
        ("student", "list"),
        ("assignment", "list"),
        ("assignment", "add", "ps9", "--duedate=2026-01-10 00:00:00 UTC"),
        ("assignment", "remove", "ps9"),
        ("upgrade",),
    ):
        done = run(graded.root, "nbgrader", "db", *command)
        assert done.returncode == 0, f"{command}: {done.stderr[-2000:]}"
    assert "student-09" in [row[0] for row in graded.state()["rows"]["students"]]


def test_a_run_keeps_no_transaction_open_and_leaves_no_connection(course: Any, here: type) -> None:
    """One that stays open keeps tables from being upgraded and rows from being tidied away."""
    states: list[list[tuple[str]]] = []
    about = f"FROM pg_stat_activity WHERE datname = '{course.database}'"

    class Looks(here):  # type: ignore[misc]
        def one(self, job: Any) -> Any:
            outcome = super().one(job)
            states.append(course.server.run(f"SELECT state {about}"))
            return outcome

    course.hand_in("student-01")
    course.hand_in("student-02")
    course.grade(pool=Looks)
    assert len(states) == 2 and {state for found in states for (state,) in found} <= {"idle"}
    assert course.server.run(f"SELECT count(*) {about}") == [(0,)]


# -- formgrader -------------------------------------------------------------------------------


@contextlib.contextmanager
def formgrader(course: Any) -> Iterator[Any]:
    """A Jupyter server in the course's folder; yields how to ask it for a page."""
    port, token = free_port(), "0123456789abcdef"
    log = course.root / "jupyter.log"
    with log.open("wb") as words:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "jupyter", "server", "--no-browser", "--allow-root"),
                *(f"--ServerApp.port={port}", "--ServerApp.port_retries=0", "--ip=127.0.0.1"),
                f"--ServerApp.root_dir={course.root}",
                "--ServerApp.jpserver_extensions=nbgrader.server_extensions.formgrader=True",
            ],
            cwd=course.root,
            env=dict(os.environ, JUPYTER_TOKEN=token),
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
            start_new_session=True,
        )

    def ask(path: str, data: dict[str, Any] | None = None) -> str:
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}{path}",
            data=None if data is None else json.dumps(data).encode(),
            method="GET" if data is None else "PUT",
            headers={"Authorization": f"token {token}"},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=60) as answer:
            return str(answer.read().decode())

    try:
        end = time.monotonic() + 90
        while True:
            assert process.poll() is None and time.monotonic() < end, log.read_text()
            with contextlib.suppress(OSError):
                ask("/api/status")
                break
            time.sleep(0.05)
        yield ask
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def test_formgrader_shows_the_class_and_keeps_a_persons_mark(graded: Any) -> None:
    ((notebook,),) = graded.query(
        "SELECT sn.id FROM submitted_notebook sn JOIN submitted_assignment sa "
        "ON sa.id = sn.assignment_id WHERE sa.student_id = 'student-01'"
    )
    with formgrader(graded) as ask:
        (assignment,) = json.loads(ask("/formgrader/api/assignments"))
        assert (assignment["name"], assignment["num_submissions"]) == ("ps1", 3)
        submissions = {
            one["student"]: one for one in json.loads(ask("/formgrader/api/submissions/ps1"))
        }
        assert submissions["student-01"]["score"] == 3.0
        assert submissions["student-02"]["needs_manual_grade"] is True
        students = json.loads(ask("/formgrader/api/students"))
        assert [one["id"] for one in students] == ["student-01", "student-02", "student-03"]
        assert json.loads(ask("/formgrader/api/notebooks/ps1"))[0]["name"] == "p1"
        assert json.loads(ask("/formgrader/api/student_submissions/student-01"))
        assert len(json.loads(ask("/formgrader/api/submitted_notebooks/ps1/p1"))) == 2
        page = ask(f"/formgrader/submissions/{notebook}/")
        assert "Because." in page
        grades = json.loads(ask(f"/formgrader/api/grades?submission_id={notebook}"))
        (essay,) = [one for one in grades if one["name"] == "essay"]
        ask(f"/formgrader/api/grade/{essay['id']}", {"manual_score": 2.5, "extra_credit": 0.5})
    assert graded.marks("student-01")["essay"] == (None, 2.5, False)
    assert graded.grade().unchanged == ["student-01", "student-02", "student-03"]


# -- doctor -----------------------------------------------------------------------------------


def gradebook_of(course: Any) -> dict[str, str]:
    done = run(course.root, "attention_course.cli", "doctor", "--json")
    (found,) = [one for one in json.loads(done.stdout) if one["what"] == "gradebook"]
    return dict(found)


def test_the_doctor_says_that_the_gradebook_can_be_written(graded: Any) -> None:
    before = graded.state()
    found = gradebook_of(graded)
    assert found["state"] == "good"
    assert found["found"].startswith(f"{graded.server.url(graded.database)} (postgresql 1")
    assert found["found"].endswith("can be written; 1 assignment")
    assert graded.state() == before


def test_the_doctor_leaves_nothing_in_an_empty_database(course: Any) -> None:
    database = course.server.new_database()
    course.use(course.server.url(database))
    assert "answers and is empty" in look_at(CourseFolder(course.root)).found
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
    assert course.server.run(tables, database) == [(0,)]


@pytest.mark.parametrize("new", [True, False])
def test_the_doctor_names_a_right_that_is_missing(course: Any, new: bool) -> None:
    database = course.server.new_database(None if new else course.database)
    keeper = "keeper"
    course.server.run(f"ALTER DATABASE {database} OWNER TO {keeper}")
    course.server.run("REVOKE CREATE ON SCHEMA public FROM PUBLIC", database)
    if not new:
        course.server.run(f"REASSIGN OWNED BY grader TO {keeper}", database)
    course.use(course.server.url(database))
    standing = look_at(CourseFolder(course.root))
    assert "permission denied for" in standing.found and "OWNER TO" in standing.mend


def test_the_doctor_names_a_server_that_only_reads(course: Any) -> None:
    course.server.run(f"ALTER DATABASE {course.database} SET default_transaction_read_only TO on")
    standing = look_at(CourseFolder(course.root))
    assert "read-only transaction" in standing.found and standing.mend


def test_the_doctor_advises_to_take_a_password_out_of_the_url(course: Any) -> None:
    course.use(course.server.url_with_password(course.database))
    done = run(course.root, "attention_course.cli", "doctor", "--json")
    found = {one["what"].strip(): one for one in json.loads(done.stdout)}
    assert found["gradebook"]["state"] == "good"
    assert found["its password"]["state"] == "optional"
    assert "~/.pgpass" in found["its password"]["mend"]
    assert course.server.passwords["grader"] not in done.stdout + done.stderr


def test_a_copy_of_a_course_has_a_gradebook_of_its_own(course: Any, tmp_path: Path) -> None:
    """The demonstration's class must not get into the real gradebook."""
    copied = copy_course(CourseFolder(course.root), tmp_path / "copy")
    assert configured(copied).db_url == f"sqlite:///{copied.root / 'gradebook.db'}"
