"""One question to a real Ollama server, where the user has one."""

from __future__ import annotations

import os

import httpx
import pytest

from attention_course.grading.review.client import Reviewer
from attention_course.grading.review.judgement import read_answer
from attention_course.grading.review.prompt import build_request
from attention_course.grading.review.settings import Settings, base_url


def test_a_real_model_judges_one_answer() -> None:
    host = os.environ.get("ATTENTION_COURSE_USERS_OLLAMA", "")
    if not host:
        pytest.skip("OLLAMA_HOST is not set, so there is no real server to ask")
    try:
        listed = httpx.get(f"{base_url(host)}/api/tags", timeout=3, trust_env=False).json()
    except (httpx.HTTPError, ValueError) as error:
        pytest.skip(f"OLLAMA_HOST is {host}, where no server answers ({type(error).__name__})")
    names = [model["name"] for model in listed["models"]]
    wanted = [name for name in names if "coder" in name] or names
    if not wanted:
        pytest.skip(f"the server at {host} has no model; ollama pull {Settings().model}")
    source = (
        "def aggregate_values(attention_weights, values):\n    return attention_weights @ values"
    )
    request = build_request("value_aggregation", source, (), "The numeric tests pass.", source)
    with Reviewer(Settings(host=host, model=wanted[0])) as reviewer:
        judgement = read_answer(request, reviewer.judge(request).text)
    assert all(0 <= score <= 5 for score in judgement.criteria.values())
