"""Which of the notebook's names are shown, and what the reference makes of the same inputs.

Only names that the lesson itself defines are read, and only tensors are computed with: no code
of the student is run here.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

Names = Mapping[str, Any]
Matrices = dict[str, Any]

MISSING = object()
LARGEST_READ = 16_000_000  # bytes of an array that are read to see whether it changed


@dataclass(frozen=True, slots=True)
class Watched:
    """One picture: the exercise it belongs to, the value whose change redraws it, the rest.

    ``anchor`` gives MISSING where the notebook has no such value yet. ``student`` and
    ``reference`` give matrices by their name in the message.
    """

    exercise: str
    title: str
    what: str
    anchor: Callable[[Names], Any]
    student: Callable[[Names], Matrices]
    reference: Callable[[Names], Matrices]
    d_k: Callable[[Names], int | None]
    scaled: bool = True


def print_of(thing: Any) -> int:
    """A number that differs once a tensor or an array has changed in place."""
    try:
        version = getattr(thing, "_version", None)
        if isinstance(version, int):
            return version
        if hasattr(thing, "tobytes") and getattr(thing, "nbytes", 0) <= LARGEST_READ:
            return zlib.crc32(thing.tobytes())
    except Exception:  # torch's inference tensors count no versions
        pass
    return 0


# --- assignment "attention" -----------------------------------------------------------------


def _named(name: str) -> Callable[[Names], Any]:
    return lambda names: names.get(name, MISSING)


def _scores_of_projections(names: Names) -> Matrices:
    from reference_attention import scaled_dot_product_scores

    return {
        "reference_scores": scaled_dot_product_scores(
            _first(names["queries"]), _first(names["keys"])
        )
    }


def _weights_of_scores(names: Names) -> Matrices:
    from reference_attention import softmax_weights

    found: Matrices = {}
    found.update(_tried(_scores_of_projections, names))
    found["reference_weights"] = softmax_weights(_first(names["attention_scores"]))
    return found


def _head_of_embeddings(names: Names) -> Matrices:
    from reference_attention import scaled_dot_product_scores, softmax_weights

    x = _first(names["embeddings"])
    scores = scaled_dot_product_scores(x @ names["W_q"].detach(), x @ names["W_k"].detach())
    return {"reference_scores": scores, "reference_weights": softmax_weights(scores)}


def _width(name: str) -> Callable[[Names], int | None]:
    def width(names: Names) -> int | None:
        shape: Sequence[int] = getattr(names.get(name), "shape", ())
        return int(shape[-1]) if shape else None

    return width


# --- assignment "attention_basics" ----------------------------------------------------------


def _basics_scores(names: Names) -> Any:
    # "scores" is a name that any notebook may use; the class tells whose notebook this is.
    return names.get("scores", MISSING) if "SimpleAttention" in names else MISSING


def _basics_weights(names: Names) -> Any:
    if "SimpleAttention" not in names:
        return MISSING
    # Not getattr: a property of the student's own would be run.
    return getattr(names.get("attention"), "__dict__", {}).get("attention_weights", MISSING)


def _basics_reference(names: Names) -> Matrices:
    from torch.nn.functional import linear

    from reference_attention import softmax_weights

    layers = vars(names["attention"])["_modules"]
    x = _first(names["x"])
    queries, keys = (
        linear(x, layer.weight.detach(), None if layer.bias is None else layer.bias.detach())
        for layer in (layers["query"], layers["key"])
    )
    scores = queries @ keys.transpose(-2, -1)
    return {"reference_scores": scores, "reference_weights": softmax_weights(scores)}


def _only(name: str, matrices: Callable[[Names], Matrices]) -> Callable[[Names], Matrices]:
    return lambda names: {name: matrices(names)[name]}


WATCHED: tuple[Watched, ...] = (
    Watched(
        "attention_scores",
        "Scores on the prompt",
        "attention_scores",
        _named("attention_scores"),
        lambda names: {"scores": names["attention_scores"]},
        _scores_of_projections,
        _width("queries"),
    ),
    Watched(
        "attention_weights",
        "Weights on the prompt",
        "attention_weights",
        _named("attention_weights"),
        lambda names: {
            "weights": names["attention_weights"],
            **({"scores": names["attention_scores"]} if "attention_scores" in names else {}),
        },
        _weights_of_scores,
        _width("queries"),
    ),
    Watched(
        "attention_head",
        "The head's weights on the prompt",
        "head_weights",
        _named("head_weights"),
        lambda names: {"weights": names["head_weights"]},
        _head_of_embeddings,
        _width("W_q"),
    ),
    Watched(
        "scores",
        "Scores on the prompt, not scaled",
        "scores",
        _basics_scores,
        lambda names: {"scores": names["scores"]},
        _only("reference_scores", _basics_reference),
        _width("x"),
        scaled=False,
    ),
    Watched(
        "weights",
        "Weights on the prompt",
        "attention.attention_weights",
        _basics_weights,
        lambda names: {"weights": vars(names["attention"])["attention_weights"]},
        _basics_reference,
        _width("x"),
        scaled=False,
    ),
)


def reference_of(watched: Watched, names: Names) -> Matrices:
    """The reference's matrices; none where the inputs are missing, or nothing it can use."""
    import torch

    with torch.no_grad():
        return _tried(watched.reference, names)


def _tried(matrices: Callable[[Names], Matrices], names: Names) -> Matrices:
    try:
        return matrices(names)
    except Exception:
        return {}


def _first(thing: Tensor) -> Tensor:
    """The first of a batch, as [rows, columns]: the one that is shown."""
    thing = thing.detach()
    while thing.ndim > 2:
        thing = thing[0]
    return thing


class Changes:
    """Which watched values were assigned anew, or changed in place, since the last look."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[Any, int]] = {}

    def look(self, names: Names) -> Iterator[tuple[Watched, bool]]:
        """Each picture to draw anew, with True; each whose value is gone, with False."""
        for watched in WATCHED:
            anchor = watched.anchor(names)
            before = self._seen.get(watched.exercise)
            if anchor is MISSING:
                if before is not None:
                    del self._seen[watched.exercise]
                    yield watched, False
                continue
            now = print_of(anchor)
            # The value itself is kept, not its id: the id of a value that is gone is used again.
            if before is None or before[0] is not anchor or before[1] != now:
                self._seen[watched.exercise] = (anchor, now)
                yield watched, True
