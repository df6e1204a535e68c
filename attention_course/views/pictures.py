"""The four pictures of the course."""

from __future__ import annotations

import numpy as np

from attention_course.views.labels import number_style, shortened
from attention_course.views.matrices import (
    Matrix,
    ViewError,
    drawing_is_off,
    finite,
    names_of_axes,
    read_matrix,
)
from attention_course.views.palettes import (
    Scale,
    difference_scale,
    scale_for,
    words_for_oddities,
)
from attention_course.views.table import table_of
from attention_course.views.view import Panel, View

MOST_ARROWS = 144  # 12 tokens on 12; beyond, only the strongest of each query are drawn
ARROWS_EACH = 3


def heatmap(
    weights: object,
    tokens: object,
    *,
    key_tokens: object | None = None,
    title: str | None = None,
) -> View:
    """Scores or weights as colours: a row for each query, a column for each key.

    ``weights``: [n_q, n_k] or [1, n_q, n_k], a tensor, array or lists; NaN and infinity are
    shown as such. ``tokens``: n_q texts; ``key_tokens``: n_k texts where the keys are others.
    Raises ViewError (a ValueError) with one sentence if they do not fit.
    """
    if drawing_is_off():
        return View()
    matrix = read_matrix(weights, "weights")
    rows, columns = names_of_axes(matrix, tokens, key_tokens, "weights")
    title = title or "Attention"
    return View(
        title,
        f"Rows are queries, columns are keys. {_largest(matrix, rows, columns)}",
        (heat_panel("", matrix, rows, columns, value=_name_of_numbers(matrix)),),
        (table_of(title, matrix, rows, columns),),
        numbers={"weights": matrix.tolist()},
    )


def flow(
    weights: object,
    tokens: object,
    *,
    key_tokens: object | None = None,
    title: str | None = None,
) -> View:
    """Who looks at whom: an arrow from each query to each key, thicker for more weight.

    ``weights``: [n_q, n_k] or [1, n_q, n_k], none negative. With many tokens only the three
    strongest arrows of each query are drawn; the table has all numbers.
    """
    if drawing_is_off():
        return View()
    matrix = read_matrix(weights, "weights")
    rows, columns = names_of_axes(matrix, tokens, key_tokens, "weights")
    if (finite(matrix) < 0).any():
        raise ViewError(
            f"weights holds {finite(matrix).min():.3g}, and a negative weight has no arrow; give "
            "the weights after softmax, or use views.heatmap for scores."
        )
    title = title or "Flow of attention"
    edges, said = _edges(matrix)

    def draw() -> object:
        from attention_course.views.graphs import flow_figure

        return flow_figure(matrix, rows, columns, edges)

    legend = (
        "An arrow leads from a token that looks (query) to one that is looked at (key); the "
        f"thicker, the more weight. Orange: the strongest of each query.{said}"
    )
    panel = Panel(
        "", f"Directed graph of attention. {_largest(matrix, rows, columns)}", legend, draw
    )
    return View(
        title,
        _largest(matrix, rows, columns),
        (panel,),
        (table_of(title, matrix, rows, columns),),
        numbers={"weights": matrix.tolist()},
    )


