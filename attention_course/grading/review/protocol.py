"""What is sent to Ollama's chat endpoint, and which of its answers may be believed.

Pure functions over plain data; measured on Ollama 0.32. A status of 200 proves little: a prompt
or an answer that was cut, or a model that never came to its answer, comes with 200 too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jsonschema

# Fewest tokens for so many characters (white space aside). Tokenizers of today need one for
# every 3 to 5 characters of code; fewer than one for 10 means that the prompt was cut.
CHARACTERS_A_TOKEN = 10
RUNNER_DIED = ("error was encountered while running the model", "runner process", "unexpected eof")
MAX_QUOTED = 300


class ReviewUnavailable(Exception):
    """No judgement can be had at present, through no fault of the answer; the message says why."""


class ModelMissing(ReviewUnavailable):
    """The server does not have the model; the message says how to get it."""


class RequestFailed(ReviewUnavailable):
    """The server is there, but this request came to nothing; another one may fare better."""


class AnswerRefused(Exception):
    """The model answered, but not in a way that may count; a person looks instead."""

    def __init__(self, message: str, raw: str = "") -> None:
        super().__init__(message)
        self.raw = raw


class TryAgain(Exception):
    """A failure that may pass: busy, restarted, cut off. Never leaves the client."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """An answer under the rule: its text, and the server's counts and durations (seconds)."""

    text: str
    counts: dict[str, int]
    durations: dict[str, float]


def chat_body(
    model: str,
    messages: Sequence[Mapping[str, Any]],
    schema: Mapping[str, Any],
    options: Mapping[str, Any],
    keep_alive: str,
) -> dict[str, Any]:
    """The body of one chat request.

    ``truncate`` and ``shift`` make the server refuse what does not fit instead of cutting it;
    ``think`` is false because a thinking model can spend its whole answer on thoughts.
    """
    return {
        "model": model,
        "messages": [dict(message) for message in messages],
        "format": dict(schema),
        "options": dict(options),
        "keep_alive": keep_alive,
        "stream": False,
        "truncate": False,
        "shift": False,
        "think": False,
    }


def accept(status: int, text: str, body: Mapping[str, Any]) -> Accepted:
    """The answer in a response to ``body``.

    Raises TryAgain, ModelMissing, ReviewUnavailable or AnswerRefused as PROTOCOL's table has it.
    """
    if status != 200:
        _raise_for_status(status, text, str(body.get("model", "")))
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        if text.lstrip()[:1] == "{":
            raise TryAgain("the answer was cut off in the middle") from None
        raise ReviewUnavailable(
            "something that is no Ollama server answers at this address "
            f"({_quoted(text)}). Check c.Review.host or OLLAMA_HOST"
        ) from None
    if not isinstance(answer, dict):
        raise ReviewUnavailable(f"the server's answer is no chat answer ({_quoted(text)})")
    if answer.get("error"):
        _raise_for_status(500, text, str(body.get("model", "")))
    return _accept_message(answer, text, body)


def _accept_message(answer: dict[str, Any], raw: str, body: Mapping[str, Any]) -> Accepted:
    message = answer.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    if not isinstance(message, dict) or not isinstance(content, str):
        raise ReviewUnavailable(f"the server's answer is no chat answer ({_quoted(raw)})")
    if answer.get("done") is not True:
        raise AnswerRefused("the model broke its answer off (done is false)", raw)
    reason = answer.get("done_reason")
    if not content.strip() and message.get("thinking"):
        raise AnswerRefused(
            "the model spent its answer on thinking; a model that does not think is needed", raw
        )
    if reason != "stop":
        raise AnswerRefused(f"the model's answer did not end by itself ({reason})", raw)
    if not content.strip():
        raise AnswerRefused("the model's answer is empty", raw)
    counts = _counts(answer)
    _check_counts(counts, raw, body)
    _check_schema(content, raw, body)
    seconds = {
        name: value / 1e9
        for name, value in answer.items()
        if name.endswith("_duration") and isinstance(value, int | float)
    }
    return Accepted(content, counts, seconds)


def _check_counts(counts: dict[str, int], raw: str, body: Mapping[str, Any]) -> None:
    read = counts.get("prompt_eval_count", 0)
    written = sum(len("".join(str(m.get("content", "")).split())) for m in body["messages"])
    if read * CHARACTERS_A_TOKEN < written:
        raise AnswerRefused(
            f"the model read only {read} tokens of a request of {written} characters", raw
        )
    context = body["options"].get("num_ctx")
    if context and read + counts.get("eval_count", 0) > context:
        raise AnswerRefused(f"the request did not fit into {context} tokens of context", raw)


def _check_schema(content: str, raw: str, body: Mapping[str, Any]) -> None:
    try:
        jsonschema.validate(json.loads(content), body["format"])
    except jsonschema.ValidationError as error:
        raise AnswerRefused(
            f"the model's answer is not of the form asked for ({_quoted(error.message)})", raw
        ) from None
    except (ValueError, RecursionError):
        raise AnswerRefused("the model's answer is no JSON", raw) from None


def _raise_for_status(status: int, text: str, model: str) -> None:
    said = error_text(text)
    if status == 404 and "not found" in said and "model" in said:
        raise ModelMissing(missing(model))
    if status == 503:
        raise TryAgain(f"the server is busy ({said})")
    if status >= 500 and any(words in said.lower() for words in RUNNER_DIED):
        raise TryAgain(f"the model's process ended ({said})")
    if "exceed_context_size" in text or "longer than the context length" in said:
        raise AnswerRefused(f"the request does not fit into the model's context ({said})", text)
    if status == 403:
        raise ReviewUnavailable(
            "the Ollama server refuses this address (403). Use the address that it listens on, "
            "or set OLLAMA_ORIGINS where the server is started"
        )
    raise RequestFailed(f"the server refuses the request ({status}: {said})")


def missing(model: str) -> str:
    """What to say where the server does not have the model."""
    return (
        f"the server has no model {model}. Get it with: ollama pull {model} "
        "(or: attention-course review --pull)"
    )


def error_text(text: str) -> str:
    """The words of an error body, which may be JSON, JSON inside JSON, or anything."""
    said: Any = text
    for _ in range(4):
        if isinstance(said, str) and said.lstrip()[:1] == "{":
            try:
                said = json.loads(said)
            except ValueError:
                break
        if not isinstance(said, dict):
            break
        said = said.get("error") or said.get("message") or ""
    return _quoted(said if isinstance(said, str) else json.dumps(said)) or "no reason given"


def _counts(answer: Mapping[str, Any]) -> dict[str, int]:
    return {
        name: value
        for name, value in answer.items()
        if name.endswith("_count") and isinstance(value, int) and not isinstance(value, bool)
    }


def _quoted(text: str) -> str:
    """At most MAX_QUOTED characters of a text, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= MAX_QUOTED else f"{line[:MAX_QUOTED]} …"
