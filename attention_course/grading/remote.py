"""The grader's side of the wall: asks the student's process and decodes what comes back.

A name that the tests do not define themselves is looked up over there. Plain data and arrays
come back as copies; a function, class or object comes back as a stand-in.
"""

from __future__ import annotations

import builtins
import sys
import time
import types
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from attention_course.grading.outputs import checked
from attention_course.grading.sandbox import (
    Limits,
    Sandbox,
    SandboxEnded,
    SandboxTakenAway,
    SandboxTimeout,
)
from attention_course.grading.sandbox.wire import Decoder, Encoder, WireError
from attention_course.grading.stand_ins import CallableStandIn, ClassStandIn, StandIn
from attention_course.verdict import AnswerStopped, Ungradable

REFERABLE = ("builtins", "torch", "numpy", "math", "operator", "collections", "functools")
ENDS_A_LOOP = (StopIteration, StopAsyncIteration)


class Wall:
    """The grader's side of one student process: requests out, plain values back.

    ``printed`` receives what the student's code printed while it was asked something.
    """

    def __init__(self, sandbox: Sandbox, limits: Limits, printed: Callable[[str], None]) -> None:
        self.sandbox = sandbox
        self.limits = limits
        self.printed = printed
        self.ended: str | None = None
        self.deadline: float | None = None
        self.number = 0
        # Files that a test and an answer hand each other: called before each question, and
        # after one that left files behind.
        self.before_question: Callable[[], None] | None = None
        self.after_files: Callable[[], None] | None = None
        self._callbacks: list[Callable[..., Any]] = []
        self._exceptions: dict[int, type[Exception]] = {}

    # -- exchanges --------------------------------------------------------------------------

    def ask(self, op: str, chunks: list[bytes] | None = None, **request: Any) -> Any:
        """One request and its decoded answer; the student's exceptions are raised here."""
        header, payload = self.exchange({"op": op, **request}, chunks)
        self._pass_on(header, payload)
        try:
            return self._decoder(payload).decode(header.get("value"))
        except WireError as error:
            self._break_off(f"its process sent {error}")

    def put(self, files: Mapping[str, bytes]) -> None:
        """Hand files over into the student's working folder."""
        listed, at = [], 0
        for name, data in files.items():
            listed.append([name, at, len(data)])
            at += len(data)
        self.exchange({"op": "put", "files": listed}, list(files.values()))

    def call(self, handle: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call one of the student's functions; in-place changes reach the arguments here."""
        from attention_course.grading.gradients import mark_inputs

        data, chunks = self.encode([list(args), kwargs])
        inputs = mark_inputs(data, args, kwargs)
        request = {"op": "call", "target": handle, "args": data}
        header, payload = self.exchange(request, chunks)
        self._pass_on(header, payload)
        try:
            value = self._decoder(payload, header["id"], inputs).decode(header.get("value"))
            changed = self._decode_changed(header.get("changed") or [], payload)
        except WireError as error:
            self._break_off(f"its process sent {error}")
        places = [*args, *kwargs.values()]
        for place, new in changed:
            if 0 <= place < len(places):
                write_back(places[place], new)
        return value

    def _pass_on(self, header: dict[str, Any], payload: memoryview) -> None:
        """Hand on what was printed; raise what was raised."""
        for item in checked(header.get("outputs")):
            if item["output_type"] == "stream":
                self.printed(item["text"])
        if "error" in header:
            raise self._raised(header["error"], payload)

    def exchange(
        self, request: dict[str, Any], chunks: list[bytes] | None = None
    ) -> tuple[dict[str, Any], memoryview]:
        if self.before_question is not None:
            self.before_question()
        if self.ended is not None:
            raise AnswerStopped(self.ended)
        self.number += 1
        number = self.number
        # One limit for the whole exchange: a call back from over there does not renew it, nor
        # does an answer that comes late or twice, which is passed over.
        end = self._end()
        try:
            left = None if end is None else end - time.monotonic()
            self.sandbox.send({**request, "id": number}, chunks or (), left)
            while True:
                left = None if end is None else end - time.monotonic()
                header, payload = self.sandbox.receive(left)
                if "callback" in header:
                    self._call_back(header, payload, left)
                elif header.get("id") == number:
                    if header.get("files") is True and self.after_files is not None:
                        self.after_files()
                    return header, payload
                elif type(header.get("id")) is not int or header["id"] > number:
                    self._break_off("its process sent a message that nobody asked for")
        except SandboxTimeout as error:
            limits = ((self.limits.cell, "a cell or a test"), (self.limits.submission, "all cells"))
            said = " and ".join(f"{s:g} s for {what}" for s, what in limits if s is not None)
            stopped = f"the code was stopped at the time limit ({said})"
            if not error.alive:
                self.ended = f"{stopped} and did not react to an interrupt"
            raise AnswerStopped(stopped) from error
        except SandboxEnded as error:
            self.ended = f"{error}"
            if isinstance(error, SandboxTakenAway):
                raise Ungradable(self.ended) from error
            raise AnswerStopped(self.ended) from error

    def _break_off(self, reason: str) -> NoReturn:
        self.sandbox.close()
        self.ended = reason
        raise AnswerStopped(reason)

    def _end(self) -> float | None:
        """When the exchange that begins now must be over, by time.monotonic()."""
        cell = None if self.limits.cell is None else time.monotonic() + self.limits.cell
        ends = [end for end in (cell, self.deadline) if end is not None]
        return min(ends) if ends else None

    def _call_back(
        self, header: dict[str, Any], payload: memoryview, seconds: float | None
    ) -> None:
        """The student's code calls a function that a test handed to it."""
        try:
            function = self._callbacks[int(header["callback"])]
            arguments, named = self._decoder(payload).decode(header["args"])
        except (WireError, ArithmeticError, LookupError, TypeError, ValueError):
            self._break_off("its process sent a call that cannot be read")
        encoder = Encoder(self._export)
        try:
            answer: dict[str, Any] = {"value": encoder.encode(function(*arguments, **named))}
        except Exception as error:
            answer = {"raise": type(error).__name__, "message": str(error)}
            encoder = Encoder(self._export)
        self.sandbox.send(answer, encoder.chunks, seconds)

    # -- values -----------------------------------------------------------------------------

    def encode(self, value: Any) -> tuple[list[Any], list[bytes]]:
        encoder = Encoder(self._export)
        return encoder.encode(value), encoder.chunks

    def _export(self, value: Any) -> list[Any]:
        if isinstance(value, StandIn):
            wall, handle = object.__getattribute__(value, "_at")
            if wall is not self:
                raise AnswerStopped("it belongs to a process of the student's that has ended")
            return ["h", handle]
        reference = _reference(value)
        if reference:
            return reference
        if isinstance(value, types.FunctionType | types.MethodType | types.BuiltinFunctionType):
            self._callbacks.append(value)
            return ["callback", len(self._callbacks) - 1]
        raise TypeError(f"a {type(value).__name__} cannot be handed to the student's process")

    def _decoder(self, payload: memoryview, call: int | None = None, inputs: Any = ()) -> Decoder:
        def tensor(value: Any, more: dict[str, Any]) -> Any:
            root = more.get("graph")
            if call is None or more.get("leaf") or type(root) is not int:
                return value
            from attention_course.grading.gradients import attach

            return attach(self, value, root, call, inputs)

        return Decoder(payload, self._resolve, tensor)

    def _decode_changed(self, changed: Any, payload: memoryview) -> list[tuple[int, Any]]:
        decode = self._decoder(payload).decode
        try:
            return [(int(place), decode(value)) for place, value in changed]
        except (ArithmeticError, TypeError, ValueError) as error:
            raise WireError("changes that cannot be read") from error

    def _resolve(self, data: list[Any]) -> Any:
        if data[0] == "module" and isinstance(data[1], str):
            # The student's `np` is the grader's own numpy, never theirs.
            if data[1].split(".")[0] in REFERABLE and data[1] in sys.modules:
                return sys.modules[data[1]]
            return StandIn(self, int(data[2]), {"type": "module", "name": data[1]})
        if data[0] == "h" and type(data[1]) is int and isinstance(data[2], dict):
            described = data[2]
            if described.get("class") is True:
                if "builtins.BaseException" in described.get("bases", ()):
                    return self._exception_class(data[1], described)
                return ClassStandIn(self, data[1], described)
            kind = CallableStandIn if described.get("callable") is True else StandIn
            return kind(self, data[1], described)
        raise WireError("a value that is not of this protocol")

    def _raised(self, error: Any, payload: memoryview) -> Exception:
        if not isinstance(error, dict):
            return AnswerStopped("its process sent a message that cannot be read")
        name, message = str(error.get("name")), str(error.get("message"))
        if name in ("SystemExit", "KeyboardInterrupt"):
            return AnswerStopped(f"the code raised {name}")
        known, bases = error.get("class"), error.get("bases")
        own = isinstance(bases, list) and bases and not str(bases[0]).startswith("builtins.")
        if type(known) is int and own:
            kind = self._exception_class(known, {"bases": bases, "name": name})
        else:
            kind = _nearest_exception(bases)
        try:
            arguments = self._decoder(payload).decode(error["args"])
        except (WireError, KeyError):
            arguments = ()
        arguments = arguments if isinstance(arguments, tuple) and arguments else (message,)
        if issubclass(kind, ENDS_A_LOOP):
            # From within map or zip it would end the test's own loop, with nothing asserted.
            kind, arguments = RuntimeError, (f"the code raised {name[:200]}",)
        try:
            raised = kind(*arguments)
        except Exception:
            raised = Exception(message)
        lines = error.get("lines")
        raised.student_name = name[:200]  # type: ignore[attr-defined]
        raised.student_lines = [str(x)[:300] for x in lines] if isinstance(lines, list) else []  # type: ignore[attr-defined]
        return raised

    def _exception_class(self, handle: int, described: dict[str, Any]) -> type[Exception]:
        """A class of our own for a student's exception class, so that ``except`` can name it."""
        if handle not in self._exceptions:
            base = _nearest_exception(described.get("bases"))
            name = str(described.get("name") or "StudentError")
            name = name if name.isidentifier() else "StudentError"
            self._exceptions[handle] = type(name, (base,), {"__module__": "student"})
        return self._exceptions[handle]


def _nearest_exception(bases: Any) -> type[Exception]:
    for name in bases if isinstance(bases, list) else []:
        if isinstance(name, str) and name.startswith("builtins."):
            kind = getattr(builtins, name.removeprefix("builtins."), None)
            if isinstance(kind, type) and issubclass(kind, Exception):
                return kind
    return Exception


def _reference(value: Any) -> list[Any] | None:
    """How the student's process finds a library function or class by name."""
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if isinstance(value, types.ModuleType) or not isinstance(module, str) or not name:
        return None
    if module.split(".")[0] not in REFERABLE:
        return None
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return ["ref", module, name] if found is value else None


def write_back(ours: Any, new: Any) -> None:
    """Let an argument show here what the student's code did to its copy there."""
    if type(ours) is not type(new):
        return
    if isinstance(ours, list):
        ours[:] = new
    elif isinstance(ours, dict | set):
        ours.clear()
        ours.update(new)
    elif type(ours).__module__ == "numpy" and ours.shape == new.shape and ours.dtype == new.dtype:
        ours[...] = new
    elif type(ours).__module__ == "torch" and ours.dtype == new.dtype:
        ours.data = new.detach()
