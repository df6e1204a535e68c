"""Grading on the workers of a Dask cluster; the only room that imports Dask.

Submissions go out and results come back as data, through the scheduler: a worker needs neither a
shared disk nor the gradebook. Dask runs a task at least once; that each submission is graded
exactly once is the doing of the one who asks, who takes the first outcome of each job.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import math
import queue
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from distributed import Client, Future, SchedulerPlugin, WorkerPlugin, get_worker
from distributed.comm import CommClosedError

from attention_course.grading.batch.fitness import Demands, unfit
from attention_course.grading.batch.helper import PATIENCE, Chances, NoWorkers, Outcome
from attention_course.grading.batch.submitted import read_submission
from attention_course.grading.batch.team import CannotGrade, Team
from attention_course.grading.batch.versions import own_code
from attention_course.grading.batch.worker import Job
from attention_course.grading.submission import Assignment, digest_of_submission

AHEAD = 2  # jobs for each thread of a worker: one that it does, and one that it finds when done
ANSWER = 30.0  # seconds in which a scheduler and its workers answer
CONNECT = 10.0  # seconds in which a scheduler takes a connection
EMPTY = 300.0  # seconds without any worker after which nobody waits any longer
REST = 1.0  # seconds that an unfit worker takes to say so: who is idle is given everything
PREFIX = "attention-course-"  # of what a scheduler and its workers hold for one grader

T = TypeVar("T")


class Grader(WorkerPlugin):
    """What a worker of the cluster holds for one run: the assignment, and its helpers."""

    idempotent = True  # registered again, it changes nothing where it is

    def __init__(
        self, name: str, assignment: Assignment, demands: Demands, seconds: float | None
    ) -> None:
        self.name = name
        self.assignment = assignment
        self.demands = demands
        self.seconds = seconds

    async def setup(self, worker: Any) -> None:
        """Start a helper. A worker that may not grade, or cannot, says so when it is asked to.

        Whatever is raised here Dask writes into its log; the worker would join all the same.
        """
        self._team: Team | None = None
        self._unfit = ""
        self._ready = threading.Event()
        # It takes a second or two, in which a worker that says nothing counts as lost.
        await asyncio.to_thread(self._get_ready)

    def _get_ready(self) -> None:
        try:
            self._unfit = unfit(self.demands) or ""
            if not self._unfit:
                self._team = Team(self.assignment, self.seconds)
        except BaseException as error:
            self._unfit = f"it cannot grade ({_first_line(error)})"
        finally:
            self._ready.set()

    async def teardown(self, worker: Any) -> None:
        """End the helpers, whatever they do."""
        await asyncio.to_thread(self._end)

    def _end(self) -> None:
        self._ready.wait()
        if self._team is not None:
            self._team.close()

    def grade(self, job: Job) -> tuple[str, Any]:
        """``("done", result)``, ``("failed", what happened)``, or ``("unfit", why)``."""
        self._ready.wait()
        if self._team is None:
            return "unfit", self._unfit
        try:
            return self._team.grade(job)
        except CannotGrade as error:
            return "unfit", str(error)


def _grade(name: str, job: Job) -> tuple[str, Any]:
    """The task: runs on a worker, in one of its threads.

    One that is unfit, or that has no plug-in (``"unready"``), adds its address.
    """
    worker = get_worker()
    plugin: Any = worker.plugins.get(name)
    answer = ("unready", "it was not made ready") if plugin is None else plugin.grade(job)
    if answer[0] not in ("unfit", "unready"):
        return answer
    time.sleep(REST)
    return answer[0], (worker.address, answer[1])


class Departures(SchedulerPlugin):
    """Ends what the workers hold for a grader that has gone, however it went."""

    name = PREFIX + "departures"
    idempotent = True

    def remove_client(self, scheduler: Any, client: str) -> None:
        """The scheduler has lost the connection to a client, or it has said farewell."""
        if PREFIX + client in scheduler.worker_plugins:
            scheduler.loop.add_callback(
                scheduler.unregister_worker_plugin, comm=None, name=PREFIX + client
            )


@dataclass
class _InWork:
    job: Job  # without the submission itself, which is read again should it be needed again
    digest: str
    future: Future
    since: float = field(default_factory=time.monotonic)


class ClusterPool:
    """Grades on the workers of the Dask scheduler at ``address``.

    Stands where :class:`~attention_course.grading.batch.pool.Pool` does. ``say`` is told what a
    person should know of workers that are missing or sent away; ``empty`` is for how many
    seconds it waits while there is no worker at all.
    """

    def __init__(
        self,
        assignment: Assignment,
        count: int,
        seconds: float | None,
        *,
        address: str,
        isolation: str,
        required: tuple[str, ...],
        say: Callable[[str], None],
        empty: float = EMPTY,
    ) -> None:
        self.assignment = assignment
        self.seconds = None if seconds is None else seconds + PATIENCE
        self.address = address
        self.demands = Demands(dict(assignment.versions), own_code(), isolation, required)
        self.say = say
        self.empty = empty
        self.name = ""
        self._client: Client | None = None
        self._chances = Chances()
        self._keys = itertools.count()
        self._in_work: dict[str, _InWork] = {}
        self._done: queue.SimpleQueue[Future] = queue.SimpleQueue()
        self._room, self._looked, self._alone = 0, 0.0, time.monotonic()
        self._told = False
        self._dismissed: set[str] = set()
        self._unfit: tuple[float, str] | None = None  # since when only unfit ones answer, and why

    # -- coming and going -------------------------------------------------------------------

    def __enter__(self) -> ClusterPool:
        try:
            self._client = Client(self.address, timeout=CONNECT, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise NoWorkers(
                f"no Dask scheduler answers at {self.address} ({_first_line(error)}): start one "
                "with `dask scheduler`, or grade on this machine without --scheduler"
            ) from error
        self.name = PREFIX + self._client.id
        try:
            with self._or_gone(self._client):
                self._make_ready(self._client)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *about: object) -> None:
        self.close()

    def close(self) -> None:
        """Call back what is still out, end the helpers on the workers, and leave."""
        client, self._client = self._client, None
        if client is None:
            return
        # Each may fail or hang where the scheduler is gone; then nothing is left to tidy there.
        with contextlib.suppress(Exception):
            if client.status == "running":
                client.cancel([work.future for work in self._in_work.values()], force=True)
                _within(ANSWER, lambda: client.unregister_worker_plugin(self.name))
        self._in_work = {}
        with contextlib.suppress(Exception):
            client.close(timeout=5)

    def _make_ready(self, client: Client) -> None:
        """Send away who may not grade, and give the others what they need."""
        with contextlib.suppress(Exception):  # a scheduler without our package does without
            _within(ANSWER, lambda: client.register_plugin(Departures()))
        for _ in range(3):
            self._send_away(client)
            try:
                # Who joins later is given it by the scheduler, before any work.
                self._register(client)
            except TimeoutError:
                self.say("a Dask worker does not answer; the others begin without it")
            except Exception as error:
                reason = _first_line(error)
                continue
            return
        raise NoWorkers(f"the workers at {self.address} cannot be made ready: {reason}")

    def _register(self, client: Client) -> None:
        plugin = Grader(self.name, self.assignment, self.demands, self.seconds)
        _within(ANSWER, lambda: client.register_plugin(plugin))

    def _send_away(self, client: Client) -> None:
        asked = {
            address: client.submit(
                unfit, self.demands, workers=[address], key=self._key("fit"), pure=False
            )
            for address in _within(ANSWER, client.nthreads)
        }
        until = time.monotonic() + ANSWER
        unwanted: dict[str, str] = {}
        for address, answer in asked.items():
            try:
                reason = answer.result(timeout=max(0.1, until - time.monotonic()))
            except TimeoutError:
                continue  # the scheduler gives it up when it stays silent
            except Exception as error:
                if client.status != "running" or answer.status in ("cancelled", "lost"):
                    raise self._gone() from error
                reason = f"it cannot grade ({_first_line(error)})"
            if reason is not None:
                unwanted[address] = reason
        # A worker that holds an answer somebody still wants could not leave.
        with contextlib.suppress(TimeoutError):
            _within(ANSWER, lambda: client.cancel(list(asked.values()), force=True))
        for address, reason in unwanted.items():
            self._say_away(address, reason)
        # Until they have left, what is sent to every worker fails there; and one that still held
        # something when it was asked stays until it is asked again.
        until = time.monotonic() + ANSWER
        while there := unwanted.keys() & client.nthreads().keys():
            with contextlib.suppress(TimeoutError):
                _within(ANSWER / 5, functools.partial(client.retire_workers, list(there)))
            if time.monotonic() > until:
                return
            time.sleep(0.1)

    def _say_away(self, address: str, reason: str) -> None:
        self.say(f"the Dask worker {address} was sent away: {reason}")

    def _dismiss(self, address: str, reason: str) -> None:
        """Send away who has joined late and may not grade; :meth:`_look` sees that it goes."""
        if address not in self._dismissed:
            self._dismissed.add(address)
            self._say_away(address, reason)
            self._looked = 0.0

    # -- grading ----------------------------------------------------------------------------

    def run(self, jobs: Iterable[Job]) -> Iterator[Outcome]:
        """Grade all jobs; outcomes come as they are ready. Raises NoWorkers."""
        assert self._client is not None
        with self._or_gone(self._client):
            yield from self._run(deque(jobs))

    def _run(self, waiting: deque[Job]) -> Iterator[Outcome]:
        while waiting or self._in_work:
            self._look()
            while waiting and len(self._in_work) < self._room:
                yield from self._hand_out(waiting.popleft(), waiting)
            try:
                future = self._done.get(timeout=1.0)
            except queue.Empty:
                yield from self._late(waiting)
                continue
            yield from self._receive(future, waiting)

    def _hand_out(self, job: Job, waiting: deque[Job]) -> Iterator[Outcome]:
        """Read a submission and send it out."""
        assert self._client is not None
        try:
            submission = read_submission(Path(job.folder), job.student, job.ignore)
        except OSError as error:
            yield from self._again(job, f"failed in the grader ({error})", waiting)
            return
        with warnings.catch_warnings():
            # Dask warns of large graphs; a student's data file may well be one.
            warnings.simplefilter("ignore", UserWarning)
            future = self._client.submit(
                _grade,
                self.name,
                replace(job, submission=submission),
                key=self._key("grade"),
                pure=False,
            )
        self._in_work[str(future.key)] = _InWork(job, digest_of_submission(submission), future)
        future.add_done_callback(self._done.put)

    def _receive(self, future: Future, waiting: deque[Job]) -> Iterator[Outcome]:
        work = self._in_work.get(str(future.key))
        if work is None:
            return  # given up before; another of the same job counts
        try:
            kind, value = future.result(timeout=ANSWER)
        except TimeoutError:
            # Its worker went away with the result; Dask has it made again.
            future.add_done_callback(self._done.put)
            return
        except Exception as error:
            del self._in_work[str(future.key)]
            if future.status in ("cancelled", "lost"):
                raise self._gone() from error
            yield from self._again(work.job, f"failed ({_first_line(error)})", waiting)
            return
        del self._in_work[str(future.key)]
        if kind in ("unfit", "unready"):
            waiting.appendleft(work.job)
            self._unfit = self._unfit or (time.monotonic(), value[1])
            if kind == "unfit":
                self._dismiss(*value)
            elif self._client is not None:
                # The scheduler has lost the grader for a moment, and with it the plug-in.
                _quietly(functools.partial(self._register, self._client))
            return
        self._unfit = None
        if kind == "failed":
            yield from self._again(work.job, value, waiting)
        else:
            yield Outcome(work.job, result=value, digest=work.digest)

    def _late(self, waiting: deque[Job]) -> Iterator[Outcome]:
        """Give up what should long have come: it may wait for another at its worker."""
        if self.seconds is None:
            return
        for key, work in list(self._in_work.items()):
            if time.monotonic() - work.since > AHEAD * self.seconds:
                del self._in_work[key]
                work.future.cancel(force=True)
                yield from self._again(work.job, "took too long and was called back", waiting)

    def _again(self, job: Job, what: str, waiting: deque[Job]) -> Iterator[Outcome]:
        after = self._chances.after(job, what)
        if isinstance(after, Outcome):
            yield after
        else:
            waiting.appendleft(after)

    # -- the cluster ------------------------------------------------------------------------

    def _look(self) -> None:
        """How much the workers can take, looked up once a second."""
        now = time.monotonic()
        if now - self._looked < 1.0:
            return
        self._looked = now
        assert self._client is not None
        try:
            workers = _within(ANSWER, self._client.nthreads)
        except Exception as error:
            raise self._gone() from error
        self._dismissed &= workers.keys()  # who comes back may have been mended
        if away := sorted(self._dismissed):
            # Again each time until they have left: who still held something stays.
            leave = functools.partial(self._client.retire_workers, away)
            threading.Thread(target=_quietly, args=(leave,), daemon=True).start()
        threads = sum(n for address, n in workers.items() if address not in self._dismissed)
        self._room = AHEAD * threads
        # Who may grade takes as long for an answer as a submission may.
        patience = max(self.empty, math.inf if self.seconds is None else self.seconds)
        if self._unfit is not None and now - self._unfit[0] > patience:
            raise NoWorkers(
                f"for {patience:.0f} s no worker that may grade has answered at the Dask scheduler "
                f"{self.address} (of one that may not: {self._unfit[1]}); what was graded is kept: "
                "mend the workers and run the same command again"
            )
        if threads:
            self._alone, self._told = now, False
        elif now - self._alone > self.empty:
            raise NoWorkers(
                f"no worker has joined the Dask scheduler at {self.address} for "
                f"{self.empty:.0f} s; what was graded is kept: start workers with "
                f"`dask worker {self.address}` and run the same command again"
            )
        elif not self._told:
            self._told = True
            self.say(f"no worker has joined the Dask scheduler at {self.address}; waiting for one")

    @contextlib.contextmanager
    def _or_gone(self, client: Client) -> Iterator[None]:
        """What is raised because the scheduler is gone is said in a sentence."""
        try:
            yield
        except Exception as error:
            silent = isinstance(error, CommClosedError | TimeoutError)
            if (silent or client.status != "running") and not isinstance(error, NoWorkers):
                raise self._gone() from error
            raise

    def _gone(self) -> NoWorkers:
        return NoWorkers(
            f"the Dask scheduler at {self.address} is gone; what was graded is kept: start it and "
            "its workers again, then run the same command"
        )

    def _key(self, kind: str) -> str:
        return f"{self.name}-{kind}-{next(self._keys)}"


def _within(seconds: float, call: Callable[[], T]) -> T:
    """What ``call`` returns. Raises TimeoutError after ``seconds``, and what ``call`` raises."""
    answer: queue.SimpleQueue[tuple[bool, Any]] = queue.SimpleQueue()

    def run() -> None:
        try:
            answer.put((True, call()))
        except BaseException as error:
            answer.put((False, error))

    threading.Thread(target=run, daemon=True).start()
    try:
        well, value = answer.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"no answer within {seconds:.0f} s") from None
    if not well:
        raise value
    return value


def _quietly(call: Callable[[], Any]) -> None:
    with contextlib.suppress(Exception):
        call()


def _first_line(error: BaseException) -> str:
    said = (str(error).strip().splitlines() or [""])[0][:300]
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
