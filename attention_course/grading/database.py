"""A gradebook on a database server: how it is opened, what it is called, what it complains of.

Its URL may hold a password, and so may what a driver says about a URL that it cannot read.
Nothing that people or logs get to see comes from the URL but through :func:`place`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, InternalError
from sqlalchemy.exc import OperationalError as Operational

from attention_course.grading.outputs import writable

# What libpq is told where the URL does not say it: seconds until a host that does not answer
# counts as not there, and how soon a connection that was cut off is noticed.
PATIENCE = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,  # milliseconds
}
NO_SERVER = (Operational, InterfaceError, InternalError)
DRIVERS = {"psycopg", "psycopg2", "pg8000", "asyncpg"}


class BadUrl(ValueError):
    """A gradebook's URL that cannot be read; the message repeats nothing of it."""


class GradebookLost(BaseException):
    """The server of the gradebook is gone, or takes nothing any more; the message says so.

    It ends a run as Ctrl-C does: what guards a class against one submission's fault
    (``except Exception``) must not take it for that, and meet it once for each student.
    """


def read_url(text: str) -> URL:
    """The URL in its parts; raises BadUrl, without a word of the URL."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise BadUrl(
            "c.CourseDirectory.db_url cannot be read as a database's URL, such as "
            "postgresql://USER@HOST:5432/DATABASE or sqlite:////FOLDER/gradebook.db"
        ) from None
    if "@" in (url.host or ""):
        raise BadUrl(
            "c.CourseDirectory.db_url has an @ too many: in a password it is written %40, a slash "
            "%2F. Better, leave the password out and put it into ~/.pgpass"
        )
    return url


def is_server(text: str) -> bool:
    """Whether the gradebook is on a server rather than in a file."""
    return read_url(text).get_backend_name() != "sqlite"


def place(text: str) -> str:
    """What people may read of a gradebook's URL: no password, no options.

    >>> place("postgresql://grader:secret@localhost:5432/gradebook?password=secret")
    'postgresql://grader@localhost:5432/gradebook'
    """
    url = read_url(text)
    shown = URL.create(url.drivername, url.username, None, url.host, url.port, url.database)
    return shown.render_as_string()


def has_password(text: str) -> bool:
    """Whether whoever reads the URL reads a password."""
    url = read_url(text)
    return url.password is not None or "password" in url.query


def words(error: BaseException, text: str) -> str:
    """A driver's complaint in one line: no statement, no values, no password."""
    said = str(error.orig) if isinstance(error, DBAPIError) and error.orig else str(error)
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    line = (lines or [type(error).__name__])[0].removeprefix("connection failed: ")
    url = read_url(text)
    secrets = {str(url.password or ""), str(url.query.get("password", ""))} - {""}
    for secret in sorted(secrets, key=len, reverse=True):
        line = line.replace(secret, "***")
    return line[:300]


def patient(engine: Engine) -> Engine:
    """The engine, with PATIENCE for a PostgreSQL server."""
    if engine.dialect.name == "postgresql" and engine.dialect.driver in {"psycopg", "psycopg2"}:

        @event.listens_for(engine, "do_connect")
        def _(dialect: Any, record: Any, arguments: Any, options: dict[str, Any]) -> None:
            for name, value in PATIENCE.items():
                options.setdefault(name, value)

    return engine


def storable(text: str | None) -> str | None:
    """Text as every database takes it: PostgreSQL refuses NUL, UTF-8 half a surrogate pair."""
    return None if text is None else str(writable(text)).replace("\0", "\N{REPLACEMENT CHARACTER}")
