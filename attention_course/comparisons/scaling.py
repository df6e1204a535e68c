"""With and without division by sqrt(d_k)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from attention_course.comparisons.answers import (
    AnswerProblem,
    call,
    name_of,
    one_of_a_batch,
    tensor,
)
from attention_course.comparisons.result import (
    Comparison,
    entropies,
    facts,
    nothing,
    rows_sum_to_1,
    told,
)
from attention_course.views.matrices import (
    Matrix,
    ViewError,
    drawing_is_off,
    names_of_axes,
    read_matrix,
)
from attention_course.views.palettes import scale_for
from attention_course.views.pictures import heat_panel
from attention_course.views.table import table_of
from attention_course.views.view import View

TITLE = "With and without scaling"
# The student's factor may be off by float32 rounding; a wrong one is off by a multiple.
FACTOR_TOLERANCE = 0.01


def scaling(
    queries: Any,
    keys: Any,
    tokens: Any,
    *,
    scores: Callable[..., Any] | None = None,
    softmax: Callable[..., Any] | None = None,
    key_tokens: Any = None,
) -> Comparison:
    """The weights from raw scores beside those from scaled scores.

    ``queries`` [n_q, d_k] and ``keys`` [n_k, d_k], each also with a leading 1. ``scores`` and
    ``softmax`` are the student's ``scaled_dot_product_scores`` and ``softmax_weights`` (or the
    reference's, if left out). Numbers: for "raw" and "scaled" the standard deviation of the
    scores, the mean over queries of the largest weight, and of the entropy in bits.
    """
    if drawing_is_off():
        return nothing()
    from reference_attention import scaled_dot_product_scores, softmax_weights

    scores, softmax = scores or scaled_dot_product_scores, softmax or softmax_weights
    q, k = one_of_a_batch(queries, "queries"), one_of_a_batch(keys, "keys")
    if q.shape[-1] != k.shape[-1]:
        raise ViewError(
            f"queries have {q.shape[-1]} features and keys {k.shape[-1]}; both need d_k."
        )
    raw = q @ k.transpose(-2, -1)
    shape = tuple(raw.shape)
    rows, columns = names_of_axes(read_matrix(raw, "scores"), tokens, key_tokens, "scores")
    try:
        name = name_of(scores)
        scaled = tensor(name, call(name, scores, q, k), shape)
        name = name_of(softmax)
        weights = {
            "raw": read_matrix(tensor(name, call(name, softmax, raw), shape), name),
            "scaled": read_matrix(tensor(name, call(name, softmax, scaled), shape), name),
        }
        for matrix in weights.values():
            if not rows_sum_to_1(matrix):
                raise AnswerProblem(
                    f"{name} gave rows that are no weights (each must be shares that sum to 1). "
                    "Run its check."
                )
    except AnswerProblem as problem:
        return told(TITLE, str(problem))
    numbers = {
        kind: _numbers(read_matrix(values, "scores"), weights[kind])
        for kind, values in (("raw", raw), ("scaled", scaled))
    }
    # The factor by which the student's scores differ from the raw ones (least squares).
    power = float((raw * raw).sum())
    factor = float((raw * scaled).sum()) / power if power > 0 else math.nan
    numbers["factor"] = {"found": factor, "expected": 1 / math.sqrt(q.shape[-1])}
    sentence = _sentence(numbers, q.shape[-1], len(columns))
    headings = {
        "raw": "Without: softmax of the raw scores",
        "scaled": "With: softmax of your scaled scores",
    }
    scale = scale_for(*weights.values())
    view = View(
        TITLE,
        sentence,
        tuple(
            heat_panel(headings[kind], matrix, rows, columns, scale=scale, widest=300)
            for kind, matrix in weights.items()
        ),
        tuple(table_of(headings[kind], matrix, rows, columns) for kind, matrix in weights.items()),
        (_facts(numbers, len(columns)),),
        numbers=numbers,
    )
    return Comparison(sentence, numbers, view)


def _numbers(scores: Matrix, weights: Matrix) -> dict[str, float]:
    return {
        "scores_std": float(scores.std()),
        "largest_weight": float(weights.max(axis=-1).mean()),
        "entropy": float(entropies(weights).mean()),
    }


def _facts(numbers: dict[str, dict[str, float]], n_k: int) -> Any:
    columns = (
        "spread of the scores",
        "largest weight",
        f"entropy (0 to {math.log2(n_k):.2f} bits)",
    )
    rows = {
        words: [
            f"{numbers[kind][each]:.2f}" for each in ("scores_std", "largest_weight", "entropy")
        ]
        for kind, words in (("raw", "without scaling"), ("scaled", "with scaling"))
    }
    return facts(
        "In numbers: standard deviation of the scores, means over the queries", columns, rows
    )


def _sentence(numbers: dict[str, dict[str, float]], d_k: int, n_k: int) -> str:
    found, expected = numbers["factor"]["found"], numbers["factor"]["expected"]
    if np.isfinite(found) and abs(found / expected - 1) > FACTOR_TOLERANCE:
        said = "are not scaled" if abs(found - 1) < FACTOR_TOLERANCE else f"are {found:.3g} times"
        rest = "" if said == "are not scaled" else " the raw ones"
        return (
            f"Your scores {said}{rest}; dividing by √{d_k} makes them {expected:.3g} times the raw "
            "ones. Run check.attention_scores, then this cell again."
        )
    raw, scaled = numbers["raw"], numbers["scaled"]
    gap = raw["largest_weight"] - scaled["largest_weight"]
    if abs(gap) < 0.005:
        return (
            f"Here scaling changes little: the largest weight of a query is "
            f"{scaled['largest_weight']:.0%} on average either way, because the raw scores already "
            f"spread by only {raw['scores_std']:.2g}."
        )
    direction = "sharper" if gap > 0 else "flatter"
    return (
        f"Without scaling the weights are {direction}: a query gives "
        f"{raw['largest_weight']:.0%} of its attention to one of {n_k} keys on average, with "
        f"scaling {scaled['largest_weight']:.0%}; the entropy goes from {raw['entropy']:.2f} to "
        f"{scaled['entropy']:.2f} bits."
    )
