"""What stands in the grader's process for what the student defined.

A function, class or object of the student's comes back as a *stand-in* whose calls and
attributes travel over the wall. Nothing that a stand-in says about itself decides a comparison
with data of the grader's: ``stand_in == 5`` is False whatever the student's ``__eq__`` answers,
and truth is not asked for.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from attention_course.grading.remote import Wall

HIDDEN = ("_repr_", "_ipython_", "__array", "__torch", "__cuda", "_cdata")


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
