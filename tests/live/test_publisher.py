"""When what is said, to whom: hello, refresh, rates, sizes, closes, other versions."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
import torch

from attention_course.checks import MISCONCEPTIONS
from attention_course.progress import progress_path, read_progress
from attention_course.verdict import Outcome, Verdict

TOKENS = ["The", "cat", "sat", "on", "the", "mat"]


def kinds(said):
    return [one.data["type"] for one in said]


def wrong(exercise="attention_scores", *misconceptions):
    return Verdict(Outcome.FAILED, exercise, "not right", misconceptions=misconceptions)


def passed(exercise="attention_scores"):
    return Verdict(Outcome.PASSED, exercise, "right", points=1.0)


def test_the_first_cell_opens_one_comm_with_the_hello_in_it(kernel):
    (hello,) = kernel.run()
    assert hello.data["type"] == "hello"
    assert [one["exercise"] for one in hello.data["exercises"]][:2] == [
        "linear_projections",
        "attention_scores",
    ]
    kernel.run()
    assert len(kernel.comms) == 1


def test_each_kernel_has_a_session_of_its_own(kernel, monkeypatch):
    other = type(kernel)(monkeypatch)
    assert other.publisher.session != kernel.publisher.session


def test_scores_are_told_when_their_cell_has_run(kernel):
    kernel.run()
    said = kernel.run("scores-on-prompt", attention_scores=torch.ones(1, 6, 6), tokens=TOKENS)
    assert kinds(said) == ["matrices"]
    assert said[0].data["cell_id"] == "scores-on-prompt"
    assert said[0].data["exercise"] == "attention_scores"
    assert said[0].data["tokens"] == TOKENS
    assert (said[0].matrix("scores") == 1).all()


def test_a_cell_that_changes_nothing_says_nothing(kernel):
    kernel.run(attention_scores=torch.ones(6, 6))
    assert kernel.run(something_else=3) == []


def test_the_same_values_computed_anew_are_told_anew(kernel):
    kernel.run(attention_scores=torch.ones(6, 6))
    assert kinds(kernel.run(attention_scores=torch.ones(6, 6))) == ["matrices"]


@pytest.mark.parametrize("make", [torch.zeros, np.zeros])
def test_a_change_in_place_is_told(kernel, make):
    matrix = make((3, 3))
    kernel.run(attention_scores=matrix)
    matrix[1, 2] = 5
    (said,) = kernel.run()
    assert said.matrix("scores")[1, 2] == 5


def test_a_name_that_is_gone_is_cleared(kernel):
    kernel.run(attention_scores=torch.ones(2, 2))
    del kernel.names["attention_scores"]
    (said,) = kernel.run()
    assert said.data["type"] == "clear" and said.data["exercise"] == "attention_scores"


def test_a_check_s_verdict_comes_with_the_hint_of_its_misconception(kernel):
    kernel.run()
    kernel.publisher.verdicts_reached("attention", [wrong("attention_scores", "no_scaling")])
    verdict, progress = kernel.run("test-attention-scores")
    assert verdict.data["record"]["misconceptions"] == ["no_scaling"]
    assert verdict.data["cell_id"] == "test-attention-scores"
    assert verdict.data["tried"] is True
    assert verdict.data["hint"]["text"] == MISCONCEPTIONS["no_scaling"].hint
    assert progress.data["type"] == "progress"


@pytest.mark.parametrize("verdict", [passed(), wrong(), wrong("attention_scores", "unheard_of")])
def test_without_a_recognised_misconception_there_is_no_hint(kernel, verdict):
    kernel.run()
    kernel.publisher.verdicts_reached("attention", [verdict])
    assert kernel.run()[0].data["hint"] is None


def test_a_stub_is_told_as_not_tried(kernel):
    kernel.run()
    kernel.publisher.verdicts_reached("attention", [wrong("attention_scores", "not_started")])
    assert kernel.run()[0].data["tried"] is False


def test_of_many_checks_in_one_cell_the_last_counts(kernel):
    kernel.run()
    for _ in range(500):
        kernel.publisher.verdicts_reached("attention", [wrong()])
    kernel.publisher.verdicts_reached("attention", [passed()])
    said = kernel.run()
    assert kinds(said) == ["verdict", "progress"]
    assert said[0].data["record"]["outcome"] == "passed"


def test_an_evaluation_tells_every_exercise(kernel):
    kernel.run()
    kernel.publisher.verdicts_reached("attention", [passed(), wrong("attention_weights")])
    assert kinds(kernel.run()) == ["verdict", "verdict", "progress"]


def test_nothing_large_is_sent_before_a_lab_has_spoken(kernel):
    kernel.run()
    assert kernel.run(attention_scores=torch.ones(200, 200)) == []
    kernel.comm.lab_says({"type": "refresh"})
    assert kernel.comm.heard[-1].matrix("scores").shape == (200, 200)
    assert kinds(kernel.run(attention_scores=torch.zeros(200, 200))) == ["matrices"]


def test_a_refresh_brings_the_hello_and_the_latest_of_everything(kernel):
    kernel.run(SimpleAttention=None, PROMPT_EXAMPLE="", tokens=TOKENS)
    kernel.names.pop("SimpleAttention")
    kernel.run(attention_scores=torch.zeros(6, 6))
    kernel.run(attention_scores=torch.ones(6, 6))
    kernel.run(attention_weights=torch.ones(6, 6) / 6)
    kernel.publisher.verdicts_reached("attention", [wrong()])
    kernel.publisher.verdicts_reached("attention", [passed()])
    kernel.run()
    before = len(kernel.comm.heard)
    kernel.comm.lab_says({"type": "refresh"})
    again = kernel.comm.heard[before:]
    assert kinds(again) == ["hello", "progress", "matrices", "matrices", "verdict"]
    assert (again[2].matrix("scores") == 1).all()
    assert again[4].data["record"]["outcome"] == "passed"


def test_what_is_sent_again_keeps_its_sequence_number(kernel):
    kernel.run()
    (first,) = kernel.run(attention_scores=torch.zeros(6, 6))
    kernel.comm.lab_says({"type": "refresh"})
    again = [one for one in kernel.comm.heard if one.data["type"] == "matrices"]
    assert [one.data["sequence"] for one in again] == [first.data["sequence"]] * 2


def test_of_large_pictures_only_the_newest_is_kept(kernel):
    kernel.run(attention_scores=torch.ones(600, 600))
    kernel.run(head_weights=torch.ones(600, 600))
    kernel.comm.lab_says({"type": "refresh"})
    large = [one.data["exercise"] for one in kernel.comm.heard if one.data["type"] == "matrices"]
    assert large == ["attention_head"]


def test_a_front_end_that_does_not_know_the_target_silences_the_kernel(kernel):
    kernel.run()
    kernel.comm.lab_closes()
    assert kernel.run(attention_scores=torch.ones(6, 6)) == []
    assert len(kernel.comms) == 1


def test_a_lab_that_speaks_after_a_close_is_served(kernel):
    kernel.run()
    kernel.comm.lab_closes()
    assert kernel.registered == [kernel.comm]
    kernel.comm.lab_says({"type": "refresh"})
    assert kinds(kernel.run(attention_scores=torch.ones(6, 6))) == ["matrices"]


def test_a_close_by_one_front_end_does_not_take_the_comm_from_another(kernel):
    kernel.run()
    kernel.comm.lab_says({"type": "refresh"})
    kernel.comm.lab_closes()
    assert kinds(kernel.run(attention_scores=torch.ones(6, 6))) == ["matrices"]


def test_a_lab_may_open_a_comm_itself(kernel):
    comm = kernel.lab_opens({"type": "refresh"})
    assert comm.heard[0].data["type"] == "hello"
    assert kinds(kernel.run(attention_scores=torch.ones(6, 6))) == ["matrices"]
    assert len(kernel.comms) == 1


def test_every_open_comm_gets_the_same_message(kernel):
    kernel.run()
    comm = kernel.lab_opens({"type": "refresh"})
    kernel.run(attention_scores=torch.ones(6, 6))
    assert kernel.comm.heard[-1].data == comm.heard[-1].data


def test_a_comm_that_the_lab_opened_ends_with_its_close(kernel):
    kernel.run()
    comm = kernel.lab_opens({"type": "refresh"})
    comm.lab_closes()
    before = len(comm.heard)
    kernel.run(attention_scores=torch.ones(6, 6))
    assert len(comm.heard) == before


def test_a_message_of_another_version_is_answered_with_the_hello_only(kernel):
    kernel.run()
    before = len(kernel.comm.heard)
    kernel.comm.lab_says({"type": "hint_opened", "exercise": "attention_scores", "tier": 3}, 2)
    assert kinds(kernel.comm.heard[before:]) == ["hello"]
    assert not progress_path().exists()


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        "refresh",
        {},
        {"type": "explode"},
        {"type": ["refresh"]},
        {"type": "hint_opened"},
        {"type": "hint_opened", "exercise": "attention_scores", "tier": 4},
        {"type": "hint_opened", "exercise": "attention_scores", "tier": True},
        {"type": "hint_opened", "exercise": "attention_scores", "tier": "1"},
        {"type": "hint_opened", "exercise": "../../etc", "tier": 1},
        {"type": "hint_opened", "exercise": ["a"], "tier": 1},
    ],
)
def test_an_odd_message_is_ignored(kernel, data):
    kernel.run()
    before = len(kernel.comm.heard)
    kernel.comm.lab_says(data)
    assert kernel.comm.heard[before:] == []
    assert not progress_path().exists()


def test_an_opened_hint_is_kept_with_the_progress(kernel):
    kernel.run()
    for tier in (1, 3, 2):
        kernel.comm.lab_says({"type": "hint_opened", "exercise": "attention_scores", "tier": tier})
    exercise = read_progress()["assignments"]["attention"]["exercises"]["attention_scores"]
    assert exercise["hint_tiers_opened"] == 3
    assert exercise["attempts"] == 0
    told = kernel.comm.heard[-1].data["record"]["exercises"][1]
    assert told["hint_tiers_opened"] == 3
    assert told["outcome"] == "untried"


def test_a_hint_opened_takes_nothing_from_what_was_reached(kernel, monkeypatch):
    from attention_course.progress import record

    record("attention", [passed()])
    kernel.run()
    kernel.comm.lab_says({"type": "hint_opened", "exercise": "attention_scores", "tier": 1})
    entry = read_progress()["assignments"]["attention"]
    assert entry["points"] == 1 and entry["max_points"] == 1
    assert entry["exercises"]["attention_scores"]["attempts"] == 1


def test_a_failure_of_ours_never_reaches_the_cell(kernel, monkeypatch):
    kernel.run()

    def fail(*args, **kwargs):
        raise RuntimeError("the socket is gone")

    monkeypatch.setattr(kernel.comm, "send", fail)
    kernel.run(attention_scores=torch.ones(6, 6))
    kernel.publisher.verdicts_reached("attention", None)
    kernel.publisher.show(object(), 3, object(), "x", "y", object())
    kernel.comm.lab_says({"type": "refresh"})


def test_a_loop_is_thinned_to_the_screen_s_rate_and_its_last_picture_shown(kernel, monkeypatch):
    now = itertools.count(start=1, step=0.001)
    monkeypatch.setattr("attention_course.live.publisher.time.monotonic", lambda: next(now))
    kernel.run()
    kernel.comm.lab_says({"type": "refresh"})
    before = len(kernel.comm.heard)
    for step in range(3000):  # a picture a millisecond
        kernel.publisher.show(torch.full((2, 2), float(step)), None, None, "loop", "weights", None)
    kernel.run()
    sent = kernel.comm.heard[before:]
    assert 150 < len(sent) < 200
    assert sent[-1].matrix("weights")[0, 0] == 2999
    assert [one.data["sequence"] for one in sent] == sorted(one.data["sequence"] for one in sent)


def test_pictures_of_two_names_in_one_loop_do_not_push_each_other_out(kernel):
    kernel.run()
    for name in ("first", "second"):
        kernel.publisher.show(torch.ones(2, 2), None, None, name, "scores", torch.ones(2, 2))
    assert [one.data.get("exercise") for one in kernel.comm.heard[-2:]] == ["first", "second"]
    assert kernel.comm.heard[-1].names == ["scores", "reference_scores"]


def test_progress_lists_every_exercise_and_the_next_one(kernel):
    from attention_course.progress import record

    kernel.run()
    record("attention", [passed("linear_projections"), wrong("attention_scores")])
    kernel.publisher.verdicts_reached("attention", [passed("linear_projections")])
    record_told = kernel.run()[-1].data["record"]
    assert [one["outcome"] for one in record_told["exercises"]] == [
        "passed",
        "failed",
        "untried",
        "untried",
        "untried",
    ]
    assert record_told["next"] == "attention_scores"
    assert (record_told["points"], record_told["max_points"]) == (1, 5)


def test_a_damaged_progress_file_is_told_as_none(kernel):
    progress_path().parent.mkdir()
    progress_path().write_text("{")
    kernel.run()
    kernel.publisher.verdicts_reached("attention", [passed()])
    assert kernel.run()[-1].data["record"]["points"] == 0


def test_what_is_sent_is_plain_json(kernel):
    kernel.run(attention_scores=torch.tensor([[float("nan"), float("inf")]]))
    for said in kernel.comm.heard:
        json.dumps(said.data, allow_nan=False)