def steps(
    queries: object,
    keys: object,
    values: object,
    tokens: object,
    *,
    key_tokens: object | None = None,
    title: str | None = None,
) -> View:
    """Attention step by step: raw scores, scaled scores, weights, output.

    ``queries`` [n_q, d_k], ``keys`` [n_k, d_k], ``values`` [n_k, d_v], each also with a leading
    dimension of size 1. The steps are computed here in float64, independently of any answer.
    """
    if drawing_is_off():
        return View()
    q, k, v = (
        read_matrix(thing, name)
        for thing, name in ((queries, "queries"), (keys, "keys"), (values, "values"))
    )
    if q.shape[1] != k.shape[1]:
        raise ViewError(
            f"queries has shape {list(q.shape)} and keys {list(k.shape)}; both need the same "
            "width d_k, or they cannot be compared."
        )
    if k.shape[0] != v.shape[0]:
        raise ViewError(
            f"keys has shape {list(k.shape)} and values {list(v.shape)}; there must be one value "
            "for each key."
        )
    with np.errstate(all="ignore"):
        raw = q @ k.T
        scaled = raw / np.sqrt(q.shape[1])
        weights = _softmax(scaled)
        output = weights @ v
    rows, columns = names_of_axes(raw, tokens, key_tokens, "queries times keys")
    root = np.sqrt(q.shape[1])
    features = tuple(f"feature {number}" for number in range(v.shape[1]))
    headings = (
        "1. Raw scores: queries times keys",
        f"2. Scaled: divided by \N{SQUARE ROOT}{q.shape[1]} = {root:.3g}",
        "3. Weights: softmax of each row",
        "4. Output: values mixed by the weights",
    )
    panels = (
        heat_panel(headings[0], raw, rows, columns, value="score"),
        heat_panel(headings[1], scaled, rows, columns, value="score"),
        heat_panel(headings[2], weights, rows, columns),
        heat_panel(
            headings[3],
            output,
            rows,
            tuple(str(number) for number in range(v.shape[1])),
            value="output",
            column_axis="feature of the output",
        ),
    )
    tables = tuple(
        table_of(heading, matrix, rows, columns)
        for heading, matrix in zip(headings[:3], (raw, scaled, weights), strict=True)
    )
    last = table_of(headings[3], output, rows, features, corner="query")
    spread = number_style([raw.std(), scaled.std()], most=2)
    sentence = (
        f"Scaling divides the standard deviation of the scores by {root:.3g}, from "
        f"{spread(float(raw.std()))} to {spread(float(scaled.std()))}. "
        f"{_largest(weights, rows, columns)}"
    )
    return View(
        title or "Attention, step by step",
        sentence,
        panels,
        (*tables, last),
        numbers={
            "raw_scores": raw.tolist(),
            "scaled_scores": scaled.tolist(),
            "weights": weights.tolist(),
            "output": output.tolist(),
        },
    )


def compare(
    yours: object,
    reference: object,
    tokens: object,
    *,
    key_tokens: object | None = None,
    title: str | None = None,
    names: tuple[str, str] = ("Yours", "Reference"),
) -> View:
    """Two matrices side by side on one scale, and the first minus the second.

    ``yours`` and ``reference``: [n_q, n_k] or [1, n_q, n_k] alike. The colours of the
    difference are balanced around 0; rounding (under 0.001) stays white.
    """
    if drawing_is_off():
        return View()
    first, second = read_matrix(yours, names[0]), read_matrix(reference, names[1])
    if first.shape != second.shape:
        raise ViewError(
            f"{names[0]} has shape {list(first.shape)} and {names[1]} {list(second.shape)}; only "
            "matrices of the same shape can be compared."
        )
    rows, columns = names_of_axes(first, tokens, key_tokens, names[0])
    with np.errstate(invalid="ignore"):
        difference = first - second
    # Infinity minus infinity is NaN, but two equal masks do not differ.
    difference[(first == second) | (np.isnan(first) & np.isnan(second))] = 0.0
    scale, value = scale_for(first, second), _name_of_numbers(second)
    heading = f"{names[0]} minus {names[1][:1].lower()}{names[1][1:]}"
    return View(
        title or f"{names[0]} and {names[1][:1].lower()}{names[1][1:]}",
        _difference(first, second, difference, rows, columns, names),
        (
            heat_panel(names[0], first, rows, columns, scale=scale, value=value, widest=300),
            heat_panel(names[1], second, rows, columns, scale=scale, value=value, widest=300),
            heat_panel(
                heading,
                difference,
                rows,
                columns,
                scale=difference_scale(difference),
                value="difference",
                widest=300,
            ),
        ),
        (
            table_of(names[0], first, rows, columns),
            table_of(names[1], second, rows, columns),
            table_of(heading, difference, rows, columns),
        ),
        numbers={
            "yours": first.tolist(),
            "reference": second.tolist(),
            "difference": difference.tolist(),
        },
    )


