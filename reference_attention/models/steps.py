"""The lesson's functions as one set, and what is said when one of them cannot be used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from torch import Tensor

# The names under which the lesson's functions are written, in the order in which they run.
NAMES = ("linear_projections", "scaled_dot_product_scores", "softmax_weights", "aggregate_values")


class AttentionFault(Exception):
    """Somebody's attention could not go on inside the model; the message says where and why.

    ``function`` is the name of the function at fault, ``layer`` the layer (from 0) that called it.
    """

    def __init__(self, message: str, *, function: str, layer: int | None = None) -> None:
        super().__init__(message)
        self.function = function
        self.layer = layer


@dataclass(frozen=True)
class AttentionSteps:
    """Single-head attention as four functions; one that is left out is the reference's.

    linear_projections(embeddings, W_q, W_k, W_v) -> (queries, keys, values)
    scaled_dot_product_scores(queries [..., n_q, d_k], keys [..., n_k, d_k]) -> [..., n_q, n_k]
    softmax_weights(attention_scores) -> [..., n_q, n_k]
    aggregate_values(attention_weights, values [..., n_k, d_v]) -> [..., n_q, d_v]
    """

    linear_projections: Callable[..., Any] | None = None
    scaled_dot_product_scores: Callable[..., Any] | None = None
    softmax_weights: Callable[..., Any] | None = None
    aggregate_values: Callable[..., Any] | None = None

    def __post_init__(self) -> None:
        import reference_attention

        for field in fields(self):
            given = getattr(self, field.name)
            if given is None:
                object.__setattr__(self, field.name, getattr(reference_attention, field.name))
            elif not callable(given):
                raise TypeError(
                    f"{field.name}: expected a function, got {type(given).__name__}. "
                    f"Hand over the function itself, without calling it."
                )

    @classmethod
    def of(cls, given: AttentionSteps | Mapping[str, Any] | Any | None) -> AttentionSteps:
        """The steps that ``given`` names: a set of steps, a mapping such as ``globals()``, a
        module or any object with functions of the lesson's names, or None for the reference."""
        if given is None:
            return cls()
        if isinstance(given, AttentionSteps):
            return given
        if isinstance(given, Mapping):
            found = {name: given[name] for name in NAMES if name in given}
        else:
            found = {name: getattr(given, name) for name in NAMES if hasattr(given, name)}
        if not found:
            raise TypeError(
                f"{type(given).__name__}: none of {', '.join(NAMES)} found in it. Pass "
                f"AttentionSteps(...) or a dictionary that holds your functions by these names."
            )
        return cls(**found)

    def run(
        self, name: str, *arguments: Any, shapes: tuple[tuple[int, ...], ...], layer: int | None
    ) -> tuple[Tensor, ...]:
        """Call one step and hold its answer against the ``shapes`` that must come back.

        Raises AttentionFault for an exception, a wrong type or shape, or a value that is not
        a number; the message repeats what came.
        """
        where = f"{name}" if layer is None else f"{name}, in layer {layer} of the model"
        # A copy goes out: an answer that writes into its argument must not write into the model.
        copies = tuple(a.clone() if isinstance(a, Tensor) else a for a in arguments)
        try:
            answer = getattr(self, name)(*copies)
        except Exception as error:
            said = f"{where}: {reason_of(error)}"
            raise AttentionFault(said, function=name, layer=layer) from error
        answers = answer if isinstance(answer, tuple | list) and len(shapes) > 1 else (answer,)
        if len(answers) != len(shapes):
            raise AttentionFault(
                f"{where}: expected {len(shapes)} tensors, got {_describe(answer)}",
                function=name,
                layer=layer,
            )
        for result, shape in zip(answers, shapes, strict=True):
            if not isinstance(result, Tensor) or tuple(result.shape) != shape:
                raise AttentionFault(
                    f"{where}: expected a tensor of shape {shape}, got {_describe(result)}",
                    function=name,
                    layer=layer,
                )
            if result.isnan().any():
                count = int(result.isnan().sum())
                raise AttentionFault(
                    f"{where}: {count} of {result.numel()} numbers are NaN (not a number). "
                    f"Does it subtract the maximum before exp, and never divide 0 by 0?",
                    function=name,
                    layer=layer,
                )
        return tuple(answers)


def reason_of(error: Exception) -> str:
    """What an exception of somebody's code says, in words that may stand behind a colon."""
    if isinstance(error, NotImplementedError):
        return "it is not written yet"
    return (
        f"raised {type(error).__name__}: {error}"
        if str(error)
        else f"raised {type(error).__name__}"
    )


def _describe(answer: Any) -> str:
    if isinstance(answer, Tensor):
        return f"shape {tuple(answer.shape)}"
    if isinstance(answer, tuple | list):
        return f"a {type(answer).__name__} of length {len(answer)}"
    return "None (is a return missing?)" if answer is None else type(answer).__name__
