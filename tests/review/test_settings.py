"""What a course may set, and what is said where it cannot be."""

from __future__ import annotations

import pytest
from traitlets import TraitError
from traitlets.config import Config

from attention_course.grading.review.settings import Review, Settings, base_url


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("", "http://127.0.0.1:11434"),
        ("gpu-box", "http://gpu-box:11434"),
        ("gpu-box:8000", "http://gpu-box:8000"),
        ("http://gpu-box", "http://gpu-box:80"),
        ("https://gpu-box/ollama/", "https://gpu-box:443/ollama"),
        ("0.0.0.0:11434", "http://127.0.0.1:11434"),
        ("[::]:1", "http://[::1]:1"),
        (" 10.0.0.5 ", "http://10.0.0.5:11434"),
    ],
)
def test_an_address_is_read_as_ollama_reads_it(
    monkeypatch: pytest.MonkeyPatch, given: str, address: str
) -> None:
    monkeypatch.delenv("OLLAMA_HOST", raising=False)
    assert base_url(given) == address


def test_the_environment_names_the_server_where_the_configuration_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "gpu-box")
    assert Settings().base_url == "http://gpu-box:11434"
    assert Settings(host="other:1").base_url == "http://other:1"


@pytest.mark.parametrize("given", ["ftp://gpu-box", "gpu box", "http://gpu-box:port"])
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(ValueError):
        base_url(given)


def test_the_configuration_s_defaults_are_the_settings_own() -> None:
    assert Review().settings() == Settings()


def test_every_setting_can_be_configured() -> None:
    given = {
        "enabled": False,
        "during_autograde": False,
        "host": "box",
        "model": "coder:3b",
        "share": 0.25,
        "cell": "style",
        "connect_timeout": 1.0,
        "answer_timeout": 9.0,
        "attempts": 5,
        "num_ctx": 4096,
        "num_predict": 99,
        "keep_alive": "1m",
        "file": "cache/other.db",
    }
    assert set(given) == set(Settings.__slots__)
    assert Review(config=Config({"Review": given})).settings() == Settings(**given)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("share", 1.5, "must be from 0 to 1"),
        ("answer_timeout", float("inf"), "above 0 and finite"),
        ("connect_timeout", 0.0, "above 0 and finite"),
        ("attempts", 0, "at least 1"),
        ("host", "gpu box", "no address of an Ollama server"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(name: str, value: object, words: str) -> None:
    with pytest.raises(TraitError, match=words):
        Review(config=Config({"Review": {name: value}})).settings()
