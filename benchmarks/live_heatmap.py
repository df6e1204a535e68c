"""From the kernel's call to changed pixels: the lab extension beside jupyter_bokeh and anywidget.

    python benchmarks/live_heatmap.py [--rounds 15] [--json FILE]

One JupyterLab, one Chromium page, one kernel: each way shows matrices of three sizes, in turns.
A sample ends in the first frame in which a canvas of the picture differs; so a frame, 17 ms, is
the finest step. jupyter_bokeh and anywidget are installed into a temporary folder for this run;
where that fails the lab extension is measured alone. Needs Chromium and the built lab extension.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat

HERE = Path(__file__).parent
ROOT = HERE.parent
RESULTS = HERE / "results" / "live_heatmap.json"
OTHERS = ("jupyter_bokeh==4.1.0", "anywidget==0.11.0", "psygnal==0.16.1")
SIZES = (6, 128, 1024)
TARGETS = {6: 34.0, 128: 40.0, 1024: 100.0}  # milliseconds, the lab extension's median
WARM_UP = 3
NOTEBOOK = "bench.ipynb"
OURS, BOKEH, ANYWIDGET = "lab extension", "jupyter_bokeh", "anywidget + canvas"
LESSON_PANEL = "#jp-attention-heatmap"

SETUP = """\
import numpy as np, torch
import attention_course
from attention_course import live
draw = np.random.default_rng(0)
def made(n):
    return draw.random((n, n), dtype=np.float32)
"""
BOKEH_CELL = """\
import sys; sys.path.insert(0, {packages!r})
from bokeh.io import output_notebook
from bokeh.plotting import figure
from bokeh.resources import INLINE
from jupyter_bokeh import BokehModel
from IPython.display import display
output_notebook(INLINE, hide_banner=True)  # jupyter_bokeh wants BokehJS in the page
plot = figure(width=420, height=420, tools="", toolbar_location=None)
image = plot.image(image=[made({size})], x=0, y=0, dw=1, dh=1, palette="Viridis256")
display(BokehModel(plot))
"""
ANYWIDGET_CELL = """\
import sys; sys.path.insert(0, {packages!r})
import anywidget, traitlets
from IPython.display import display
class Heat(anywidget.AnyWidget):
    _esm = {esm!r}
    size = traitlets.Int().tag(sync=True)
    numbers = traitlets.Bytes().tag(sync=True)
heat = Heat(size={size}, numbers=made({size}).tobytes())
display(heat)
"""
ANYWIDGET_ESM = """
export default { render({ model, el }) {
  const canvas = document.createElement('canvas');
  canvas.style.width = canvas.style.height = '420px';
  canvas.style.imageRendering = 'pixelated';
  el.append(canvas);
  const draw = () => {
    const size = model.get('size'), view = model.get('numbers');
    const buffer = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
    const values = new Float32Array(buffer);
    canvas.width = canvas.height = size;
    const context = canvas.getContext('2d'), image = context.createImageData(size, size);
    const pixels = new Uint32Array(image.data.buffer);
    for (let i = 0; i < values.length; i++) {
      const v = Math.max(0, Math.min(255, values[i] * 255 | 0));
      pixels[i] = 0xff000000 | (255 - v) << 16 | v << 8 | (v >> 1);
    }
    context.putImageData(image, 0, 0);
  };
  model.on('change:numbers', draw);
  draw();
} };
"""
UPDATES = {
    OURS: "live.show(fresh)",
    BOKEH: "image.data_source.data = dict(image=[fresh])",
    ANYWIDGET: "heat.numbers = fresh.tobytes()",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One way at one size: milliseconds from the kernel's call to the first changed frame."""

    way: str
    size: int
    median: float
    lowest: float
    highest: float
    samples: int


FLAGS = ("--no-sandbox", "--disable-gpu")


def lab_of_the_tests() -> ModuleType:
    """The server, the page driver and the flags that the browser tests use."""
    path = ROOT / "tests" / "browser" / "conftest.py"
    spec = importlib.util.spec_from_file_location("browser_of_the_tests", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@contextmanager
def other_packages() -> Iterator[Path | None]:
    """A temporary folder with the packages that only this comparison needs; None without them."""
    with tempfile.TemporaryDirectory() as name:
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
        done = subprocess.run(
            [*install, "--target", name, *OTHERS], capture_output=True, text=True, check=False
        )
        if done.returncode:
            print(f"The others are not measured; pip said: {done.stderr.strip()[-300:]}")
        yield None if done.returncode else Path(name)


def write_notebook(folder: Path, packages: Path | None, size: int) -> None:
    settings: dict[str, Any] = {"packages": str(packages), "size": size, "esm": ANYWIDGET_ESM}
    sources = {
        "setup": SETUP,
        "bokeh": BOKEH_CELL.format(**settings),
        "anywidget": ANYWIDGET_CELL.format(**settings),
    }
    cells = [nbformat.v4.new_code_cell(source, id=name) for name, source in sources.items()]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=kernel)
    nbformat.write(notebook, folder / NOTEBOOK)


