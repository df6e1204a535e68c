"""Calls a student's code on a fixture and brings back plain numbers, whatever comes.

Nothing of what comes back is trusted: results become plain float64 tensors before anything
is compared, so an object that claims to equal everything has nothing to say.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from attention_course.checks.policy import watch
from attention_course.exercise import Answer, Fixture
from attention_course.verdict import Ungradable

MOST_ENTRIES = 10_000_000

ARGUMENTS = {
    "linear_projections": ("embeddings", "W_q", "W_k", "W_v"),
    "attention_scores": ("queries", "keys"),
    "attention_weights": ("attention_scores",),
    "value_aggregation": ("attention_weights", "values"),
    "attention_head": ("embeddings",),
    "simple_attention": ("x",),
}


def _is_local(answer: Any) -> bool:
    # By its type, not isinstance: a stand-in for a function elsewhere says that it is one.
    return issubclass(type(answer), types.FunctionType | types.MethodType | type)


def call(answer: Any, kind: str, fixture: Fixture, instance: Any = None) -> Answer:
    """One call of a function, or of an instance of a class: the one given, or a new one."""
    inputs = tuple(tensor.clone() for tensor in fixture.inputs)

    def run() -> Answer:
        if fixture.state is None:
            return Answer(answer(*inputs))
        module = build(answer, fixture) if instance is None else instance
        value = module(*inputs)
        extra: dict[str, Any] = {"module": module}
        if kind == "simple_attention":
            kept = getattr(module, "attention_weights", None)
            # A copy: the next call of the instance may write into the same tensor.
            extra["attention_weights"] = kept.detach().clone() if type(kept) is Tensor else kept
        return Answer(value, extra=extra)

    result = guarded(run, _is_local(answer))
    changed = tuple(
        name
        for name, given, kept in zip(ARGUMENTS[kind], inputs, fixture.inputs, strict=True)
        if not _same_bits(given, kept)
    )
    return Answer(result.value, result.error, changed, result.ready_made, result.extra)


def guarded(run: Callable[[], Answer], local: bool) -> Answer:
    """``run()``, with what the student's code raised as its error.

    A KeyboardInterrupt of the person at the keyboard, and what is our own fault, pass through.
    """
    seen: dict[str, None] = {}
    dtype = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        # Neither of these settings is asked for, and a notebook may have changed both.
        with torch.enable_grad():
            if local:
                with watch() as seen:
                    result = run()
            else:
                result = run()
    except (KeyboardInterrupt, Ungradable):
        raise
    except BaseException as error:
        return Answer(error=error, ready_made=tuple(seen))
    finally:
        torch.set_default_dtype(dtype)
    return Answer(result.value, None, (), tuple(seen), result.extra)


def build(answer: Any, fixture: Fixture) -> Any:
    """An instance of the student's class with the fixture's parameters loaded.

    Raises WrongLayers where the expected layers are not there.
    """
    module = answer(*fixture.sizes)
    assert fixture.state is not None
    if not isinstance(module, torch.nn.Module):
        raise WrongLayers({}, fixture.state)
    # Copies: what the student's class does to them must not reach the reference.
    state = {name: tensor.clone() for name, tensor in fixture.state.items()}
    try:
        module.load_state_dict(state)
        return module
    except RuntimeError:
        pass  # it has other parameters, or more: see which
    own = module.state_dict()
    shapes = {name: tuple(plain_shape(value)) for name, value in own.items()}
    if any(shapes.get(name) != tuple(value.shape) for name, value in state.items()):
        raise WrongLayers(shapes, fixture.state)
    module.load_state_dict({**own, **state})
    return module


class WrongLayers(Exception):
    """The class has not the layers that the exercise names."""

    def __init__(self, found: Mapping[str, tuple[int, ...]], wanted: Mapping[str, Tensor]) -> None:
        super().__init__("the layers are not those that the exercise asks for")
        self.found = dict(found)
        self.wanted = {name: tuple(value.shape) for name, value in wanted.items()}
        self.only_biases = all(
            name.endswith("bias") or self.found.get(name) == shape
            for name, shape in self.wanted.items()
        )


def plain_shape(value: Any) -> tuple[int, ...]:
    """The shape of a tensor as plain numbers; ``(-1,)`` for what has none."""
    try:
        return tuple(int(size) for size in torch.Size(value.shape))
    except Exception:
        return (-1,)


def _same_bits(left: Tensor, right: Tensor) -> bool:
    if left.shape != right.shape or left.dtype != right.dtype:
        return False
    return torch.equal(left.detach().nan_to_num(7.25), right.nan_to_num(7.25))


class NotATensor(Exception):
    """A result that is no tensor of numbers; the message says what it is."""


def as_numbers(value: Any) -> Tensor:
    """A student's result as a plain float64 tensor without a graph.

    Raises NotATensor with one sentence for anything else: an array, a list, a lazily expanded
    giant, a sparse or complex tensor.
    """
    if not issubclass(type(value), Tensor):
        raise NotATensor(f"returned {describe(value)}, where a torch tensor is expected")
    with torch._C.DisableTorchFunctionSubclass():
        unusual = value.layout is not torch.strided or value.is_quantized or value.is_nested
        if unusual or value.device.type != "cpu":
            raise NotATensor("returned a sparse, nested or empty kind of tensor")
        if value.is_complex():
            raise NotATensor("returned complex numbers")
        if value.numel() > MOST_ENTRIES:
            raise NotATensor(
                f"returned a tensor of shape {show(tuple(value.shape))}: far too large"
            )
        try:
            return Tensor.detach(value).as_subclass(Tensor).to(torch.float64).clone()
        except RuntimeError as error:  # a tensor whose storage was freed, a functorch wrapper
            raise NotATensor("returned a tensor whose numbers cannot be read") from error


def describe(value: Any) -> str:
    """A result's type in words; never its own repr, which is the student's code."""
    if value is None:
        return "None (is there a return statement?)"
    kind = type(value)
    if kind is Tensor:
        return f"one tensor of shape {show(value.shape)}"
    if kind in (list, tuple, dict, set):
        return f"a {kind.__name__} of {len(value)}"
    module = _OWN_MODULE.__get__(kind)
    named = "" if module in ("builtins", "__main__") else f"{module}."
    return f"a value of type {named}{name_of(kind)}"[:120]


# type's own descriptors: a metaclass may answer ``kind.__name__`` with code of the student's.
_OWN_NAME, _OWN_MODULE = type.__dict__["__name__"], type.__dict__["__module__"]


def name_of(kind: type) -> str:
    """The name of a class, without asking its metaclass."""
    return str(_OWN_NAME.__get__(kind))


def show(shape: tuple[int, ...] | torch.Size) -> str:
    """A shape as the lesson writes it: ``[2, 5, 7]``."""
    return "[" + ", ".join(str(int(size)) for size in shape) + "]"
