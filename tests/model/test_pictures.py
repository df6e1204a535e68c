"""The pictures: what is in them, and that they work in a browser without a network."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from reference_attention.model_utils import (
    AttentionSteps,
    LoadedModel,
    Picture,
    browse_heads,
    compare_attention_implementations,
    visualize_model_comparison,
)
from reference_attention.models.head_browser import heads_picture

UNSCALED = AttentionSteps(scaled_dot_product_scores=lambda q, k: q @ k.transpose(-2, -1))


def many_heads() -> torch.Tensor:
    torch.manual_seed(0)
    return torch.softmax(torch.randn(6, 12, 128, 128) * 2, dim=-1).tril()


def test_a_comparison_shows_its_sentence_and_its_numbers_as_a_table(bundled: LoadedModel) -> None:
    comparison = compare_attention_implementations(UNSCALED, model=bundled, layer=2)
    picture = visualize_model_comparison(comparison)
    bundle = picture._repr_mimebundle_()
    assert bundle["text/plain"] == comparison.sentence
    assert "scores is the first stage that differs" in bundle["text/html"]
    assert '<th scope="row">scores</th>' in bundle["text/html"]
    assert "Yours minus the model" in bundle["text/html"]


def test_a_comparison_that_stopped_still_shows_the_models_weights(bundled: LoadedModel) -> None:
    def fails(scores: torch.Tensor) -> torch.Tensor:
        raise ValueError("</script><b>not ready")

    comparison = compare_attention_implementations({"softmax_weights": fails}, model=bundled)
    html = visualize_model_comparison(comparison).html()
    assert "raised ValueError: &lt;/script&gt;&lt;b&gt;not ready" in html
    assert "Model: weights of layer 0, head 0" in html
    assert "Yours minus" not in html


def test_the_browser_tells_where_each_head_looks_as_a_table(bundled: LoadedModel) -> None:
    html = browse_heads(model=bundled).html()
    assert len(re.findall(r'<th scope="row">\d, 0</th>', html)) == 8
    assert "to the previous token" in html


def test_the_browser_shows_somebodys_heads_too(bundled: LoadedModel) -> None:
    own = browse_heads(model=bundled).table
    assert browse_heads(model=bundled, attention=None).table == own
    assert browse_heads(model=bundled, attention=UNSCALED).table != own


def test_a_picture_asks_no_other_machine_for_anything(bundled: LoadedModel) -> None:
    html = browse_heads(model=bundled).html()
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=", html)
    assert len(html) < 1_000_000


def test_six_by_twelve_heads_on_128_tokens_are_made_quickly() -> None:
    heads_picture(many_heads()[:1, :1, :8, :8], ["a"] * 8, "warm-up").html()
    began = time.process_time()
    page = heads_picture(many_heads(), [f"t{i}" for i in range(128)], "a wide model").page()
    assert time.process_time() - began < 2
    # One byte a weight, in base64 at most, beside the library.
    assert len(page) < 3_000_000


@pytest.mark.browser
def test_a_head_is_chosen_by_click_and_by_keyboard(chromium: Any, tmp_path: Path) -> None:
    picture = heads_picture(many_heads(), [f"t{i}" for i in range(128)], "a wide model")
    (tmp_path / "heads.html").write_text(picture.page(), encoding="utf-8")
    context = chromium.new_context(offline=True)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto((tmp_path / "heads.html").as_uri())
    page.wait_for_function("window.Bokeh?.documents?.[0]?.is_idle")
    title = """() => [...Bokeh.documents[0]._all_models.values()]
        .filter(m => m.type == "Title").map(m => m.text).find(t => t.startsWith("Layer"))"""
    assert page.evaluate(title) == "Layer 0, head 0"
    page.get_by_label("Layer").select_option("4")
    page.get_by_label("Head").select_option("7")
    assert page.evaluate(title) == "Layer 4, head 7"
    overview = page.locator(".bk-Figure").first.bounding_box()
    assert overview is not None
    # The middle of the overview lies between heads 5 and 6 and layers 2 and 3.
    page.mouse.click(overview["x"] + 80, overview["y"] + overview["height"] / 2)
    page.wait_for_function(f"({title})() != 'Layer 4, head 7'")
    assert re.fullmatch(r"Layer [23], head 0", page.evaluate(title))
    assert page.get_by_label("Layer").input_value() in "23"
    context.close()
    assert not faults


@pytest.mark.browser
def test_two_pictures_on_one_page_share_one_library(
    chromium: Any, tmp_path: Path, bundled: LoadedModel
) -> None:
    comparison = compare_attention_implementations(model=bundled)
    pictures: list[Picture] = [visualize_model_comparison(comparison), browse_heads(model=bundled)]
    page_text = "<!DOCTYPE html><meta charset=utf-8>" + "".join(p.html() for p in pictures)
    (tmp_path / "two.html").write_text(page_text, encoding="utf-8")
    context = chromium.new_context(offline=True)
    page = context.new_page()
    page.goto((tmp_path / "two.html").as_uri())
    page.wait_for_function("window.Bokeh?.documents?.length == 2")
    page.wait_for_function("Bokeh.documents.every(d => d.is_idle)")
    assert page.locator(".bk-Figure").count() == 4 + 2
    context.close()
