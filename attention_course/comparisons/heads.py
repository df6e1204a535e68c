"""One head against torch's nn.MultiheadAttention: alone, and split into several."""

from __future__ import annotations

import copy
import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from attention_course.comparisons.answers import (
    AnswerProblem,
    call,
    name_of,
    one_of_a_batch,
    sentences_for,
    tensor,
)
from attention_course.comparisons.result import Comparison, entropies, facts, nothing, told
from attention_course.views.labels import shortened
from attention_course.views.matrices import (
    Matrix,
    ViewError,
    drawing_is_off,
    names_of_axes,
    read_matrix,
)
from attention_course.views.palettes import scale_for
from attention_course.views.pictures import heat_panel
from attention_course.views.table import table_of
from attention_course.views.view import View

if TYPE_CHECKING:
    from torch import Tensor, nn

TITLE = "One head and several"
# Float32 rounding was measured at 2e-6; the smallest fault at 0.08.
AGREES = 1e-4
SEED = 0
MOST_QUERIES = 8  # in the small table


def multi_head(
    head: Any, embeddings: Any, tokens: Any, *, n_heads: int = 4, projections: Any = None
) -> Comparison:
    """The student's head beside torch's nn.MultiheadAttention with the same parameters.

    ``head``: an ``AttentionHead`` with d_k = d_v = d_model, or the class itself (then one is made,
    always the same). ``embeddings``: [n, d_model] or [1, n, d_model]. ``projections``: the lesson's
    W_q, W_k, W_v, to take the place of the parameters of a copy of the head (a new layer's are
    small, and its attention nearly even). Torch's layer gets the head's parameters and an output
    projection that changes nothing: with one head it must agree; with ``n_heads`` each head works
    with its own d_model / n_heads features. Numbers: the largest differences with one head, mean
    entropies, and by how much of their attention two heads differ on average (0 to 1).
    """
    if drawing_is_off():
        return nothing()
    x = one_of_a_batch(embeddings, "embeddings").float()
    _, n, d_model = x.shape
    if n_heads < 2 or d_model % n_heads:
        raise ViewError(
            f"n_heads is {n_heads}; it must be 2 or more and divide d_model, which is {d_model}."
        )
    rows, columns = names_of_axes(np.zeros((n, n)), tokens, None, "the attention")
    try:
        own_output, own_weights, parameters = _of_the_answer(head, x, projections)
    except AnswerProblem as problem:
        return told(TITLE, str(problem))
    single_output, single_weights = _torch_attention(parameters, x, 1)
    several = _torch_attention(parameters, x, n_heads)[1][0]
    patterns = [read_matrix(each, "a head") for each in several]
    own = read_matrix(own_weights, "your head")
    numbers = {
        "output_error": float((own_output - single_output).abs().max()),
        "weights_error": float((own_weights - single_weights[:, 0]).abs().max()),
        "entropy": float(entropies(own).mean()),
        "entropies_of_heads": [float(entropies(each).mean()) for each in patterns],
        "difference_of_heads": _difference(patterns),
    }
    sentence = _sentence(numbers, patterns, own, rows)
    headings = ["Your head", *(f"Head {index + 1} of {n_heads}" for index in range(n_heads))]
    matrices = [own, *patterns]
    scale = scale_for(*matrices)
    view = View(
        TITLE,
        sentence,
        tuple(
            heat_panel(heading, matrix, rows, columns, scale=scale, widest=270)
            for heading, matrix in zip(headings, matrices, strict=True)
        ),
        tuple(
            table_of(heading, matrix, rows, columns)
            for heading, matrix in zip(headings, matrices, strict=True)
        ),
        (_facts(headings, matrices, rows),),
        numbers=numbers,
    )
    return Comparison(sentence, numbers, view)


def _of_the_answer(
    head: Any, x: Tensor, projections: Any
) -> tuple[Tensor, Tensor, dict[str, tuple[Tensor, Tensor | None]]]:
    """Output, weights and the parameters of query, key and value, as far as they can be used."""
    import torch

    name, d_model = name_of(head, "your head"), x.shape[-1]
    if isinstance(head, type):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(SEED)
            head = call(name, head, d_model, d_model, d_model)
    if projections is not None:
        head = _with(name, head, projections)
    with torch.no_grad():
        result = call(name, head, x)
    if not isinstance(result, tuple | list) or len(result) != 2:
        raise AnswerProblem(f"{name} must return two things: attended_values, attention_weights.")
    parameters = {
        part: _parameters(name, head, part, d_model) for part in ("query", "key", "value")
    }
    n = x.shape[1]
    output = tensor(name, result[0], (1, n, d_model), "attended_values")
    return output, tensor(name, result[1], (1, n, n), "attention_weights"), parameters


