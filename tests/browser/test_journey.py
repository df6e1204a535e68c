"""A student's way through one exercise, as ``make lab`` opens it, and the same in Notebook 7."""

from __future__ import annotations

import json

import pytest

from attention_course.checks import MISCONCEPTIONS

pytestmark = [pytest.mark.browser, pytest.mark.slow]

RIGHT = """\
def scaled_dot_product_scores(queries, keys):
    return queries @ keys.transpose(-2, -1) / math.sqrt(queries.shape[-1])
"""
NO_SCALING = """\
def scaled_dot_product_scores(queries, keys):
    return queries @ keys.transpose(-2, -1)
"""
PROJECTIONS = """\
def linear_projections(embeddings, W_q, W_k, W_v):
    return embeddings @ W_q, embeddings @ W_k, embeddings @ W_v
"""
PANELS = ("#jp-attention-hints", "#jp-attention-heatmap", "#jp-attention-progress")
UP_TO_PROJECTIONS = (
    "setup",
    "prompt",
    "tokens",
    "weights",
    "linear-projections",
    "projections-on-prompt",
)


def walk(shown, path=None):
    """From the first run of the scores' cell over a broken answer to the mended one."""
    page = shown.page
    for panel in PANELS:
        page.locator(panel).wait_for()
    shown.write("linear-projections", PROJECTIONS, path)
    shown.write("attention-scores", RIGHT, path)
    shown.run(*UP_TO_PROJECTIONS, "attention-scores", path=path)
    assert shown.painted() == 0
    shown.run("scores-on-prompt", path=path)
    shown.wait_for_picture("attention_scores")
    shown.picture(f"{shown.name}-1-first-heatmap")

    before = shown.painted()
    shown.write("attention-scores", NO_SCALING, path)
    shown.run("attention-scores", "scores-on-prompt", path=path)
    shown.wait_for_other_picture(before)
    shown.run("test-attention-scores", path=path)
    misconception = MISCONCEPTIONS["no_scaling"]
    shown.wait_for_hint(misconception.title)
    shown.wait_for_hint(misconception.hint)
    shown.wait_for_outcome("attention_scores", "failed")
    shown.wait_for_summary("Farthest from the reference")
    shown.picture(f"{shown.name}-2-no-scaling")

    shown.write("attention-scores", RIGHT, path)
    shown.run("attention-scores", "test-attention-scores", "scores-on-prompt", path=path)
    shown.wait_for_outcome("attention_scores", "passed")
    shown.wait("text => !course.hintsText().includes(text)", misconception.title)
    shown.picture(f"{shown.name}-3-mended")


def test_make_lab_opens_the_lesson_and_the_panels_go_along(lab, window):
    shown = window(lab, name="lab")
    shown.page.goto(lab.page("/"))
    shown.wait_for_notebook("attention/lesson.ipynb")
    walk(shown)


def test_notebook_7_has_the_same_panels(lab, lesson, window):
    shown = window(lab, name="notebook-7").open_notebook_7(lesson)
    walk(shown)


def test_hints_open_tier_by_tier_and_how_far_is_kept(lab, lesson, window):
    shown = window(lab).open_lab(lesson)
    shown.run("setup")
    shown.look_at("attention-weights")
    shown.wait_for_exercise("attention_weights")
    for tier in (1, 2):
        shown.open_next_hint()
        shown.wait_for_tier(tier)
    kept = lab.folder / lesson.replace("lesson.ipynb", "progress/lesson_progress.json")
    shown.until(kept.exists)
    shown.until(
        lambda: (
            json.loads(kept.read_text())["assignments"]["attention"]["exercises"][
                "attention_weights"
            ]["hint_tiers_opened"]
            == 2
        )
    )
