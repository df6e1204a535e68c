"""One judgement from the Ollama server: asked, tried again where that helps, and checked.

Models and pulls go through the ``ollama`` package, which is loaded once a server has answered. The
chat request itself is posted with httpx to the same address, because ``Client.chat`` cannot say
``truncate: false`` and ``shift: false``.
"""

from __future__ import annotations

import importlib.metadata
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import httpx

from attention_course.grading.review.breaker import Breaker
from attention_course.grading.review.protocol import (
    Accepted,
    AnswerRefused,
    ModelMissing,
    RequestFailed,
    ReviewUnavailable,
    TryAgain,
    accept,
    chat_body,
    error_text,
    missing,
)
from attention_course.grading.review.settings import Settings

if TYPE_CHECKING:
    import ollama

LARGEST_ANSWER = 4_000_000  # bytes
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 20.0  # seconds before a request is tried again
PULL_PATIENCE = 300.0  # seconds without a word while a model is fetched


class Request(Protocol):
    """What the client needs of a review request."""

    @property
    def messages(self) -> Sequence[Mapping[str, Any]]: ...
    @property
    def schema(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Server:
    """What answers at the address: its version, and the model under the configured name."""

    version: str
    model: str
    digest: str


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """An accepted answer and where it came from; durations in seconds."""

    text: str
    digest: str
    versions: dict[str, str]
    counts: dict[str, int]
    durations: dict[str, float]
    attempts: int
    request: dict[str, Any]
    raw: str = ""


class Reviewer:
    """Asks the configured model of the configured server.

    Raises ReviewUnavailable (ModelMissing among it) where nothing can be judged at present, and
    AnswerRefused where the model's answer may not count. After some failures in a row it gives
    up at once, without asking.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        sleep: Callable[[float], None] = time.sleep,
        rng: random.Random | None = None,
        breaker: Breaker | None = None,
    ) -> None:
        self.settings = settings
        self.breaker = breaker or Breaker()
        self._sleep = sleep
        self._rng = rng or random.Random()
        self._server: Server | None = None
        patience = httpx.Timeout(settings.answer_timeout, connect=settings.connect_timeout)
        # No proxy from the environment: it would take requests to 127.0.0.1 as well. An address
        # without TLS needs no certificates, which take a thirtieth of a second to read.
        self._common: dict[str, Any] = {
            "trust_env": False,
            "follow_redirects": False,
            "verify": not settings.base_url.startswith("http://"),
        }
        self._http = httpx.Client(base_url=settings.base_url, timeout=patience, **self._common)
        self.calls = 0

    def close(self) -> None:
        self._http.close()
        for name in ("_models", "_pulls"):
            if name in vars(self):  # it was needed
                getattr(self, name).close()

    @cached_property
    def _models(self) -> ollama.Client:
        return self._client(httpx.Timeout(self.settings.connect_timeout))

    @cached_property
    def _pulls(self) -> ollama.Client:
        return self._client(httpx.Timeout(PULL_PATIENCE, connect=self.settings.connect_timeout))

    def _client(self, patience: httpx.Timeout) -> ollama.Client:
        import ollama

        return ollama.Client(host=self.settings.base_url, timeout=patience, **self._common)

    def __enter__(self) -> Reviewer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- the server and its models ---------------------------------------------------------

    def server(self) -> Server:
        """The server and its model; asked once, then remembered until a failure.

        Raises ReviewUnavailable within ``connect_timeout`` where nothing answers.
        """
        if self.breaker.open:
            raise ReviewUnavailable(self.breaker.reason)
        if self._server is None:
            with self._counting_failures(for_good=True):
                self._server = Server(self._version(), self.settings.model, self._digest())
        return self._server

    def _version(self) -> str:
        with self._in_words():
            response = self._http.get("/api/version", timeout=self.settings.connect_timeout)
        try:
            version = response.json()["version"]
        except (ValueError, KeyError, TypeError):
            raise ReviewUnavailable(
                f"something that is no Ollama server answers at {self.settings.base_url} "
                f"({response.status_code}). Check c.Review.host or OLLAMA_HOST"
            ) from None
        return str(version)

    def _digest(self) -> str:
        wanted = full_name(self.settings.model)
        with self._in_words():
            listed = self._models.list().models
        for model in listed:
            if model.digest and full_name(model.model or "") == wanted:
                return model.digest
        raise ModelMissing(missing(self.settings.model))

    def _digest_in_use(self, listed: str) -> str:
        """The digest of the model that is loaded now; the listed one where none is."""
        try:
            loaded = self._models.ps().models
        except Exception:  # what is known already then stands
            return listed
        wanted = full_name(self.settings.model)
        for model in loaded:
            if model.digest and full_name(model.model or "") == wanted:
                return model.digest
        return listed

    def pull(self) -> Iterator[tuple[str, int, int]]:
        """Fetch the model; yields (what is done, bytes so far, bytes in all) as it goes.

        Raises ReviewUnavailable where the server or the registry behind it fails.
        """
        with self._counting_failures(), self._in_words():
            for step in self._pulls.pull(self.settings.model, stream=True):
                yield step.status or "", step.completed or 0, step.total or 0

    # -- one judgement ---------------------------------------------------------------------

    def body(self, request: Request) -> dict[str, Any]:
        """The whole chat request, with the options that are the same for all."""
        settings = self.settings
        options = {**getattr(request, "options", {}), **settings.options()}
        return chat_body(
            settings.model, request.messages, request.schema, options, settings.keep_alive
        )

    def judge(self, request: Request) -> RawAnswer:
        """The model's answer to ``request``, accepted under the rule and with its provenance."""
        server = self.server()
        body = self.body(request)
        with self._counting_failures():
            accepted, raw, attempts = self._ask(body)
            digest = self._digest_in_use(server.digest)
            if digest != server.digest:
                self._server = None
                raise RequestFailed(f"the model {server.model} was replaced while it judged")
        versions = {
            "server": server.version,
            "ollama": importlib.metadata.version("ollama"),
            "httpx": httpx.__version__,
            "attention-course": importlib.metadata.version("attention-course"),
        }
        return RawAnswer(
            accepted.text,
            digest,
            versions,
            accepted.counts,
            accepted.durations,
            attempts,
            body,
            raw,
        )

    def _ask(self, body: dict[str, Any]) -> tuple[Accepted, str, int]:
        for attempt in range(1, self.settings.attempts + 1):
            try:
                with self._in_words():
                    self.calls += 1
                    status, text = self._post(body)
                return accept(status, text, body), text, attempt
            except TryAgain as error:
                if attempt == self.settings.attempts:
                    raise RequestFailed(f"{error}, {attempt} times in a row") from error
                pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt)
                self._sleep(pause * self._rng.uniform(0.5, 1.0))
        raise AssertionError("unreachable: attempts is at least 1")

    def _post(self, body: dict[str, Any]) -> tuple[int, str]:
        """One exchange; the whole answer must be there within ``answer_timeout``."""
        end = time.monotonic() + self.settings.answer_timeout
        parts, size = [], 0
        with self._http.stream("POST", "/api/chat", json=body) as response:
            for part in response.iter_bytes():
                parts.append(part)
                size += len(part)
                if size > LARGEST_ANSWER:
                    raise AnswerRefused(f"the answer is longer than {LARGEST_ANSWER} bytes")
                if time.monotonic() > end:
                    raise httpx.ReadTimeout("the answer came too slowly")
            return response.status_code, b"".join(parts).decode("utf-8", "replace")

    # -- failures --------------------------------------------------------------------------

    @contextmanager
    def _counting_failures(self, *, for_good: bool = False) -> Iterator[None]:
        try:
            yield
        except (ReviewUnavailable, TryAgain) as failure:
            error = failure if isinstance(failure, ReviewUnavailable) else None
            error = error or ReviewUnavailable(str(failure))
            self._server = None
            # Without the server or its model, asking again within this run is pointless.
            self.breaker.failed(str(error), for_good=for_good or isinstance(error, ModelMissing))
            raise error from failure
        except AnswerRefused:
            self.breaker.succeeded()  # the server is there; it is this one answer
            raise
        if not for_good:  # a version and a list of models are no proof that it can judge
            self.breaker.succeeded()

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        """Turn what httpx and the ollama package raise into our own words."""
        where = self.settings.base_url
        try:
            yield
        except (httpx.ConnectError, httpx.ConnectTimeout, ConnectionError) as error:
            raise ReviewUnavailable(
                f"no Ollama server answers at {where}. Start it (ollama serve), or set "
                "c.Review.host or OLLAMA_HOST"
            ) from error
        except httpx.TimeoutException as error:
            kind = RequestFailed if self._server is not None else ReviewUnavailable
            raise kind(
                f"the Ollama server at {where} did not answer in time. Look at its load, or raise "
                "c.Review.answer_timeout"
            ) from error
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError) as error:
            raise TryAgain(f"the server at {where} ended the connection") from error
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, TypeError) as error:
            raise ReviewUnavailable(
                f"what answers at {where} is no Ollama server ({type(error).__name__})"
            ) from error
        except Exception as error:
            import ollama

            if not isinstance(error, ollama.ResponseError):
                raise
            raise ReviewUnavailable(
                f"the server at {where} refuses ({error.status_code}: {error_text(error.error)})"
            ) from error


def full_name(model: str) -> str:
    """A model's name with its tag: without one, Ollama means ``latest``."""
    return model if ":" in model.rpartition("/")[2] else f"{model}:latest"
