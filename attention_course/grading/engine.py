"""Grades one notebook: one plain function in, one plain record out.

The student's cells run in a sandbox, the graded cells here. Knows nothing of nbgrader's
database or commands; the plug-ins and the command line both call :func:`grade_notebook`.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from IPython.display import display
from nbformat import NotebookNode, from_dict

from attention_course.grading.record import Record
from attention_course.grading.sandbox.outputs import Outputs
from attention_course.grading.source import Plan
from attention_course.grading.student_side import (
    REFUSED,
    StudentSide,
    Surroundings,
    TestStopped,
    stopped,
)
from attention_course.grading.trusted import TrustedNamespace, run_trusted_cell, score_of
from attention_course.verdict import AnswerStopped, Outcome, Ungradable

LARGEST_MODULE = 1_000_000  # bytes of a student's module that are read for ready-made parts


def grade_notebook(
    notebook: NotebookNode, plan: Plan, surroundings: Surroundings, seed: int | None = None
) -> Record:
    """Run ``notebook`` (already rebuilt around the instructor's cells) and fill in its outputs.

    Graded cells get the outputs that decide their marks; the others what they showed. A cell
    that could not be judged through a fault of ours is listed in ``Record.ungraded``. ``seed``
    makes a run repeatable; without one the checks draw fresh secret inputs.
    """
    record = Record()
    outputs = Outputs()
    student = StudentSide(surroundings, outputs, record)
    namespace = TrustedNamespace(student.wall)
    namespace["display"] = display
    namespace.ours = plan.ours
    began = time.monotonic()
    try:
        with _session(notebook, seed) as session:
            count = 0
            for cell in notebook.cells:
                if cell.cell_type != "code" or not cell.source.strip():
                    continue
                count += 1
                started = time.monotonic()
                data = cell.metadata.get("nbgrader", {})
                if data.get("grade") and not data.get("solution"):
                    _grade_cell(cell, plan, surroundings, student, namespace, session)
                    phase = "tests"
                elif cell.source.strip() in plan.demonstrations:
                    continue
                else:
                    if session is not None:
                        session.sources += _sources_of(cell.source, surroundings.folder)
                    _run_student_cell(cell, student, record)
                    phase = "cells"
                cell.execution_count = count
                for output in cell.outputs:
                    if output.output_type == "execute_result":
                        output.execution_count = count
                spent = time.monotonic() - started
                record.durations[phase] = record.durations.get(phase, 0.0) + spent
            student.keep_files()
    finally:
        student.close()
    record.durations["total"] = time.monotonic() - began
    return record


def _sources_of(source: str, folder: Path) -> list[str]:
    """A cell, and after it the student's own modules that it imports, for the checks to read."""
    found = [source]
    for module in sorted(folder.glob("*.py")):
        imported = re.search(rf"^[ \t]*(from|import)[ \t]+{re.escape(module.stem)}\b", source, re.M)
        if imported and not module.is_symlink() and module.stat().st_size < LARGEST_MODULE:
            found.append(module.read_text("utf-8", "replace"))
    return found


def _run_student_cell(cell: NotebookNode, student: StudentSide, record: Record) -> None:
    try:
        outputs, _ = student.run_cell(cell.source)
    except Ungradable as error:
        outputs = [stopped(error)]
        record.events.append({"what": "sandbox", "why": str(error)})
    cell.outputs = [from_dict(output) for output in outputs]


def _grade_cell(
    cell: NotebookNode,
    plan: Plan,
    surroundings: Surroundings,
    student: StudentSide,
    namespace: TrustedNamespace,
    session: Any,
) -> None:
    record, name = student.record, cell.metadata.nbgrader["grade_id"]
    folder = surroundings.folder, surroundings.helpers, surroundings.student_files
    with student.graded_cell():
        for number, before in enumerate(plan.before.get(name, ())):
            label = before.grade_id or f"instructor cell {number + 1} before {name}"
            asked = student.exchanges
            ran = run_trusted_cell(before.source, namespace, label, student.outputs, *folder)
            if ran.error is None and ran.ungraded is None:
                continue
            why = ran.ungraded or f"{type(ran.error).__name__}: {ran.error}"[:500]
            # Without a word to the student's process, a failure is no fault of theirs.
            stopped = isinstance(ran.error, AnswerStopped)
            own = (student.exchanges == asked and not stopped) or ran.ungraded is not None
            what = "instructor cell failed" if own else "a cell failed on the student's code"
            record.events.append({"what": what, "cell": label, "why": why})
            if own:
                ours = f"the instructor's cell {label} failed ({why})"
                namespace.failed |= dict.fromkeys(before.names.binds - namespace.keys(), ours)
        namespace.theirs = plan.theirs.get(name, frozenset())
        for owned in namespace.theirs & namespace.keys():
            dict.__delitem__(namespace, owned)
        seen, asked = len(session.verdicts) if session else 0, student.exchanges
        result = run_trusted_cell(cell.source, namespace, name, student.outputs, *folder)
    cell.outputs = [from_dict(output) for output in result.outputs]
    points = float(cell.metadata.nbgrader["points"])
    reason: str | None = result.ungraded or score_of(result.outputs, points)
    for verdict in session.verdicts[seen:] if session else ():
        record.verdicts.append({**verdict.to_record(), "cell": name})
        if verdict.outcome is Outcome.UNGRADED:
            reason = reason or verdict.message
    if isinstance(result.error, TestStopped) and student.exchanges == asked:
        reason = f"{result.error}, though it asked nothing of the answer"
    if isinstance(result.error, AnswerStopped):
        record.events.append({"what": "stopped", "cell": name, "why": str(result.error)})
    if reason:
        record.ungraded[name] = reason
        note = f"Not graded yet: {reason}. A person will look at it; it is not counted as wrong.\n"
        cell.outputs.append(from_dict({"output_type": "stream", "name": "stdout", "text": note}))


@contextlib.contextmanager
def _session(notebook: NotebookNode, seed: int | None) -> Iterator[Any]:
    """A session of the course's checks, for notebooks that use them."""
    if not any("attention_course" in cell.source for cell in notebook.cells):
        yield None
        return
    from attention_course.checks import Session, session

    with session(Session(seed=secrets.randbits(62) if seed is None else seed)) as current:
        yield current


__all__ = ["REFUSED", "Record", "Surroundings", "grade_notebook"]
