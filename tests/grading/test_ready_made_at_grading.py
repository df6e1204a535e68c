"""An answer that calls a ready-made function loses that exercise's mark at grading too."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Grade, answer, plain, test

SETUP = plain(
    "import math\nimport torch\nfrom torch import nn\nimport torch.nn.functional as F\n"
    "from attention_course import check"
)
RIGHT = "def aggregate_values(w, v): return w @ v"
MASTER = [SETUP, answer(RIGHT), test("check.value_aggregation(aggregate_values)")]
READY_MADE = {
    "called": "def aggregate_values(w, v): return F.scaled_dot_product_attention(w, w, v)",
    "under another name": (
        "mine = torch._C._nn.scaled_dot_product_attention\n"
        "def aggregate_values(w, v):\n"
        "    keys = torch.eye(w.shape[-1]).expand(*w.shape[:-2], -1, -1) * math.sqrt(w.shape[-1])\n"
        "    return mine(w.log(), keys, v)"
    ),
    "imported": (
        "from torch.nn.functional import scaled_dot_product_attention as helper\n"
        "def aggregate_values(w, v): return helper(w, w, v)"
    ),
}


@pytest.mark.parametrize("source", READY_MADE.values(), ids=READY_MADE)
def test_a_ready_made_answer_is_named_kindly(grade: Grade, source: str) -> None:
    graded = grade(MASTER, [SETUP, answer(source), MASTER[2]])
    assert graded.score() == 0
    assert graded.record.verdicts[0]["misconceptions"] == ["ready_made"]
    assert "asks you to write it" in graded.record.verdicts[0]["message"]


def test_a_ready_made_function_elsewhere_costs_nothing(grade: Grade) -> None:
    extra = plain("F.scaled_dot_product_attention(*torch.ones(3, 2, 4)[:, None])")
    assert grade(MASTER, [SETUP, extra, answer(RIGHT), MASTER[2]]).score() == 1


def test_the_students_own_module_is_read_too(grade: Grade, tmp_path: Path) -> None:
    (tmp_path / "submission").mkdir()
    (tmp_path / "submission" / "mine.py").write_text(
        "import torch.nn.functional as F\n" + READY_MADE["called"] + "\n"
    )
    graded = grade(MASTER, [SETUP, answer("from mine import aggregate_values"), MASTER[2]])
    assert graded.record.verdicts[0]["misconceptions"] == ["ready_made"]
