"""Known answers to every exercise, right in many styles and wrong in every known way.

The tests, the kill matrix, the demonstration's class and the benchmarks draw on them.
"""

from __future__ import annotations

import re

from attention_course.panel import (
    attention_head,
    attention_head_behaviour,
    attention_head_computation,
    attention_head_wrong,
    attention_scores,
    attention_scores_wrong,
    attention_weights,
    attention_weights_wrong,
    linear_projections,
    linear_projections_wrong,
    simple_attention,
    simple_attention_wrong,
    value_aggregation,
    value_aggregation_wrong,
)
from attention_course.panel.known_answer import BASICS, KnownAnswer

__all__ = ["BASICS", "PANEL", "KnownAnswer", "complete_problem"]

PANEL: tuple[KnownAnswer, ...] = (
    *linear_projections.RIGHT,
    *linear_projections_wrong.WRONG,
    *attention_scores.RIGHT,
    *attention_scores_wrong.WRONG,
    *attention_weights.RIGHT,
    *attention_weights_wrong.WRONG,
    *value_aggregation.RIGHT,
    *value_aggregation_wrong.WRONG,
    *attention_head.RIGHT,
    *attention_head_wrong.WRONG,
    *attention_head_computation.WRONG_IN_FORWARD,
    *attention_head_behaviour.WRONG_IN_BEHAVIOUR,
    *simple_attention.RIGHT,
    *simple_attention_wrong.WRONG,
)
"""In lesson order; of each exercise the right answers first, and the plainest before all."""

_IMPORTS = {
    "math.": "import math\n\n",
    "torch.": "import torch\n",
    "F.": "import torch.nn.functional as F\n",
    "nn.": "from torch import nn\n",
}


def complete_problem(kind: str = "right") -> str:
    """The text of a complete problem.py for the assignment attention_basics.

    ``kind`` is "right", or the name of one of the panel's SimpleAttention classes. Raises
    KeyError where there is none of that name.
    """
    for answer in PANEL:
        if answer.exercise in BASICS and (
            kind == answer.name or (kind == "right" and answer.right)
        ):
            source = answer.source
            used = [line for name, line in _IMPORTS.items() if re.search(rf"\b{name}", source)]
            about = '"""Self-attention with one head and no scaling."""\n\n'
            return about + "".join(used) + "\n\n" + source
    raise KeyError(f"the panel has no SimpleAttention named {kind!r}")
