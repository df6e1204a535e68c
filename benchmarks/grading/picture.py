"""The figures as a picture: submissions a minute on a scale of powers of ten, and milliseconds."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.grading.tables import Record, spread

# Told apart by every kind of colour vision, and said in words beside each bar as well.
OURS, OTHERS, FLOOR = "#3b84c4", "#868686", "#d9730d"
PHASE_COLOURS = ("#3b84c4", "#d9730d", "#5b5b5b", "#a6cbe8", "#f4c08f", "#bdbdbd", "#17466f")
WIDTH = 980
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


def write_picture(record: Record, stem: Path) -> list[Path]:
    """Write ``stem``.html, and ``stem``.png where a Chromium is installed; returns the files."""
    from bokeh.embed import file_html
    from bokeh.layouts import column
    from bokeh.resources import INLINE

    parts: list[Any] = [_speed(record)]
    if record["phases"]:
        parts.append(_milliseconds(record))
    height = sum(part.height for part in parts) + 10 * len(parts) + 20
    page = file_html(column(*parts), INLINE, title="How fast a class is graded")
    html = stem.with_suffix(".html")
    html.write_text(page, encoding="utf-8")
    png = stem.with_suffix(".png")
    return [html, png] if _photograph(html, png, height) else [html]


def _speed(record: Record) -> Any:
    """One mark a way of grading, fastest on top, with its figure and how many times stock's.

    Marks, not bars: on a scale of powers of ten a bar's length says nothing.
    """
    from bokeh.models import (
        ColumnDataSource,
        FactorRange,
        FixedTicker,
        NumeralTickFormatter,
        Range1d,
    )
    from bokeh.models.annotations import LabelSet, Whisker
    from bokeh.plotting import figure

    rows = sorted(record["contestants"], key=lambda row: row["submissions_a_minute"]["median"])
    rates = [spread(row["submissions_a_minute"]) for row in rows]
    names = [row["label"] for row in rows]
    least = min(rate.least for rate in rates) / 2
    words = []
    for row, rate in zip(rows, rates, strict=True):
        times = row.get("times_stock", {}).get("median")
        said = f"{rate.median:,.0f} a minute"
        if times and row["key"] != "stock":
            said += f", {times:.{0 if times >= 10 else 1}f} × stock"
        words.append(said)
    source = ColumnDataSource(
        {
            "name": names,
            "rate": [rate.median for rate in rates],
            "least": [rate.least for rate in rates],
            "most": [rate.most for rate in rates],
            "words": words,
            "colour": [_look(row["key"])[0] for row in rows],
            "shape": [_look(row["key"])[1] for row in rows],
        }
    )
    largest = max(rate.most for rate in rates)
    plot = figure(
        y_range=FactorRange(factors=names),
        x_range=Range1d(start=least, end=largest * 25),
        x_axis_type="log",
        width=WIDTH,
        height=38 * len(rows) + 90,
        title=f"Submissions a minute, a class of {record['students']}, from start to end",
        toolbar_location=None,
        x_axis_label="submissions a minute (each step is ten times as many)",
    )
    plot.segment(
        x0=least, x1="rate", y0="name", y1="name", color="colour", line_dash="dotted", source=source
    )
    plot.add_layout(
        Whisker(base="name", lower="least", upper="most", dimension="width", source=source)
    )
    plot.scatter(x="rate", y="name", size=15, color="colour", marker="shape", source=source)
    plot.add_layout(
        LabelSet(
            x="most",
            y="name",
            text="words",
            x_offset=14,
            y_offset=-8,
            text_font_size="13px",
            source=source,
        )
    )
    axis: Any = plot.xaxis
    axis.ticker = FixedTicker(ticks=[10**n for n in range(6) if least < 10**n])
    axis.formatter = NumeralTickFormatter(format="0,0")
    _plain(plot)
    return plot


def _look(key: str) -> tuple[str, str]:
    """Colour and shape: ours, others, and the floor."""
    if key == "floor":
        return FLOOR, "diamond"
    return (OURS, "circle") if key.startswith(("grade", "plugins")) else (OTHERS, "square")


def _milliseconds(record: Record) -> Any:
    """Two bars laid out in phases: one submission with the engine, and on the floor."""
    from bokeh.models import ColumnDataSource, FactorRange, Range1d
    from bokeh.models.annotations import LabelSet
    from bokeh.plotting import figure

    phases = record["phases"]
    names = ["the floor", "attention-course grade"]
    pieces: dict[str, list[Any]] = {
        key: [] for key in ("y", "left", "right", "colour", "words", "middle", "ink")
    }
    colours: dict[str, str] = {}
    longest = max(sum(p["ms"] for p in phases[side]) for side in ("engine", "floor"))
    for name, side in zip(names, ("floor", "engine"), strict=True):
        left = 0.0
        for phase in phases[side]:
            colour = colours.setdefault(
                phase["name"], PHASE_COLOURS[len(colours) % len(PHASE_COLOURS)]
            )
            right = left + phase["ms"]
            wide = phase["ms"] > longest / 18
            pieces["y"].append(name)
            pieces["left"].append(left)
            pieces["right"].append(right)
            pieces["colour"].append(colour)
            pieces["words"].append(f"{phase['ms']:.1f}" if wide else "")
            pieces["middle"].append((left + right) / 2)
            pieces["ink"].append(
                "#000000" if colour in ("#a6cbe8", "#f4c08f", "#bdbdbd") else "#ffffff"
            )
            left = right
    plot = figure(
        y_range=FactorRange(factors=names),
        x_range=Range1d(start=0, end=longest * 1.05),
        width=WIDTH,
        height=250,
        title="Where each millisecond of a submission goes",
        toolbar_location=None,
        x_axis_label="milliseconds, mean over the class",
    )
    for phase_name, colour in colours.items():
        chosen = [n for n, found in enumerate(pieces["colour"]) if found == colour]
        source = ColumnDataSource({k: [v[n] for n in chosen] for k, v in pieces.items()})
        plot.hbar(
            y="y",
            left="left",
            right="right",
            height=0.6,
            color="colour",
            line_color="#ffffff",
            legend_label=phase_name,
            source=source,
        )
        plot.add_layout(
            LabelSet(
                x="middle",
                y="y",
                text="words",
                text_align="center",
                text_baseline="middle",
                text_color="ink",
                text_font_size="12px",
                source=source,
            )
        )
    legend: Any = plot.legend[0]
    legend.orientation = "horizontal"
    legend.label_text_font_size = "12px"
    legend.border_line_color = None
    legend.ncols = 5
    plot.add_layout(legend, "below")
    _plain(plot)
    return plot


def _plain(plot: Any) -> None:
    plot.ygrid.grid_line_color = None
    plot.outline_line_color = None
    plot.title.text_font_size = "16px"
    plot.yaxis.major_label_text_font_size = "13px"
    plot.xaxis.axis_label_text_font_style = "normal"
    plot.yaxis.axis_line_color = None
    plot.yaxis.major_tick_line_color = None


def _photograph(html: Path, png: Path, height: int) -> bool:
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        return False
    with tempfile.TemporaryDirectory() as profile:
        command = [
            browser,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--force-device-scale-factor=1.5",
            "--virtual-time-budget=5000",
            f"--user-data-dir={profile}",
            f"--window-size={WIDTH + 20},{height}",
            f"--screenshot={png.resolve()}",
            html.resolve().as_uri(),
        ]
        try:
            subprocess.run(command, capture_output=True, check=True, timeout=120)
        except (subprocess.SubprocessError, OSError):
            return False
    return png.is_file()
