"""A warm process that is forked, with all that it has loaded, instead of being started anew.

bubblewrap builds the walls around a process that only waits; the warm process is forked from
this one and joins the namespaces of the waiting one. It saves loading torch once more, and is
for a process that has nothing secret in its memory and was started with nothing secret either.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from attention_course.grading.sandbox import kernel
from attention_course.grading.sandbox.walls import Walls

# The first process of the namespaces: they end with it, and it with whoever holds its input.
WAITING = ("sh", "-c", "echo; read -r nothing")
BUILDING = 20.0  # seconds that bubblewrap may take
ALL_BUT_USERS = (
    kernel.CLONE_NEWNS
    | kernel.CLONE_NEWPID
    | kernel.CLONE_NEWIPC
    | kernel.CLONE_NEWNET
    | kernel.CLONE_NEWUTS
    | kernel.CLONE_NEWCGROUP
)


class Joined(NamedTuple):
    """bubblewrap's process, whoever waits for the warm one, and what keeps all of it alive."""

    process: subprocess.Popen[bytes]
    waiting: int
    held: int


def why_not(walls: Walls) -> str | None:
    """Why no warm process with these walls can be forked from this one, or None."""
    if not walls.namespaces:
        return "without namespaces there is nothing to join"
    # A process has a way to the file that it runs, as the grader sees it and not as a mount that
    # is read-only. Whoever owns that file could change its mode, which landlock does not forbid.
    if walls.user is None and os.stat("/proc/self/exe").st_uid == os.getuid():
        return "Python belongs to the user whose processes students' code becomes"
    if walls.user is None and not walls.landlock:
        return "this kernel has no landlock"
    return None


def start(
    isolation: Sequence[str],
    environment: Mapping[str, str],
    capabilities: Sequence[str],
    control: int,
    log: Any,
    limit: Callable[[int], None],
) -> Joined:
    """Build walls and fork the warm process into them, from this process.

    ``control`` is the descriptor of its end of the connection; ``limit`` is told the number of a
    process that is to be limited, which its children inherit. Raises OSError.
    """
    reading, held = os.pipe()
    try:
        process = subprocess.Popen(
            [*isolation, *WAITING],
            env=dict(environment),
            cwd="/",
            stdin=reading,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    except OSError:
        os.close(held)
        raise
    finally:
        os.close(reading)
    assert process.stdout is not None
    try:
        with process.stdout as said:
            if not select.select([said], [], [], BUILDING)[0] or not said.read(1):
                raise OSError("bubblewrap did not build its walls")
        (first,) = children(process.pid)
        handle = os.pidfd_open(first)
        if children(process.pid) != [first]:
            raise OSError("bubblewrap's own process is gone")
        pid = os.fork()
    except (OSError, ValueError) as error:
        os.close(held)
        process.kill()
        process.wait()
        raise OSError(str(error)) from error
    if pid == 0:
        _join_and_fork(first, handle, environment, capabilities, control, log.fileno(), limit)
    os.close(handle)
    return Joined(process, pid, held)


def children(pid: int) -> list[int]:
    """The numbers of the processes that the main thread of ``pid`` has started."""
    with contextlib.suppress(OSError):
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [int(child) for child in found.split()]
    return []


def _join_and_fork(
    first: int,
    handle: int,
    environment: Mapping[str, str],
    capabilities: Sequence[str],
    control: int,
    log: int,
    limit: Callable[[int], None],
) -> NoReturn:
    """Only a child is born into a process namespace, so this process waits for its child's end."""
    try:
        os.setsid()
        limit(os.getpid())
        _join(first, handle)
        pid = os.fork()
        if pid == 0:
            _become_warm(environment, capabilities, control, log)
        kernel.close_from(0)
        os.waitpid(pid, 0)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.write(log, f"{type(error).__name__}: {error}\n".encode())
    finally:
        os._exit(0)


def _join(pid: int, process: int) -> None:
    for name in ("mnt", "pid", "net", "ipc"):
        if os.stat(f"/proc/{pid}/ns/{name}").st_ino == os.stat(f"/proc/self/ns/{name}").st_ino:
            raise OSError(f"bubblewrap made no {name} namespace")
    disk = os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY)
    inner = os.open(f"/proc/{pid}/ns/user", os.O_RDONLY)
    # For an ordinary user bubblewrap makes two user namespaces, one within the other: the outer
    # owns all others, in the inner one the user is nobody.
    outer = fcntl.ioctl(disk, kernel.NS_GET_USERNS)
    here = os.stat("/proc/self/ns/user").st_ino
    if os.fstat(outer).st_ino != here:
        kernel.setns(outer, kernel.CLONE_NEWUSER)
    kernel.setns(process, ALL_BUT_USERS)
    if os.fstat(inner).st_ino not in (here, os.fstat(outer).st_ino):
        kernel.setns(inner, kernel.CLONE_NEWUSER)


def _become_warm(
    environment: Mapping[str, str], capabilities: Sequence[str], control: int, log: int
) -> NoReturn:
    try:
        kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
        kernel.forbid_capabilities(but=capabilities)
        kernel.drop_capabilities(but=capabilities)
        connection = kernel.keep_only(control, said=log)
        os.environ.clear()
        os.environ.update(environment)
        kernel.forget_start()
        sys.argv, sys.orig_argv = [""], [""]
        from attention_course.grading.sandbox import nursery

        nursery.run(connection)
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.__stderr__, flush=True)
    finally:
        os._exit(1)
