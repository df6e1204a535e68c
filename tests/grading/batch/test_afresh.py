"""The command starts itself again with nothing secret in memory, and nobody can tell."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from attention_course.grading.sandbox import bubblewrap
from attention_course.grading.sandbox.warm import fork_works

from .test_launcher import alive, descendants

pytestmark = [
    pytest.mark.skipif(fork_works() is not None, reason="nothing can be forked here"),
    pytest.mark.skipif(bubblewrap.available() is not None, reason=str(bubblewrap.available())),
]
SECRET = "PASSWORD-of-the-gradebook-"
# What the answer finds of the secret in its own memory, and how its process was started.
SEARCH = """
import json, os, re, sys

def double(x):
    found, pattern = 0, re.compile(b"PASSWORD-of-the-[g]radebook-[0-9a-f]+")
    with open("/proc/self/mem", "rb", 0) as memory:
        for line in open("/proc/self/maps"):
            low, high = (int(end, 16) for end in line.split()[0].split("-"))
            if line.split()[1].startswith("rw"):
                try:
                    memory.seek(low)
                    found += len(pattern.findall(memory.read(high - low)))
                except (OSError, ValueError):
                    pass
    about = {"found": found, "command": sys.orig_argv, "torch": "torch" in sys.modules,
             "given": open("/proc/self/cmdline").read().strip("\\0"),
             "first": open("/proc/self/environ").read().strip("\\0"), "path": sys.path}
    print("TOLD", json.dumps(about))
    return 2 * x
"""

OPEN_FILES = """
import json, os
def double(x):
    print("TOLD", json.dumps({"open": sorted(os.listdir("/proc/self/fd"))}))
    return 2 * x
