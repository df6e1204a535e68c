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


def test_the_pointer_is_told_of_the_new_number_under_it(drawn):
    plot = panel(drawn).locator(".jp-attention-plot").first
    plot.hover()
    told = drawn.page.locator(".bk-tooltip-content").first
    told.wait_for()
    before = told.inner_text()
    assert "Query" in before
    drawn.page.evaluate(
        """() => {
          const slider = document.querySelector('#jp-attention-heatmap input[type=range]');
          slider.value = '0.8';
          slider.dispatchEvent(new Event('input'));
        }"""
    )
    drawn.until(lambda: told.inner_text() != before)
    drawn.page.mouse.move(1, 1)


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


def test_a_part_is_looked_at_more_closely_and_all_shown_again(shared_window):
    shown = shared_window
    shown.write("setup", "live.show(torch.eye(64), list(map(str, range(64))), name='eye')")
    shown.run("setup")
    shown.wait_for_picture("eye")
    before = shown.painted()
    plot = panel(shown).locator(".jp-attention-plot").first
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    mouse = shown.page.mouse
    mouse.move(box["x"] + 100, box["y"] + 100)
    mouse.down()
    mouse.move(box["x"] + 140, box["y"] + 140, steps=4)
    mouse.up()
    mouse.move(1, 1)
    shown.wait_for_other_picture(before)
    plot.dblclick(position={"x": 120, "y": 120})
    mouse.move(1, 1)
    shown.wait("before => course.paintedNow() === before", before)
