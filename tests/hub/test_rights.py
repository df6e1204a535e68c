"""What students try on a real hub with their real rights, and may not do."""

from __future__ import annotations

import json
import pwd
import sqlite3
import urllib.error
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import pytest
from conftest import Done, running_hub

pytestmark = [pytest.mark.hub, pytest.mark.slow]

SECRET = "SECRET-OF-SOMEBODY"
READ = """
import pathlib, sys
path = pathlib.Path({path!r})
print([p.name for p in path.iterdir()] if path.is_dir() else path.read_bytes())
"""
LINKS = {
    "source.ipynb": "{hub.course}/source/attention/lesson.ipynb",
    "source": "{hub.course}/source",
    "gradebook.txt": "{hub.course}/gradebook.db",
    "theirs.ipynb": "{it.submission}/lesson.ipynb",
    "theirs": "{hub.course}/submitted/{it.victim}",
}
# Made by hand: the files of the honest submission, and what is planted among them.
PLANT = """
import os, pathlib, shutil
inbound = pathlib.Path({inbound!r})
cache = pathlib.Path.home() / ".local/share/jupyter/nbgrader_cache/attention-course"
honest = min(path for path in cache.iterdir() if path.name.startswith({me!r} + "+attention+"))
planted = inbound / "{me}+attention+2090-01-01 00:00:00.000000 UTC+planted"
shutil.copytree(honest, planted)
for name, target in {links!r}.items():
    (planted / name).symlink_to(target)
os.mkfifo(planted / "pipe.txt")
try:
    os.link({submission!r} + "/lesson.ipynb", planted / "hard.ipynb")
except PermissionError:
    print("this kernel protects hard links")
linked = inbound / "{me}+attention+2091-01-01 00:00:00.000000 UTC+linked"
linked.symlink_to({course!r} + "/source/attention")
"""


class Class:
    """The released lesson, fetched and handed in by both students, collected and graded."""

    def __init__(self, hub: Any) -> None:
        self.hub = hub
        self.forged = Path()
        self.collected = ""
        self.victim, self.curious = hub.students
        for student in hub.students:
            hub.expect(student, ["nbgrader", "fetch_assignment", "attention"])
            notebook = hub.home(student) / "attention" / "lesson.ipynb"
            lesson = json.loads(notebook.read_text())
            lesson["cells"][0]["source"] = f"{SECRET} {student}"
            notebook.write_text(json.dumps(lesson))
            hub.expect(student, ["nbgrader", "submit", "attention"])
        self.submission = next((hub.exchange / "inbound").glob(f"{self.victim}+*"))

    def try_to(self, program: str) -> str:
        """A program of the curious student's; it must not succeed. Returns what it was told."""
        done = self.hub.run(self.curious, program)
        assert done.code != 0, f"a student could: {program}\n{done.words}"
        assert SECRET not in done.words
        return str(done.words)

    def refused(self, program: str) -> None:
        words = self.try_to(program)
        assert "PermissionError" in words or "Operation not permitted" in words, words

    def hand_in_as_the_other(self) -> Path:
        command = ["nbgrader", "submit", "attention", f"--student={self.victim}"]
        self.hub.expect(self.curious, command)
        made = (self.hub.exchange / "inbound").glob(f"{self.victim}+*")
        return max(made, key=lambda path: path.name)


@pytest.fixture(scope="module")
def graded(hub: Any) -> Class:
    done = Class(hub)
    done.forged = done.hand_in_as_the_other()
    done.collected = hub.expect(hub.instructor, ["nbgrader", "collect", "attention"], hub.course)
    for verb in ("autograde", "generate_feedback", "release_feedback"):
        hub.expect(hub.instructor, ["nbgrader", verb, "attention"], hub.course)
    return done


@pytest.mark.parametrize(
    "place",
    [
        "{home}/{victim}",
        "{home}/{victim}/attention/lesson.ipynb",
        "{home}/{victim}/.local/share/jupyter/nbgrader_cache",
        "{course}",
        "{course}/source/attention/lesson.ipynb",
        "{course}/gradebook.db",
        "{course}/submitted/{victim}/attention/lesson.ipynb",
        "{course}/autograded/{victim}/attention/lesson.ipynb",
        "{course}/feedback/{victim}/attention/lesson.html",
        "{exchange}/inbound",
        "{exchange}/feedback",
        "{folder}/state",
        "{folder}/state/cookie_secret",
        "{folder}/hub.toml",
        "/proc/{hub_pid}/environ",
    ],
)
def test_a_student_cannot_read(graded: Class, place: str) -> None:
    hub = graded.hub
    path = place.format(
        home=hub.folder / "home",
        victim=graded.victim,
        course=hub.course,
        exchange=hub.exchange,
        folder=hub.folder,
        hub_pid=hub.hub_pid,
    )
    assert Path(path).exists(), path
    graded.refused(READ.format(path=path))


