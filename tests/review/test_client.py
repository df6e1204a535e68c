"""What the client makes of each answer that a real Ollama server was recorded to give."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from attention_course.grading.review.client import Reviewer, full_name
from attention_course.grading.review.protocol import (
    AnswerRefused,
    ModelMissing,
    ReviewUnavailable,
)

Start = Callable[..., Any]
Make = Callable[..., Reviewer]

SCHEMA = {
    "type": "object",
    "properties": {
        "clarity": {"type": "integer", "minimum": 0, "maximum": 5},
        "reason": {"type": "string", "maxLength": 80},
    },
    "required": ["clarity", "reason"],
}


@dataclass
class Request:
    messages: list[dict[str, str]] = field(
        default_factory=lambda: [
            {"role": "system", "content": "You judge how code reads."},
            {"role": "user", "content": "def add(a, b):\n    return a + b"},
        ]
    )
    schema: dict[str, Any] = field(default_factory=lambda: dict(SCHEMA))
    options: dict[str, Any] = field(default_factory=dict)


def test_an_answer_comes_with_all_that_made_it(stand_in: Start, reviewer: Make) -> None:
    server = stand_in()
    answer = reviewer(server).judge(Request())
    assert json.loads(answer.text) == {"clarity": 4, "reason": "reads well"}
    assert answer.digest == server.digest
    assert answer.versions["server"] == "0.32.15" and answer.versions["ollama"]
    assert answer.counts["prompt_eval_count"] > 0 and answer.durations["total_duration"] > 0
    assert answer.attempts == 1
    assert answer.request == server.chats[0]
    assert json.loads(answer.raw)["done_reason"] == "stop"


def test_the_request_leaves_nothing_to_the_server(stand_in: Start, reviewer: Make) -> None:
    server = stand_in()
    reviewer(server, num_ctx=4096, keep_alive="3m").judge(Request())
    body = server.chats[0]
    assert (body["truncate"], body["shift"], body["stream"], body["think"]) == (False,) * 4
    assert body["keep_alive"] == "3m"
    assert body["format"] == SCHEMA
    assert body["options"]["num_ctx"] == 4096
    every_sampling_option = {
        "temperature", "seed", "top_k", "top_p", "min_p", "typical_p", "repeat_last_n",
        "repeat_penalty", "presence_penalty", "frequency_penalty", "num_predict", "num_ctx",
    }  # fmt: skip
    assert every_sampling_option <= set(body["options"])


@pytest.mark.parametrize(("scheme", "checked"), [("https", True), ("http", False)])
def test_certificates_are_checked_wherever_there_are_any(
    reviewer: Make, scheme: str, checked: bool
) -> None:
    asking = reviewer(f"{scheme}://localhost:1")
    for client in (asking._http, asking._models._client, asking._pulls._client):
        context = client._transport._pool._ssl_context  # type: ignore[attr-defined]
        assert (context.verify_mode == ssl.CERT_REQUIRED) is checked


def test_a_proxy_in_the_environment_is_left_alone(
    stand_in: Start, reviewer: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert reviewer(stand_in()).judge(Request()).attempts == 1


def test_sorted_keys_are_as_good_as_any_order(stand_in: Start, reviewer: Make) -> None:
    answer = reviewer(stand_in(script=["sorted"])).judge(Request())
    assert json.loads(answer.text)["clarity"] == 4


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("100_busy_503_6", "busy"),
        ("122_runner_killed_nostream", "unexpected EOF"),
        ("125_server_sigterm_nostream", "ended the connection"),
        ("cut", "ended the connection"),
    ],
)
def test_what_may_pass_is_tried_again_after_a_pause(
    stand_in: Start, reviewer: Make, step: str, words: str
) -> None:
    asking = reviewer(stand_in(script=[step, step]))
    assert asking.judge(Request()).attempts == 3
    first, second = asking.pauses  # type: ignore[attr-defined]
    assert 0 < first <= 1 < second <= 2, "the pause doubles, with jitter below it"

    server = stand_in(script=[step] * 3)
    with pytest.raises(ReviewUnavailable, match=f"{words}.*3 times in a row"):
        reviewer(server).judge(Request())
    assert len(server.chats) == 3


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("28_option_wrong_type", '500: option "temperature" must be of type float32'),
        ("30_format_xml", "500: invalid format"),
        ("32_schema_bad_type", "400: .*Unrecognized schema"),
        ("84_native_bad_schema", "400: .*Unrecognized schema"),
        ("61_keep_alive_bad", "400: .*"),
        ("73_bad_host_header", "refuses this address .403."),
        ("70_bad_route", "404: 404 page not found"),
        ("html", "no Ollama server answers"),
    ],
)
def test_what_cannot_pass_is_not_tried_again(
    stand_in: Start, reviewer: Make, step: str, words: str
) -> None:
    server = stand_in(script=[step, None])
    with pytest.raises(ReviewUnavailable, match=words):
        reviewer(server).judge(Request())
    assert len(server.chats) == 1


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("110_repeat_abort", "done is false"),
        ("40_num_predict_truncated", "did not end by itself .length."),
        ("86_native_truncated", "did not end by itself .length."),
        ("146_overflow_while_generating_noshift", "did not end by itself .length."),
        ("9A5_think_true_schema_short", "spent its answer on thinking"),
        ("9B5_think_true_schema_short", "did not end by itself .length."),
        ("06_load", "did not end by itself .load."),
        ("52_too_long_truncate_false", "does not fit into the model's context"),
        ("82_native_too_long", "does not fit into the model's context"),
        ("144_shift_false_too_long", "does not fit into the model's context"),
        ("12_chat_schema", "not of the form asked for"),
        ("truncated_count", "read only .* tokens"),
    ],
)
def test_an_answer_against_the_rule_is_refused_and_kept(
    stand_in: Start, reviewer: Make, step: str, words: str
) -> None:
    server = stand_in(script=[step, None])
    asking = reviewer(server)
    request = Request()
    request.messages[1]["content"] *= 30
    with pytest.raises(AnswerRefused, match=words) as refused:
        asking.judge(request)
    assert len(server.chats) == 1
    assert refused.value.raw
    assert not asking.breaker.open, "the server is well; it is this answer"


@pytest.mark.parametrize("name", ["12_chat_schema", "80_native_chat", "9A3_think_false_schema"])
def test_a_recorded_answer_of_the_recorded_schema_is_accepted(
    stand_in: Start, reviewer: Make, name: str
) -> None:
    from stand_in_ollama import RECORDED

    recorded = RECORDED[name]["request"]
    request = Request(recorded["messages"], recorded["format"])
    answer = reviewer(stand_in(script=[name])).judge(request)
    assert json.loads(answer.text)["summary"]


def test_a_missing_model_is_named_with_the_command_that_gets_it(
    stand_in: Start, reviewer: Make
) -> None:
    server = stand_in(model="another:1b")
    asking = reviewer(server, model="coder:3b")
    with pytest.raises(ModelMissing, match=r"has no model coder:3b\. Get it with: ollama pull cod"):
        asking.judge(Request())
    assert server.chats == []

    asking = reviewer(stand_in(script=["20_missing_model_chat"]))
    with pytest.raises(ModelMissing, match="ollama pull qwen"):
        asking.judge(Request())
    assert asking.breaker.open


def test_nothing_at_the_address_is_found_out_once(reviewer: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = taken.getsockname()[1]
    asking = reviewer(f"127.0.0.1:{free}")
    with pytest.raises(ReviewUnavailable, match=r"no Ollama server answers at http://127\."):
        asking.judge(Request())
    assert asking.breaker.open
    asking._http.close()  # from here on a request would raise another error
    with pytest.raises(ReviewUnavailable, match="no Ollama server answers"):
        asking.judge(Request())


def test_a_server_that_takes_calls_and_never_answers_is_given_up(
    stand_in: Start, reviewer: Make
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ReviewUnavailable, match="did not answer in time"):
            reviewer(host, connect_timeout=0.05).judge(Request())

    server = stand_in(script=["black_hole"] * 3)
    asking = reviewer(server, answer_timeout=0.05)
    for _ in range(2):
        with pytest.raises(ReviewUnavailable, match="did not answer in time"):
            asking.judge(Request())
    assert asking.breaker.open
    assert len(server.chats) == 2


def test_a_server_that_goes_away_halfway_opens_the_breaker(stand_in: Start, reviewer: Make) -> None:
    server = stand_in(script=[None, "gone_after"])
    asking = reviewer(server)
    asking.judge(Request())
    with pytest.raises(ReviewUnavailable):
        asking.judge(Request())
    with pytest.raises(ReviewUnavailable, match="no Ollama server answers"):
        asking.judge(Request())
    assert asking.breaker.open


def test_an_answer_of_a_model_that_was_replaced_meanwhile_does_not_count(
    stand_in: Start, reviewer: Make
) -> None:
    server = stand_in()
    asking = reviewer(server)
    asking.server()
    server.digest = "0" * 64
    with pytest.raises(ReviewUnavailable, match="was replaced while it judged"):
        asking.judge(Request())
    assert asking.judge(Request()).digest == "0" * 64


def test_pulling_tells_how_far_it_is(stand_in: Start, reviewer: Make) -> None:
    server = stand_in(model="")
    asking = reviewer(server, model="coder:3b")
    steps = list(asking.pull())
    assert steps[0] == ("pulling manifest", 0, 0)
    assert ("pulling ffc55058168b", 7096672, 7096672) in steps
    assert steps[-1][0] == "success"
    assert asking.judge(Request()).attempts == 1


def test_pulling_an_unknown_model_says_what_the_server_said(
    stand_in: Start, reviewer: Make
) -> None:
    with pytest.raises(ReviewUnavailable, match="file does not exist"):
        list(reviewer(stand_in(), model="unknown").pull())


def test_a_model_without_a_tag_is_its_latest() -> None:
    assert full_name("coder") == "coder:latest"
    assert full_name("host:5000/coder") == "host:5000/coder:latest"
    assert full_name("coder:3b") == "coder:3b"
