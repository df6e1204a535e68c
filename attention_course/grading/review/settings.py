"""What a course may set about the code-quality review, in ``nbgrader_config.py``.

``c.Review.model = "qwen2.5-coder:3b"`` and so on. :class:`Settings` is the same as plain data,
for everything that works without nbgrader.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from traitlets import Bool, Float, Integer, TraitError, Unicode, validate
from traitlets.config import Configurable

DEFAULT_HOST = "127.0.0.1:11434"
DEFAULT_PORT = 11434
DEFAULT_MODEL = "qwen2.5-coder:7b"
FILE = "cache/reviews.db"

# Every sampling option that a Modelfile could set: what is not sent, the model's author decides.
SAMPLING: dict[str, float | int] = {
    "temperature": 0,
    "seed": 20170612,
    "top_k": 1,
    "top_p": 1,
    "min_p": 0,
    "typical_p": 1,
    "repeat_last_n": 64,
    "repeat_penalty": 1,
    "presence_penalty": 0,
    "frequency_penalty": 0,
}


@dataclass(frozen=True, slots=True)
class Settings:
    """How the review is made; times in seconds, ``share`` between 0 and 1."""

    enabled: bool = True
    during_autograde: bool = True
    host: str = ""
    model: str = DEFAULT_MODEL
    share: float = 0.5
    cell: str = "code_quality"
    connect_timeout: float = 2.0
    answer_timeout: float = 300.0
    attempts: int = 3
    num_ctx: int = 8192
    num_predict: int = 1024
    keep_alive: str = "10m"
    file: str = FILE

    @property
    def base_url(self) -> str:
        """The server's address: scheme, host and port."""
        return base_url(self.host)

    def options(self) -> dict[str, Any]:
        """The options that are sent with every request, the same for all."""
        return {**SAMPLING, "num_ctx": self.num_ctx, "num_predict": self.num_predict}

    def record(self) -> dict[str, Any]:
        return asdict(self)


def base_url(host: str = "") -> str:
    """``host``, else OLLAMA_HOST, else Ollama's own default, as ``http://host:port``.

    Raises ValueError for what is no address.

    >>> base_url("gpu-box")
    'http://gpu-box:11434'
    """
    given = host.strip() or os.environ.get("OLLAMA_HOST", "").strip() or DEFAULT_HOST
    scheme, found, rest = given.partition("://")
    if not found:
        scheme, rest = "http", given
    default = {"http": 80, "https": 443}.get(scheme, DEFAULT_PORT) if found else DEFAULT_PORT
    parts = urlsplit(f"{scheme}://{rest}")
    name = parts.hostname or "127.0.0.1"
    # A server told to listen everywhere is reached on this machine's own address.
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(name, name)
    if scheme not in ("http", "https") or any(character.isspace() for character in given):
        raise ValueError(f"{given!r} is no address of an Ollama server; write host:port")
    name = f"[{name}]" if ":" in name else name
    return f"{scheme}://{name}:{parts.port or default}{parts.path.rstrip('/')}"


class Review(Configurable):
    """The code-quality review: ``c.Review.…`` in nbgrader_config.py."""

    enabled = Bool(
        True, help="Whether there is a review at all; without it a person marks the task cell."
    ).tag(config=True)
    during_autograde = Bool(
        True,
        help="Whether nbgrader autograde and attention-course grade go on with the reviews once "
        "every numeric mark is saved. Otherwise they wait for attention-course review.",
    ).tag(config=True)
    host = Unicode(
        "", help="Address of the Ollama server; empty: OLLAMA_HOST, else 127.0.0.1:11434."
    ).tag(config=True)
    model = Unicode(DEFAULT_MODEL, help="The model that judges, as in ollama pull.").tag(
        config=True
    )
    share = Float(
        0.5,
        help="Share of the task cell's points that the model's judgement decides, 0 to 1; the "
        "rest is computed. At 0 no model is asked.",
    ).tag(config=True)
    cell = Unicode("code_quality", help="grade_id of the task cell that is reviewed.").tag(
        config=True
    )
    connect_timeout = Float(
        2.0, help="Seconds until an address where nothing answers is given up."
    ).tag(config=True)
    answer_timeout = Float(300.0, help="Seconds that one answer of the model may take.").tag(
        config=True
    )
    attempts = Integer(3, help="How often one request is tried where trying again helps.").tag(
        config=True
    )
    num_ctx = Integer(8192, help="Tokens of context; more needs more memory.").tag(config=True)
    num_predict = Integer(1024, help="Tokens that one answer may have.").tag(config=True)
    keep_alive = Unicode("10m", help="How long the server keeps the model in memory.").tag(
        config=True
    )
    file = Unicode(FILE, help="File of queue, answers and provenance, in the course's folder.").tag(
        config=True
    )

    @validate("share")
    def _share(self, proposal: dict[str, Any]) -> float:
        if not 0 <= proposal["value"] <= 1:
            raise TraitError(f"Review.share is {proposal['value']}; it must be from 0 to 1")
        return float(proposal["value"])

    @validate("connect_timeout", "answer_timeout")
    def _timeout(self, proposal: dict[str, Any]) -> float:
        if not 0 < proposal["value"] < float("inf"):
            name = proposal["trait"].name
            raise TraitError(f"Review.{name} is {proposal['value']}; it must be above 0 and finite")
        return float(proposal["value"])

    @validate("attempts", "num_ctx", "num_predict")
    def _count(self, proposal: dict[str, Any]) -> int:
        if proposal["value"] < 1:
            name = proposal["trait"].name
            raise TraitError(f"Review.{name} is {proposal['value']}; it must be at least 1")
        return int(proposal["value"])

    @validate("host")
    def _host(self, proposal: dict[str, Any]) -> str:
        try:
            base_url(proposal["value"])
        except ValueError as error:
            raise TraitError(f"Review.host: {error}") from None
        return str(proposal["value"])

    def settings(self) -> Settings:
        """What was configured, as plain data."""
        return Settings(**{name: getattr(self, name) for name in Settings.__slots__})
