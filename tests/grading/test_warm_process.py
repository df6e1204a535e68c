"""What becomes of a student's process and of the warm one that it was forked from.

Like the contract it is kept by root and by an ordinary user.
"""

from __future__ import annotations

import os
import threading

import pytest

from attention_course.grading.sandbox import (
    SandboxDidNotStart,
    joined,
    level_here,
    start,
    warm,
)
from attention_course.verdict import Ungradable

from .kinds import LIMITS, NAMESPACES, PROTECTED, Process, missing


@PROTECTED
def test_a_dead_warm_process_is_replaced(kind: Process) -> None:
    process = kind.sandbox._parent._process  # type: ignore[attr-defined]
    for pid in (*joined.children(process.pid), process.pid):
        os.kill(pid, 9)
    process.wait()
    with pytest.raises(SandboxDidNotStart):
        start({}, LIMITS, kind.hidden, wanted=kind.sandbox.level)
    again = Process(kind.sandbox.level, LIMITS)
    assert again.value("40 + 2") == 42
    again.sandbox.close()


@NAMESPACES
def test_who_is_taken_away_with_the_warm_process_is_not_to_blame(kind: Process) -> None:
    process = kind.sandbox._parent._process  # type: ignore[attr-defined]

    def kill() -> None:
        for pid in (*joined.children(process.pid), process.pid):
            os.kill(pid, 9)

    timer = threading.Timer(0.3, kill)
    timer.start()
    with pytest.raises(Ungradable, match="forked from was ended"):
        kind.run("import time\ntime.sleep(5)")
    timer.join()


def test_threads_that_ask_at_once_share_one_warm_process() -> None:
    if missing("bubblewrap") and missing("landlock"):
        pytest.skip("no process can be forked here")
    level, found = level_here("auto").name, []

    def ask() -> None:
        found.append(warm.warm_process(level, ("of these threads",), LIMITS))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3 and len(set(map(id, found))) == 1
    found[0].end()


@PROTECTED
def test_nothing_of_the_grader_s_is_open_in_a_child(kind: Process) -> None:
    listed = "sorted(int(n) for n in os.listdir('/proc/self/fd'))"
    assert kind.value(listed)[:4] == [0, 1, 2, 3]  # type: ignore[index]
    assert len(kind.value(listed)) <= 5  # type: ignore[arg-type]


def test_what_cannot_be_walled_in_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    if missing("bubblewrap"):
        pytest.skip(str(missing("bubblewrap")))
    monkeypatch.setattr(warm.seccomp, "program", lambda: b"\xff" * 8)
    with pytest.raises(SandboxDidNotStart, match="seccomp"):
        start({}, LIMITS, ("a name of its own",), wanted="bubblewrap")
    warm.shut_down()


def test_a_secret_in_the_graders_environment_stays_there() -> None:
    os.environ["A_TOKEN_OF_THE_GRADER"] = "secret"
    try:
        process = Process("plain", LIMITS)
    finally:
        del os.environ["A_TOKEN_OF_THE_GRADER"]
    try:
        assert process.value("'A_TOKEN_OF_THE_GRADER' in os.environ") is False
    finally:
        process.sandbox.close()
