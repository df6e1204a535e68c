"""Text, diagnosis and command: somebody's attention in the bundled model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor
from typer.testing import CliRunner

from attention_course.cli import build
from attention_course.model_demo import run_in_model
from reference_attention.model_utils import AttentionSteps, LoadedModel


def unscaled(queries: Tensor, keys: Tensor) -> Tensor:
    return queries @ keys.transpose(-2, -1)


def test_a_right_attention_writes_the_same_and_is_not_diagnosed(bundled: LoadedModel) -> None:
    def mine(attention_weights: Tensor, values: Tensor) -> Tensor:
        return torch.einsum("...qk,...kd->...qd", attention_weights, values)

    run = run_in_model(AttentionSteps(aggregate_values=mine), model=bundled)
    assert run.same_text
    assert run.diagnosis == ()
    assert "the same text, token for token" in run.html()


def test_an_unscaled_attention_writes_otherwise_and_is_named(bundled: LoadedModel) -> None:
    run = run_in_model({"scaled_dot_product_scores": unscaled}, model=bundled)
    assert not run.same_text
    assert run.comparison.first_difference == "scores"
    (verdict,) = run.verdicts
    assert verdict.exercise == "attention_scores"
    assert verdict.misconceptions == ("no_scaling",)
    assert verdict.message in str(run)
    assert "<mark>" in run.html()


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("softmax_weights", lambda scores: torch.softmax(scores, dim=-2)),
        ("softmax_weights", lambda scores: torch.softmax(torch.softmax(scores, -1), -1)),
        ("aggregate_values", lambda weights, values: weights.transpose(-2, -1) @ values),
    ],
)
def test_other_wrong_attentions_change_the_text_and_are_named(
    bundled: LoadedModel, name: str, wrong: object
) -> None:
    run = run_in_model({name: wrong}, model=bundled, new_tokens=40)
    assert not run.same_text
    assert len(run.verdicts) == 1
    assert run.verdicts[0].misconceptions


def test_an_attention_that_cannot_go_on_says_why_beside_the_models_text(
    bundled: LoadedModel,
) -> None:
    def not_written(scores: Tensor) -> Tensor:
        raise NotImplementedError

    run = run_in_model({"softmax_weights": not_written}, model=bundled)
    assert run.yours is None
    assert "softmax_weights, in layer 0 of the model: it is not written yet" in str(run)
    assert run.own.startswith("The cat sat on the mat")
    assert "—" in run.html()


def test_what_somebody_writes_into_a_message_is_no_html(bundled: LoadedModel) -> None:
    def fails(scores: Tensor) -> Tensor:
        raise ValueError("<img src=x>")

    assert "<img" not in run_in_model({"softmax_weights": fails}, model=bundled).html()


def test_demo_model_prints_equal_texts_the_difference_and_the_diagnosis(tmp_path: Path) -> None:
    done = CliRunner().invoke(build(), ["demo-model", "--pictures", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert done.output.count("because it was tired.") == 2
    assert "the same text, token for token" in done.output
    assert "scores is the first stage that differs" in done.output
    assert "attention_scores:" in done.output
    assert {file.name for file in tmp_path.iterdir()} == {"comparison.html", "heads.html"}


def test_demo_model_gives_a_program_the_same_as_json() -> None:
    done = CliRunner().invoke(build(), ["demo-model", "--json", "--tokens", "12"])
    found = json.loads(done.stdout)
    assert found["equal"] is True
    assert found["own"] == found["reference"] != found["unscaled"]
    assert found["largest_logit_difference"] < 1e-4
    assert found["misconceptions"] == ["no_scaling"]


def test_demo_model_runs_any_folder_with_a_model(bundled: LoadedModel) -> None:
    arguments = ["demo-model", "--json", "--model", str(bundled.folder), "--prompt", "The dog"]
    done = CliRunner().invoke(build(), arguments)
    assert json.loads(done.stdout)["own"].startswith("The dog")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--layer", "99"], "layer 99, head 0: the model has layers 0 to 7"),
        (["--prompt", "the " * 200], "reads at most 128"),
    ],
)
def test_what_demo_model_cannot_do_is_refused_in_one_sentence(
    arguments: list[str], said: str
) -> None:
    done = CliRunner().invoke(build(), ["demo-model", *arguments])
    assert said in str(done.exception)
