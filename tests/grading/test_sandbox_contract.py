"""What every kind of sandbox does, and what those that protect do besides.

The same contract is kept as root and as an ordinary user: test_ordinary_user.py runs this
file once more without root's rights.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from attention_course.grading.sandbox import (
    Limits,
    bubblewrap,
    cgroup,
    level_here,
    seccomp,
    warm,
)
from attention_course.verdict import AnswerStopped

from .kinds import EVERY, LIMITS, NAMESPACES, PROTECTED, Process, missing

# -- every kind -----------------------------------------------------------------------------


@EVERY
def test_cells_share_their_names(kind: Process) -> None:
    kind.run("x = 2")
    assert kind.value("x + 1") == 3


@EVERY
def test_files_of_the_submission_are_there_and_what_was_written_comes_back(kind: Process) -> None:
    assert kind.value("open('data.txt').read()") == "given"
    kind.run("os.makedirs('deep')\nopen('deep/made.txt', 'w').write('made')")
    kind.run("open('data.txt', 'w').write('changed')")
    assert kind.sandbox.collect() == {"deep/made.txt": b"made", "data.txt": b"changed"}


@EVERY
def test_nothing_comes_back_that_could_lead_out_of_the_folder(kind: Process) -> None:
    kind.run("import os\nos.symlink('/etc/passwd', 'link')\nos.mkfifo('pipe')")
    kind.run("open('big', 'wb').write(bytes(2**20 - 10)); open('more', 'wb').write(bytes(100))")
    assert list(kind.sandbox.collect()) == ["big"]


@EVERY
def test_an_endless_cell_is_interrupted_and_the_process_goes_on(kind: Process) -> None:
    kind.run("kept = 1")
    kind.wall.limits = Limits(cell=1)
    with pytest.raises(AnswerStopped, match="time limit"):
        kind.run("while True: pass")
    assert kind.value("kept") == 1


@pytest.mark.skipif(missing("plain") is not None, reason=str(missing("plain")))
def test_a_grader_in_the_background_of_a_script_can_interrupt_as_well() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell starts it there
    try:
        process = Process("plain", Limits(cell=1))
    finally:
        signal.signal(signal.SIGINT, before)
    try:
        process.run("kept = 1")
        with pytest.raises(AnswerStopped, match="time limit"):
            process.run("while True: pass")
        assert process.value("kept") == 1
    finally:
        process.sandbox.close()


@EVERY
def test_a_cell_that_takes_no_interrupt_is_killed(kind: Process) -> None:
    kind.wall.limits = Limits(cell=1)
    with pytest.raises(AnswerStopped):
        kind.run("import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass")
    assert kind.wall.ended is not None


@EVERY
def test_an_exit_is_told_from_a_silence(kind: Process) -> None:
    with pytest.raises(AnswerStopped, match="exit code 3"):
        kind.run("import os; os._exit(3)")


@EVERY
def test_a_crash_is_told_by_its_signal(kind: Process) -> None:
    with pytest.raises(AnswerStopped, match="SIGSEGV"):
        kind.run("import ctypes; ctypes.string_at(0)")


@EVERY
def test_ready_made_answers_and_checks_cannot_be_imported(kind: Process) -> None:
    for module in ("reference_attention", "attention_course.checks"):
        kind.run(
            f"try:\n    import {module}\n    found = True\nexcept ImportError:\n    found = False"
        )
        assert kind.value("found") is False


@EVERY
def test_the_lesson_s_own_imports_work(kind: Process) -> None:
    kind.run("import torch\nfrom attention_course import check, needs, verify, views")
    assert kind.value("float(torch.ones(2).sum())") == 2.0


@EVERY
def test_commands_and_magics_work_as_in_a_notebook(kind: Process) -> None:
    header, _ = kind.wall.exchange({"op": "run_cell", "source": "!echo said\n%timeit -n1 -r1 1"})
    shown = str(header["outputs"])
    assert "said" in shown and "per loop" in shown


@EVERY
def test_nothing_runs_on_after_the_end(kind: Process) -> None:
    mark = f"attention-{os.getpid()}-{time.monotonic_ns()}"
    kind.run(
        "import subprocess, sys\nchild = subprocess.Popen([sys.executable, '-c', "
        f"'import time; time.sleep(300)', '{mark}'], start_new_session=True)\n"
        "import time; time.sleep(0.2)"
    )
    assert kind.value("child.poll()") is None
    if kind.sandbox.level != "plain":  # a plain one cannot end what made a session of its own
        assert _running(mark)
        kind.sandbox.close()
        assert not _running(mark)


def _running(mark: str) -> list[str]:
    lines = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(place.read_bytes().decode("utf-8", "replace"))
        except OSError:
            continue
    return [line for line in lines if mark in line]


@EVERY
def test_the_next_one_draws_other_random_numbers(kind: Process) -> None:
    draw = "(__import__('torch').rand(1).item(), __import__('random').random())"
    other = Process(kind.sandbox.level, LIMITS)
    try:
        assert kind.value(draw) != other.value(draw)
    finally:
        other.sandbox.close()


@EVERY
def test_two_at_once_do_not_meet(kind: Process) -> None:
    other = Process(kind.sandbox.level, LIMITS)
    other.run("open('note', 'w').write('hidden')\nmine = 5")
    assert kind.value("os.path.exists('note')") is False
    other.sandbox.close()
    assert kind.value("1 + 1") == 2


# -- what protects --------------------------------------------------------------------------


@PROTECTED
def test_the_repository_and_the_gradebook_are_not_there(
    kind: Process, repository_root: Path
) -> None:
    for name in ("source", "release", "nbgrader_config.py", "tests", "reference_attention"):
        place = repository_root / name
        assert kind.refused(f"os.listdir({str(place)!r})")
        assert kind.refused(f"open({str(place)!r})")
    assert kind.refused(
        f"os.listdir({str(repository_root / 'attention_course/checks')!r}); 1/0"
    ) or (kind.value(f"os.listdir({str(repository_root / 'attention_course/checks')!r})") == [])


@PROTECTED
def test_a_neighbours_folder_is_not_there(kind: Process, tmp_path: Path) -> None:
    (tmp_path / "neighbour.txt").write_text("secret")
    assert kind.refused(f"open({str(tmp_path / 'neighbour.txt')!r})")
    assert kind.refused(f"open({str(tmp_path / 'neighbour.txt')!r}, 'w')")
    assert (tmp_path / "neighbour.txt").read_text() == "secret"


@PROTECTED
def test_the_system_and_python_are_read_only(kind: Process) -> None:
    for place in ("/usr", sys.prefix, "/etc", "/"):
        assert kind.refused(f"open({place!r} + '/x', 'w')")


@NAMESPACES
def test_a_python_below_tmp_is_seen_there_and_nothing_else(
    kind: Process, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "python" / "lib"
    installed.mkdir(parents=True)
    (installed / "found_in_tmp.py").write_text("answer = 42")
    (tmp_path / "python" / "secret.txt").write_text("secret")
    before = bubblewrap.python_folders()
    monkeypatch.setattr(bubblewrap, "python_folders", lambda: (*before, str(installed)))
    warm.shut_down()
    process = Process("bubblewrap", LIMITS)
    try:
        process.run(f"import sys; sys.path.append({str(installed)!r})")
        assert process.value("__import__('found_in_tmp').answer") == 42
        assert process.value(f"os.listdir({str(tmp_path / 'python')!r})") == ["lib"]
        assert process.refused(f"open({str(installed / 'x')!r}, 'w')")
        assert not process.refused("open('/tmp/mine', 'w')")
    finally:
        process.sandbox.close()
        warm.shut_down()


@PROTECTED
def test_a_server_on_this_machine_cannot_be_reached(kind: Process) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert kind.refused(f"socket.create_connection(('127.0.0.1', {port}), 1)")
        server.settimeout(0.1)
        with pytest.raises(TimeoutError):
            server.accept()


@PROTECTED
def test_other_processes_are_neither_seen_nor_hit(kind: Process) -> None:
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        if "processes" in level_here(kind.sandbox.level).protects:
            assert kind.refused(f"os.kill({other.pid}, 9)")
        assert kind.refused(f"open('/proc/{other.pid}/environ').read()")
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


@NAMESPACES
def test_it_is_alone_in_its_process_namespace(kind: Process) -> None:
    assert kind.value("[int(p) for p in os.listdir('/proc') if p.isdigit()]") == [1]
    assert kind.value("os.getppid()") == 0


@PROTECTED
def test_the_user_has_no_rights(kind: Process) -> None:
    lines = (
        "[l.split()[1] for l in open('/proc/self/status') if l.startswith(('CapEff', 'CapPrm'))]"
    )
    assert [int(x, 16) for x in kind.value(lines)] == [0, 0]  # type: ignore[attr-defined]
    assert kind.refused("os.chroot('.')")
    if kind.sandbox.level == "bubblewrap":
        assert kind.value("os.getuid()") not in (0, os.getuid())


@PROTECTED
@pytest.mark.parametrize(
    "deed",
    [
        "socket.socket()",
        "socket.socket(socket.AF_UNIX)",
        "socket.socket(16, socket.SOCK_RAW)",
        "raise OSError if ctypes.CDLL(None).unshare(0x10000000) else ValueError",
        "__import__('resource').prlimit(1, 7, (3, 3))",
        "os.setpriority(os.PRIO_USER, 0, 19)",
        "os.sched_setaffinity(1, {0})",
        "raise OSError if ctypes.CDLL(None).ptrace(0, 0, 0, 0) else ValueError",
        "raise OSError if ctypes.CDLL(None).mount(b'x', b'/home', b'tmpfs', 0, 0) else ValueError",
    ],
)
@pytest.mark.skipif(seccomp.unavailable() is not None, reason=str(seccomp.unavailable()))
def test_the_kernel_refuses_what_no_answer_needs(kind: Process, deed: str) -> None:
    assert kind.refused(deed)


# -- limits ---------------------------------------------------------------------------------


@PROTECTED
def test_memory_at_once_is_refused(kind: Process) -> None:
    kind.run(
        "try:\n    x = bytearray(10**11)\n    got = True\nexcept MemoryError:\n    got = False"
    )
    assert kind.value("got") is False


@NAMESPACES
def test_memory_of_several_processes_together_is_limited(kind: Process) -> None:
    if cgroup.create() is None:
        pytest.skip("this user may not make a cgroup")
    hoard = "x = bytearray(300 * 2**20); x[::4096] = b'1' * len(x[::4096]); time.sleep(60)"
    with pytest.raises(AnswerStopped, match=r"400 MiB|SIGKILL|time limit"):
        kind.run(
            "import subprocess, sys, time\n"
            f"for _ in range(8): subprocess.Popen([sys.executable, '-c', {('import time;' + hoard)!r}])\n"
            + hoard
        )


@PROTECTED
def test_processes_are_counted(kind: Process) -> None:
    kind.run(
        "import threading, time\nmade = []\ntry:\n    for _ in range(200):\n"
        "        t = threading.Thread(target=time.sleep, args=(30,), daemon=True); t.start()\n"
        "        made.append(t)\nexcept RuntimeError: pass\ncount = len(made)"
    )
    parent = kind.sandbox._parent  # type: ignore[attr-defined]
    if os.getuid() == 0 and parent.walls.user is None and not parent.limits_memory_of_all:
        pytest.skip("root is counted by a cgroup only")
    assert 0 < int(str(kind.value("count"))) < 60


@PROTECTED
def test_files_are_limited_in_size_number_and_sum(kind: Process) -> None:
    kind.run("import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)")
    assert kind.refused("open('one', 'wb').write(bytes(2 * 2**20))")
    assert kind.refused("files = [open(os.devnull) for _ in range(100)]")
    if kind.sandbox.level == "bubblewrap":
        assert kind.refused("[open(f'{n}', 'wb').write(bytes(2**19)) for n in range(40)]")
        assert kind.refused("[open(f'e{n}', 'w').close() for n in range(1000)]")


def test_processor_time_is_limited() -> None:
    for level in ("bubblewrap", "landlock"):
        if missing(level):
            continue
        process = Process(level, Limits(cell=30, cpu=1))
        try:
            with pytest.raises(AnswerStopped, match="SIGKILL"):
                process.run("import signal\nsignal.signal(24, signal.SIG_IGN)\nwhile True: pass")
        finally:
            process.sandbox.close()


@NAMESPACES
@pytest.mark.parametrize("deed", ["chmod({}, 0o4777)", "utime({}, (1, 1))", "truncate({}, 0)",
                                  "setxattr({}, 'user.a', b'1')"])  # fmt: skip
def test_the_file_of_python_stays_as_it_is(kind: Process, deed: str) -> None:
    assert kind.refused("os." + deed.format("'/proc/self/exe'"))
