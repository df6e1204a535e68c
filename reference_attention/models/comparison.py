"""Hold somebody's attention against a model's own, stage by stage and head by head."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .heads import adapt_dimensions, causal_rows, head_inputs, shape_of_heads
from .hook import Trace, attend, attention_in, observed
from .loading import PROMPT_EXAMPLE, LoadedModel, load_mini_transformer
from .steps import AttentionFault, AttentionSteps, reason_of

# float32 sums of 768 terms in another order differ by about 1e-5 of the largest number; the
# smallest fault seen (a bias left out) by more than 1e-2.
TOLERANCE = 1e-4
STAGES = ("queries", "keys", "values", "scores", "weights", "output")


@dataclass(frozen=True)
class Stage:
    """One stage of one head: the largest difference, and the largest number it is seen against."""

    name: str
    shape: tuple[int, ...]
    error: float
    largest: float
    agrees: bool


@dataclass(frozen=True)
class ModelComparison:
    """What came of running somebody's attention where a model runs its own.

    ``stages`` are of the one head (``layer``, ``head``), each computed from that side's own
    stage before; ``head_errors`` [layers, heads] is the largest difference of each head's
    output when every head is given the model's own queries, keys and values, so that one
    layer's error does not reach the next. Weights are [layers, heads, n, n].
    """

    model_name: str
    tokens: tuple[str, ...]
    layer: int
    head: int
    stages: tuple[Stage, ...]
    head_errors: Tensor | None
    model_weights: Tensor
    weights: Tensor | None
    logits_error: float | None
    largest_logit: float
    fault: AttentionFault | None
    tolerance: float = TOLERANCE

    @property
    def first_difference(self) -> str | None:
        """The first stage that differs, or the function that failed; None when all agree."""
        for stage in self.stages:
            if not stage.agrees:
                return stage.name
        return None if self.fault is None else self.fault.function

    @property
    def agrees(self) -> bool:
        return (
            self.first_difference is None
            and self.logits_error is not None
            and self.logits_error < self.tolerance * max(1.0, self.largest_logit)
        )

    @property
    def sentence(self) -> str:
        """The outcome in one sentence."""
        place = f"layer {self.layer}, head {self.head}"
        if self.fault is not None:
            return f"The comparison with {self.model_name} stopped: {self.fault}"
        if self.first_difference is not None:
            stage = next(stage for stage in self.stages if not stage.agrees)
            return (
                f"In {place} of {self.model_name}, {stage.name} is the first stage that differs "
                f"(by up to {stage.error:.2g}); every stage before it agrees."
            )
        if self.head_errors is None or self.logits_error is None:
            return f"In {place} of {self.model_name}, every stage agrees."
        layers, heads = self.head_errors.shape
        if not self.agrees:
            worst = divmod(int(self.head_errors.argmax()), heads)
            return (
                f"In {place} of {self.model_name}, every stage agrees, but not everywhere: the "
                f"output of layer {worst[0]}, head {worst[1]} differs by up to "
                f"{self.head_errors.max():.2g}, and the model's logits by {self.logits_error:.2g}."
            )
        return (
            f"In {place} of {self.model_name}, every stage agrees; over all {layers * heads} "
            f"heads the outputs differ by at most {self.head_errors.max():.1e}, and the model's "
            f"logits by {self.logits_error:.1e}."
        )

    def table(self) -> str:
        """The stages as aligned text, one a line."""
        lines = [f"{'stage':<24}{'shape':<16}{'largest difference':>20}  agrees"]
        for stage in self.stages:
            shape = "[" + ", ".join(map(str, stage.shape)) + "]"
            verdict = "yes" if stage.agrees else "NO"
            lines.append(f"{stage.name:<24}{shape:<16}{stage.error:>20.2e}  {verdict}")
        return "\n".join([*lines, self.sentence])

    def __str__(self) -> str:
        return self.table()


@torch.no_grad()
def compare_attention_implementations(
    implementation: AttentionSteps | Mapping[str, Any] | Any | None = None,
    *,
    model: LoadedModel | None = None,
    prompt: str | Tensor | list[int] = PROMPT_EXAMPLE,
    layer: int = 0,
    head: int = 0,
    attention_head: Callable[[int, int, int], nn.Module] | None = None,
    tolerance: float = TOLERANCE,
) -> ModelComparison:
    """Compare functions (None: the reference's) with a model's own attention on a prompt.

    ``implementation`` is an AttentionSteps, or a mapping or module that holds functions of the
    lesson's names. ``attention_head``, the lesson's class, is compared on the same head too.
    What goes wrong inside the given code is part of the answer (``fault``), not an exception.
    """
    loaded = model or load_mini_transformer()
    steps = AttentionSteps.of(implementation)
    ids = loaded.token_ids(prompt)
    traces: list[Trace] = []
    with observed(loaded.model, traces):
        model_logits = loaded.model(ids, use_cache=False).logits
    projections = adapt_dimensions(loaded.model, layer, head)  # also refuses a head out of range
    stages: list[Stage] = []
    head_errors: Tensor | None = None
    weights: Tensor | None = None
    logits_error: float | None = None
    fault: AttentionFault | None = None
    try:
        _compare_stages(stages, steps, loaded, ids, traces[layer], projections, tolerance)
        head_errors, weights = _every_head(steps, loaded, traces)
        if attention_head is not None:
            stages += _compare_class(
                attention_head, loaded, ids, traces[layer], projections, tolerance
            )
        with attention_in(loaded.model, steps):
            logits = loaded.model(ids, use_cache=False).logits
        logits_error = float((logits - model_logits).abs().max())
    except AttentionFault as error:
        fault = error
    return ModelComparison(
        loaded.name,
        tuple(loaded.tokens(prompt)),
        layer,
        head,
        tuple(stages),
        head_errors,
        torch.cat([trace.weights for trace in traces]),
        weights,
        logits_error,
        float(model_logits.abs().max()),
        fault,
        tolerance,
    )


def _stage(name: str, yours: Tensor, models: Tensor, tolerance: float) -> Stage:
    """Compare two [n, m]; entries that the mask closes to both are left out."""
    open_ = models > torch.finfo(models.dtype).min / 2
    yours, expected = yours[open_], models[open_]
    largest = float(expected.abs().max())
    error = float((yours - expected).abs().max())
    agrees = error <= tolerance * max(1.0, largest)
    return Stage(name, tuple(models.shape), error, largest, agrees)


def _compare_stages(
    stages: list[Stage],
    steps: AttentionSteps,
    loaded: LoadedModel,
    ids: Tensor,
    trace: Trace,
    projections: Any,
    tolerance: float,
) -> None:
    """Append to ``stages`` as far as the given functions come."""
    inputs = head_inputs(loaded.model, ids, trace.layer)
    head = projections.head
    queries, keys, values = projections.project(steps, inputs.embeddings)
    queries, keys = inputs.rotate(queries, keys)
    for name, yours, models in (
        ("queries", queries, trace.queries),
        ("keys", keys, trace.keys),
        ("values", values, trace.values),
    ):
        stages.append(_stage(name, yours[0], models[0, head], tolerance))
    # Kept to one head by a batch and head dimension of 1.
    scores, weights, output = attend(
        steps,
        queries[:, None],
        keys[:, None],
        values[:, None],
        trace.mask,
        scaling=_scaling(loaded, trace.layer),
        layer=trace.layer,
    )
    for name, yours, models in (
        ("scores", scores, trace.scores),
        ("weights", weights, trace.weights),
        ("output", output, trace.output),
    ):
        stages.append(_stage(name, yours[0, 0], models[0, head], tolerance))


def _scaling(loaded: LoadedModel, layer: int) -> float | None:
    from .heads import attention_modules

    return getattr(attention_modules(loaded.model)[layer], "scaling", None)


def _every_head(
    steps: AttentionSteps, loaded: LoadedModel, traces: list[Trace]
) -> tuple[Tensor, Tensor]:
    layers, heads = shape_of_heads(loaded.model)
    errors, all_weights = torch.zeros(layers, heads), []
    for trace in traces:
        _, weights, output = attend(
            steps,
            trace.queries,
            trace.keys,
            trace.values,
            trace.mask,
            scaling=_scaling(loaded, trace.layer),
            layer=trace.layer,
        )
        errors[trace.layer] = (output - trace.output).abs().amax(dim=(0, 2, 3))
        all_weights.append(weights)
    return errors, torch.cat(all_weights)


def _compare_class(
    attention_head: Callable[[int, int, int], nn.Module],
    loaded: LoadedModel,
    ids: Tensor,
    trace: Trace,
    projections: Any,
    tolerance: float,
) -> list[Stage]:
    """The lesson's class with this head's weights; it has no mask, so it runs row by row."""
    inputs = head_inputs(loaded.model, ids, trace.layer)
    if inputs.has_rotary:
        return []  # positions enter between projection and scores, where a class cannot be reached
    name = "AttentionHead"
    try:
        head = projections.as_head(attention_head)
        output, weights = causal_rows(head, inputs.embeddings)
        return [
            _stage(f"{name} weights", weights[0], trace.weights[0, projections.head], tolerance),
            _stage(f"{name} output", output[0], trace.output[0, projections.head], tolerance),
        ]
    except Exception as error:
        message = f"{name}, in layer {trace.layer} of the model: {reason_of(error)}"
        raise AttentionFault(message, function=name, layer=trace.layer) from error
