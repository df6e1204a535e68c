"""Matrices and tokens as they travel: float32 in bounded sizes, names in bounded lengths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attention_course.views.labels import shortened, visible
from attention_course.views.matrices import ViewError, read_matrix

LARGEST_SIDE = 1024
LONGEST_TOKEN = 80
LONGEST_NOTE = 400


@dataclass(frozen=True, slots=True)
class Encoded:
    """One matrix ready to travel; ``full_shape`` is its size before sampling."""

    numbers: NDArray[np.float32]
    full_shape: tuple[int, int]
    left_out: int = 0  # further matrices of the batch

    @property
    def sampled(self) -> bool:
        return self.numbers.shape != self.full_shape


def encode(thing: Any, name: str) -> Encoded:
    """A copy of a matrix, or of the first one of a batch, as float32 of at most 1024 x 1024.

    Raises ViewError, with a sentence for the student, for what is no matrix.
    """
    if _is_numeric_tensor(thing):
        thing = thing.detach()
    else:
        thing = read_matrix(thing, name) if _ndim(thing) <= 2 else np.asarray(thing)
    if thing.ndim < 2 or 0 in thing.shape:
        read_matrix(thing, name)  # raises, and says what came
    left_out = int(np.prod(thing.shape[:-2], dtype=np.int64)) - 1
    while thing.ndim > 2:
        thing = thing[0]
    full = int(thing.shape[0]), int(thing.shape[1])
    for axis, size in enumerate(full):
        if size > LARGEST_SIDE:
            thing = _chosen(thing, axis, places(size))
    return Encoded(_float32(thing, name), full, left_out)


def places(size: int) -> NDArray[np.int64]:
    """Which rows or columns of ``size`` are sent: all, or 1024 evenly spaced ones."""
    if size <= LARGEST_SIDE:
        return np.arange(size)
    return np.rint(np.linspace(0, size - 1, LARGEST_SIDE)).astype(np.int64)


def names(tokens: Any, size: int) -> list[str] | None:
    """The names of ``size`` rows or columns as sent; None where the tokens are not as many."""
    if isinstance(tokens, str | bytes) or not hasattr(tokens, "__len__"):
        return None
    if len(tokens) != size:
        return None
    try:
        return [_name(tokens[int(place)]) for place in places(size)]
    except (TypeError, KeyError, IndexError):
        return None


def numbered(size: int) -> list[str]:
    """Numbers as names, where there are no tokens or not as many."""
    return [str(place) for place in places(size)]


def note(text: str) -> str:
    return shortened(" ".join(text.split()), LONGEST_NOTE)


def notes_on(encoded: Encoded, what: str) -> list[str]:
    """What the student should know of a matrix that is not shown whole."""
    said = []
    if encoded.left_out:
        said.append(
            f"{what} holds {encoded.left_out + 1} matrices; the first of the batch is shown."
        )
    if encoded.sampled:
        rows, columns = encoded.full_shape
        shown = " x ".join(map(str, encoded.numbers.shape))
        said.append(
            f"{what} has {rows} x {columns} entries; evenly spaced ones are shown, {shown}."
        )
    return said


def _name(token: Any) -> str:
    # Cut before and after: a token of 10 MB must not be walked through sign by sign, and one
    # sign may become several when it is made visible.
    text = token if isinstance(token, str) else str(token)
    return shortened(visible(text[: LONGEST_TOKEN + 1]), LONGEST_TOKEN)


def _is_numeric_tensor(thing: Any) -> bool:
    return (
        hasattr(thing, "detach")
        and hasattr(thing, "is_complex")
        and not (thing.is_complex() or thing.is_sparse or thing.is_quantized)
    )


def _ndim(thing: Any) -> int:
    return int(getattr(thing, "ndim", 2))


def _chosen(thing: Any, axis: int, chosen: NDArray[np.int64]) -> Any:
    if hasattr(thing, "index_select"):
        import torch

        return thing.index_select(axis, torch.as_tensor(chosen, device=thing.device))
    return np.take(thing, chosen, axis=axis)


def _float32(thing: Any, name: str) -> NDArray[np.float32]:
    if hasattr(thing, "detach"):
        # float() of NumPy's own kinds would do, but bfloat16 is none of them.
        thing = thing.float().cpu().numpy()
    array = np.asarray(thing)
    if array.dtype.kind not in "fiub":
        raise ViewError(f"{name} does not hold real numbers, so it is not drawn.")
    with np.errstate(over="ignore"):  # what float32 cannot hold is infinite there
        # A copy in any case: the student's next line may change the tensor in place.
        return np.array(array, dtype="<f4", order="C", copy=True)


def buffers_of(matrices: Sequence[Encoded]) -> list[memoryview]:
    return [encoded.numbers.data.cast("B") for encoded in matrices]
