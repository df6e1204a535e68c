"""The live side in a JupyterLab that does not know it: nobody is disturbed, nothing is saved."""

from __future__ import annotations

import json

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def plain_lab(lab_server, tmp_path_factory):
    with lab_server(tmp_path_factory.mktemp("plain"), with_extension=False) as started:
        yield started


def test_the_lesson_works_and_its_file_holds_nothing_of_the_live_side(plain_lab, window):
    shown = window(plain_lab).open_lab()
    assert shown.page.locator("#jp-attention-panels").count() == 0
    shown.write("attention-scores", "def scaled_dot_product_scores(q, k): return q @ k.mT")
    shown.run("setup", "prompt", "tokens", "attention-scores", "test-attention-scores")
    comms = "() => course.kernel().requestCommInfo({}).then(reply => reply.content.comms)"
    assert [one["target_name"] for one in shown.page.evaluate(comms).values()] == [
        "attention_course:live"
    ]
    shown.command("docmanager:save")
    saved = (plain_lab.folder / "attention" / "lesson.ipynb").read_text()
    assert "no_scaling" in saved  # the check's own card
    assert "attention_course:live" not in saved
    assert "widgets" not in json.loads(saved)["metadata"]
