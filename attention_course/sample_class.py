"""A made-up class that hands in known answers: for the demonstration, tests and benchmarks.

Every answer comes from :mod:`attention_course.panel`, so what an honest grader gives each
student is known beforehand. The same seed makes the same class, of any size: the first
students do one notable thing each, the others answer at random.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from attention_course.checks import exercises_of
from attention_course.commands.course_folder import CourseFolder, Refusal
from attention_course.panel import PANEL, KnownAnswer, complete_problem

PROBLEM = "problem.py"
RIGHT_SHARE = 0.7  # of the answers of a student at random
NOT_STARTED = "not_started"


@dataclass(slots=True)
class SampleStudent:
    """One student's submission and what is known of it.

    ``expected`` says for each exercise whether it deserves its mark; it is empty where the
    submission cannot be graded at all.
    """

    name: str
    deed: str
    expected: dict[str, bool] = field(default_factory=dict)

    @property
    def gradable(self) -> bool:
        return bool(self.expected)


class Work:
    """A student's copy of the release: a notebook as JSON, with other files beside it."""

    def __init__(self, release: Path, rng: random.Random) -> None:
        self.assignment = release.name
        self.rng = rng
        self.exercises = [exercise.name for exercise in exercises_of(self.assignment)]
        self.notebook_name = _notebook_of(release).name
        self.notebook: dict[str, Any] = json.loads((release / self.notebook_name).read_text())
        problem = release / PROBLEM
        self.problem = problem.read_text() if problem.is_file() else None
        self.expected = dict.fromkeys(self.exercises, False)
        self.text: str | None = None  # written in place of the notebook
        self.handed_in = True
        self.deed: str | None = None  # where the usual words for it do not fit

    def cell(self, grade_id: str) -> dict[str, Any] | None:
        for cell in self.notebook["cells"]:
            if cell["metadata"].get("nbgrader", {}).get("grade_id") == grade_id:
                return cell
        return None

    def answer(self, known: KnownAnswer) -> None:
        """Write one known answer where the student would, and note what it deserves."""
        if self.problem is not None:
            self.problem = complete_problem(known.name)
            self.expected = {name: name not in known.fails for name in self.exercises}
            return
        cell = self.cell(known.exercise)
        if cell is None:
            raise Refusal(f"the release of {self.assignment} has no cell {known.exercise!r}.")
        cell["source"] = known.source
        self.expected[known.exercise] = known.right

    def answer_rightly(self, exercises: list[str] | None = None, *, vary: bool = True) -> None:
        if self.problem is not None:
            # One class answers all of problem.py's exercises.
            whole = [a for a in PANEL if a.exercise in self.exercises and a.right]
            self.answer(self.rng.choice(whole) if vary else whole[0])
            return
        for exercise in self.exercises if exercises is None else exercises:
            choices = known_answers(exercise, right=True)
            self.answer(self.rng.choice(choices) if vary else choices[0])

    def write(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        if self.problem is not None:
            (folder / PROBLEM).write_text(self.problem)
        if self.handed_in:
            text = self.text or json.dumps(self.notebook, indent=1, ensure_ascii=False) + "\n"
            (folder / self.notebook_name).write_text(text)
        else:
            (folder / "notes.txt").write_text("The notebook is on my other computer.\n")


def known_answers(
    exercise: str, *, right: bool, faults: int | None = None
) -> tuple[KnownAnswer, ...]:
    """The panel's answers to one exercise; ``faults`` asks for so many named faults each."""
    return tuple(
        answer
        for answer in PANEL
        if answer.exercise == exercise
        and answer.right is right
        and NOT_STARTED not in answer.misconceptions
        and (faults is None or len(answer.misconceptions) == faults)
    )


def _right(work: Work) -> None:
    work.answer_rightly(vary=False)


def _right_in_other_styles(work: Work) -> None:
    work.answer_rightly()


def _one_fault(faults: dict[str, tuple[str, str]], work: Work) -> None:
    """Everything right but one exercise, with the misconception that ``faults`` says.

    ``faults`` maps an assignment to an exercise and a misconception's id.
    """
    work.answer_rightly()
    exercise, misconception = faults.get(work.assignment, (work.exercises[-1], ""))
    choices = known_answers(exercise, right=False, faults=1)
    wanted = [answer for answer in choices if misconception in answer.misconceptions]
    work.answer(work.rng.choice(wanted or choices or known_answers(exercise, right=False)))


def _two_faults(work: Work) -> None:
    work.answer_rightly()
    answers = [a for name in work.exercises for a in known_answers(name, right=False)]
    if work.problem is None:
        work.answer(work.rng.choice([a for a in answers if len(a.misconceptions) == 2]))
    else:
        work.answer(work.rng.choice([a for a in answers if len(a.fails) > 1]))
        work.deed = "one fault, several exercises"


def _untouched(work: Work) -> None:
    """The release as it was given out."""


def _partly_done(work: Work) -> None:
    if work.problem is None:
        work.answer_rightly(work.exercises[:2])
    else:
        _one_fault({}, work)
        work.deed = "a fault in the last exercise"


def _syntax_error(work: Work) -> None:
    work.answer_rightly()
    if work.problem is not None:
        work.problem += "\n\ndef forward(self, x:\n    return x\n"
        work.expected = dict.fromkeys(work.exercises, False)
        return
    cell = work.cell(work.exercises[1])
    assert cell is not None
    cell["source"] = str(cell["source"]) + "\nreturn queries @ (keys"
    work.expected[work.exercises[1]] = False


def _deleted_cells(work: Work) -> None:
    """One test cell is gone, which costs nothing, and one answer, which costs its mark."""
    work.answer_rightly()
    gone = {f"test_{work.exercises[0]}"}
    if work.problem is None:
        gone.add(work.exercises[2])
        work.expected[work.exercises[2]] = False
    work.notebook["cells"] = [
        cell
        for cell in work.notebook["cells"]
        if cell["metadata"].get("nbgrader", {}).get("grade_id") not in gone
    ]


def _duplicated_cell(work: Work) -> None:
    work.answer_rightly()
    name = work.exercises[0] if work.problem is None else f"test_{work.exercises[0]}"
    cells = work.notebook["cells"]
    place = next(n for n, cell in enumerate(cells) if cell is work.cell(name))
    twin = json.loads(json.dumps(cells[place]))
    if "id" in twin:
        twin["id"] = f"{twin['id'][:50]}-copy"
    cells.insert(place + 1, twin)


def _not_json(work: Work) -> None:
    work.text = json.dumps(work.notebook)[:2000] + "\n<<<<<<< merged by hand\n"
    work.expected = {}


def _no_notebook(work: Work) -> None:
    work.handed_in = False
    work.expected = {}


def _at_random(work: Work) -> None:
    if work.problem is not None:
        faults = [answer for name in work.exercises for answer in known_answers(name, right=False)]
        work.answer_rightly()
        if work.rng.random() > RIGHT_SHARE:
            work.answer(work.rng.choice(faults))
        return
    for exercise in work.exercises:
        right = work.rng.random() < RIGHT_SHARE
        work.answer(work.rng.choice(known_answers(exercise, right=right)))


SCORES_FAULT = {
    "attention": ("attention_scores", "no_scaling"),
    "attention_basics": ("scores", "scaled_already"),
}
WEIGHTS_FAULT = {
    "attention": ("attention_weights", "softmax_over_queries"),
    "attention_basics": ("weights", "softmax_over_queries"),
}
# What the first students do, and the words for it in the demonstration's table.
DEEDS: tuple[tuple[str, Callable[[Work], None]], ...] = (
    ("every answer right", _right),
    ("right in other styles", _right_in_other_styles),
    ("a fault in the scores", partial(_one_fault, SCORES_FAULT)),
    ("softmax on the wrong axis", partial(_one_fault, WEIGHTS_FAULT)),
    ("two faults in one answer", _two_faults),
    ("release handed in untouched", _untouched),
    ("first exercises only", _partly_done),
    ("a syntax error", _syntax_error),
    ("cells deleted", _deleted_cells),
    ("a cell duplicated", _duplicated_cell),
    ("a file that is no notebook", _not_json),
    ("no notebook handed in", _no_notebook),
)


def make_class(
    course: CourseFolder, assignment: str, *, size: int = len(DEEDS), seed: int = 1
) -> tuple[SampleStudent, ...]:
    """Write ``size`` submissions of the released assignment into submitted/ of the course.

    Raises Refusal where the assignment has no release. Submissions that these students made
    before are replaced; those of others are left alone.
    """
    release = course.root / "release" / assignment
    students = []
    for number in range(1, size + 1):
        name = f"student-{number:0{max(2, len(str(size)))}d}"
        rng = random.Random(f"{seed}/{assignment}/{number}")
        deed, do = DEEDS[number - 1] if number <= len(DEEDS) else ("answers at random", _at_random)
        work = Work(release, rng)
        do(work)
        folder = course.root / "submitted" / name / assignment
        shutil.rmtree(folder, ignore_errors=True)
        work.write(folder)
        students.append(SampleStudent(name, work.deed or deed, work.expected))
    return tuple(students)


def _notebook_of(release: Path) -> Path:
    found = sorted(release.glob("*.ipynb"))
    if not found:
        raise Refusal(
            f"{release} holds no notebook. Write it with: "
            f"nbgrader generate_assignment {release.name}"
        )
    return found[0]
