"""All heads of a model on one prompt: an overview to choose from and one head shown large."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from .embedding import Picture, html_table
from .generation import OWN
from .hook import Trace, attention_in, observed
from .loading import PROMPT_EXAMPLE, LoadedModel, load_mini_transformer
from .plotting import SHOWN_LABELS, WEIGHTS_PALETTE, bokeh_models, label, new_figure
from .steps import AttentionSteps

GAP = 2  # empty cells between two heads of the overview


@torch.no_grad()
def browse_heads(
    prompt: str | Tensor | list[int] = PROMPT_EXAMPLE,
    *,
    model: LoadedModel | None = None,
    attention: AttentionSteps | Mapping[str, Any] | Any | None = OWN,
) -> Picture:
    """Every head of a model on one prompt: a grid of layers by heads, one of them shown large.

    Click a head, or choose its layer and head above the picture. ``attention`` is "own" for the
    model's, None for the reference's, or somebody's functions (those may raise AttentionFault).
    """
    loaded = model or load_mini_transformer()
    traces: list[Trace] = []
    own = isinstance(attention, str) and attention == OWN
    place = (
        observed(loaded.model, traces)
        if own
        else attention_in(loaded.model, attention, record=traces)
    )
    with place:
        loaded.model(loaded.token_ids(prompt), use_cache=False)
    weights = torch.cat([trace.weights for trace in traces])  # [layers, heads, n, n]
    return heads_picture(weights, loaded.tokens(prompt), loaded.name)


def heads_picture(weights: Tensor, tokens: Sequence[str], name: str) -> Picture:
    """The browser for given weights [layers, heads, n, n]; 6 x 12 x 128 x 128 is no trouble.

    All heads are one image, of one byte a weight; the large view is the same image through a
    smaller window, so that choosing a head moves no data.
    """
    from bokeh.layouts import row

    layers, heads, n, _ = weights.shape
    source = bokeh_models().ColumnDataSource({"image": [_mosaic(weights)]})
    chosen = bokeh_models().BoxAnnotation(
        left=-GAP / 2,
        right=n + GAP / 2,
        bottom=-GAP / 2,
        top=n + GAP / 2,
        fill_alpha=0,
        line_color="#d55e00",
        line_alpha=1.0,
        line_width=3,
    )
    overview = _overview(source, layers, heads, n)
    overview.add_layout(chosen)
    detail = _detail(source, layers, heads, tokens)
    choose = bokeh_models().CustomJS(
        args={"x": detail.x_range, "y": detail.y_range, "box": chosen, "title": detail.title},
        code=f"""
            const step = {n + GAP}, n = {n};
            const head = cb_obj.head ?? Math.floor((cb_obj.x + {GAP / 2}) / step);
            const layer = cb_obj.layer ?? Math.floor((cb_obj.y + {GAP / 2}) / step);
            if (head < 0 || layer < 0 || head >= {heads} || layer >= {layers}) return;
            x.setv({{start: head * step, end: head * step + n}});
            y.setv({{start: layer * step + n, end: layer * step}});
            box.setv({{left: head * step - {GAP / 2}, right: head * step + n + {GAP / 2},
                       bottom: layer * step - {GAP / 2}, top: layer * step + n + {GAP / 2}}});
            title.text = `Layer ${{layer}}, head ${{head}}`;
        """,
    )
    choose.tags, detail.title.tags = ["choose"], ["where"]
    overview.js_on_event("tap", choose)
    options = [
        "".join(f"<option value={i}>{i}</option>" for i in range(count))
        for count in (layers, heads)
    ]
    controls = (
        f'<p><label>Layer <select class="attention-layer">{options[0]}</select></label> '
        f'<label>Head <select class="attention-head">{options[1]}</select></label></p>'
    )
    each = "one head in each" if heads == 1 else f"{heads} heads in each"
    text = (
        f"All {layers * heads} heads of {name} ({layers} layers, {each}) on "
        f"{n} tokens. Rows are queries, columns keys; brightness grows with "
        f"the square root of the weight, so that small weights show too."
    )
    table = html_table(
        [
            "layer, head",
            "to itself",
            "to the previous token",
            "to the first token",
            "strongest link",
        ],
        _summaries(weights, tokens),
        "Where each head looks, on average over the prompt's queries",
    )
    return Picture(row(overview, detail), text, table, controls, _WIRE_SELECTS)


_WIRE_SELECTS = """
  const [layer, head] = [".attention-layer", ".attention-head"].map(s => root.querySelector(s));
  const tagged = tag => [...plot._all_models.values()].find(m => m.tags?.includes(tag));
  const [choose, where] = [tagged("choose"), tagged("where")];
  const show = () => choose.execute({layer: +layer.value, head: +head.value});
  layer.addEventListener("change", show);
  head.addEventListener("change", show);
  // A click in the picture moves the two selects along.
  where.properties.text.change.connect(
    () => { [layer.value, head.value] = where.text.match(/\\d+/g); });
