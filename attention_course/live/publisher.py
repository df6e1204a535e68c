"""One kernel's live side: hears that a cell has run, and tells every lab that listens."""

from __future__ import annotations

import functools
import logging
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from attention_course.live import TARGET, VERSION, messages
from attention_course.live.messages import Message

if TYPE_CHECKING:
    from attention_course.exercise import Exercise
    from attention_course.verdict import Verdict

# Until a lab has spoken nobody may be there: what is larger waits for it.
UNHEARD_BYTES = 64_000
# What is sent again to a lab that comes later; of larger pictures only the newest is kept.
KEPT_BYTES = 1_000_000
FRAME = 0.016  # seconds between two pictures of one name from a loop
HINT_TIERS = (1, 2, 3)

log = logging.getLogger("attention_course.live")


def _quietly(method: Callable[..., None]) -> Callable[..., None]:
    """Whatever goes wrong here is ours, and never shown in a student's cell."""

    @functools.wraps(method)
    def wrapped(self: Publisher, *args: Any, **kwargs: Any) -> None:
        try:
            # Messages of the lab arrive on a thread of their own (a subshell) while a cell runs.
            with self._lock:
                method(self, *args, **kwargs)
        except (Exception, KeyboardInterrupt):
            log.debug("the live side failed in %s", method.__name__, exc_info=True)

    return wrapped


