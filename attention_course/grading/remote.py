"""What stands in the grader's process for what the student defined.

A name that the tests do not define themselves is looked up in the student's process. Plain
data and arrays come back as copies; a function, class or object comes back as a *stand-in*
whose calls and attributes travel over the wall. Nothing that a stand-in says about itself
decides a comparison with data of the grader's: ``stand_in == 5`` is False whatever the
student's ``__eq__`` answers, and truth is not asked for.
"""

from __future__ import annotations

import builtins
import inspect
import sys
import time
import types
from collections.abc import Callable, Iterator
from typing import Any

from attention_course.grading.outputs import checked
from attention_course.grading.sandbox import (
    Limits,
    Sandbox,
    SandboxEnded,
    SandboxTimeout,
)
from attention_course.grading.sandbox.wire import Decoder, Encoder, WireError
from attention_course.verdict import AnswerStopped

REFERABLE = ("builtins", "torch", "numpy", "math", "operator", "collections", "functools")
HIDDEN = ("_repr_", "_ipython_", "__array", "__torch", "__cuda", "_cdata")


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
            raise AnswerStopped(f"its process sent {error}") from error

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
            raise AnswerStopped(f"its process sent {error}") from error
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
        if self.ended is not None:
            raise AnswerStopped(self.ended)
        self.number += 1
        number = self.number
        try:
            self.sandbox.send({**request, "id": number}, chunks or ())
            while True:
                header, payload = self.sandbox.receive(self._seconds())
                if "callback" in header:
                    self._call_back(header, payload)
                elif header.get("id") == number:
                    return header, payload
                else:
                    self._break_off("its process sent a message that nobody asked for")
        except SandboxTimeout as error:
            if not error.alive:
                self.ended = f"the code was {error} and did not react to an interrupt"
            raise AnswerStopped(f"the code was {error} (the time limit)") from error
        except SandboxEnded as error:
            self.ended = f"{error}"
            raise AnswerStopped(self.ended) from error

    def _break_off(self, reason: str) -> None:
        self.sandbox.close()
        self.ended = reason
        raise AnswerStopped(reason)

    def _seconds(self) -> float | None:
        left = None if self.deadline is None else self.deadline - time.monotonic()
        choices = [limit for limit in (self.limits.cell, left) if limit is not None]
        return min(choices) if choices else None

    def _call_back(self, header: dict[str, Any], payload: memoryview) -> None:
        """The student's code calls a function that a test handed to it."""
        try:
            function = self._callbacks[int(header["callback"])]
            arguments, named = self._decoder(payload).decode(header["args"])
        except (WireError, LookupError, TypeError, ValueError):
            self._break_off("its process sent a call that cannot be read")
        encoder = Encoder(self._export)
        try:
            answer: dict[str, Any] = {"value": encoder.encode(function(*arguments, **named))}
        except Exception as error:
            answer = {"raise": type(error).__name__, "message": str(error)}
            encoder = Encoder(self._export)
        self.sandbox.send(answer, encoder.chunks)

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
        except (TypeError, ValueError) as error:
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


def _local_class(bases: Any) -> type | None:
    """The class of torch's modules that a student's object derives from, if any.

    Nothing else is ever claimed: C code that asks ``isinstance(x, Tensor)`` goes on to read
    memory that a stand-in does not have.
    """
    torch: Any = sys.modules.get("torch")
    for name in bases if torch is not None and isinstance(bases, list) else []:
        module, _, rest = str(name).rpartition(".")
        if not module.startswith("torch.nn."):
            continue
        found = getattr(sys.modules.get(module), rest, None)
        if isinstance(found, type) and issubclass(found, torch.nn.Module):
            return found
    return None


