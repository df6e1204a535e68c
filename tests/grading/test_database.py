"""What people get to read of a gradebook's URL and of a driver's complaint; no server is needed."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, event
from sqlalchemy.exc import OperationalError

from attention_course.grading.database import (
    PATIENCE,
    BadUrl,
    GradebookLost,
    has_password,
    is_server,
    patient,
    place,
    read_url,
    storable,
    words,
)
from attention_course.grading.known import KnownNotebook
from attention_course.grading.rebuild import SourceCell
from attention_course.grading.source import InstructorCell

SERVER = "postgresql://grader:open%40sesame@db.example.org:5433/gradebook?password=sesame"


def test_a_place_says_where_and_who_and_nothing_secret() -> None:
    assert place(SERVER) == "postgresql://grader@db.example.org:5433/gradebook"
    assert place("sqlite:////course/gradebook.db") == "sqlite:////course/gradebook.db"


@pytest.mark.parametrize(
    ("url", "known"),
    [
        (SERVER, True),
        ("postgresql://grader:x@localhost/gradebook", True),
        ("postgresql://localhost/gradebook?password=x", True),
        ("postgresql://grader@localhost/gradebook?connect_timeout=2", False),
        ("sqlite:////course/gradebook.db", False),
    ],
)
def test_a_url_that_holds_a_password_is_known(url: str, known: bool) -> None:
    assert has_password(url) is known


@pytest.mark.parametrize(
    "url",
    [
        "open sesame",
        "",
        "postgresql://grader@localhost:sesame/x",
        "postgresql://grader:open@sesame@localhost/x",
    ],
)
def test_a_url_that_cannot_be_read_is_not_quoted(url: str) -> None:
    with pytest.raises(BadUrl) as refused:
        read_url(url)
    assert "sesame" not in str(refused.value)
    assert "c.CourseDirectory.db_url" in str(refused.value)


def test_only_a_file_is_no_server() -> None:
    assert is_server(SERVER) and not is_server("sqlite:////course/gradebook.db")


def test_a_complaint_is_one_line_without_statement_or_password() -> None:
    said = "connection failed: no route for open@sesame\n\tIs the server running?\n"
    error = OperationalError("INSERT INTO grade", {"student": "student-01"}, Exception(said))
    assert words(error, SERVER) == "no route for ***"


def test_text_is_stored_without_what_databases_refuse() -> None:
    assert storable("a\0b\ud800c") == "a\N{REPLACEMENT CHARACTER}b?c"
    assert storable(None) is None and storable("") == ""


def test_a_lost_gradebook_is_not_taken_for_one_submissions_fault() -> None:
    with pytest.raises(GradebookLost):
        try:
            raise GradebookLost("gone")
        except Exception:  # what guards a class against one submission
            pytest.fail("it would be met again for each student")


def test_a_server_is_given_so_long_to_answer_and_no_longer() -> None:
    """What the URL says of it wins over what we think."""
    pytest.importorskip("psycopg")
    given: list[dict[str, object]] = []

    class Refused(Exception):
        pass

    engine = patient(create_engine("postgresql+psycopg://localhost/x?connect_timeout=3"))

    @event.listens_for(engine, "do_connect")
    def connect(dialect: object, record: object, about: object, options: dict[str, object]) -> None:
        given.append(options)
        raise Refused

    with pytest.raises(Refused):
        engine.connect()
    assert int(str(given[0]["connect_timeout"])) == 3
    assert given[0]["keepalives_idle"] == PATIENCE["keepalives_idle"]


def test_cells_come_in_the_masters_order_however_a_database_returns_them() -> None:
    master = (
        InstructorCell("solution", "", "answer"),
        InstructorCell("instructor", "x = 1", None),
        InstructorCell("text", "", "essay"),
        InstructorCell("graded", "", "test"),
    )
    cells = tuple(SourceCell(name, "code", "") for name in ("test", "unknown", "essay", "answer"))
    known = KnownNotebook("p1", cells, None, master)
    assert [cell.grade_id for cell in known.cells] == ["answer", "essay", "test", "unknown"]
    assert KnownNotebook("p1", cells).cells == cells
