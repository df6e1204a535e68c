"""The student's attention inside a transformer, with the diagnosis beside what it writes."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from attention_course.verdict import Verdict
from reference_attention.model_utils import (
    PROMPT_EXAMPLE,
    AttentionFault,
    AttentionSteps,
    LoadedModel,
    ModelComparison,
    compare_attention_implementations,
    continue_text,
    load_mini_transformer,
)

# Which exercise of the lesson each function answers.
EXERCISE_OF = {
    "linear_projections": "linear_projections",
    "scaled_dot_product_scores": "attention_scores",
    "softmax_weights": "attention_weights",
    "aggregate_values": "value_aggregation",
}


@dataclass(frozen=True)
class ModelRun:
    """What a model wrote with its own attention and with somebody's, and why they differ.

    ``yours`` is None where that attention could not go on (``fault`` says why). ``verdicts``
    are those of the functions that did not pass their exercise.
    """

    prompt: str
    own: str
    yours: str | None
    fault: str | None
    comparison: ModelComparison
    verdicts: tuple[Verdict, ...]

    @property
    def same_text(self) -> bool:
        return self.own == self.yours

    @property
    def sentence(self) -> str:
        """What to see, in one sentence."""
        if self.fault is not None:
            return f"Your attention could not go on inside the model. {self.fault}"
        if self.same_text:
            return "With your attention the model writes the same text, token for token."
        return "With your attention the model writes another text."

    @property
    def diagnosis(self) -> tuple[str, ...]:
        """What the lesson's own checks say of the functions at fault."""
        return tuple(f"{verdict.exercise}: {verdict.message}" for verdict in self.verdicts)

    def __str__(self) -> str:
        lines = [
            f"its own attention:  {self.own}",
            f"your attention:     {'—' if self.yours is None else self.yours}",
            self.sentence,
            *self.diagnosis,
            "",
            self.comparison.table(),
        ]
        return "\n".join(lines)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": self.html()}

    def html(self) -> str:
        """The same as HTML, with the words that differ marked."""
        yours = "—" if self.yours is None else _marked(self.own, self.yours)
        diagnosis = "".join(f"<li>{html.escape(line)}</li>" for line in self.diagnosis)
        return (
            '<div class="attention-model-run"><table>'
            '<tr><th scope="row">its own attention</th>'
            f'<td style="text-align:left">{html.escape(self.own)}</td></tr>'
            '<tr><th scope="row">your attention</th>'
            f'<td style="text-align:left">{yours}</td></tr></table>'
            f"<p><strong>{html.escape(self.sentence)}</strong></p>"
            + (f"<ul>{diagnosis}</ul>" if diagnosis else "")
            + f"<details><summary>{html.escape(self.comparison.sentence)}</summary>"
            f"<pre>{html.escape(self.comparison.table())}</pre></details></div>"
        )


def _marked(own: str, yours: str) -> str:
    """``yours`` with everything after the common beginning marked."""
    expected, written = own.split(), yours.split()
    same = 0
    while same < min(len(expected), len(written)) and expected[same] == written[same]:
        same += 1
    beginning, rest = " ".join(written[:same]), " ".join(written[same:])
    if not rest:
        return html.escape(beginning)
    return f"{html.escape(beginning)} <mark>{html.escape(rest)}</mark>"


def run_in_model(
    implementation: AttentionSteps | Mapping[str, Any] | Any,
    *,
    model: LoadedModel | None = None,
    prompt: str = PROMPT_EXAMPLE,
    layer: int = 0,
    head: int = 0,
    attention_head: Callable[[int, int, int], nn.Module] | None = None,
    new_tokens: int = 24,
) -> ModelRun:
    """Let the model write on with its own attention and with ``implementation``.

    Functions that are left out are the reference's. ``layer`` and ``head`` say which head is
    compared stage by stage, ``attention_head`` (the lesson's class) is compared there too.
    Errors in the given functions are part of the answer; the model attends afterwards as before.
    """
    loaded = model or load_mini_transformer()
    steps = AttentionSteps.of(implementation)
    own = continue_text(prompt, model=loaded, new_tokens=new_tokens)
    yours: str | None = None
    fault: str | None = None
    try:
        yours = continue_text(prompt, attention=steps, model=loaded, new_tokens=new_tokens).text
    except AttentionFault as error:
        fault = str(error)
    comparison = compare_attention_implementations(
        steps, model=loaded, prompt=prompt, layer=layer, head=head, attention_head=attention_head
    )
    return ModelRun(prompt, own.text, yours, fault, comparison, diagnose(steps))


def diagnose(steps: AttentionSteps) -> tuple[Verdict, ...]:
    """The verdicts of the lesson's checks on the functions that do not pass, in lesson order."""
    import reference_attention
    from attention_course.checks import judge

    verdicts = [
        judge(exercise, getattr(steps, name))
        for name, exercise in EXERCISE_OF.items()
        # The reference in place of a function left out is nobody's answer.
        if getattr(steps, name) is not getattr(reference_attention, name)
    ]
    return tuple(verdict for verdict in verdicts if not verdict.passed)
