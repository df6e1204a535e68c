"""A stand-in for an Ollama server, for tests only: it listens on loopback and has no model.

It replays what a real server (0.32.15) was recorded to answer, ``recorded_exchanges.json``, and
each failure that a real one was seen to have. Where a test wants a judgement, a plain function
makes one that fits the schema asked for. Also runs as a process of its own::

    python stand_in_ollama.py --port 0 --model NAME
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

RECORDED: dict[str, dict[str, Any]] = json.loads(
    Path(__file__).with_name("recorded_exchanges.json").read_text(encoding="utf-8")
)["exchanges"]
DIGEST = json.loads(RECORDED["07_ps_loaded"]["body"])["models"][0]["digest"]
HTML = "<!DOCTYPE html><html><body><h1>Welcome to this hotel's network</h1></body></html>"

Judge = Callable[[dict[str, Any]], Any]


def even_handed(schema: dict[str, Any], number: int = 4, text: str = "reads well") -> Any:
    """A value of the schema: ``number`` (within bounds) for integers, the least of all else."""
    if "enum" in schema:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    kind = schema.get("type")
    if kind == "object":
        wanted = schema.get("properties", {})
        return {name: even_handed(wanted[name], number, text) for name in wanted}
    if kind == "array":
        return [even_handed(schema["items"], number, text)] * schema.get("minItems", 0)
    if kind == "integer":
        return max(schema.get("minimum", number), min(number, schema.get("maximum", number)))
    if kind == "boolean":
        return False
    return text[: schema.get("maxLength", len(text))].ljust(schema.get("minLength", 0), ".")


def judge_evenly(body: dict[str, Any]) -> Any:
    return even_handed(body["format"])


def judge_gullibly(body: dict[str, Any]) -> Any:
    """Full marks wherever the words that it reads ask for them, as a weak model would give."""
    words = " ".join(message["content"] for message in body["messages"][-1:])
    asked = re.search(
        r"(full|maximum|top|highest|perfect) (marks?|points?|scores?)|5/5", words, re.I
    )
    return even_handed(body["format"], 5 if asked else 3)


@functools.cache
def _known_answers() -> dict[str, tuple[int, int, int]]:
    """The gold answers as they stand between the fences of a masked reading, with their scores."""
    from attention_course.grading.review.gold import GOLD
    from attention_course.grading.review.mechanical import plain_text
    from attention_course.grading.review.normal import normal
    from attention_course.grading.review.sanitize import shown

    found = {}
    for answer in GOLD:
        lines = shown(normal(plain_text(answer.source)).text, masked=True).split("\n")
        text = "\n".join(f"{number:3}  {line}" for number, line in enumerate(lines, 1))
        found[f"{answer.exercise} {text}"] = answer.scores
    return found


def scores_of_people(content: str) -> tuple[int, int, int]:
    """The gold scores of the answer in a question; 3 for each where it is not of the gold set."""
    exercise = re.match(r"EXERCISE (\S+):", content)
    between = re.search(r"\n(CODE-[0-9a-f]{24})\n(.*?)\n\1\n", content, re.DOTALL)
    assert exercise is not None and between is not None, content
    return _known_answers().get(f"{exercise.group(1)} {between.group(2)}", (3, 3, 3))


def judge_as_people(body: dict[str, Any]) -> Any:
    """As the gold set was scored: a model that deserves to give marks."""
    reply = even_handed(body["format"], text="")
    scores = scores_of_people(body["messages"][-1]["content"])
    return reply | dict(zip(sorted(k for k in reply if k.endswith("_score")), scores, strict=True))


def judge_as_people_but_believing(body: dict[str, Any]) -> Any:
    """The same, until any word of the answer asks for more: a model that is for sale."""
    words = body["messages"][-1]["content"].split("THE ANSWER")[1].replace("_", " ")
    asked = ASKS_FOR_MARKS.search(words)
    return even_handed(body["format"], 5) if asked else judge_as_people(body)


ASKS_FOR_MARKS = re.compile(r"full marks|maximum score|excellent|highest|scores 5|this best", re.I)
JUDGES: dict[str, Judge] = {
    "evenly": judge_evenly,
    "gullibly": judge_gullibly,
    "as-people": judge_as_people,
    "believing": judge_as_people_but_believing,
}


class StandInOllama:
    """The server in a thread. ``script`` says how the next chat requests go wrong, in order.

    An entry is the name of a recorded exchange, or one of "cut", "html", "black_hole",
    "gone_after" (answer nothing, then stop listening), "sorted" or "truncated_count"; None
    answers well. Without entries every request is answered well.
    """

    def __init__(
        self,
        model: str = "qwen2.5-coder:7b",
        judge: Judge = judge_evenly,
        script: Iterable[str | None] = (),
        port: int = 0,
        delay: float = 0.0,
    ) -> None:
        self.model = model
        self.judge = judge
        self.script = list(script)
        self.delay = delay
        self.digest = DIGEST
        self.requests: list[tuple[str, str, dict[str, Any] | None]] = []
        self._released = threading.Event()
        self._lock = threading.Lock()
        stand_in = self

        class Handler(_Handler):
            server_of = stand_in

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._open = True
        self._thread.start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def chats(self) -> list[dict[str, Any]]:
        """The bodies of all chat requests so far."""
        return [body for _, path, body in self.requests if path == "/api/chat" and body]

    def next_step(self) -> str | None:
        with self._lock:
            return self.script.pop(0) if self.script else None

    def stop_listening(self) -> None:
        if self._open:
            self._open = False
            self._server.shutdown()
            self._server.server_close()

    def close(self) -> None:
        self._released.set()
        self.stop_listening()
        self._thread.join(5)

    def __enter__(self) -> StandInOllama:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Handler(BaseHTTPRequestHandler):
    server_of: StandInOllama
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer waits 40 ms for an acknowledgement

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def handle(self) -> None:
        with contextlib.suppress(OSError):  # a client that was killed closes its end
            super().handle()

    def do_GET(self) -> None:
        mine = self.server_of
        mine.requests.append(("GET", self.path, None))
        if self.path == "/api/version":
            self.replay("02_version")
        elif self.path == "/api/tags":
            self.answer(200, json.dumps({"models": self.models("03_tags")}))
        elif self.path == "/api/ps":
            self.answer(200, json.dumps({"models": self.models("07_ps_loaded")[:1]}))
        elif self.path == "/stand-in/chats":
            self.answer(200, json.dumps(len(mine.chats)))
        else:
            self.replay("70_bad_route")

    def models(self, name: str) -> list[dict[str, Any]]:
        models: list[dict[str, Any]] = json.loads(RECORDED[name]["body"])["models"]
        mine = self.server_of
        if not mine.model:
            return models[1:]
        models[0] |= {"name": mine.model, "model": mine.model, "digest": mine.digest}
        return models

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = json.loads(text)
        mine = self.server_of
        mine.requests.append(("POST", self.path, body))
        if self.path == "/api/pull":
            self.pull(body)
        elif self.path == "/api/chat":
            time.sleep(mine.delay)
            self.chat(body, mine.next_step())
        else:
            self.replay("70_bad_route")

    def pull(self, body: dict[str, Any]) -> None:
        mine = self.server_of
        if "unknown" in body["model"]:
            error = json.loads(RECORDED["132_pull_unknown"]["body"])["error"]
            self.answer(200, json.dumps({"error": error}) + "\n", "application/x-ndjson")
            return
        mine.model = body["model"]
        self.replay("130_pull_ok_stream")

    def chat(self, body: dict[str, Any], step: str | None) -> None:
        mine = self.server_of
        if step == "black_hole":
            mine._released.wait(60)
            self.close_connection = True
            return
        if step == "gone_after":
            threading.Thread(target=mine.stop_listening, daemon=True).start()
            self.reset()
            return
        if step == "html":
            self.answer(200, HTML, "text/html")
            return
        if step in RECORDED:
            self.replay(step)
            return
        if body["model"] != mine.model:
            missing = RECORDED["20_missing_model_chat"]["body"]
            self.answer(404, missing.replace("nope:1b", body["model"]))
            return
        self.answer_well(body, step)

    def answer_well(self, body: dict[str, Any], step: str | None) -> None:
        answer = json.loads(RECORDED["12_chat_schema"]["body"])
        content = json.dumps(self.server_of.judge(body), sort_keys=step == "sorted")
        written = sum(len(message["content"]) for message in body["messages"])
        answer["model"] = body["model"]
        answer["message"]["content"] = content
        answer["prompt_eval_count"] = written // (20 if step == "truncated_count" else 4)
        answer["eval_count"] = len(content) // 4
        text = json.dumps(answer)
        if step == "cut":
            self.answer(200, text, send=len(text) // 2)
            return
        self.answer(200, text)

    def replay(self, name: str) -> None:
        """Send what the real server sent; where it sent nothing, end the connection."""
        found = RECORDED[name]
        if found["status"] is None:
            self.reset()
            return
        size = len(found["body"].encode())
        kind = found["content_type"] or "text/plain"
        self.answer(found["status"], found["body"], kind, size + (0 if found["complete"] else 9))

    def answer(
        self,
        status: int,
        text: str,
        kind: str = "application/json; charset=utf-8",
        length: int | None = None,
        send: int | None = None,
    ) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data) if length is None else length))
        self.end_headers()
        self.wfile.write(data[:send])
        if send is not None or length not in (None, len(data)):
            self.close_connection = True

    def reset(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--model", default="qwen2.5-coder:7b")
    parser.add_argument("--judge", choices=JUDGES, default="evenly")
    parser.add_argument("--delay", type=float, default=0.0)
    given = parser.parse_args()
    with StandInOllama(given.model, JUDGES[given.judge], port=given.port, delay=given.delay) as it:
        print(it.host, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
