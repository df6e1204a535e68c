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
from typing import Any, NoReturn

from attention_course.grading.sandbox.seeds import new_seeds
from attention_course.grading.sandbox.warm import WarmProcess, shut_down, take_over


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


def worker_environment() -> dict[str, str]:
    """This process's environment as workers have it."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def main() -> None:
    tempfile.tempdir = sys.argv[2]
    connection = Connection(int(sys.argv[1]))
    serve(connection, sys.argv[2])


def serve(
    connection: Connection,
    folder: str,
    assignment: Any = None,
    started: WarmProcess | None = None,
) -> NoReturn:
    """Grade what comes over ``connection`` until the grader closes it.

    The ``assignment`` is what comes first, unless it is here already; with it has been
    ``started`` what its submissions are forked from.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the grader's to deal with
    jobs: queue.SimpleQueue[Any] = queue.SimpleQueue()
    try:
        if started is not None:
            take_over(started)
        threading.Thread(target=_listen, args=(connection, jobs, folder), daemon=True).start()
        if assignment is None:
            assignment = jobs.get()
        if started is None:
            threading.Thread(target=_warm, args=(assignment,), daemon=True).start()
        load()
        new_seeds()  # or what is forked from one process would draw the same numbers
        connection.send(("ready", None, ""))
        while True:
            connection.send(_work(jobs.get(), assignment))
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


_ending = threading.Lock()


def _end(folder: str) -> NoReturn:
    _ending.acquire()  # another thread that comes here waits until all is over
    with contextlib.suppress(Exception):
        shut_down()
    # Under another name first: a thread that still loads would put something new into it.
    gone = f"{folder}-gone"
    with contextlib.suppress(OSError):
        os.rename(folder, gone)
    shutil.rmtree(gone, ignore_errors=True)
    os._exit(0)


def _warm(assignment: Any) -> None:
    """Start the process that submissions are forked from, while this one loads its libraries."""
    from attention_course.grading.submission import warm_up

    with contextlib.suppress(Exception):  # whatever it is, the first submission will tell
        warm_up(assignment)


def load_torch() -> None:
    """Load what workers and students' processes have in common; nothing of it is ours."""
    gc.disable()  # what is loaded here stays, and looking through it takes a fifth as long
    os.environ["OMP_NUM_THREADS"] = "1"
    import torch

    torch.set_num_threads(1)
    gc.freeze()
    gc.enable()


def load() -> None:
    """Load what every submission needs, so that the first one takes no longer than the others."""
    load_torch()
    gc.disable()
    from nbformat.v4 import new_notebook
    from nbformat.validator import validate

    import attention_course.checks.judging
    import attention_course.grading.gradients
    import attention_course.grading.submission  # noqa: F401

    validate(new_notebook())  # it compiles the schema once

    gc.freeze()
    gc.enable()


def _work(job: Job, assignment: Any) -> tuple[str, Any, str]:
    from attention_course.grading.batch.submitted import read_submission
    from attention_course.grading.submission import (
        digest_of_submission,
        grade_submission,
        set_aside,
    )

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


if __name__ == "__main__":
    main()