class StandIn:
    """An object of the student's that stays in the student's process."""

    def __init__(self, wall: Wall, handle: int, described: dict[str, Any]) -> None:
        object.__setattr__(self, "_at", (wall, handle))
        object.__setattr__(self, "_described", described)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        described = object.__getattribute__(self, "_described")
        return _local_class(described.get("bases")) or type(self)

    def __getattr__(self, name: str) -> Any:
        if name.startswith(HIDDEN):
            raise AttributeError(name)
        wall, handle = object.__getattribute__(self, "_at")
        return wall.ask("getattr", target=handle, name=name)

    def __setattr__(self, name: str, value: Any) -> None:
        wall, handle = object.__getattribute__(self, "_at")
        data, chunks = wall.encode(value)
        wall.ask("setattr", chunks, target=handle, name=name, value=data)

    def __delattr__(self, name: str) -> None:
        wall, handle = object.__getattribute__(self, "_at")
        wall.ask("delattr", target=handle, name=name)

    def __getitem__(self, key: Any) -> Any:
        wall, handle = object.__getattribute__(self, "_at")
        data, chunks = wall.encode(key)
        return wall.ask("getitem", chunks, target=handle, key=data)

    def __setitem__(self, key: Any, value: Any) -> None:
        wall, handle = object.__getattribute__(self, "_at")
        data, chunks = wall.encode([key, value])
        wall.ask("setitem", chunks, target=handle, value=data)

    def __iter__(self) -> Iterator[Any]:
        wall, handle = object.__getattribute__(self, "_at")
        place = wall.ask("iter", target=handle)
        return _remote_items(wall, place)

    def __contains__(self, item: Any) -> bool:
        # Compared here: a container that claims to hold everything holds what it lists.
        return any(item is found or item == found for found in self)

    def __len__(self) -> int:
        wall, handle = object.__getattribute__(self, "_at")
        return int(wall.ask("length", target=handle))

    def __bool__(self) -> bool:
        return True

    def __dir__(self) -> list[str]:
        wall, handle = object.__getattribute__(self, "_at")
        return [str(name) for name in wall.ask("dir", target=handle)]

    def __str__(self) -> str:
        return _text_of(self, "str")

    def __repr__(self) -> str:
        described = object.__getattribute__(self, "_described")
        return f"<{described.get('type', 'object')} of the student's>"

    def __hash__(self) -> int:
        return hash(("stand-in", object.__getattribute__(self, "_at")[1]))

    def __eq__(self, other: object) -> bool:
        if not isinstance_of(other, StandIn):
            return False  # an object that claims to equal everything equals no data of ours
        if object.__getattribute__(self, "_at") == object.__getattribute__(other, "_at"):
            return True
        return _binary(self, other, "eq") is True

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __int__(self) -> int:
        return int(_number(self, "int"))

    def __float__(self) -> float:
        return float(_number(self, "float"))

    def __index__(self) -> int:
        return int(_number(self, "index"))


def isinstance_of(value: object, kind: type) -> bool:
    """Whether ``value`` really is a ``kind`` here; stand-ins claim their student's class."""
    return issubclass(type(value), kind)


def _text_of(stand_in: StandIn, form: str) -> str:
    wall, handle = object.__getattribute__(stand_in, "_at")
    return str(wall.ask("text", target=handle, form=form))


def _number(stand_in: StandIn, form: str) -> Any:
    wall, handle = object.__getattribute__(stand_in, "_at")
    return wall.ask("number", target=handle, form=form)


def _binary(left: Any, right: Any, name: str) -> Any:
    """An operator between two of the student's objects; never between theirs and ours."""
    if not (isinstance_of(left, StandIn) and isinstance_of(right, StandIn)):
        return NotImplemented
    wall, handle = object.__getattribute__(left, "_at")
    other_wall, other = object.__getattribute__(right, "_at")
    if wall is not other_wall:
        return NotImplemented
    return wall.ask("binary", target=handle, other=other, operator=name)


def _operator(name: str) -> Callable[[Any, Any], Any]:
    return lambda left, right: _binary(left, right, name)


for _name in (
    "add",
    "sub",
    "mul",
    "matmul",
    "truediv",
    "floordiv",
    "mod",
    "pow",
    "lt",
    "le",
    "gt",
    "ge",
):
    setattr(StandIn, f"__{_name}__", _operator(_name))


def _remote_items(wall: Wall, place: int) -> Iterator[Any]:
    while True:
        item = wall.ask("next", target=place)
        if not item:
            return
        yield item[0]


class CallableStandIn(StandIn):
    """A function, method, class instance with ``__call__``, or module of the student's."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        wall, handle = object.__getattribute__(self, "_at")
        return wall.call(handle, args, kwargs)

    @property
    def __signature__(self) -> inspect.Signature:
        wall, handle = object.__getattribute__(self, "_at")
        parameters = [
            inspect.Parameter(
                str(name),
                list(inspect._ParameterKind)[int(kind)],
                default=None if has_default else inspect.Parameter.empty,
            )
            for name, kind, has_default in wall.ask("signature", target=handle)
        ]
        return inspect.Signature(parameters)


class ClassStandIn(CallableStandIn):
    """A class of the student's; ``isinstance`` and ``issubclass`` work with it."""

    @property
    def __bases__(self) -> tuple[type, ...]:
        described = object.__getattribute__(self, "_described")
        return (_local_class(described.get("bases")) or object,)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type

    def __instancecheck__(self, instance: Any) -> bool:
        if not isinstance_of(instance, StandIn):
            return False
        wall, handle = object.__getattribute__(self, "_at")
        other_wall, other = object.__getattribute__(instance, "_at")
        return wall is other_wall and wall.ask("isinstance", target=handle, other=other) is True


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