"""


def _mosaic(weights: Tensor) -> Any:
    """All heads in one image of bytes, [layers * (n + GAP), heads * (n + GAP)].

    A byte holds the square root of a weight: among 128 tokens most weights are small.
    """
    layers, heads, n, _ = weights.shape
    step = n + GAP
    image = torch.zeros(layers, step, heads, step, dtype=torch.uint8)
    image[:, :n, :, :n] = (weights.clamp(0, 1).sqrt() * 255).round().byte().transpose(1, 2)
    return image.reshape(layers * step, heads * step).numpy()


def _overview(source: Any, layers: int, heads: int, n: int) -> Any:

    step = n + GAP
    side = max(36, min(90, 480 // max(layers, heads)))
    from bokeh.palettes import Cividis256

    plot = new_figure(
        title="All heads",
        background_fill_color=Cividis256[0],  # the gaps are no weight
        width=heads * side + 70,
        height=layers * side + 80,
        x_range=(-GAP, heads * step),
        y_range=(layers * step, -GAP),
        x_axis_label="head",
        y_axis_label="layer",
        tools="tap",
    )
    _image(plot, source, heads * step, layers * step)
    for axis, count in ((plot.xaxis, heads), (plot.yaxis, layers)):
        middles = [i * step + n / 2 for i in range(count)]
        label(axis, {middle: str(i) for i, middle in enumerate(middles)})
    return plot


def _detail(source: Any, layers: int, heads: int, tokens: Sequence[str]) -> Any:

    n = len(tokens)
    step = n + GAP
    plot = new_figure(
        title="Layer 0, head 0",
        width=520,
        height=520,
        x_range=(0, n),
        y_range=(n, 0),
        x_axis_label="key (looked at)",
        y_axis_label="query (looking)",
        x_axis_location="above",
    )
    drawn = _image(plot, source, heads * step, layers * step)
    every = -(-n // SHOWN_LABELS)
    names = {"tokens": list(tokens), "step": step}
    for axis, count in ((plot.xaxis, heads), (plot.yaxis, layers)):
        ticks = [i * step + token + 0.5 for i in range(count) for token in range(0, n, every)]
        axis.ticker = bokeh_models().FixedTicker(ticks=ticks)
        # The window moves from head to head; counting within a head keeps its labels right.
        axis.formatter = bokeh_models().CustomJSTickFormatter(
            args=names, code="return tokens[Math.floor(tick) % step] ?? ''"
        )
    plot.xaxis.major_label_orientation = 0.9
    token_at = bokeh_models().CustomJSHover(
        args=names, code="return tokens[Math.floor(value) % step] ?? ''"
    )
    share = bokeh_models().CustomJSHover(code="return ((value / 255) ** 2).toFixed(3)")
    plot.add_tools(
        bokeh_models().HoverTool(
            renderers=[drawn],
            tooltips=[("query", "$y{custom}"), ("key", "$x{custom}"), ("weight", "@image{custom}")],
            formatters={"$x": token_at, "$y": token_at, "@image": share},
        )
    )
    return plot


def _image(plot: Any, source: Any, width: float, height: float) -> Any:

    mapper = bokeh_models().LinearColorMapper(palette=WEIGHTS_PALETTE, low=0, high=255)
    return plot.image("image", source=source, x=0, y=0, dw=width, dh=height, color_mapper=mapper)


def _summaries(weights: Tensor, tokens: Sequence[str]) -> list[list[str]]:
    layers, heads, n, _ = weights.shape
    itself = weights.diagonal(dim1=-2, dim2=-1).mean(-1)
    previous = (
        weights.diagonal(-1, dim1=-2, dim2=-1).mean(-1) if n > 1 else torch.zeros_like(itself)
    )
    first = weights[..., 0].mean(-1)
    # The first query has nowhere else to look, so it says nothing about a head.
    body = weights[:, :, 1:] if n > 1 else weights
    strongest = body.flatten(2).max(-1)
    rows = []
    for layer in range(layers):
        for head in range(heads):
            query, key = divmod(int(strongest.indices[layer, head]), n)
            query += n > 1
            link = f"{tokens[query]} → {tokens[key]} {strongest.values[layer, head]:.2f}"
            numbers = [f"{part[layer, head]:.2f}" for part in (itself, previous, first)]
            rows.append([f"{layer}, {head}", *numbers, link])
    return rows
