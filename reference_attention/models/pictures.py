"""The picture of a comparison: the model's weights, somebody's, and where they differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from .comparison import ModelComparison
from .embedding import Picture, html_table
from .plotting import WEIGHTS_PALETTE, bokeh_models, label, matrix_figure, new_figure


def visualize_model_comparison(comparison: ModelComparison) -> Picture:
    """The model's weights, yours, their signed difference, and the error of every head.

    Rows are queries, columns keys. Where your attention could not go on, the model's weights
    are shown with what went wrong.
    """
    from bokeh.layouts import gridplot

    place = f"layer {comparison.layer}, head {comparison.head}"
    tokens = comparison.tokens
    models = comparison.model_weights[comparison.layer, comparison.head]
    figures = [_weights_figure(models, tokens, f"Model: weights of {place}")]
    if comparison.weights is not None:
        yours = comparison.weights[comparison.layer, comparison.head]
        figures.append(_weights_figure(yours, tokens, "Yours"))
        figures.append(_difference_figure(yours - models, tokens))
    if comparison.head_errors is not None:
        figures.append(_errors_figure(comparison.head_errors, comparison.tolerance))
    layout = gridplot(figures, ncols=2, toolbar_location=None)
    rows = [
        [stage.name, str(list(stage.shape)), f"{stage.error:.2e}", "yes" if stage.agrees else "no"]
        for stage in comparison.stages
    ]
    table = html_table(
        ["stage", "shape", "largest difference", "agrees"], rows, f"Stage by stage, {place}"
    )
    if comparison.head_errors is not None:
        layers, heads = comparison.head_errors.shape
        table += html_table(
            ["layer", *(f"head {head}" for head in range(heads))],
            [
                [
                    str(layer),
                    *(f"{comparison.head_errors[layer, head]:.1e}" for head in range(heads)),
                ]
                for layer in range(layers)
            ],
            "Largest difference of each head's output",
        )
    return Picture(layout, comparison.sentence, table)


def _weights_figure(weights: Tensor, tokens: Sequence[str], title: str) -> Any:
    return matrix_figure(weights, tokens, title, WEIGHTS_PALETTE, 0.0, 1.0)


def _difference_figure(difference: Tensor, tokens: Sequence[str]) -> Any:
    from bokeh.palettes import PuOr11

    # Never a smaller scale than this: rounding noise must not look like a difference.
    reach = max(0.01, float(difference.abs().max()))
    return matrix_figure(difference, tokens, "Yours minus the model's", PuOr11, -reach, reach)


def _errors_figure(errors: Tensor, tolerance: float) -> Any:
    layers, heads = errors.shape
    plot = new_figure(
        title="Largest difference of each head's output",
        width=400,
        height=380,
        x_range=(0, heads),
        y_range=(layers, 0),
        x_axis_label="head",
        y_axis_label="layer",
        tooltips=[("largest difference", "@image{0.0e+0}")],
    )
    # From well under the tolerance to plainly wrong, the same in every picture.
    mapper = bokeh_models().LogColorMapper(palette=WEIGHTS_PALETTE, low=tolerance / 1000, high=1.0)
    shown = errors.clamp(min=tolerance / 1000).numpy()
    plot.image([shown], x=0, y=0, dw=heads, dh=layers, color_mapper=mapper)
    plot.add_layout(bokeh_models().ColorBar(color_mapper=mapper, width=10), "right")
    for axis, count in ((plot.xaxis, heads), (plot.yaxis, layers)):
        label(axis, {i + 0.5: str(i) for i in range(count)})
    return plot
