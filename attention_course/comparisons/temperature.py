"""The same scores at several temperatures: softmax(scores / T)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from attention_course.comparisons.answers import AnswerProblem, call, name_of, tensor
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
from attention_course.views.view import Panel, View

TITLE = "Temperatures"
TEMPERATURES = (0.25, 0.5, 1.0, 2.0, 4.0)
MOST_TEMPERATURES = 8


def temperatures(
    scores: Any,
    tokens: Any,
    *,
    softmax: Callable[..., Any] | None = None,
    temperatures: Iterable[float] = TEMPERATURES,
    key_tokens: Any = None,
) -> Comparison:
    """How temperature, by which scores are divided before softmax, sharpens or flattens weights.

    ``scores`` [n_q, n_k] or [1, n_q, n_k]; ``softmax`` is the student's ``softmax_weights`` (or
    the reference's). ``temperatures``: up to 8 positive numbers. Numbers, for each temperature:
    the entropy of every row in bits, its mean, and the mean of the largest weight.
    """
    if drawing_is_off():
        return nothing()
    import torch

    from reference_attention import softmax_weights

    chosen = _checked(temperatures)
    matrix = read_matrix(scores, "scores")
    rows, columns = names_of_axes(matrix, tokens, key_tokens, "scores")
    softmax = softmax or softmax_weights
    name = name_of(softmax)
    batch = torch.from_numpy(matrix).float().unsqueeze(0)
    weights: dict[float, Matrix] = {}
    try:
        for each in chosen:
            found = call(name, softmax, batch / each)
            weights[each] = read_matrix(tensor(name, found, tuple(batch.shape)), name)
            if not rows_sum_to_1(weights[each]):
                raise AnswerProblem(
                    f"{name} gave rows that are no weights at temperature {each:g}, where scores "
                    f"reach {np.abs(matrix[np.isfinite(matrix)]).max(initial=0) / each:.3g}. "
                    "Run its check."
                )
    except AnswerProblem as problem:
        return told(TITLE, str(problem))
    per_row = {each: entropies(found) for each, found in weights.items()}
    numbers: dict[Any, dict[str, Any]] = {
        each: {
            "entropies": per_row[each].tolist(),
            "entropy": float(per_row[each].mean()),
            "largest_weight": float(weights[each].max(axis=-1).mean()),
        }
        for each in chosen
    }
    means = [float(per_row[each].mean()) for each in chosen]
    sentence = _sentence(chosen, means, len(columns))
    scale = scale_for(*weights.values())
    heading = "Entropy of every query's weights, in bits"
    table = table_of(
        heading,
        np.stack([per_row[each] for each in chosen], axis=1),
        rows,
        [f"T = {each:g}" for each in chosen],
        corner="query",
    )
    view = View(
        TITLE,
        sentence,
        (
            Panel(
                heading,
                f"Lines: {sentence}",
                "One line for each query, the thick one is their mean; the dashed line is the most "
                f"that {len(columns)} keys allow. The tables have every temperature.",
                lambda: _lines(chosen, per_row, rows, len(columns)),
            ),
            *(
                heat_panel(f"T = {each:g}", weights[each], rows, columns, scale=scale, widest=230)
                for each in _shown(chosen)
            ),
        ),
        (table, *(table_of(f"T = {each:g}", weights[each], rows, columns) for each in chosen)),
        (_facts(chosen, numbers, len(columns)),),
        numbers=numbers,
    )
    return Comparison(sentence, numbers, view)


def _shown(chosen: tuple[float, ...]) -> tuple[float, ...]:
    """The coldest, the middle and the hottest: the tables below have the others too."""
    return tuple(dict.fromkeys((chosen[0], chosen[len(chosen) // 2], chosen[-1])))


def _checked(temperatures: Iterable[float]) -> tuple[float, ...]:
    chosen = tuple(dict.fromkeys(sorted(float(each) for each in temperatures)))
    if not 1 <= len(chosen) <= MOST_TEMPERATURES:
        raise ViewError(f"give 1 to {MOST_TEMPERATURES} temperatures; {len(chosen)} came.")
    if not all(0 < each < math.inf for each in chosen):
        raise ViewError(f"temperatures must be above 0; {chosen[0]:g} came.")
    return chosen


def _sentence(chosen: tuple[float, ...], means: list[float], n_k: int) -> str:
    most = math.log2(n_k)
    if len(chosen) == 1:
        return f"At temperature {chosen[0]:g} the entropy is {means[0]:.2f} of {most:.2f} bits."
    falls = [
        (low, high)
        for low, high, before, after in zip(chosen, chosen[1:], means, means[1:], strict=False)
        if after < before - 1e-4
    ]
    if falls:
        low, high = falls[0]
        return (
            f"From temperature {low:g} to {high:g} the entropy falls, though a higher temperature "
            "must flatten the weights: run check.attention_weights."
        )
    if means[-1] - means[0] < 1e-3:
        return (
            f"The entropy is {means[0]:.2f} of {most:.2f} bits at every temperature: where all "
            "scores of a row are equal, or one is far ahead, there is nothing to sharpen."
        )
    keys = [2**mean for mean in (means[0], means[-1])]
    return (
        f"From temperature {chosen[0]:g} to {chosen[-1]:g} the entropy grows from "
        f"{means[0]:.2f} to {means[-1]:.2f} bits (at most {most:.2f}): a query looks at about "
        f"{keys[0]:.1f} keys when cold and at about {keys[1]:.1f} of {n_k} when hot."
    )


def _facts(chosen: tuple[float, ...], numbers: dict[Any, dict[str, Any]], n_k: int) -> Any:
    return facts(
        "In numbers (means of all queries)",
        (f"entropy in bits (0 to {math.log2(n_k):.2f})", "largest weight"),
        {
            f"T = {each:g}": [
                f"{numbers[each]['entropy']:.2f}",
                f"{numbers[each]['largest_weight']:.2f}",
            ]
            for each in chosen
        },
    )


def _lines(
    chosen: tuple[float, ...], per_row: dict[float, Matrix], rows: tuple[str, ...], n_k: int
) -> Any:
    from bokeh.models.annotations import Span
    from bokeh.models.tools import HoverTool

    from attention_course.views.palettes import BLUE, GREY, ORANGE
    from attention_course.views.plots import plain_figure

    most = math.log2(n_k)
    plot = plain_figure(
        width=380,
        height=300,
        x_axis_type="log",
        y_range=(-0.04 * (most or 1), 1.08 * (most or 1)),
        x_axis_label="temperature",
        y_axis_label="entropy in bits",
    )
    entropy = np.stack([per_row[each] for each in chosen])
    plot.add_layout(Span(location=most, dimension="width", line_dash="dashed", line_color=GREY))
    lines = plot.multi_line(
        "xs",
        "ys",
        source={
            "xs": [list(chosen)] * len(rows),
            "ys": entropy.T.tolist(),
            "token": list(rows),
        },
        line_color=BLUE,
        line_alpha=0.6,
        line_width=1.5,
    )
    mean = {"T": list(chosen), "mean": entropy.mean(axis=1).tolist()}
    plot.line("T", "mean", source=mean, line_color=ORANGE, line_width=4)
    dots = plot.scatter("T", "mean", source=mean, fill_color=ORANGE, line_color=None, size=9)
    plot.xaxis.ticker = list(chosen)
    plot.xaxis.major_label_overrides = {each: f"{each:g}" for each in chosen}
    plot.add_tools(
        HoverTool(renderers=[lines], tooltips=[("query", "@token"), ("bits", "$data_y{0.00}")]),
        HoverTool(renderers=[dots], tooltips=[("temperature", "@T"), ("mean", "@mean{0.00} bits")]),
    )
    return plot
