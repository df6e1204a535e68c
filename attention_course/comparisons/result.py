"""What a comparison gives back, and the small sums that several comparisons share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from attention_course.views.matrices import Matrix
from attention_course.views.table import Table
from attention_course.views.view import View


@dataclass(frozen=True, slots=True)
class Comparison:
    """One sentence, the numbers behind it by name, and a picture of them.

    ``problem`` is True where an answer could not be used; the sentence then says why.
    """

    sentence: str
    numbers: Mapping[str, Any] = field(default_factory=dict)
    view: View = field(default_factory=View)
    problem: bool = False

    def __repr__(self) -> str:
        return self.view.text()

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return self.view._repr_mimebundle_(include, exclude)


def told(title: str, sentence: str, numbers: Mapping[str, Any] | None = None) -> Comparison:
    """A comparison that could not be made: the sentence that says why, and no picture."""
    return Comparison(sentence, numbers or {}, View(title, sentence), problem=True)


def nothing() -> Comparison:
    """What stands for a comparison where a submission is run: no work, no picture."""
    return Comparison("")


def facts(caption: str, columns: Sequence[str], rows: Mapping[str, Sequence[str]]) -> Table:
    """A small table that stands open above the picture."""
    return Table(caption, tuple(rows), tuple(columns), tuple(tuple(row) for row in rows.values()))


def entropies(weights: Matrix) -> Matrix:
    """The entropy of every row of ``weights`` [n_q, n_k] in bits: [n_q].

    0 where one key gets everything, log2(n_k) where all keys get the same. NaN for a row that is
    not made of shares.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = -weights * np.log2(weights)
    # A share of 0 adds nothing: p log p goes to 0 with p.
    return np.asarray(np.where(weights == 0, 0.0, terms).sum(axis=-1)) + 0.0


def rows_sum_to_1(weights: Matrix) -> bool:
    """Whether these are weights at all, so that shares and entropies mean something."""
    return bool((weights >= 0).all() and np.allclose(weights.sum(axis=-1), 1, atol=1e-3))
