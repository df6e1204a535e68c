"""A worker: a process of the grader's that grades one submission after another.

Started as ``python -m attention_course.grading.batch.worker FD FOLDER``. It is trusted, holds
no gradebook, and writes nowhere but in FOLDER. It ends when the grader does.
"""

from __future__ import annotations

import contextlib
import gc
import os
import queue
import shutil
import signal
import sys
import tempfile
import threading
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Job:
    """One submission to grade; with ``reason`` it is not run but set aside for a person.

    It is read from ``folder``, unless it travels along as ``submission``.
    """

    student: str
    folder: str
    ignore: tuple[str, ...] = ()
    reason: str | None = None
    submission: Any = None


def main() -> None:
    connection = Connection(int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the grader's to deal with
    folder = tempfile.tempdir = sys.argv[2]
    jobs: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(connection, jobs, folder), daemon=True).start()
    try:
        assignment = jobs.get()
        threading.Thread(target=_warm, args=(assignment,), daemon=True).start()
        work = _prepare()
        connection.send(("ready", None, ""))
        while True:
            connection.send(work(jobs.get(), assignment))
    except (BrokenPipeError, ConnectionError):
        pass
    finally:
        _end(folder)


def _listen(connection: Connection, jobs: queue.SimpleQueue[Any], folder: str) -> None:
    """Take in jobs; when the grader is gone, end at once whatever is running."""
    with contextlib.suppress(EOFError, OSError):
        while True:
            jobs.put(connection.recv())
    _end(folder)


def _end(folder: str) -> None:
    with contextlib.suppress(Exception):
        from attention_course.grading.sandbox import shut_down

        shut_down()
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


def _warm(assignment: Any) -> None:
    """Start the process that submissions are forked from, while this one loads its libraries."""
    from attention_course.grading.submission import warm_up

    with contextlib.suppress(Exception):  # whatever it is, the first submission will tell
        warm_up(assignment)


def _prepare() -> Any:
    gc.disable()  # what is loaded here stays, and looking through it takes a fifth as long
    import torch

    torch.set_num_threads(1)
    from attention_course.grading.batch.submitted import read_submission
    from attention_course.grading.submission import (
        digest_of_submission,
        grade_submission,
        set_aside,
    )

    gc.freeze()
    gc.enable()

    def work(job: Job, assignment: Any) -> tuple[str, Any, str]:
        try:
            submission = job.submission
            if submission is None:
                submission = read_submission(Path(job.folder), job.student, job.ignore)
            digest = digest_of_submission(submission)
            if job.reason is None:
                return "done", grade_submission(submission, assignment), digest
            return "done", set_aside(submission, assignment, job.reason), digest
        except BaseException as error:
            last = traceback.format_exception_only(error)[-1].strip()
            return "failed", last[:500], ""

    return work


if __name__ == "__main__":
    main()
