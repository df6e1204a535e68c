"""The gradebook as people hear of it: whether it can be reached, and what it complains of."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attention_course.commands.course_folder import CONFIGURATION, CourseFolder, Refusal

NO_DRIVER = "the driver {name} is not installed"
INSTALL = "pip install 'psycopg[binary]', which attention-course[postgresql] brings"
START = f"start its server, or mend c.CourseDirectory.db_url in {CONFIGURATION}"
OWN = "make the role of the URL the database's owner: ALTER DATABASE … OWNER TO …"
FILE = "check the path and its permissions, or that no other program holds it open"


@dataclass(frozen=True, slots=True)
class Standing:
    """What was found; ``mend`` where it cannot be used, ``advice`` where its URL says too much."""

    found: str
    mend: str = ""
    advice: str = ""


def look_at(folder: CourseFolder) -> Standing:
    """Whether the gradebook of the configuration can be written; nothing is left in it."""
    from sqlalchemy import create_engine
    from sqlalchemy.exc import SQLAlchemyError

    from attention_course.commands.report import configured
    from attention_course.grading.database import BadUrl, patient, place, read_url, words

    text = configured(folder).db_url
    try:
        url = read_url(text)
        shown = place(text)
    except BadUrl as error:
        return Standing(str(error), f"mend {CONFIGURATION}")
    is_file = url.get_backend_name() == "sqlite"
    try:
        if is_file and url.database:
            standing = _file(folder.root / url.database)
            if standing is not None:
                return standing
        engine = patient(create_engine(url))
        try:
            with engine.connect() as connection:
                if is_file:
                    # Takes the write lock, and gives it back with nothing written.
                    connection.exec_driver_sql("BEGIN IMMEDIATE")
                    connection.rollback()
                    return Standing(f"{shown} can be written")
                return _server(connection, shown, text)
        finally:
            engine.dispose()
    except ModuleNotFoundError as error:
        return Standing(f"{shown}: {NO_DRIVER.format(name=error.name)}", INSTALL)
    except SQLAlchemyError as error:
        return Standing(f"{shown}: {words(error, text)}", FILE if is_file else START)


def _file(path: Path) -> Standing | None:
    if not path.exists():
        if os.access(path.parent, os.W_OK):
            return Standing(f"{path} will be made by the first command")
        return Standing(f"{path.parent} cannot be written", FILE)
    if not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK):
        return Standing(f"{path} cannot be written", FILE)
    return None


def _server(connection: Any, shown: str, text: str) -> Standing:
    """What a server lets us do, tried in a transaction that is taken back."""
    from nbgrader.api import Base
    from sqlalchemy import func, inspect, select
    from sqlalchemy.exc import SQLAlchemyError

    from attention_course.grading.database import has_password, words

    version = ".".join(map(str, connection.dialect.server_version_info or ()))
    named = f"{shown} ({connection.dialect.name} {version})"
    advice = (
        "the URL holds it, and formgrader shows the configuration" if has_password(text) else ""
    )
    assignments, student = Base.metadata.tables["assignment"], Base.metadata.tables["student"]
    try:
        if not inspect(connection).has_table(assignments.name):
            if connection.dialect.name == "postgresql":  # others could not take tables back
                Base.metadata.create_all(connection)
                connection.rollback()
            found = f"{named} answers and is empty; the first command makes its tables"
            return Standing(found, advice=advice)
        count = connection.execute(select(func.count()).select_from(assignments)).scalar()
        connection.execute(student.insert().values(id="attention-course doctor"))
        connection.rollback()
    except SQLAlchemyError as error:
        connection.rollback()
        return Standing(f"{named}: {words(error, text)}", OWN, advice)
    known = f"{count} assignment{'' if count == 1 else 's'}"
    return Standing(f"{named} can be written; {known}", advice=advice)


@contextlib.contextmanager
def database_words(folder: CourseFolder) -> Iterator[None]:
    """Turn a database's complaint into one sentence."""
    from sqlalchemy.exc import SQLAlchemyError

    from attention_course.grading.database import DRIVERS, BadUrl, GradebookLost

    try:
        yield
    except (BadUrl, GradebookLost) as error:
        raise Refusal(str(error)) from None
    except ModuleNotFoundError as error:
        if error.name not in DRIVERS:
            raise
        reason = NO_DRIVER.format(name=error.name)
        raise Refusal(f"the gradebook cannot be opened: {reason}. {INSTALL}") from None
    except SQLAlchemyError as error:
        raise Refusal(_complaint(folder, error)) from error


def _complaint(folder: CourseFolder, error: Exception) -> str:
    from sqlalchemy.exc import OperationalError, ProgrammingError

    from attention_course.commands.report import configured
    from attention_course.grading.database import is_server, place, words

    text = configured(folder).db_url
    if not is_server(text):
        return (
            f"the gradebook of {folder.root} cannot be read ({str(error).splitlines()[0]}). "
            "If nbgrader was updated, back it up and run nbgrader db upgrade."
        )
    said = f"the gradebook {place(text)}"
    if isinstance(error, OperationalError):
        return (
            f"{said} cannot be reached ({words(error, text)}). What was written stays. "
            f"Next: {START}, then run this again; attention-course doctor looks whether "
            "it answers."
        )
    if isinstance(error, ProgrammingError) and "does not exist" in str(error.orig):
        return (
            f"{said} lacks something ({words(error, text)}). If it is new, run "
            "nbgrader generate_assignment ASSIGNMENT first; if nbgrader was updated, back it up "
            "and run nbgrader db upgrade."
        )
    return f"{said} cannot be used ({words(error, text)}). attention-course doctor says more."
