"""What a student does in the Attention panel: sliders, keys, the table; the kernel is not asked."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SCORES = """\
import torch
from attention_course import live
tokens = "The cat sat on the mat".split()
queries = keys = torch.eye(6, 64) * 8
attention_scores = (torch.arange(36.0).reshape(1, 6, 6) - 18) / 6
attention_weights = torch.softmax(attention_scores, dim=-1)
"""
# Whatever the kernel does is heard of on IOPub.
LISTEN = """() => {
  if (window.asked === undefined) {
    course.kernel().iopubMessage.connect(() => { window.asked = true; });
  }
  window.asked = false;
}"""


@pytest.fixture
def drawn(shared_window):
    """The weights of the prompt, drawn; from here on the kernel is left alone."""
    shown = shared_window
    shown.write("setup", SCORES)
    shown.run("setup")
    shown.wait_for_picture("attention_weights")
    shown.wait("() => course.kernel().status === 'idle'")
    shown.page.evaluate(LISTEN)
    yield shown
    assert shown.page.evaluate("() => window.asked") is False


def panel(shown):
    return shown.page.locator("#jp-attention-heatmap")


def test_the_temperature_redraws_in_the_browser(drawn):
    before = drawn.painted()
    slider = panel(drawn).get_by_role("slider")
    slider.focus()
    for _ in range(5):
        slider.press("ArrowRight")
    drawn.wait_for_other_picture(before)
    slider.press("Home")
    assert "0.1" in slider.get_attribute("aria-valuetext")


def test_without_scaling_the_picture_is_another(drawn):
    before = drawn.painted()
    panel(drawn).get_by_role("checkbox").uncheck()
    drawn.wait_for_other_picture(before)
    panel(drawn).get_by_role("checkbox").check()


def test_arrow_keys_move_over_the_cells_and_say_tokens_and_value(drawn):
    figure = panel(drawn).get_by_role("application").first
    said = panel(drawn).locator("[role=status]").first
    figure.focus()
    for key in ("Control+Home", "ArrowRight", "ArrowDown", "ArrowDown"):
        figure.press(key)
    drawn.wait("() => !!document.querySelector('#jp-attention-heatmap [role=status]').innerText")
    for word in ("sat", "cat"):
        assert word in said.inner_text()


def test_the_table_holds_the_same_numbers(drawn):
    panel(drawn).locator("details.jp-attention-table > summary").click()
    table = panel(drawn).get_by_role("table").first
    table.wait_for()
    assert table.get_by_role("rowheader").count() == 6
    assert "mat" in table.inner_text()


def test_a_matrix_that_is_too_large_is_sampled_and_said_to_be(shared_window):
    shown = shared_window
    shown.write("setup", SCORES)
    shown.write("tokens", "live.show(torch.rand(1500, 1500), name='large')")
    shown.run("setup", "tokens")
    shown.wait_for_picture("large")
    panel(shown).get_by_text("1500 x 1500").first.wait_for()
