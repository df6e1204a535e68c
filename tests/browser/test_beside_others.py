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


def loaded(shown) -> dict[str, int]:
    """The extension's files that the page has loaded so far, with their sizes in bytes."""
    return dict(
        shown.page.evaluate(
            "() => performance.getEntriesByType('resource')"
            ".filter(one => one.name.includes('/extensions/jupyterlab-attention/'))"
            ".map(one => [one.name, one.decodedBodySize])"
        )
    )


def test_little_is_loaded_before_the_first_heatmap(lab, lesson, window):
    shown = window(lab).open_lab(lesson)
    for section in SECTIONS:
        shown.page.locator(f"#jp-attention-{section}").wait_for()
    before = loaded(shown)
    assert 0 < sum(before.values()) < MOST_BYTES, before
    assert not any("bokeh" in name for name in before)
    shown.write("setup", f"{IMPORTS}\n{SHOW}")
    shown.run("setup")
    shown.wait_for_picture("live")
    assert any("bokeh" in name for name in loaded(shown))


def test_the_panels_can_be_used_by_everyone(lab, lesson, window):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    shown = window(lab).open_lab(lesson)
    shown.write("attention-scores", "def scaled_dot_product_scores(q, k): return q @ k.mT")
    shown.write("setup", f"{IMPORTS}\n{SHOW}")
    shown.run("setup", "attention-scores", "test-attention-scores")
    shown.wait_for_picture("live")
    shown.wait_for_outcome("attention_scores", "failed")
    shown.look_at("attention-scores")
    shown.open_next_hint()
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        shown.command("apputils:change-theme", theme=theme)
        shown.wait("theme => document.body.dataset.jpThemeName === theme", theme)
        shown.picture(f"panels-{theme.split()[1].lower()}")
        found = axe.run(shown.page, context=[[f"#jp-attention-{name}"] for name in SECTIONS])
        assert len(found.response["passes"]) > 5  # it has looked at something
        violations = [
            f"{theme}: {one['id']}: {one['help']}: {[node['html'][:200] for node in one['nodes']]}"
            for one in found.response["violations"]
        ]
        assert violations == []
