"""The extension among others: nbgrader's, the page's weight, and people who read otherwise."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

IMPORTS = "import torch\nfrom attention_course import check, live"
SHOW = "live.show(torch.eye(6), 'The cat sat on the mat'.split(), reference=torch.ones(6, 6) / 6)"
SECTIONS = ("hints", "heatmap", "progress")
MOST_BYTES = 100_000  # of the extension, before the first heatmap


def test_nbgrader_s_own_extensions_are_there(lab, lesson, window):
    shown = window(lab).open_lab(lesson)
    commands = shown.page.evaluate("() => jupyterapp.commands.listCommands()")
    assert any(name.startswith("nbgrader:") for name in commands)
    ids = shown.page.evaluate(
        "() => ['left', 'right'].flatMap(area => [...jupyterapp.shell.widgets(area)].map(w => w.id))"
    )
    assert any("nbgrader" in name for name in ids), ids
    assert "jp-attention-panels" in ids
    plugins = shown.page.evaluate("() => jupyterapp.listPlugins()")
    for mine in ("@jupyter/nbgrader", "jupyterlab-attention"):
        assert any(name.startswith(mine) for name in plugins)


def test_little_is_loaded_before_the_first_heatmap(lab, lesson, window):
    shown = window(lab)
    sizes: dict[str, int] = {}

    def note(response) -> None:
        if "/extensions/jupyterlab-attention/" in response.url:
            sizes[response.url] = len(response.body())

    shown.page.on("requestfinished", lambda request: note(request.response()))
    shown.open_lab(lesson)
    for section in SECTIONS:
        shown.page.locator(f"#jp-attention-{section}").wait_for()
    before = sum(sizes.values())
    assert 0 < before < MOST_BYTES, sizes
    shown.write("setup", f"{IMPORTS}\n{SHOW}")
    shown.run("setup")
    shown.wait_for_picture("live")
    assert sum(sizes.values()) > 5 * before  # the drawing library came then, and not before


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_the_panels_can_be_used_by_everyone(lab, lesson, window, theme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    shown = window(lab).open_lab(lesson)
    shown.command("apputils:change-theme", theme=theme)
    shown.write("attention-scores", "def scaled_dot_product_scores(q, k): return q @ k.mT")
    shown.write("setup", f"{IMPORTS}\n{SHOW}")
    shown.run("setup", "attention-scores", "test-attention-scores")
    shown.wait_for_picture("live")
    shown.wait_for_outcome("attention_scores", "failed")
    shown.look_at("attention-scores")
    shown.open_next_hint()
    for section in SECTIONS:
        found = axe.run(shown.page, context=f"#jp-attention-{section}")
        violations = [
            f"{one['id']}: {one['help']}: {[node['html'][:200] for node in one['nodes']]}"
            for one in found.response["violations"]
        ]
        assert violations == []
