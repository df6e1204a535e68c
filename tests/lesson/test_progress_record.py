"""What the progress file says after checks and evaluations."""

import json
from pathlib import Path

import jsonschema
import pytest

from attention_course import progress
from attention_course.verdict import Outcome, Verdict


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def verdict(outcome, exercise="attention_scores", points=0.0, misconceptions=()):
    return Verdict(outcome, exercise, "…", points=points, misconceptions=misconceptions)


PASSED = verdict(Outcome.PASSED, points=1.0)
FAILED = verdict(Outcome.FAILED, misconceptions=("no_scaling",))
UNGRADED = verdict(Outcome.UNGRADED)
NOT_STARTED = verdict(Outcome.FAILED, misconceptions=("not_started",))


def exercise_after(*verdicts):
    for one in verdicts:
        assert progress.record("attention", [one]).ok
    return progress.read_progress()["assignments"]["attention"]["exercises"]["attention_scores"]


def test_a_first_check_makes_the_file_beside_the_notebook(folder):
    saved = progress.record("attention", [PASSED])
    assert saved.path == folder / "progress" / "lesson_progress.json"
    assert saved.ok and saved.notes == ()
    assert json.loads(saved.path.read_text())["format"] == progress.FORMAT


def test_the_written_file_follows_its_schema(folder):
    progress.record("attention", [PASSED, FAILED, UNGRADED], evaluation=True)
    path = Path(progress.__file__).with_name("progress.schema.json")
    schema = json.loads(path.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(progress.progress_path().read_text()), schema)


def test_attempts_count_and_the_first_time_stays(folder):
    first = exercise_after(FAILED)
    later = exercise_after(FAILED, PASSED)
    assert later["attempts"] == 3
    assert later["first_attempt"] == first["first_attempt"] <= later["last_attempt"]
    assert later["first_passed"] == later["last_attempt"]


def test_an_unwritten_stub_is_not_an_attempt(folder):
    entry = exercise_after(NOT_STARTED)
    assert entry["attempts"] == 0
    assert entry["first_attempt"] is None
    assert entry["misconceptions"] == {}


def test_misconceptions_are_counted_by_id(folder):
    assert exercise_after(FAILED, FAILED, PASSED)["misconceptions"] == {"no_scaling": 2}


def test_the_best_points_survive_a_later_slip(folder):
    entry = exercise_after(PASSED, FAILED)
    assert (entry["points"], entry["best_points"], entry["outcome"]) == (0, 1, "failed")


def test_a_check_that_could_not_be_made_takes_nothing_away(folder):
    entry = exercise_after(PASSED, UNGRADED)
    assert (entry["points"], entry["attempts"], entry["outcome"]) == (1, 1, "passed")


def test_two_assignments_share_a_folder_without_mixing(folder):
    progress.record("attention", [PASSED])
    progress.record("attention_basics", [verdict(Outcome.FAILED, "scores")])
    assignments = progress.read_progress()["assignments"]
    assert assignments["attention"]["points"] == 1
    assert assignments["attention_basics"]["points"] == 0


def test_an_evaluation_is_counted_and_dated(folder):
    progress.record("attention", [PASSED], evaluation=True)
    entry = progress.read_progress()["assignments"]["attention"]
    assert entry["evaluations"] == 1
    assert entry["last_evaluation"].endswith("Z")


def test_what_others_have_added_is_kept(folder):
    progress.record("attention", [FAILED])
    path = progress.progress_path()
    data = json.loads(path.read_text())
    entry = data["assignments"]["attention"]["exercises"]["attention_scores"]
    entry["hint_tiers_opened"] = 2
    data["note"] = "from the lab extension"
    path.write_text(json.dumps(data))
    progress.record("attention", [PASSED])
    after = progress.read_progress()
    assert after["note"] == "from the lab extension"
    kept = after["assignments"]["attention"]["exercises"]["attention_scores"]
    assert kept["hint_tiers_opened"] == 2


def test_reading_where_nothing_was_tried_gives_empty_progress(folder):
    assert progress.read_progress()["assignments"] == {}
    assert not (folder / "progress").exists()


def test_reading_a_damaged_file_says_so_and_leaves_it(folder):
    path = progress.progress_path()
    path.parent.mkdir()
    path.write_text("{")
    with pytest.raises(ValueError):
        progress.read_progress()
    assert path.read_text() == "{"
