"""``attention-course demo-model``: a transformer that writes with the lesson's attention."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from attention_course.commands.course_folder import Refusal
from attention_course.commands.terminal import console

if TYPE_CHECKING:
    from torch import Tensor

    from attention_course.model_demo import ModelRun


def register(app: typer.Typer) -> None:
    app.command(name="demo-model", help=demo_model.__doc__)(demo_model)


def demo_model(
    model: Annotated[
        str | None,
        typer.Option(help="A model of the Hub such as distilgpt2, or a folder. [bundled]"),
    ] = None,
    prompt: Annotated[
        str | None, typer.Option(help="The text to continue. [The cat sat on the mat]")
    ] = None,
    tokens: Annotated[int, typer.Option(help="How many tokens to write at most.", min=1)] = 24,
    layer: Annotated[int, typer.Option(help="Layer to compare stage by stage.", min=0)] = 0,
    head: Annotated[int, typer.Option(help="Head of that layer.", min=0)] = 0,
    pictures: Annotated[
        Path | None, typer.Option(help="Folder to write comparison.html and heads.html to.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Let a model write with its own attention, the reference's, and one that forgot to scale.

    Works offline. Ends with exit code 1 where the reference does not reproduce the model.
    """
    from attention_course.model_demo import run_in_model
    from reference_attention.model_utils import (
        PROMPT_EXAMPLE,
        AttentionSteps,
        ModelNotAvailable,
        browse_heads,
        load_mini_transformer,
        visualize_model_comparison,
    )

    text = prompt or PROMPT_EXAMPLE
    try:
        loaded = load_mini_transformer(model)
        place: dict[str, Any] = {"model": loaded, "prompt": text, "layer": layer, "head": head}
        right = run_in_model(AttentionSteps(), new_tokens=tokens, **place)
        unscaled = AttentionSteps(scaled_dot_product_scores=scores_without_scaling)
        wrong = run_in_model(unscaled, new_tokens=tokens, **place)
    except (ModelNotAvailable, ValueError, IndexError) as error:
        raise Refusal(str(error)) from error
    if pictures:
        pictures.mkdir(parents=True, exist_ok=True)
        for name, picture in (
            ("comparison", visualize_model_comparison(wrong.comparison)),
            ("heads", browse_heads(text, model=loaded)),
        ):
            (pictures / f"{name}.html").write_text(picture.page(), encoding="utf-8")
    equal = right.same_text and right.comparison.agrees
    if as_json:
        print(
            json.dumps(
                {
                    "model": loaded.name,
                    "prompt": text,
                    "own": right.own,
                    "reference": right.yours,
                    "equal": equal,
                    "largest_logit_difference": right.comparison.logits_error,
                    "unscaled": wrong.yours,
                    "first_difference": wrong.comparison.first_difference,
                    "misconceptions": [
                        name for verdict in wrong.verdicts for name in verdict.misconceptions
                    ],
                    "diagnosis": list(wrong.diagnosis),
                }
            )
        )
    else:
        _print(loaded.name, right, wrong, pictures)
    if not equal:
        raise typer.Exit(1)


def scores_without_scaling(queries: Tensor, keys: Tensor) -> Tensor:
    """Wrong on purpose, in the most usual way: [..., n_q, n_k] without the division."""
    return queries @ keys.transpose(-2, -1)


def _print(name: str, right: ModelRun, wrong: ModelRun, pictures: Path | None) -> None:
    from rich.markup import escape
    from rich.table import Table

    out = console()
    table = Table(title=f"What {escape(name)} writes", show_lines=True)
    table.add_column("attention")
    table.add_column("continuation")
    table.add_row("its own", escape(right.own))
    table.add_row("the reference's", escape(str(right.yours)))
    table.add_row("without scaling", escape(str(wrong.yours)))
    out.print(table)
    error = right.comparison.logits_error
    text = "the same text, token for token" if right.same_text else "ANOTHER TEXT"
    difference = "not computed" if error is None else f"{error:.1e}"
    out.print(f"The reference writes {text}; largest difference of logits: {difference}.")
    out.print(escape(wrong.comparison.table()))
    for line in wrong.diagnosis:
        out.print(escape(line))
    if pictures:
        out.print(f"Pictures: {pictures / 'comparison.html'}, {pictures / 'heads.html'}")
