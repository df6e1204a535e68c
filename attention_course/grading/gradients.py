"""Gradients across the wall: ``loss.backward()`` in a test reaches the student's process.

A result that belongs to a graph over there gets one node of autograd here. Its backward sends
the gradient over, where it flows into the student's parameters, and brings back the gradients
of the arguments that the test had handed in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from attention_course.grading.remote import Wall


class _AcrossTheWall(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, wall: Any, value: Any, root: int, call: int, places: Any, *inputs: Any
    ) -> Any:
        ctx.request = (wall, root, call, places)
        return value.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Any) -> Any:
        wall, root, call, places = ctx.request
        data, chunks = wall.encode(gradient.contiguous())
        found = wall.ask(
            "backward", chunks, root=root, call=call, inputs=list(places), gradient=data
        )
        found = (
            found if isinstance(found, list) and len(found) == len(places) else [None] * len(places)
        )
        return (None, None, None, None, None, *found, None)


def mark_inputs(data: list[Any], args: Any, kwargs: Any) -> tuple[tuple[int, Any], ...]:
    """Number the tensor arguments that want gradients, in the request and in the result."""
    encoded = [*data[1][0][1], *(pair[1] for pair in data[1][1][1])]
    inputs = []
    for place, (sent, value) in enumerate(zip(encoded, [*args, *kwargs.values()], strict=True)):
        if sent[0] == "T" and sent[5] and "leaf" in sent[5]:
            sent[5] = {"leaf": True, "input": place}
            inputs.append((place, value))
    return tuple(inputs)


def attach(wall: Wall, value: Any, root: int, call: int, inputs: Any) -> Any:
    """``value`` as the result of a node whose backward asks the student's process."""
    places = tuple(place for place, _ in inputs)
    # With no input of ours that wants a gradient, the node must still be part of a graph.
    ticket = torch.empty(0, requires_grad=True)
    return _AcrossTheWall.apply(
        wall, value, root, call, places, *(tensor for _, tensor in inputs), ticket
    )