def test_a_student_cannot_write_where_marks_and_masters_lie(graded: Class) -> None:
    hub = graded.hub
    for path in (
        hub.course / "gradebook.db",
        hub.course / "source" / "attention" / "lesson.ipynb",
        hub.exchange / "outbound" / "attention" / "lesson.ipynb",
        hub.exchange / "feedback" / "mine.html",
        hub.home(graded.victim) / "mine.txt",
    ):
        graded.refused(f"open({str(path)!r}, 'a').write('x')")


def test_a_student_who_knows_its_name_cannot_take_a_submission_away(graded: Class) -> None:
    path = str(graded.submission)
    graded.refused(f"import os; os.rename({path!r}, {path + '-gone'!r})")
    assert graded.submission.exists()


def test_a_student_cannot_put_a_course_of_their_own_in_the_courses_place(graded: Class) -> None:
    path = str(graded.hub.exchange)
    graded.refused(f"import os; os.rename({path!r}, {path + '-gone'!r})")
    graded.refused(f"import os; os.rename({path + '/inbound'!r}, {path + '/gone'!r})")


def test_a_submission_in_another_students_name_is_not_collected(graded: Class) -> None:
    assert f"it is from {graded.victim}, but {graded.curious} made it" in graded.collected
    assert graded.forged != graded.submission
    collected = graded.hub.course / "submitted" / graded.victim / "attention"
    assert f"{SECRET} {graded.victim}" in (collected / "lesson.ipynb").read_text()
    with sqlite3.connect(graded.hub.course / "gradebook.db") as database:
        students = {row[0] for row in database.execute("SELECT id FROM student")}
    assert students == set(graded.hub.students)


@pytest.fixture(scope="module")
def planted(graded: Class) -> Done:
    """What collect said after the curious student handed in links to the instructor's files."""
    hub = graded.hub
    inbound = str(hub.exchange / "inbound")
    links = {name: place.format(hub=hub, it=graded) for name, place in LINKS.items()}
    submission, course = str(graded.submission), str(hub.course)
    program = PLANT.format(
        inbound=inbound, me=graded.curious, links=links, submission=submission, course=course
    )
    hub.expect(graded.curious, program)
    done: Done = hub.run(
        hub.instructor, ["nbgrader", "collect", "attention", "--update"], hub.course
    )
    return done


def test_a_link_handed_in_brings_nothing_of_what_the_instructor_may_read(
    graded: Class, planted: Done
) -> None:
    collected = graded.hub.course / "submitted" / graded.curious / "attention"
    came = {path.name for path in collected.rglob("*")}
    # No hard link either, where the kernel lets a student make one.
    assert came == {"lesson.ipynb", "index.html", "timestamp.txt", "submission_secret.txt"}
    texts = [path.read_text() for path in collected.iterdir()]
    assert any(f"{SECRET} {graded.curious}" in text for text in texts)
    assert not any(f"{SECRET} {graded.victim}" in text for text in texts)
    for name in LINKS:
        assert f"{graded.curious} handed in {name}, which is a link" in planted.words
    assert "pipe.txt, which is a pipe, not a file; it was left out" in planted.words


def test_a_linked_or_broken_submission_ends_nobodys_collecting(
    graded: Class, planted: Done
) -> None:
    hub = graded.hub
    assert planted.code == 0, planted.words
    assert "+linked is a link, not a folder; it was not collected" in planted.words
    broken = str(hub.exchange / "inbound" / f"{graded.curious}+attention+no time+broken")
    hub.expect(graded.curious, f"import os; os.mkdir({broken!r})")
    words = hub.expect(hub.instructor, ["nbgrader", "collect", "attention", "--update"], hub.course)
    assert "+broken holds no time in its name; it was not collected" in words
    assert f"No newer submission to collect: {graded.victim}" in words
    for student in graded.hub.students:
        notebook = hub.course / "submitted" / student / "attention" / "lesson.ipynb"
        assert f"{SECRET} {student}" in notebook.read_text()


def test_each_student_finds_their_own_feedback_and_no_other(graded: Class) -> None:
    hub = graded.hub
    for student in hub.students:
        hub.expect(student, ["nbgrader", "fetch_feedback", "attention"])
        pages = list((hub.home(student) / "attention").rglob("*.html"))
        texts = [page.read_text() for page in pages if "feedback" in page.parts]
        assert any(f"{SECRET} {student}" in text for text in texts)
        others = [one for one in hub.students if one != student]
        assert not any(f"{SECRET} {other}" in text for text in texts for other in others)


def test_no_user_can_become_root_through_the_hub(graded: Class) -> None:
    graded.refused("import os; os.setuid(0)")


# --- over HTTP ---