"""


def told(small: Any, student: str = "student-01") -> dict[str, Any]:
    text = json.loads(small.autograded(student).read_text())
    said = [
        line
        for cell in text["cells"]
        for output in cell.get("outputs", [])
        for line in "".join(output.get("text", "")).splitlines()
        if line.startswith("TOLD ")
    ]
    found: dict[str, Any] = json.loads(said[0].removeprefix("TOLD "))
    return found


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("cores", [1, 2])
def test_answers_find_no_secret_of_the_grader_in_the_memory_they_are_forked_with(
    small: Any, workers: str, cores: int
) -> None:
    for number in range(3):
        small.hand_in(f"student-{number:02}", {"double": SEARCH})
    password = SECRET + os.urandom(8).hex()
    here = sorted(os.sched_getaffinity(0))
    command = [sys.executable, "-m", "attention_course.cli", "grade", "ps1", "--workers", workers]
    done = subprocess.run(
        ["taskset", "-c", ",".join(map(str, here[:cores])), *command],
        cwd=small.root,
        env={**os.environ, "PGPASSWORD": password},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    for number in range(3):
        about = told(small, f"student-{number:02}")
        assert about["found"] == 0
        # Only of a process that was forked with torch in it, none is left of these.
        assert about["command"] == [""] and about["torch"]
        assert about["given"] == about["first"] == ""
        assert str(small.root) not in about["path"]
    assert all(small.automatic(f"student-{n:02}")["test_double"] == 2.0 for n in range(3))


def test_the_configuration_and_the_workers_have_what_the_command_was_given(
    make_small: Any, tmp_path: Path
) -> None:
    small = make_small(
        "import os, my_own_module\nassert os.environ['OF_MINE'] == 'ünï\\n' and double(2) == 4"
    )
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "my_own_module.py").write_text("name = 'of mine'")
    small.configure("import os, sys, my_own_module",
                    "open('seen.txt', 'w').write(repr((os.environ['OF_MINE'], sys.argv[1:])))")  # fmt: skip
    small.hand_in("student-01")
    given = {**os.environ, "OF_MINE": "ünï\n", "PYTHONPATH": str(tmp_path / "mine")}
    done = small.command("grade", "ps1", "--force", env=given)  # not replaced, for PYTHONPATH
    assert done.returncode == 0, done.stderr
    assert (small.root / "seen.txt").read_text() == repr(("ünï\n", ["grade", "ps1", "--force"]))
    assert small.automatic("student-01")["test_double"] == 2.0


def test_the_environment_and_the_arguments_are_back_before_anybody_asks(small: Any) -> None:
    small.configure("import os, sys",
                    "open('seen.txt', 'w').write(repr((os.environ['OF_MINE'], sys.argv[1:])))")  # fmt: skip
    small.hand_in("student-01", {"double": SEARCH})
    given = {**os.environ, "OF_MINE": "ünï\n"}
    for cores in ({min(os.sched_getaffinity(0))}, os.sched_getaffinity(0)):
        command = ["taskset", "-c", ",".join(map(str, cores)), sys.executable, "-m"]
        command += ["attention_course.cli", "grade", "ps1", "--force"]
        done = subprocess.run(command, cwd=small.root, env=given, capture_output=True, timeout=300)
        assert done.returncode == 0 and told(small)["command"] == [""]
        seen = (small.root / "seen.txt").read_text()
        assert seen == repr(("ünï\n", ["grade", "ps1", "--force"]))


def test_what_a_second_start_would_not_keep_is_started_once(small: Any) -> None:
    small.hand_in("student-01", {"double": SEARCH})
    done = small.command("grade", "ps1", env={**os.environ, "PYTHONHASHSEED": "7"})
    assert done.returncode == 0, done.stderr
    assert "attention_course.grading.sandbox.nursery" in told(small)["command"]
    assert small.automatic("student-01")["test_double"] == 2.0


def test_the_copy_of_the_course_that_was_called_is_the_one_that_runs(
    small: Any, tmp_path: Path, repository_root: Path
) -> None:
    copy = tmp_path / "checkout" / "attention_course"
    shutil.copytree(repository_root / "attention_course", copy)
    small.configure("import attention_course", "print('FROM', attention_course.__file__)")
    small.hand_in("student-01")
    done = small.command("grade", "ps1", env={**os.environ, "PYTHONPATH": str(copy.parent)})
    # Students' processes see the installed one alone, so marks are not asked for here.
    assert f"FROM {copy / '__init__.py'}" in done.stdout


@pytest.mark.parametrize("ended", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("after", [0.3, 0.8, "marks"])
def test_however_it_ends_nothing_is_left(
    small: Any, tmp_path: Path, ended: signal.Signals, after: float | str
) -> None:
    for number in range(30):
        small.hand_in(f"student-{number:02}")
    place = tmp_path / "temporary"
    place.mkdir()
    grader = subprocess.Popen(
        [sys.executable, "-m", "attention_course.cli", "grade", "ps1", "--workers", "2"],
        cwd=small.root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TMPDIR": str(place)},
    )
    end = time.monotonic() + 120
    if after == "marks":
        while not list(small.root.glob("autograded/*/ps1")) and time.monotonic() < end:
            time.sleep(0.01)
    else:
        time.sleep(float(after))
    started = descendants(grader.pid)
    grader.send_signal(ended)
    grader.wait(60)
    while any(map(alive, started)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(map(alive, started))
    if ended == signal.SIGINT and after == "marks":
        assert grader.returncode == 130
        assert list(place.iterdir()) == []


def test_help_and_refusals_are_said_as_ever(small: Any) -> None:
    done = small.command("grade", "nowhere")
    assert done.returncode == 2 and "nowhere" in done.stderr and "Traceback" not in done.stderr
    assert "Usage" in small.command("grade", "--help").stdout
    assert small.command("grade", "ps1", "--no-such-option").returncode == 2


def command_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")


def test_ctrl_c_before_anything_is_loaded_is_no_traceback(small: Any) -> None:
    small.hand_in("student-01")
    for after in (0.1, 0.2, 0.35):
        grader = subprocess.Popen(
            [sys.executable, "-m", "attention_course.cli", "grade", "ps1"],
            cwd=small.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        end = time.monotonic() + 30
        while "afresh" not in command_of(grader.pid) and time.monotonic() < end:
            time.sleep(0.005)
        time.sleep(after - 0.1)
        grader.send_signal(signal.SIGINT)
        said, _ = grader.communicate(timeout=60)
        assert grader.returncode == 130 and "Traceback" not in said, said


def test_descriptors_above_the_limit_do_not_reach_students(small: Any) -> None:
    small.hand_in("student-01", {"double": OPEN_FILES})
    shell = 'exec 300<gradebook.db; ulimit -Sn 256; exec "$@"'
    command = [sys.executable, "-m", "attention_course.cli", "grade", "ps1", "--force"]
    done = subprocess.run(["bash", "-c", shell, "sh", *command], cwd=small.root, timeout=300,
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert told(small)["open"] == ["0", "1", "2", "3", "4"]  # the last one looks


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_standard_stream_is_no_trouble(small: Any, closed: str) -> None:
    small.hand_in("student-01")
    command = [sys.executable, "-m", "attention_course.cli", "grade", "ps1"]
    shell = f'"$@" {closed}'
    done = subprocess.run(["bash", "-c", shell, "sh", *command], cwd=small.root, timeout=300)
    assert done.returncode == 0
    assert small.automatic("student-01")["test_double"] == 2.0


@pytest.mark.skipif(os.getuid() != 0, reason="only root becomes a user without a name")
def test_a_user_whom_no_list_names_grades_as_ever(small: Any, tmp_path: Path) -> None:
    small.hand_in("student-01")
    names = tmp_path / "passwd"
    names.write_text("daemon:x:1:1::/:/bin/sh\n")
    here = ["bwrap", "--dev-bind", "/", "/", "--ro-bind", str(names), "/etc/passwd"]
    for number in range(1, 3):
        cores = ",".join(map(str, sorted(os.sched_getaffinity(0))[:number]))
        command = [sys.executable, "-m", "attention_course.cli", "grade", "ps1", "--force"]
        done = subprocess.run([*here, "taskset", "-c", cores, *command], cwd=small.root,
                              timeout=300, capture_output=True, text=True)  # fmt: skip
        assert done.returncode == 0, done.stderr


def test_workers_draw_different_numbers_in_a_teacher_s_plain_test(make_small: Any) -> None:
    test = "import random, numpy, torch\nprint('TOLD', '[%r, %r, %r]' % (random.random(), float(numpy.random.rand()), float(torch.rand(()))))\nassert double(2) == 4"
    small = make_small(test)
    for number in range(4):
        small.hand_in(f"student-{number:02}")
    assert small.command("grade", "ps1", "--workers", "2").returncode == 0
    drawn = [tuple(told(small, f"student-{n:02}")) for n in range(4)]
    assert len({number for numbers in drawn for number in numbers}) == 12
