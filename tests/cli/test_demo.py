"""The demonstration, run once as a person would; and the made-up class it grades."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from attention_course.checks import exercises_of
from attention_course.commands.course_folder import CourseFolder, Refusal
from attention_course.sample_class import DEEDS, make_class

pytestmark = pytest.mark.slow

ASSIGNMENTS = ("attention", "attention_basics")


@dataclass
class Demo:
    folder: Path
    done: subprocess.CompletedProcess[str]

    def summary(self, assignment: str) -> dict:
        done = subprocess.run(
            [sys.executable, "-m", "attention_course.cli", "report", assignment, "--json"],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = tmp_path_factory.mktemp("demo") / "course"
    done = subprocess.run(
        [sys.executable, "-m", "attention_course.cli", "demo", "--into", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    return Demo(folder, done)


def test_the_demonstration_ends_well_with_every_mark_as_deserved(demo: Demo) -> None:
    assert demo.done.returncode == 0, demo.done.stdout[-4000:] + demo.done.stderr[-4000:]
    said = re.findall(r"(\d+) of (\d+) marks are what the known answers deserve", demo.done.stdout)
    assert len(said) == len(ASSIGNMENTS)
    assert all(got == wanted != "0" for got, wanted in said)


def test_its_table_has_a_row_for_each_student(demo: Demo) -> None:
    for number in range(1, len(DEEDS) + 1):
        assert demo.done.stdout.count(f"student-{number:02} ") == len(ASSIGNMENTS)


def test_it_prints_where_report_and_feedback_lie(demo: Demo) -> None:
    for assignment in ASSIGNMENTS:
        page = demo.folder / "reports" / f"{assignment}.html"
        assert f"report:   {page}" in demo.done.stdout
        assert page.is_file()
        graded = (demo.folder / "autograded").glob(f"student-*/{assignment}/*.ipynb")
        pages = [
            Path(str(p).replace("autograded", "feedback")).with_suffix(".html") for p in graded
        ]
        assert len(pages) == 10
        assert all(page.is_file() for page in pages)


def test_its_report_links_to_feedback_that_is_there(demo: Demo) -> None:
    page = demo.folder / "reports" / "attention.html"
    links = re.findall(r'href="([^"]+)"', page.read_text())
    assert len(links) == 10
    assert all(link.endswith("/attention/lesson.html") for link in links)
    assert all((page.parent / link).is_file() for link in links)


def test_known_faults_are_named_in_the_report(demo: Demo) -> None:
    rows = {row["student"]: row for row in demo.summary("attention")["students"]}
    assert "no_scaling" in str(rows["student-03"]["misconceptions"])
    assert rows["student-04"]["misconceptions"]
    assert rows["student-01"]["misconceptions"] == []


def test_what_cannot_be_graded_waits_for_a_person_with_the_reason(demo: Demo) -> None:
    rows = demo.summary("attention")["needs_a_person"]
    reasons = {tuple(row["students"]): row["reason"] for row in rows}
    assert "is not a notebook" in reasons[("student-11",)]
    assert "lesson.ipynb is missing" in reasons[("student-12",)]


def test_feedback_says_what_was_wrong_in_words(demo: Demo) -> None:
    rows = {row["student"]: row for row in demo.summary("attention")["students"]}
    message = rows["student-03"]["messages"]["attention_scores"]
    page = (demo.folder / "feedback" / "student-03" / "attention" / "lesson.html").read_text()
    first_words = " ".join(message.split()[:4])
    assert first_words in re.sub(r"\s+", " ", page)


def test_a_second_demonstration_may_clear_the_first(demo: Demo) -> None:
    from attention_course.commands.demo import MARKER

    assert (demo.folder / MARKER).is_file()


# -- the made-up class ----------------------------------------------------------------------


@pytest.fixture
def released(demo: Demo, tmp_path: Path) -> CourseFolder:
    """A course with the demonstration's release, and nobody's submission."""
    import shutil

    shutil.copytree(demo.folder / "release", tmp_path / "course" / "release")
    return CourseFolder(tmp_path / "course")


def texts(course: CourseFolder) -> dict[str, str]:
    root = course.root / "submitted"
    files = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_text() for path in files}


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_the_same_seed_makes_the_same_class(released: CourseFolder, assignment: str) -> None:
    first = make_class(released, assignment, size=20, seed=3)
    written = texts(released)
    assert make_class(released, assignment, size=20, seed=3) == first
    assert texts(released) == written


def test_another_seed_makes_another_class(released: CourseFolder) -> None:
    make_class(released, "attention", size=20, seed=3)
    written = texts(released)
    make_class(released, "attention", size=20, seed=4)
    assert texts(released) != written


def test_a_class_of_any_size_has_names_that_sort(released: CourseFolder) -> None:
    students = make_class(released, "attention", size=101)
    names = [student.name for student in students]
    assert names == sorted(names)
    assert len(set(names)) == 101


def test_a_class_holds_right_and_wrong_answers_to_every_exercise(released: CourseFolder) -> None:
    students = make_class(released, "attention", size=40)
    for exercise in exercises_of("attention"):
        given = {student.expected[exercise.name] for student in students if student.gradable}
        assert given == {True, False}


def test_the_submissions_of_others_are_left_alone(released: CourseFolder) -> None:
    other = released.root / "submitted" / "someone" / "attention" / "lesson.ipynb"
    other.parent.mkdir(parents=True)
    other.write_text("{}")
    make_class(released, "attention", size=2)
    assert other.read_text() == "{}"


def test_a_class_without_a_release_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="nbgrader generate_assignment attention"):
        make_class(CourseFolder(tmp_path), "attention")


def test_solution_cells_keep_their_metadata(released: CourseFolder) -> None:
    (student,) = make_class(released, "attention", size=1)
    path = released.root / "submitted" / student.name / "attention" / "lesson.ipynb"
    before = json.loads((released.root / "release" / "attention" / "lesson.ipynb").read_text())
    after = json.loads(path.read_text())
    kept = [[cell["metadata"] for cell in notebook["cells"]] for notebook in (before, after)]
    assert kept[0] == kept[1]