class Publisher:
    """Tells labs what a notebook's cells have made. ``shell`` is the kernel's IPython shell."""

    def __init__(self, shell: Any) -> None:
        from attention_course.live.watched import Changes

        self.shell = shell
        self.session = uuid.uuid4().hex
        self.assignment: str | None = None
        self._changes = Changes()
        self._comms: dict[str, Any] = {}
        self._ours: Any = None  # the comm that this side has opened
        self._heard = False  # whether a lab has ever spoken
        self._refused = False  # whether the only answer so far was a close
        self._sequence = 0
        self._latest: dict[tuple[str, str], Message] = {}
        self._reached: dict[str, tuple[str, Verdict]] = {}
        self._waiting: dict[str, Callable[[], Message]] = {}
        self._shown_at: dict[str, float] = {}
        self._lock = threading.RLock()

    @_quietly
    def attach(self) -> None:
        """Listen to the shell, and be there for a lab that opens a comm itself."""
        from comm import get_comm_manager

        get_comm_manager().register_target(TARGET, self._opened_by_lab)
        self.shell.events.register("post_run_cell", self._cell_has_run)

    # --- what a lesson tells -----------------------------------------------------------------

    @_quietly
    def verdicts_reached(self, assignment: str, verdicts: Iterable[Verdict]) -> None:
        self.assignment = assignment
        for verdict in verdicts:
            self._reached[verdict.exercise] = (assignment, verdict)

    @_quietly
    def show(
        self, matrix: Any, tokens: Any, key_tokens: Any, name: str, kind: str, reference: Any
    ) -> None:
        def made() -> Message:
            kinds = "scores" if kind == "scores" else "weights"
            shown = {kinds: matrix}
            if reference is not None:
                shown[f"reference_{kinds}"] = reference
            cell_id = _running_cell(self.shell)
            return messages.matrices(
                name, name, cell_id, shown, what=name, tokens=tokens, key_tokens=key_tokens
            )

        now = time.monotonic()
        if now - self._shown_at.get(name, -FRAME) < FRAME:
            self._waiting[name] = made
            return
        self._waiting.pop(name, None)
        self._shown_at[name] = now
        self._tell(made())

    @_quietly
    def _cell_has_run(self, result: Any) -> None:
        cell_id = getattr(result.info, "cell_id", None)
        for name in list(self._waiting):
            self._tell(self._waiting.pop(name)())
        self._tell_changes(cell_id)
        self._tell_verdicts(cell_id)
        if not self._comms and "torch" in sys.modules:
            self._open()

    def _tell_changes(self, cell_id: str | None) -> None:
        names: Mapping[str, Any] = self.shell.user_ns
        if "torch" not in sys.modules:
            return
        from attention_course.live.watched import reference_of

        for watched, there in self._changes.look(names):
            if not there:
                self._tell(messages.clear(watched.exercise))
                continue
            shown = {**watched.student(names), **reference_of(watched, names)}
            self._tell(
                messages.matrices(
                    watched.exercise,
                    watched.title,
                    cell_id,
                    shown,
                    what=watched.what,
                    tokens=names.get("tokens"),
                    d_k=watched.d_k(names),
                    scaled=watched.scaled,
                )
            )

    def _tell_verdicts(self, cell_id: str | None) -> None:
        from attention_course.progress import UNTRIED

        reached, self._reached = self._reached, {}
        exercises = _exercises()
        for name, (assignment, verdict) in reached.items():
            title = exercises[name].title if name in exercises else name
            tried = UNTRIED.isdisjoint(verdict.misconceptions)
            self._tell(messages.verdict(verdict, assignment, title, cell_id, tried=tried))
        if reached:
            self._tell_progress()

    def _tell_progress(self) -> None:
        from attention_course.live.summary import assignment_of, summary_of

        exercises = _exercises()
        if self.assignment is None:
            known = {exercise.assignment for exercise in exercises.values()}
            self.assignment = assignment_of(self.shell.user_ns, known)
        if self.assignment is not None:
            self._tell(messages.progress(summary_of(self.assignment, exercises)))

    # --- comms -------------------------------------------------------------------------------

    def _open(self) -> None:
        """Open our comm, with the hello in it; all front ends hear it."""
        from comm import create_comm

        self._ours = create_comm(target_name=TARGET, data=self._hello().stamped())
        self._ours.on_close(self._closed)
        self._join(self._ours)
        for message in self._latest.values():
            self._publish(message)

    def _join(self, comm: Any) -> None:
        self._comms[comm.comm_id] = comm
        comm.on_msg(self._heard_from_lab)

    @_quietly
    def _opened_by_lab(self, comm: Any, message: Any) -> None:
        self._join(comm)
        comm.on_close(lambda _: self._comms.pop(comm.comm_id, None))
        comm.send(self._hello().stamped())
        data = message.get("content", {}).get("data") or {}
        if data:
            self._heard_from_lab(message)

    @_quietly
    def _closed(self, message: Any) -> None:
        """A front end does not know the target; another one may, so the comm stays."""
        from comm import get_comm_manager

        get_comm_manager().register_comm(self._ours)
        self._refused = True

    @_quietly
    def _heard_from_lab(self, message: Any) -> None:
        data = message.get("content", {}).get("data")
        if not isinstance(data, dict):
            return
        if data.get("version", VERSION) != VERSION:
            self._send(self._hello())
            return
        if data.get("type") == "refresh":
            self._heard = True
            self._refresh()
        elif data.get("type") == "hint_opened":
            self._heard = True
            self._hint_opened(data)

    def _refresh(self) -> None:
        self._send(self._hello())
        self._tell_progress()
        for message in sorted(self._latest.values(), key=lambda one: one.data["sequence"]):
            if message.key[0] != "progress":
                self._send(message)

    def _hint_opened(self, data: Mapping[str, Any]) -> None:
        from attention_course.progress import record_hint

        exercise = _exercises().get(str(data.get("exercise")))
        tier = data.get("tier")
        if exercise is None or type(tier) is not int or tier not in HINT_TIERS:
            return
        record_hint(exercise.assignment, exercise.name, tier, exercise.points)
        self.assignment = exercise.assignment
        self._tell_progress()

    # --- sending -----------------------------------------------------------------------------

    def _hello(self) -> Message:
        from attention_course.live.summary import assignment_of

        exercises = _exercises()
        if self.assignment is None:
            known = {exercise.assignment for exercise in exercises.values()}
            self.assignment = assignment_of(self.shell.user_ns, known)
        message = messages.hello(self.session, self.assignment, exercises)
        message.data["sequence"] = self._sequence
        return message

    def _tell(self, message: Message) -> None:
        """Say something new, and keep it for a lab that comes later."""
        self._sequence += 1
        message.data["sequence"] = self._sequence
        if message.size > KEPT_BYTES:
            large = [key for key, kept in self._latest.items() if kept.size > KEPT_BYTES]
            for key in large:
                del self._latest[key]
        self._latest[message.key] = message
        if not self._comms:
            self._open()  # sends everything that is kept
            return
        self._publish(message)

    def _publish(self, message: Message) -> None:
        if self._heard or (not self._refused and message.size <= UNHEARD_BYTES):
            self._send(message)

    def _send(self, message: Message) -> None:
        data = message.stamped()
        for comm in list(self._comms.values()):
            comm.send(data, buffers=list(message.buffers) or None)


def _exercises() -> Mapping[str, Exercise]:
    if "torch" not in sys.modules:
        return {}  # the checks need it, and nothing has happened that could need them
    from attention_course.checks import EXERCISES

    return EXERCISES


def _running_cell(shell: Any) -> str | None:
    try:
        return str(shell.get_parent()["metadata"]["cellId"])
    except (AttributeError, KeyError, TypeError, LookupError):
        return None