def _with(name: str, head: Any, projections: Any) -> Any:
    """A copy of the head whose query, key and value are W_q, W_k, W_v, without biases."""
    import torch

    if len(projections) != 3:
        raise ViewError(f"projections must be (W_q, W_k, W_v); {len(projections)} came.")
    with sentences_for(name), torch.no_grad():
        head = copy.deepcopy(head)
        for part, matrix in zip(("query", "key", "value"), projections, strict=True):
            layer = getattr(head, part)
            # A linear layer keeps its matrix the other way round: [out, in].
            layer.weight.copy_(matrix.T)
            if layer.bias is not None:
                layer.bias.zero_()
    return head


def _parameters(name: str, head: Any, part: str, d_model: int) -> tuple[Tensor, Tensor | None]:
    with sentences_for(name):
        layer = getattr(head, part)
        weight, bias = layer.weight.detach(), layer.bias
    if tuple(weight.shape) != (d_model, d_model):
        raise AnswerProblem(
            f"{name}.{part} makes {weight.shape[0]} features of {weight.shape[1]}, and torch's "
            f"layer needs d_k = d_v = d_model, here {d_model}: make the head with these sizes."
        )
    return weight, None if bias is None else bias.detach()


def _torch_attention(
    parameters: dict[str, tuple[Tensor, Tensor | None]], x: Tensor, n_heads: int
) -> tuple[Tensor, Tensor]:
    """Output [1, n, d_model] and weights [1, n_heads, n, n] of torch's own layer."""
    import torch
    from torch import nn

    d_model = x.shape[-1]
    layer: nn.MultiheadAttention
    with torch.random.fork_rng(devices=[]):  # its random start is overwritten: leave no trace
        layer = nn.MultiheadAttention(d_model, n_heads, batch_first=True).eval()
    with torch.no_grad():
        layer.in_proj_weight.copy_(torch.cat([weight for weight, _ in parameters.values()]))
        layer.in_proj_bias.copy_(
            torch.cat(
                [torch.zeros(d_model) if bias is None else bias for _, bias in parameters.values()]
            )
        )
        # The lesson's head has no output projection, so torch's passes everything through.
        layer.out_proj.weight.copy_(torch.eye(d_model))
        layer.out_proj.bias.zero_()
        output, weights = layer(x, x, x, average_attn_weights=False)
    return output, weights


def _difference(patterns: list[Matrix]) -> float:
    """How much of a query's attention two heads place differently, averaged over all pairs."""
    gaps = [
        0.5 * float(np.abs(one - other).sum(axis=-1).mean())
        for one, other in itertools.combinations(patterns, 2)
    ]
    return float(np.mean(gaps))


def _sentence(
    numbers: dict[str, Any], patterns: list[Matrix], own: Matrix, rows: tuple[str, ...]
) -> str:
    error = max(numbers["output_error"], numbers["weights_error"])
    if not error < AGREES:
        which = "weights" if not numbers["weights_error"] < AGREES else "output"
        return (
            f"With the same parameters the {which} of your head and of torch's single head differ "
            f"by {numbers[f'{which}_error']:.2g}: run check.attention_head, then this cell again."
        )
    favourites = np.stack([pattern.argmax(axis=-1) for pattern in patterns])
    # The query on whose favourite key the heads agree least shows best what heads are for.
    query = int(np.argmax([len(set(column)) for column in favourites.T]))
    token, favourite = shortened(rows[query]), shortened(rows[int(own[query].argmax())])
    looks = ", ".join(shortened(rows[key]) for key in dict.fromkeys(favourites[:, query]))
    return (
        f"With one head torch's layer gives what yours gives (largest difference {error:.0e}). "
        f"Split into {len(patterns)} heads, the same parameters give {len(patterns)} patterns, of "
        f"which two differ in {numbers['difference_of_heads']:.0%} of a query's attention on "
        f"average: {token} looks most at {favourite} with one head, and at {looks} with several."
    )


def _facts(headings: list[str], matrices: list[Matrix], rows: tuple[str, ...]) -> Any:
    columns = ("mean entropy, bits", *(shortened(row) for row in rows[:MOST_QUERIES]))
    return facts(
        "The key that each query looks at most, by head",
        columns,
        {
            heading: [
                f"{entropies(matrix).mean():.2f}",
                *(shortened(rows[int(line.argmax())]) for line in matrix[:MOST_QUERIES]),
            ]
            for heading, matrix in zip(headings, matrices, strict=True)
        },
    )
