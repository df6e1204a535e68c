"""What a student has tried so far: ``progress/lesson_progress.json`` beside the notebook.

The file's form is written down in ``progress.schema.json``. Three promises:

* a reader never meets half a file: it is written aside and renamed into place;
* two kernels that write at the same time lose nothing: each reads, changes and writes
  under one lock;
* nothing that stands in the way is lost: a damaged file, or one of another kind, is set
  aside as ``lesson_progress.json.<time>.broken``.

Progress is a convenience and never stops a lesson: what cannot be saved is said in one
sentence, and the check goes on.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import IO, Any

from attention_course.verdict import Outcome, Verdict

FORMAT = "attention-course/lesson-progress"
VERSION = 1
FOLDER = "progress"
FILE_NAME = "lesson_progress.json"
LOCK_NAME = ".lesson_progress.lock"
LOCK_SECONDS = 5.0
# What a check says of an answer that nobody has written yet.
UNTRIED = frozenset({"not_started", "not_defined"})


@dataclass(frozen=True, slots=True)
class Saved:
    """What came of saving: the file, and what the student should be told, if anything."""

    path: Path
    ok: bool
    notes: tuple[str, ...] = ()


def progress_path(folder: Path | str | None = None) -> Path:
    """The progress file of an assignment folder (default: the current one)."""
    return Path(folder or Path.cwd()) / FOLDER / FILE_NAME


def empty_progress(now: str | None = None) -> dict[str, Any]:
    """Progress in which nothing has been tried."""
    return {"format": FORMAT, "version": VERSION, "updated": now or _now(), "assignments": {}}


def read_progress(folder: Path | str | None = None) -> dict[str, Any]:
    """The progress of an assignment folder; empty where there is none.

    Raises ValueError for a file that is damaged or of another kind, and OSError for one
    that cannot be read. Changes nothing on disk.
    """
    try:
        text = progress_path(folder).read_text(encoding="utf-8")
    except FileNotFoundError:
        return empty_progress()
    return _parse(text)


def record(
    assignment: str,
    verdicts: Iterable[Verdict],
    *,
    evaluation: bool = False,
    folder: Path | str | None = None,
) -> Saved:
    """Add the outcome of one check, or of a whole evaluation, to the progress file.

    Never raises for what the disk or the file on it does: ``Saved.notes`` says it.
    """

    def add(progress: dict[str, Any]) -> None:
        _add(progress, assignment, verdicts, _now(), evaluation)

    return _changed(add, folder)


def record_hint(
    assignment: str,
    exercise: str,
    tier: int,
    max_points: float,
    *,
    folder: Path | str | None = None,
) -> Saved:
    """Note that a hint tier of an exercise was opened; the furthest one is kept.

    ``tier`` is 1 to 3, ``max_points`` what the exercise can give. Opening a hint is no attempt.
    Never raises for what the disk or the file on it does.
    """

    def add(progress: dict[str, Any]) -> None:
        now = _now()
        _add(progress, assignment, (), now, evaluation=False)
        entry = progress["assignments"][assignment]
        kept = entry["exercises"].setdefault(exercise, _untried())
        kept["max_points"] = kept["max_points"] or _plain(max_points)
        kept["hint_tiers_opened"] = max(kept["hint_tiers_opened"], tier)
        _add_up(entry)

    return _changed(add, folder)


def record_review(
    assignment: str,
    model: str | None,
    remarks: dict[str, list[str]],
    *,
    folder: Path | str | None = None,
) -> Saved:
    """Keep the latest review of how the code reads: remarks by exercise, no points.

    ``model`` is None where only what is computed was said. Never raises for what the disk or
    the file on it does.
    """

    def add(progress: dict[str, Any]) -> None:
        now = _now()
        _add(progress, assignment, (), now, evaluation=False)
        review = {"at": now, "model": model, "remarks": remarks}
        progress["assignments"][assignment]["review"] = review

    return _changed(add, folder)


def _changed(change: Callable[[dict[str, Any]], None], folder: Path | str | None) -> Saved:
    path = progress_path(folder)
    notes: list[str] = []
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(path.parent / LOCK_NAME):
            progress = _read_or_set_aside(path, notes)
            change(progress)
            _write(path, progress)
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        notes.append(
            f"Your progress could not be saved in {FOLDER}/{FILE_NAME} ({reason}); "
            "the lesson goes on without it."
        )
        return Saved(path, ok=False, notes=tuple(notes))
    return Saved(path, ok=True, notes=tuple(notes))


def _add(
    progress: dict[str, Any],
    assignment: str,
    verdicts: Iterable[Verdict],
    now: str,
    evaluation: bool,
) -> None:
    entry = progress["assignments"].setdefault(
        assignment,
        {
            "points": 0,
            "max_points": 0,
            "evaluations": 0,
            "last_evaluation": None,
            "exercises": {},
        },
    )
    exercises = entry["exercises"]
    for verdict in verdicts:
        _add_verdict(exercises.setdefault(verdict.exercise, _untried()), verdict, now)
    _add_up(entry)
    if evaluation:
        entry["evaluations"] += 1
        entry["last_evaluation"] = now
    progress["updated"] = now


def _add_up(entry: dict[str, Any]) -> None:
    exercises = entry["exercises"].values()
    entry["points"] = _plain(sum(exercise["points"] for exercise in exercises))
    entry["max_points"] = _plain(sum(exercise["max_points"] for exercise in exercises))


def _untried() -> dict[str, Any]:
    return {
        "outcome": Outcome.FAILED.value,
        "points": 0,
        "best_points": 0,
        "max_points": 0,
        "attempts": 0,
        "first_attempt": None,
        "last_attempt": None,
        "first_passed": None,
        "misconceptions": {},
        "hint_tiers_opened": 0,
    }


def _add_verdict(exercise: dict[str, Any], verdict: Verdict, now: str) -> None:
    exercise["max_points"] = _plain(verdict.max_points)
    if verdict.outcome is Outcome.UNGRADED:
        # Our fault: it neither costs what was reached before nor counts as a try.
        if exercise["attempts"] == 0:
            exercise["outcome"] = verdict.outcome.value
        return
    exercise["outcome"] = verdict.outcome.value
    exercise["points"] = _plain(verdict.points)
    exercise["best_points"] = _plain(max(exercise["best_points"], verdict.points))
    if not UNTRIED.isdisjoint(verdict.misconceptions):
        return
    exercise["attempts"] += 1
    exercise["first_attempt"] = exercise["first_attempt"] or now
    exercise["last_attempt"] = now
    if verdict.passed:
        exercise["first_passed"] = exercise["first_passed"] or now
    for misconception in verdict.misconceptions:
        counts = exercise["misconceptions"]
        counts[misconception] = counts.get(misconception, 0) + 1


def _plain(number: float) -> int | float:
    return int(number) if float(number).is_integer() else float(number)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# --- the file -----------------------------------------------------------------------------


def _read_or_set_aside(path: Path, notes: list[str]) -> dict[str, Any]:
    try:
        return _parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return empty_progress()
    except (ValueError, OSError):
        # ValueError: not JSON, not UTF-8, another form. OSError: a folder of that name, or
        # not ours to read. Either way it stays on disk, under a name that nothing overwrites.
        aside = _free_name(path)
        os.rename(path, aside)
        notes.append(
            f"{FOLDER}/{FILE_NAME} was not a progress file of this course, so it was kept as "
            f"{FOLDER}/{aside.name} and a new one was begun."
        )
        return empty_progress()


def _free_name(path: Path) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
    candidate = path.with_name(f"{path.name}.{stamp}.broken")
    count = 1
    while candidate.exists() or candidate.is_symlink():
        count += 1
        candidate = path.with_name(f"{path.name}.{stamp}-{count}.broken")
    return candidate


def _parse(text: str) -> dict[str, Any]:
    import jsonschema

    try:
        progress = json.loads(text)
        jsonschema.validate(progress, _schema())
    except jsonschema.ValidationError as error:
        raise ValueError(f"not lesson progress, version {VERSION}: {error.message}") from error
    except RecursionError as error:
        raise ValueError("not lesson progress: nested too deeply") from error
    return dict(progress)


@cache
def _schema() -> dict[str, Any]:
    schema = Path(__file__).with_name("progress.schema.json")
    return dict(json.loads(schema.read_text(encoding="utf-8")))


def _write(path: Path, progress: dict[str, Any]) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(progress, file, indent=2, ensure_ascii=False)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes private files; an instructor who collects the folder must read it.
        with suppress(OSError):
            os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


# --- the lock -----------------------------------------------------------------------------


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the folder's lock; the system frees it if this process dies while holding it."""
    with open(path, "a+b") as file:
        deadline = time.monotonic() + LOCK_SECONDS
        while not _try_lock(file):
            if time.monotonic() > deadline:
                raise TimeoutError(f"another program has held it for {LOCK_SECONDS:.0f} seconds")
            time.sleep(0.01)
        try:
            yield
        finally:
            _unlock(file)


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: IO[bytes]) -> bool:
        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)