class Browser:
    """Somebody logged in, without a browser: cookies and nothing else."""

    def __init__(self, hub: Any, name: str) -> None:
        self.hub, self.name, self.cookies = hub, name, CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))
        self.opener.open(f"{hub.url}/hub/login", timeout=60).close()
        form = {"username": name, "password": hub.password, "_xsrf": self.xsrf("/hub/")}
        data = urllib.parse.urlencode(form).encode()
        self.opener.open(f"{hub.url}/hub/login?next=/hub/home", data, timeout=60).close()

    def xsrf(self, path: str) -> str:
        return next(c.value or "" for c in self.cookies if c.name == "_xsrf" and c.path == path)

    def code(self, path: str) -> int:
        try:
            with self.opener.open(f"{self.hub.url}{path}", timeout=60) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def enter(self, owner: str) -> int:
        """Open a server's start page, which asks the hub who this is."""
        return self.code(f"/user/{owner}/lab")

    def start_server(self) -> None:
        path = f"/hub/api/users/{self.name}/server?_xsrf={self.xsrf('/hub/')}"
        request = urllib.request.Request(
            self.hub.url + path, b"{}", {"Content-Type": "application/json"}
        )
        self.opener.open(request, timeout=90).close()
        progress = f"{self.hub.url}/hub/api/users/{self.name}/server/progress"
        with self.opener.open(progress, timeout=90) as answer:
            assert '"ready": true' in answer.read().decode()
        assert self.enter(self.name) == 200


@pytest.fixture(scope="module")
def with_server(hub: Any) -> Browser:
    """The first student, logged in, with a server up."""
    browser = Browser(hub, hub.students[0])
    browser.start_server()
    return browser


def test_a_student_cannot_use_another_students_server(hub: Any, with_server: Browser) -> None:
    contents = f"/user/{with_server.name}/api/contents/"
    assert with_server.code(contents) == 200
    other = Browser(hub, hub.students[1])
    assert other.enter(with_server.name) == 403
    assert other.code(contents) == 403


def test_a_student_cannot_administer_the_hub(with_server: Browser) -> None:
    assert with_server.code("/hub/admin") == 403
    assert with_server.code("/hub/api/users") == 403


def test_a_student_has_no_formgrader(with_server: Browser) -> None:
    assert with_server.code(f"/user/{with_server.name}/formgrader") == 404


def test_a_name_that_is_not_of_the_class_is_not_let_in(hub: Any) -> None:
    with pytest.raises(urllib.error.HTTPError, match="403"):
        Browser(hub, "root")


def test_a_server_runs_as_its_student_within_the_limits(hub: Any, with_server: Browser) -> None:
    report = hub.expect(
        with_server.name,
        "import os, pathlib, subprocess\n"
        "for p in pathlib.Path('/proc').glob('[0-9]*'):\n"
        "    try: words = (p / 'cmdline').read_text()\n"
        "    except OSError: continue\n"
        "    if 'jupyterhub-singleuser' in words and p.stat().st_uid == os.getuid():\n"
        "        print((p / 'limits').read_text(), (p / 'cgroup').read_text())\n",
    )
    processes = next(line for line in report.splitlines() if line.startswith("Max processes"))
    assert processes.split()[2:4] == ["512", "512"]
    assert "Max core file size        0" in report
    if "(cgroup)" in hub.words():
        assert f"attention-hub-{with_server.name}" in report


def test_kernels_listen_where_only_their_owner_can(hub: Any, with_server: Browser) -> None:
    """A port of the loopback device could be listened to by every user of the host."""
    path = f"{hub.url}/user/{with_server.name}/api/kernels"
    token = with_server.xsrf(f"/user/{with_server.name}/")
    request = urllib.request.Request(
        path, b"{}", {"X-XSRFToken": token, "Content-Type": "application/json"}
    )
    kernel = json.load(with_server.opener.open(request, timeout=60))["id"]
    sockets = hub.sockets(with_server.name)
    connection = json.loads((sockets / f"kernel-{kernel}.json").read_text())
    assert connection["transport"] == "ipc"
    assert Path(connection["ip"]).parent == sockets
    assert sockets.stat().st_mode & 0o777 == 0o700
    done = hub.run(hub.students[1], f"import os; print(os.listdir({str(sockets)!r}))")
    assert done.code != 0 and "PermissionError" in done.words


def test_nothing_is_left_when_the_hub_ends(_needs_a_hub: None, tmp_path: Path) -> None:
    with running_hub("--students", "1", "--unreleased", ready_folder=tmp_path) as other:
        student = Browser(other, other.students[0])
        student.start_server()
        names = [other.instructor, *other.students]
    assert other.process.returncode == 0
    assert not set(names) & {account.pw_name for account in pwd.getpwall()}
    assert not other.folder.exists()
    assert not Path(f"/proc/{other.hub_pid}").exists()
    left = list(Path("/sys/fs/cgroup").rglob(f"attention-hub-{other.students[0]}"))
    assert left == []
    assert not any(Path(f"/run/attention-hub-{other.process.pid}").glob("*"))