def measure(window: Any, size: int, rounds: int, others: bool) -> list[Row]:
    """All ways at one size, in turns, so that a slow moment hits all alike."""
    page = window.page
    selectors = {OURS: LESSON_PANEL}
    if others:
        selectors |= {BOKEH: "#bench-bokeh", ANYWIDGET: "#bench-anywidget"}
    window.run("setup")
    for cell in ("bokeh", "anywidget") if others else ():
        window.run(cell)
        page.evaluate(f"() => course.cell('{cell}').cell.node.id = 'bench-{cell}'")
    window.command("attention-course:show-heatmap")
    page.evaluate("path => bench.execute(path, 'live.show(made(6))')", NOTEBOOK)
    for selector in selectors.values():
        window.wait("selector => bench.canvases(selector) > 0", selector)
    samples: dict[str, list[float]] = {way: [] for way in selectors}
    for number in range(rounds + WARM_UP):
        for way, selector in selectors.items():
            page.evaluate(
                "([path, size]) => bench.execute(path, `fresh = made(${size})`)", [NOTEBOOK, size]
            )
            got = page.evaluate("all => bench.sample(...all)", [NOTEBOOK, selector, UPDATES[way]])
            if "error" in got:
                raise SystemExit(f"{way}, {size}: {got['error']}")
            if number >= WARM_UP:
                samples[way].append(got["milliseconds"])
    return [
        Row(way, size, statistics.median(took), min(took), max(took), len(took))
        for way, took in samples.items()
    ]


def run(rounds: int) -> list[Row]:
    lab = lab_of_the_tests()
    from playwright.sync_api import sync_playwright

    browser_path = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser_path is None or not (lab.ASSETS / "package.json").exists():
        return []
    rows: list[Row] = []
    with other_packages() as packages, tempfile.TemporaryDirectory() as home:
        extensions = packages and packages / "share" / "jupyter" / "labextensions"
        settings = lab.server(Path(home), labextensions=extensions)
        with settings as server, sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=browser_path, args=["--no-sandbox", "--disable-gpu"]
            )
            for size in SIZES:
                write_notebook(server.folder, packages, size)
                context = browser.new_context(viewport={"width": 1800, "height": 1400})
                for script in (lab.DRIVER, HERE / "live_heatmap.js"):
                    context.add_init_script(path=str(script))
                window = lab.Window(context.new_page(), server, Path(home))
                window.page.set_default_timeout(lab.SECONDS)
                opened = window.open_lab(NOTEBOOK)
                rows += measure(opened, size, rounds, packages is not None)
                context.close()
                lab.end_kernels(server)
            browser.close()
    return rows


def verdict_on(rows: list[Row]) -> list[str]:
    """What of the targets is missed, in words."""
    medians = {(row.way, row.size): row.median for row in rows}
    missed = []
    for size, target in TARGETS.items():
        ours = medians[OURS, size]
        if ours > target:
            missed.append(f"{size} x {size}: {ours:.0f} ms, the target is {target:.0f} ms")
        if ours > medians.get((BOKEH, size), ours):
            missed.append(f"{size} x {size}: behind jupyter_bokeh")
    return missed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="samples of each way and size")
    parser.add_argument("--json", type=Path, default=RESULTS, help="file for the figures")
    options = parser.parse_args()
    began = time.monotonic()
    rows = run(options.rounds)
    if not rows:
        print("Not measured: it needs Chromium and the built lab extension (jupyterlab_ext).")
        return
    print("Kernel's call to changed pixels, milliseconds: median (lowest to highest)")
    for row in sorted(rows, key=lambda row: (row.size, row.median)):
        span = f"({row.lowest:.0f} to {row.highest:.0f})"
        print(f"{row.median:8.1f} {span:16} {row.size:4} x {row.size:<4}  {row.way}")
    missed = verdict_on(rows)
    print("\n".join(missed) if missed else "All targets are met.")
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load > 2 * cores:
        print(
            f"The machine was busy (load {load:.0f} on {cores} cores): compare the ways with each "
            "other, and measure again for milliseconds."
        )
    options.json.parent.mkdir(parents=True, exist_ok=True)
    facts = {
        "machine": platform.processor() or platform.machine(),
        "others": OTHERS,
        "load": round(load, 1),
        "cores": cores,
        "targets": TARGETS,
        "missed": missed,
        "seconds": round(time.monotonic() - began),
        "rows": [asdict(row) for row in rows],
    }
    options.json.write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main()
