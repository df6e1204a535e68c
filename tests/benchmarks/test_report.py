"""What the benchmark leaves behind: tables, a picture, and the figures in the document."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def record() -> dict[str, Any]:
    from benchmarks.grading.marks import Agreement
    from benchmarks.grading.runs import Results, Run
    from benchmarks.grading.session import Options, Session

    session = Session(Options(students=4, rounds=2))
    for key, label, each in (("stock", "stock nbgrader", 2.0), ("grade-1", "ours", 0.02)):
        found = Results(key, label, agreement=Agreement(18, 18, 2, 2), peak_mb=321.0)
        for number in (1, 2):
            landed = tuple(1 + each * (n + 1) for n in range(4))
            found.runs.append(Run(number, 4, 1 + 4 * each, 0.5, "cgroup", landed))
        session.results[key] = found
    phase = {"name": "checks", "ms": 9.5, "what": "judging"}
    session.phases = {"engine": [phase], "floor": [phase], "note": "Means over the class."}
    spread = {"median": 1.5, "least": 1.4, "most": 1.6}
    session.regrade = {
        "students": 300,
        "first_s": 12.0,
        "first_cpu_s": 11.0,
        "unchanged_s": spread,
        "unchanged_cpu_s": spread,
    }
    session.skipped = {"otter": "otter-grader was left out: no network."}
    return session.to_record()


def test_the_record_is_json_and_tells_nothing_of_whose_machine_it_was(
    record: dict[str, Any],
) -> None:
    text = json.dumps(record)
    assert str(Path.home()) not in text
    assert str(Path(__file__).parents[2]) not in text


def test_the_tables_say_rates_ratios_and_who_was_left_out(
    record: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    from benchmarks.grading.tables import show

    show(record)
    said = capsys.readouterr().out
    for words in ("stock nbgrader", "8.3", "18/18", "321", "otter-grader was left out", "1.50"):
        assert words in said


def test_the_picture_needs_nothing_from_the_network(record: dict[str, Any], tmp_path: Path) -> None:
    from benchmarks.grading.picture import write_picture

    files = write_picture(record, tmp_path / "grading")
    page = files[0].read_text(encoding="utf-8")
    assert "Submissions a minute" in page
    assert re.findall(r"<(?:script|link|img)\b[^>]*https?:", page) == []
    assert all(file.stat().st_size > 10_000 for file in files)


def test_the_document_gets_its_figures_between_the_markers(
    record: dict[str, Any], tmp_path: Path, repository_root: Path
) -> None:
    from benchmarks.grading.document import fill_in

    page = tmp_path / "speed.md"
    page.write_text((repository_root / "docs" / "speed.md").read_text(encoding="utf-8"))
    picture = tmp_path / "picture.png"
    picture.write_bytes(b"png")
    assert fill_in(record, picture, tmp_path) == [page, tmp_path / "speed.png"]
    once = page.read_text(encoding="utf-8")
    assert "| ours |" in once
    assert "](speed.png)" in once
    assert "## How it is kept fair" in once
    fill_in(record, picture, tmp_path)
    assert page.read_text(encoding="utf-8") == once


def test_a_document_without_the_markers_is_refused(record: dict[str, Any], tmp_path: Path) -> None:
    from benchmarks.grading.document import fill_in

    (tmp_path / "speed.md").write_text("# Speed\n")
    with pytest.raises(ValueError, match="no place for the figures"):
        fill_in(record, tmp_path / "none.png", tmp_path)