def heat_panel(
    heading: str,
    matrix: Matrix,
    rows: tuple[str, ...],
    columns: tuple[str, ...],
    *,
    scale: Scale | None = None,
    value: str = "weight",
    row_axis: str = "query (looks)",
    column_axis: str = "key (is looked at)",
    widest: int = 560,
) -> Panel:
    """One heatmap among the panels of a view."""
    scale = scale or scale_for(matrix)

    def draw() -> object:
        from attention_course.views.plots import heat_figure

        return heat_figure(
            matrix,
            rows,
            columns,
            scale,
            row_axis=row_axis,
            column_axis=column_axis,
            value=value,
            widest=widest,
        )

    size = f"{matrix.shape[0]} rows ({row_axis}), {matrix.shape[1]} columns ({column_axis})"
    return Panel(
        heading,
        f"Heatmap. {heading + '. ' if heading else ''}{size}. The numbers are in the table below.",
        scale.words + words_for_oddities(matrix),
        draw,
    )


def _name_of_numbers(matrix: Matrix) -> str:
    """What the colour bar calls the numbers: weights only if each row shares out 1."""
    shares = bool((matrix >= 0).all()) and np.allclose(matrix.sum(axis=1), 1.0, atol=1e-3)
    return "weight" if shares else "value"


def _softmax(scores: Matrix) -> Matrix:
    shifted = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True))


def _largest(matrix: Matrix, rows: tuple[str, ...], columns: tuple[str, ...]) -> str:
    """One sentence on where the largest number stands, and on what is no number."""
    values = finite(matrix)
    if values.size == 0:
        return "None of the numbers is finite."
    i, j = _place(np.where(np.isfinite(matrix), matrix, -np.inf))
    odd = matrix.size - values.size
    said = f" {odd} of {matrix.size} entries are NaN or infinite." if odd else ""
    if values.max() == values.min() and not odd:
        return f"All entries are {number_style(values)(float(values[0]))}."
    number = number_style(matrix)(float(matrix[i, j]))
    return f"Largest: {_pair(rows, columns, i, j)}, {number}.{said}"


def _place(matrix: Matrix) -> tuple[int, int]:
    """Row and column of the largest number."""
    row, column = divmod(int(np.argmax(matrix)), matrix.shape[1])
    return row, column


def _pair(rows: tuple[str, ...], columns: tuple[str, ...], i: int, j: int) -> str:
    return f"{shortened(rows[i])} \N{RIGHTWARDS ARROW} {shortened(columns[j])}"


def _difference(
    first: Matrix,
    second: Matrix,
    difference: Matrix,
    rows: tuple[str, ...],
    columns: tuple[str, ...],
    names: tuple[str, str],
) -> str:
    odd = int((~np.isfinite(difference)).sum())
    if odd:
        return (
            f"In {odd} of {difference.size} entries only one of the two is a finite number, or "
            "they are not the same infinity."
        )
    i, j = _place(np.abs(difference))
    largest = float(abs(difference[i, j]))
    if largest == 0:
        return "The two are equal in every entry."
    write = number_style(np.array([first[i, j], second[i, j]]))
    where = f"{_pair(rows, columns, i, j)} ({write(first[i, j])} and {write(second[i, j])})"
    rounding = "" if largest > 1e-4 else " That is the rounding of float32, no fault."
    return f"Largest difference: {largest:.2g}, at {where}.{rounding}"


def _edges(matrix: Matrix) -> tuple[list[tuple[int, int]], str]:
    """The arrows to draw, and a sentence on those that are not drawn."""
    usable = np.isfinite(matrix) & (matrix > 0)
    said = ""
    if matrix.size > MOST_ARROWS:
        order = np.argsort(-np.where(usable, matrix, -1.0), axis=1, kind="stable")
        strongest = np.zeros_like(usable)
        np.put_along_axis(strongest, order[:, :ARROWS_EACH], True, axis=1)
        usable &= strongest
        said = f" Only the {ARROWS_EACH} strongest of each query are drawn."
    odd = int((~np.isfinite(matrix)).sum())
    if odd:
        said += f" {odd} weights are NaN or infinite and have no arrow."
    return [(int(i), int(j)) for i, j in np.argwhere(usable)], said
