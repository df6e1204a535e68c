"""The warm process: loads once what lessons use, then forks one child for each submission.

Started as ``python -m attention_course.grading.sandbox.nursery FD``, or forked (:mod:`.joined`),
before anything secret is in memory, and told nothing secret later: what a child could find on
its heap is the same for every student. Nothing of a lesson runs here, only generic warming.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any, NoReturn

from attention_course.grading.sandbox import kernel
from attention_course.grading.sandbox.child import StudentProcess, refuse_answers
from attention_course.grading.sandbox.seeds import new_seeds
from attention_course.grading.sandbox.walls import WORK, Walls, enter
from attention_course.grading.sandbox.wire import ConnectionEnded, receive_frame, send_frame

WARMING = (
    "import math, torch, numpy, numpy.random",
    "import torch.nn.functional as F\nfrom torch import nn\ntorch.manual_seed(0)",
    "from attention_course import check, needs, verify, views",
    # Both directions of the operations that a lesson on a neural network is made of.
    "x = torch.randn(2, 3, 4, requires_grad=True)\nlayer = nn.Linear(4, 4)\n"
    "y = layer(x).softmax(-1) @ x.transpose(-2, -1)\n(y - y.amax()).exp().sum().backward()\n"
    "torch.einsum('bij,bkj->bik', x, x); torch.bmm(x, x.mT); F.softmax(x, -1); str(x)",
    "class Module(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    "        self.part = nn.Linear(2, 2)\n    def forward(self, x): return self.part(x)\n"
    "Module().load_state_dict(Module().state_dict())",
    "print(1)\ndisplay(x.shape)\nx.sum()",
    "%timeit -n1 -r1 1",
    "def f(x): return x @ torch.ones(3, 7)\nf(x)",  # a traceback loads what shows them
    "def f(",
)


class Nursery:
    """Answers the grader's requests to fork, and to tell how a child ended."""

    def __init__(self, control: socket.socket, walls: Walls) -> None:
        self.control = control
        self.walls = walls
        self.student = StudentProcess()
        self.children: set[int] = set()

    def serve(self) -> None:
        while True:
            message, received, _, _ = socket.recv_fds(self.control, 1, 1)
            if not message:
                return
            request, _ = receive_frame(self.control)
            if request["op"] == "fork":
                self._fork(received[0], request)
            elif request["op"] == "wait":
                self._reply(status=self._bury(int(request["pid"])))

    def _reply(self, descriptor: int | None = None, **answer: Any) -> None:
        given = [] if descriptor is None else [descriptor]
        socket.send_fds(self.control, [b"."], given)
        send_frame(self.control, answer)

    def _fork(self, connection: int, request: dict[str, Any]) -> None:
        pid, why = self._child(connection, request)
        os.close(connection)
        if pid is None:
            self._reply(failed=why)
            return
        self.children.add(pid)
        handle = os.pidfd_open(pid)
        self._reply(handle, pid=pid)
        os.close(handle)

    def _child(self, connection: int, request: dict[str, Any]) -> tuple[int | None, str]:
        # A process may move its future children to a new process namespace only once; so each
        # fork is made by a thread of its own, which ends with it.
        born: list[int] = []
        trouble: list[str] = []

        def fork() -> None:
            try:
                if self.walls.namespaces:
                    kernel.unshare(kernel.CLONE_NEWPID)
                pid = os.fork()
            except OSError as error:
                trouble.append(str(error))
                return
            if pid == 0:
                self._become_student(connection, request)
            born.append(pid)

        thread = threading.Thread(target=fork)
        thread.start()
        thread.join()
        return (born[0], "") if born else (None, trouble[0] if trouble else "no reason given")

    def _become_student(self, descriptor: int, request: dict[str, Any]) -> NoReturn:
        try:
            connection = kernel.keep_only(descriptor)
            try:
                os.setsid()
                home = str(request["home"])
                enter(self.walls, request["limits"], home)
                os.umask(0o077)
                folder = Path(home, WORK)
                folder.mkdir(exist_ok=True)
                os.environ.update(HOME=home, IPYTHONDIR=f"{home}/.ipython")
                new_seeds()
            except BaseException as error:
                send_frame(connection, {"failed": str(error)})
                os._exit(1)
            with contextlib.suppress(Exception):
                self.student.begin(connection, folder)
                self.student.serve()
        finally:
            os._exit(0)

    def _bury(self, pid: int) -> int:
        """The status of an ended child; whatever it left running ends too."""
        self.children.discard(pid)
        try:
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        except ChildProcessError:
            status = 0
        if not self.walls.namespaces:
            self._end_orphans()
        return status

    def _end_orphans(self) -> None:
        """Without a process namespace, what a child left behind becomes a child of ours."""
        for _ in range(10_000):
            orphans = _own_children() - self.children
            if not orphans:
                return
            for pid in orphans:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            for pid in orphans:
                with contextlib.suppress(OSError):
                    os.waitpid(pid, 0)


def _own_children() -> set[int]:
    found = (task / "children" for task in Path("/proc/self/task").iterdir())
    return {int(pid) for file in found for pid in file.read_text().split()}


def warm(student: StudentProcess) -> None:
    """Run what every submission will run something like, and forget what came of it."""
    shell = student.shell
    before = set(shell.user_ns)
    for source in WARMING:
        shell.run_cell(source, store_history=False)
    for name in set(shell.user_ns) - before:
        del shell.user_ns[name]
    shell.user_ns_hidden.clear()
    shell.user_ns_hidden.update(shell.user_ns)
    student.outputs.take()


def run(control: socket.socket) -> NoReturn:
    """Be the warm process of the grader's at the other end of ``control``."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        plan, _ = receive_frame(control)
        walls = Walls.from_data(plan["walls"])
        if not walls.namespaces:
            kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
        gc.disable()  # what is loaded here stays, and looking through it takes a fifth as long
        import torch

        # One thread: a child of a process with a pool of them hangs at its first use.
        torch.set_num_threads(1)
        os.environ.pop(kernel.TUNABLES, None)  # glibc has read it; students get what they had
        nursery = Nursery(control, walls)
        refuse_answers()
        warm(nursery.student)
        gc.collect()
        gc.freeze()
        gc.enable()
        with contextlib.suppress(OSError):
            kernel.use_huge_pages()
        nursery._reply(ready=os.getpid())
        try:
            nursery.serve()
        finally:
            nursery.children.clear()
            if not walls.namespaces:
                nursery._end_orphans()
    except (ConnectionEnded, KeyboardInterrupt):
        os._exit(0)  # the grader is gone
    except BaseException as error:
        # sys.stderr collects what students' code prints; the grader reads the real one.
        print(f"{type(error).__name__}: {error}", file=sys.__stderr__, flush=True)
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    run(socket.socket(fileno=int(sys.argv[1])))
