"""A real server for a worker's tests, a small course on it, and a small course on SQLite."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ..grading.batch import conftest as SMALL
from .servers import NotStarted, Server, why_no_server

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def _passwords(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """libpq's password file of this worker's servers, as docs/hub.md has it: no URL holds one."""
    path = tmp_path_factory.mktemp("pgpass") / "pgpass"
    path.touch(mode=0o600)
    patch = pytest.MonkeyPatch()
    patch.setenv("PGPASSFILE", str(path))
    for name in ("PGPASSWORD", "PGHOST", "PGUSER", "PGDATABASE", "PGSERVICE", "PGPORT"):
        patch.delenv(name, raising=False)
    yield path
    patch.undo()


@pytest.fixture(scope="session")
def make_server(_passwords: Path) -> Iterator[Any]:
    """``make_server()``: a server of the test's own, that it may stop."""
    reason = why_no_server()
    if reason is not None:
        pytest.skip(reason)
    made: list[Server] = []

    def make() -> Server:
        try:
            server = Server()
            made.append(server)
            server.start()
        except (NotStarted, subprocess.CalledProcessError, OSError) as error:
            last = str(getattr(error, "stderr", None) or error).strip().splitlines()[-1:]
            pytest.skip(f"NO POSTGRESQL: its server does not start here ({''.join(last)})")
        with _passwords.open("a") as file:
            file.write(server.password_lines())
        return server

    yield make
    for server in made:
        server.close()


@pytest.fixture(scope="session")
def server(make_server: Any) -> Server:
    """The server that all tests of this worker share; nobody stops it."""
    return make_server()


@dataclass
class Served(SMALL.Small):  # type: ignore[name-defined,misc]
    """The small course ps1 with its gradebook on a server."""

    server: Any = None
    database: str = ""

    def use(self, url: str) -> None:
        """Have the gradebook at another URL."""
        self.configure(f"c.CourseDirectory.db_url = {url!r}")

    @property
    def url(self) -> str:
        return str(self.course.db_url)

    def query(self, text: str, *values: Any) -> list[tuple[Any, ...]]:
        import psycopg

        login = self.server.url_with_password(self.database)
        with psycopg.connect(login) as connection:
            cursor = connection.execute(text.replace("?", "%s"), values)
            return cursor.fetchall() if cursor.description else []

    def state(self) -> dict[str, Any]:
        rows = {name: sorted(self.query(q), key=repr) for name, q in SMALL.ROWS.items()}
        return {"rows": rows, "files": SMALL.files(self.root)}

    def written(self) -> str:
        """All that runs left in this folder beside notebooks, as text."""
        places = [self.root / name for name in ("reports", ".attention_course", ".nbgrader.log")]
        paths = [p for place in places for p in (place, *place.rglob("*")) if p.is_file()]
        return "\n".join(path.read_bytes().decode("utf-8", "replace") for path in paths)


def served(root: Path, released: Path, server: Server, template: str) -> Served:
    shutil.copytree(released, root)
    course = Served(root, server=server, database=server.new_database(template))
    course.use(server.url(course.database))
    return course


@pytest.fixture(scope="session")
def released(server: Server, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with ps1 released, and the database that was released into."""
    root = tmp_path_factory.mktemp("released") / "course"
    root.mkdir()
    shutil.copy(ROOT / "nbgrader_config.py", root)
    database = server.new_database()
    with (root / "nbgrader_config.py").open("a") as file:
        file.write(f"\nc.CourseDirectory.db_url = {server.url(database)!r}\n")
    SMALL.generate(root, p1=SMALL.master())
    return root, database


@pytest.fixture
def course(tmp_path: Path, released: tuple[Path, str], server: Server) -> Served:
    """The small course, released, with nobody's submission, on the shared server."""
    return served(tmp_path / "course", released[0], server, released[1])


@pytest.fixture
def fragile(tmp_path: Path, released: tuple[Path, str], make_server: Any) -> Iterator[Served]:
    """The same on a server of its own, which the test may stop."""
    own: Server = make_server()
    shutil.copytree(released[0], tmp_path / "course")
    course = Served(tmp_path / "course", server=own, database=own.new_database())
    course.use(own.url(course.database))
    SMALL.generate(course.root, p1=SMALL.master())
    yield course
    own.close()


@pytest.fixture(scope="session")
def here() -> Any:
    """The pool that grades in the test's own process."""
    return SMALL.Here


@pytest.fixture(scope="session")
def small_courses() -> Any:
    """The module that the small course comes from: its master notebook and how to release it."""
    return SMALL


@pytest.fixture(scope="session")
def as_data() -> Any:
    """What a command printed with --json."""
    return lambda done: json.loads(done.stdout)
