"""``verify(…, review=True)``: how the answers read, said by the student's own Ollama server.

The same review as the grader's, as remarks without points. Where there is no server, what is
computed is said all the same.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from attention_course.lesson.card import Card, Mood
from attention_course.progress import FILE_NAME, FOLDER, record_review
from attention_course.verdict import Verdict

PROBLEM = "problem.py"  # where the answer to attention_basics is written


def show_review(
    assignment: str, exercises: Iterable[Any], verdicts: Sequence[Verdict], model: str | None
) -> None:
    """Show what there is to say on each answer, and keep it in the progress file.

    ``exercises`` are the assignment's, ``model`` the model to ask instead of the course's own.
    """
    from IPython.display import display

    from attention_course.grading.review.formative import remarks_on

    exercises = list(exercises)
    answers = answer_sources(exercises)
    if not answers:
        display(Card(Mood.WAITING, "no answer is written yet, so there is nothing to review"))
        return
    waiting = display(_waiting(), display_id=True)
    records = [verdict.to_record() for verdict in verdicts]
    said = remarks_on(answers, reference_sources(exercises, answers), records, model)
    saved = record_review(assignment, said.model, said.remarks)
    titles = {exercise.name: exercise.title for exercise in exercises}
    notes = (f"Kept in {FOLDER}/{FILE_NAME}.",) if saved.ok else saved.notes
    card = _card(titles, said.remarks, said.model, said.note, notes)
    # Outside a notebook nothing can be replaced.
    waiting.update(card) if waiting is not None else display(card)


def answer_sources(exercises: Iterable[Any]) -> dict[str, str]:
    """Exercise to the source of the cell that last defined its answer, as far as it is known.

    A source that answers several exercises is there once, ``problem.py`` under its own name.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    cells = [str(cell) for cell in shell.user_ns.get("In", ())] if shell is not None else []
    found: dict[str, str] = {}
    seen = set()
    for exercise in exercises:
        if exercise.answer_name in seen:
            continue  # several exercises may be parts of one class
        seen.add(exercise.answer_name)
        source = next((c for c in reversed(cells) if exercise.answer_name in _defined(c)), None)
        if source is None and Path(PROBLEM).is_file():
            text = Path(PROBLEM).read_text("utf-8", "replace")
            if exercise.answer_name in _defined(text):
                found[PROBLEM] = text
        if source is not None and source not in found.values():
            found[exercise.name] = source
    return found


def reference_sources(exercises: Iterable[Any], answers: Mapping[str, str]) -> dict[str, str]:
    """The reference's own source for each of ``answers``, under the same name."""
    import reference_attention

    found: dict[str, str] = {}
    for exercise in exercises:
        name = exercise.name if exercise.name in answers else PROBLEM
        if name in answers and exercise.answer_name in _defined(answers[name]):
            source = inspect.getsource(getattr(reference_attention, exercise.answer_name))
            found.setdefault(name, source)
    return found


def _defined(source: str) -> set[str]:
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError):
        return set()
    return {node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def _waiting() -> Card:
    return Card(
        Mood.WAITING, "reading your answers", paragraphs=("This can take a minute or two.",)
    )


def _card(
    titles: Mapping[str, str],
    remarks: Mapping[str, Sequence[str]],
    model: str | None,
    note: str,
    notes: tuple[str, ...],
) -> Card:
    paragraphs = [
        f"{titles.get(name, name)}: {' '.join(lines) or 'nothing to remark.'}"
        for name, lines in remarks.items()
    ]
    by = f"Read by {model} on your own server" if model else "Computed, with no model asked"
    return Card(
        Mood.PASSED if model else Mood.UNGRADED,
        "how your answers read (no points)",
        paragraphs=(*((note,) if note else ()), *paragraphs),
        small_print=(f"{by}. A model can be wrong: take what helps.", *notes),
    )
