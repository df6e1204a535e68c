"""Reads what was released from nbgrader's database and the source folder, as plain data."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import (
    Assignment,
    BaseCell,
    GradeCell,
    MissingEntry,
    Notebook,
    SolutionCell,
    SourceCell,
    TaskCell,
)
from sqlalchemy import Connection, Engine, NullPool, create_engine, select

from attention_course.grading import rebuild
from attention_course.grading.database import patient, read_url
from attention_course.grading.known import KnownNotebook
from attention_course.grading.source import InstructorCell, instructor_cells


@lru_cache(maxsize=8)
def engine_for(db_url: str) -> Engine:
    """One engine for each gradebook of this process; it keeps no connection open."""
    return patient(create_engine(read_url(db_url), poolclass=NullPool))


def known_notebook(db_url: str, assignment: str, name: str, master: Path | None) -> KnownNotebook:
    """One released notebook; the plan that is made from it is kept while nothing changes.

    ``master`` is the master notebook's file. Raises nbgrader's MissingEntry where the gradebook
    has no such notebook.
    """
    with engine_for(db_url).connect() as connection:
        rows = notebook_rows(connection, assignment)
        if name not in rows:
            raise MissingEntry(f"no notebook {name} of {assignment} in the gradebook")
        identity, kernelspec = rows[name]
        cells = tuple(source_cells(connection, identity))
    return _known(name, cells, kernelspec, *_read(master))


@lru_cache(maxsize=32)
def _known(
    name: str,
    cells: tuple[rebuild.SourceCell, ...],
    kernelspec: str | None,
    path: Path | None,
    stamp: tuple[int, int] | None,
) -> KnownNotebook:
    master = None if path is None else master_cells(path)
    return KnownNotebook(name, cells, json.loads(kernelspec) if kernelspec else None, master)


def _read(master: Path | None) -> tuple[Path | None, tuple[int, int] | None]:
    if master is None or not master.is_file():
        return None, None
    about = master.stat()
    return master.resolve(), (about.st_mtime_ns, about.st_size)


def master_cells(path: Path) -> tuple[InstructorCell, ...]:
    """The code cells of a master notebook's file."""
    return instructor_cells(nbformat.read(path, as_version=4))


def notebook_rows(connection: Connection, assignment: str) -> dict[str, tuple[str, str | None]]:
    """Name to (id, kernelspec) of the notebooks that the gradebook knows of an assignment."""
    query = (
        select(Notebook.name, Notebook.id, Notebook.kernelspec)
        .join(Assignment, Assignment.id == Notebook.assignment_id)
        .where(Assignment.name == assignment)
        .order_by(Notebook.name)
    )
    return {name: (identity, spec) for name, identity, spec in connection.execute(query)}


def source_cells(connection: Connection, notebook: str) -> list[rebuild.SourceCell]:
    """The cells with a grade_id of one notebook (by its id), as they were released.

    A database gives rows in any order it likes; KnownNotebook puts them into the master's.
    """
    base, source = BaseCell.__table__, SourceCell.__table__
    kinds: dict[str, dict[str, Any]] = {"grade": {}, "solution": {}, "task": {}}
    for kind, model in (("grade", GradeCell), ("task", TaskCell), ("solution", SolutionCell)):
        table = model.__table__
        points = [table.c.max_score] if "max_score" in table.c else []
        query = (
            select(base.c.name, *points)
            .join(table, table.c.id == base.c.id)
            .where(base.c.notebook_id == notebook)
        )
        kinds[kind] = {row[0]: row[1] if points else None for row in connection.execute(query)}
    query = select(source).where(source.c.notebook_id == notebook)
    points_of = {**kinds["grade"], **kinds["task"]}
    return [
        rebuild.SourceCell(
            grade_id=row.name,
            cell_type=row.cell_type,
            source=row.source or "",
            checksum=row.checksum,
            grade=row.name in kinds["grade"],
            solution=row.name in kinds["solution"],
            task=row.name in kinds["task"],
            locked=bool(row.locked),
            points=float(points_of[row.name]) if row.name in points_of else None,
        )
        for row in connection.execute(query)
    ]
