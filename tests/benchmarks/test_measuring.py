"""Measuring one command: its time, all its processes' CPU, its memory, its cores."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

BUSY = "x = 0\nfor n in range(3_000_000): x += n\n"


def test_the_cpu_of_processes_that_nobody_waited_for_counts_where_a_cgroup_is_to_be_had(
    tmp_path: Path,
) -> None:
    from benchmarks.grading.measure import measure

    alone = measure([sys.executable, "-c", BUSY], tmp_path, os.environ)
    program = (
        "import os, subprocess, sys\n"
        f"busy = [sys.executable, '-c', {BUSY!r}]\n"
        "reading, writing = os.pipe()\n"
        # A grandchild that nobody waits for; the pipe's end says that it is done.
        "middle = 'import subprocess, sys; subprocess.Popen(sys.argv[1:], close_fds=False)'\n"
        "command = [sys.executable, '-c', middle, *busy]\n"
        "subprocess.run(command, pass_fds=[writing], close_fds=True)\n"
        "os.close(writing)\n"
        "os.read(reading, 1)\n"
    )
    found = measure([sys.executable, "-c", program], tmp_path, os.environ)
    if found.cpu_from != "cgroup":
        pytest.skip("no cgroup may be made here, so such processes cannot be counted")
    assert found.cpu_s > alone.cpu_s


def test_memory_counts_children_too(tmp_path: Path) -> None:
    from benchmarks.grading.measure import measure

    grow = "data = bytearray(b'x') * 60_000_000; import time; time.sleep(0.4)"
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {grow!r}])"
    found = measure([sys.executable, "-c", program], tmp_path, os.environ, memory=True)
    assert found.peak_mb is not None
    assert 55 < found.peak_mb < 400


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores are chosen on Linux only")
def test_a_command_stays_on_the_cores_it_was_given_and_we_keep_ours(tmp_path: Path) -> None:
    from benchmarks.grading.measure import measure

    before = os.sched_getaffinity(0)
    core = frozenset([min(before)])
    program = "import os; print(sorted(os.sched_getaffinity(0)))"
    found = measure([sys.executable, "-c", program], tmp_path, os.environ, cores=core)
    assert found.said.strip() == str(sorted(core))
    assert os.sched_getaffinity(0) == before


def test_a_command_that_fails_is_no_measurement(tmp_path: Path) -> None:
    from benchmarks.grading.measure import CommandFailed, measure

    with pytest.raises(CommandFailed, match="exit code 3") as failed:
        measure([sys.executable, "-c", "print('why'); raise SystemExit(3)"], tmp_path, os.environ)
    assert failed.value.last_words() == "why"
