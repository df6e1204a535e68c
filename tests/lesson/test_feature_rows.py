"""The lesson's own picture: rows of features, with a table of the same numbers."""

import pytest
import torch

from attention_course.lesson.pictures import feature_rows
from attention_course.views import ViewError

TOKENS = ["The", "cat", "sat"]


def test_the_first_features_of_each_matrix_are_drawn_and_written_out():
    queries = torch.arange(30.0).reshape(3, 10)
    view = feature_rows({"Queries": queries, "Keys": -queries[None]}, TOKENS, features=4)
    assert view.title == "Queries and Keys"
    assert view.numbers["Queries"] == queries[:, :4].tolist()
    assert [panel.heading for panel in view.panels] == [
        "Queries: features 0 to 3 of 10",
        "Keys: features 0 to 3 of 10",
    ]
    assert "feature 3" in view.text() and "feature 4" not in view.text()
    assert "data-attention-view" in view._repr_mimebundle_()["text/html"]


def test_a_matrix_that_does_not_fit_the_tokens_is_named():
    with pytest.raises(ViewError, match=r"Values has shape \[2, 5\], but there are 3 tokens"):
        feature_rows({"Values": torch.zeros(2, 5)}, TOKENS)


def test_nothing_is_drawn_while_a_submission_is_graded(monkeypatch):
    monkeypatch.setenv("ATTENTION_COURSE_SANDBOX", "1")
    assert feature_rows({"Values": None}, TOKENS).panels == ()
