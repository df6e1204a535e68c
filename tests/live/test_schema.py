"""The schema itself: what it lets through and what not. What is sent is tested where it is made."""

from __future__ import annotations

import re
from pathlib import Path

import jsonschema
import pytest

from attention_course.checks import EXERCISES, judge
from attention_course.live import TARGET, VERSION, messages

HELLO = messages.hello("abc", "attention", EXERCISES).data | {"sequence": 0}


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(messages.schema())


@pytest.mark.parametrize(
    "data",
    [
        {"type": "refresh"},
        {"version": 1, "type": "refresh"},
        {"version": 1, "type": "hint_opened", "exercise": "attention_scores", "tier": 2},
    ],
)
def test_the_lab_s_messages_fit(data, fits):
    fits(data, "lab_to_kernel")


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"type": "greeting"},
        {"session": ""},
        {"exercises": None},
        {"sequence": -1},
    ],
)
def test_a_message_of_another_form_does_not_fit(change, fits):
    fits(HELLO)
    with pytest.raises(jsonschema.ValidationError):
        fits(HELLO | change)


def test_readers_may_meet_properties_that_they_do_not_know(fits):
    fits(HELLO | {"since": "a later version 1"})


@pytest.mark.parametrize("answer", [lambda queries, keys: queries @ keys.mT, None])
def test_a_real_verdict_s_record_fits(answer, fits):
    verdict = judge("attention_scores", answer)
    told = messages.verdict(verdict, "attention", "Scores", None, tried=True)
    fits(told.data | {"sequence": 1})


def test_the_document_names_every_type_target_and_version(repository_root: Path):
    text = (repository_root / "docs" / "live-messages.md").read_text(encoding="utf-8")
    directions = messages.schema()["$defs"]
    for direction in ("kernel_to_lab", "lab_to_kernel"):
        for reference in directions[direction]["oneOf"]:
            kind = reference["$ref"].removeprefix("#/$defs/")
            assert f"| `{kind}` |" in text
    assert f"`{TARGET}`" in text
    assert f"version {VERSION}" in re.sub(r"\s+", " ", text)
