"""Calling a student's answer: what comes back is checked, what goes wrong becomes a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from attention_course.views.matrices import ViewError

if TYPE_CHECKING:
    from torch import Tensor

LONGEST_MESSAGE = 200


class AnswerProblem(Exception):
    """An answer could not be used; the message is one sentence for the student."""


def name_of(answer: Callable[..., Any], fallback: str = "your function") -> str:
    """What the student calls it; an instance has the name of its class."""
    own = getattr(answer, "__name__", None) or type(answer).__name__
    return fallback if own in ("<lambda>", "function", "partial") else str(own)


@contextmanager
def sentences_for(name: str) -> Iterator[None]:
    """Whatever the student's code raises in this block comes out as AnswerProblem."""
    try:
        yield
    except AnswerProblem:
        raise
    except NotImplementedError:
        raise AnswerProblem(
            f"{name} is not written yet. Replace `raise NotImplementedError()` with your answer, "
            "then run this cell again."
        ) from None
    except Exception as error:
        said = " ".join(str(error).split())
        if len(said) > LONGEST_MESSAGE:
            said = said[: LONGEST_MESSAGE - 1] + "…"
        what = f"{type(error).__name__}: {said}" if said else type(error).__name__
        raise AnswerProblem(
            f"{name} raised {what}. Run its check: it says what to change."
        ) from None


def call(name: str, answer: Callable[..., Any], *arguments: Any) -> Any:
    """The answer's result. It works on copies: what it changes in place stays its own affair."""
    copies = [each.clone() if hasattr(each, "clone") else each for each in arguments]
    with sentences_for(name):
        return answer(*copies)


def tensor(name: str, result: Any, shape: Sequence[int], which: str = "") -> Tensor:
    """The result as a tensor of ``shape`` (leading ones may differ), or AnswerProblem."""
    import torch

    where = f"{name}: {which}" if which else name
    if not isinstance(result, torch.Tensor):
        article = "nothing (None)" if result is None else f"a {type(result).__name__}"
        raise AnswerProblem(f"{where} gave {article}; a tensor {list(shape)} is needed.")
    found = result.detach()
    wanted = without_ones(shape)
    if without_ones(found.shape) != wanted:
        raise AnswerProblem(
            f"{where} gave the shape {list(found.shape)}; {list(shape)} is needed. Run its check."
        )
    return found.reshape(shape)


def without_ones(shape: Sequence[int]) -> tuple[int, ...]:
    """A shape without its leading ones, but with at least two dimensions."""
    sizes = list(shape)
    while len(sizes) > 2 and sizes[0] == 1:
        sizes.pop(0)
    return tuple(sizes)


def one_of_a_batch(thing: Any, name: str) -> Tensor:
    """What the cell hands over, [n, d] or [1, n, d], as a float32 or float64 tensor [1, n, d].

    Raises ViewError, a ValueError, for anything else: that is the cell's mistake, not an answer's.
    """
    import torch

    if not isinstance(thing, torch.Tensor):
        raise ViewError(f"{name} is a {type(thing).__name__}; give a tensor [n, d] or [1, n, d].")
    if len(without_ones(thing.shape)) != 2 or thing.ndim < 2 or thing.numel() == 0:
        raise ViewError(f"{name} has shape {list(thing.shape)}; it must be [n, d] or [1, n, d].")
    found = thing.detach()
    found = found if found.dtype in (torch.float32, torch.float64) else found.float()
    return found.reshape(1, *found.shape[-2:])
