"""What may come in: tensors, arrays or lists, checked, as plain float64 matrices.

Nothing here imports torch: a tensor is known by what it can do.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attention_course.views.labels import visible

Matrix = NDArray[np.float64]

SANDBOX_VARIABLE = "ATTENTION_COURSE_SANDBOX"


class ViewError(ValueError):
    """What was given cannot be drawn; the message says what came in and what is wanted."""


def drawing_is_off() -> bool:
    """True in the process that runs a submission while it is graded: nobody looks there."""
    return os.environ.get(SANDBOX_VARIABLE) == "1"


def read_matrix(thing: object, name: str) -> Matrix:
    """A matrix [rows, columns] from a tensor, an array or nested lists.

    Leading dimensions of size 1 are dropped ([1, n, n] is one matrix); any other shape, and
    anything that is not made of real numbers, raises ViewError.
    """
    array = _as_array(thing, name)
    shape = list(array.shape)
    while array.ndim > 2 and array.shape[0] == 1:
        array = array[0]
    if array.ndim > 2:
        raise ViewError(
            f"{name} has shape {shape}: that is {_count(array)} matrices, and one is drawn at a "
            f"time. Choose one, for example {name}[{', '.join('0' * (array.ndim - 2))}]."
        )
    if array.ndim < 2:
        raise ViewError(
            f"{name} has shape {shape}; a matrix is needed, with two dimensions "
            "(or three, the first of size 1)."
        )
    if array.size == 0:
        raise ViewError(f"{name} has shape {shape}: there is nothing in it to draw.")
    return array


def read_tokens(thing: object, name: str = "tokens") -> tuple[str, ...]:
    """The tokens as visible text. One long string is refused: its letters would be the tokens."""
    if isinstance(thing, str | bytes):
        raise ViewError(
            f"{name} is one text ({visible(thing)[:40]!r}); give a list with one text for each "
            f"token, for example {name}.split()."
        )
    if hasattr(thing, "tolist"):
        thing = thing.tolist()
    try:
        return tuple(visible(token) for token in thing)  # type: ignore[attr-defined]
    except TypeError:
        raise ViewError(
            f"{name} is {_article(type(thing).__name__)}; give a list with one text for each token."
        ) from None


def names_of_axes(
    matrix: Matrix, tokens: object, key_tokens: object | None, name: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Labels of rows and columns; ViewError if there are not as many as rows or columns."""
    rows = read_tokens(tokens)
    columns = rows if key_tokens is None else read_tokens(key_tokens, "key_tokens")
    shape = list(matrix.shape)
    if len(rows) != shape[0]:
        raise ViewError(
            f"{name} has shape {shape}, but there are {len(rows)} tokens; rows are queries, so "
            f"{len(rows)} rows are needed."
        )
    if len(columns) != shape[1]:
        what = "tokens" if key_tokens is None else "key_tokens"
        advice = " Give key_tokens= if the keys are others." if key_tokens is None else ""
        raise ViewError(
            f"{name} has shape {shape}, but there are {len(columns)} {what}; columns are keys, "
            f"so {len(columns)} columns are needed.{advice}"
        )
    return rows, columns


def finite(values: Matrix) -> Matrix:
    """The finite numbers among the values, in one row."""
    return values[np.isfinite(values)]


def _as_array(thing: Any, name: str) -> Matrix:
    if thing is None:
        raise ViewError(f"{name} is None. Has the cell that computes it been run?")
    if isinstance(thing, tuple | list) and any(getattr(part, "ndim", 0) for part in thing):
        parts: Sequence[Any] = thing
        if any(getattr(part, "ndim", None) != 1 for part in parts):
            raise ViewError(
                f"{name} is a {type(thing).__name__} of {len(parts)} tensors; give the one that "
                "is to be drawn."
            )
        thing = [_as_array(part, name) for part in parts]
    if hasattr(thing, "detach"):
        thing = _from_tensor(thing, name)
    try:
        array = np.asarray(thing)
    except (TypeError, ValueError):
        raise ViewError(f"{name} has rows of different lengths, so it is no matrix.") from None
    if array.dtype.kind not in "fiub":
        kind = array.dtype.name if array.dtype.kind == "c" else type(thing).__name__
        raise ViewError(f"{name} is {_article(kind)}; a matrix of real numbers is needed.")
    return array.astype(np.float64)


def _from_tensor(tensor: Any, name: str) -> Any:
    tensor = tensor.detach()
    if tensor.is_complex():
        raise ViewError(f"{name} holds complex numbers; a matrix of real numbers is needed.")
    try:
        tensor = tensor.to_dense() if tensor.is_sparse else tensor
        # NumPy knows no bfloat16; float64 holds every other kind exactly.
        return tensor.cpu().double().numpy()
    except (RuntimeError, NotImplementedError, TypeError):
        raise ViewError(
            f"{name} is a tensor on {tensor.device} whose numbers cannot be read here."
        ) from None


def _article(kind: str) -> str:
    return f"{'an' if kind[:1] in 'aeiou' else 'a'} {kind}"


def _count(array: Matrix) -> int:
    return int(np.prod(array.shape[:-2]))
