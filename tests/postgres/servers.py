"""A real PostgreSQL server of a test's own: temporary folder, free port of the loopback device."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import IO, Any

READY = "database system is ready to accept connections"
KEEPER, GRADER = "keeper", "grader"


class NotStarted(RuntimeError):
    """The server ended before it was ready; the message is its last words."""


def programs() -> Path | None:
    """Where Debian (or somebody's PATH) has the server's programs, of the newest version."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version)
    if found:
        return found[-1].parent
    elsewhere = shutil.which("initdb")
    return Path(elsewhere).resolve().parent if elsewhere else None


def _version(path: Path) -> float:
    name = path.parents[1].name
    return float(name) if name.replace(".", "", 1).isdigit() else 0.0


def why_no_server() -> str | None:
    """Why no server can run here; None where one can."""
    if programs() is None:
        return "NO POSTGRESQL: its server was not found (Debian: apt-get install postgresql)"
    try:
        import psycopg  # noqa: F401
    except ImportError as error:
        return f"NO POSTGRESQL: the driver psycopg does not load ({error}; make setup)"
    if os.geteuid() == 0 and account() is None:
        return "NO POSTGRESQL: its server refuses to run as root, and there is no user postgres"
    return None


def account() -> pwd.struct_passwd | None:
    """Whom the server runs as where we are root: Debian's own user for it."""
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return None


class Server:
    """Starts with :meth:`start`; :meth:`close` ends it and removes its folder."""

    def __init__(self) -> None:
        found = programs()
        assert found is not None
        self.programs = found
        self.folder = Path(tempfile.mkdtemp(prefix="attention-course-postgres-"))
        self.data = self.folder / "data"
        self.passwords = {name: secrets.token_urlsafe(18) for name in (KEEPER, GRADER)}
        self.port = 0
        self.process: subprocess.Popen[str] | None = None
        self.words: list[str] = []
        self._as: dict[str, Any] = {}
        user = account()
        if os.geteuid() == 0 and user is not None:
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self._as = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        self._initialise()

    def _initialise(self) -> None:
        password = self.folder / "password"
        password.write_text(self.passwords[KEEPER] + "\n")
        try:
            subprocess.run(
                [
                    str(self.programs / "initdb"),
                    f"--pgdata={self.data}",
                    f"--username={KEEPER}",
                    f"--pwfile={password}",
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    "--locale=C.UTF-8",
                    "--no-sync",
                ],
                cwd=self.folder,
                check=True,
                capture_output=True,
                text=True,
                **self._as,
            )
        finally:
            password.unlink()

    def start(self) -> Server:
        """Start it, on the port it had before or else on a free one."""
        for attempt in range(5):
            port = self.port or free_port()
            try:
                self._start(port)
            except NotStarted as error:
                # Between looking for a free port and taking it, somebody else may have.
                if attempt == 4 or self.port or "could not bind" not in str(error):
                    raise
                continue
            first, self.port = not self.port, port
            if first:
                self.run(f"CREATE ROLE {GRADER} LOGIN PASSWORD '{self.passwords[GRADER]}'")
            return self
        raise AssertionError("unreachable")

    def _start(self, port: int) -> None:
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(self.folder),
            "fsync": "off",
            "full_page_writes": "off",
            "shared_buffers": "16MB",
            "lc_messages": "C",
            "log_statement": "mod",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        # Ended with these tests, should they be killed.
        setpriv = shutil.which("setpriv")
        tied = [setpriv, "--pdeathsig", "QUIT"] if setpriv else []
        program = str(self.programs / "postgres")
        self.process = subprocess.Popen(
            [*tied, program, "-D", str(self.data), "-p", str(port), *options],
            cwd=self.folder,
            env={"LC_ALL": "C", "PATH": os.defpath},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **self._as,
        )
        assert self.process.stderr is not None
        said = []
        for line in self.process.stderr:
            said.append(line)
            if READY in line:
                break
        else:
            self.process.wait()
            raise NotStarted("".join(said[-10:]))
        threading.Thread(target=self._listen, args=(self.process.stderr,), daemon=True).start()

    def _listen(self, words: IO[str]) -> None:
        self.words.extend(words)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGINT cuts connections off in order, SIGQUIT is what a crash looks like."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(60)
        self.process = None

    def close(self) -> None:
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- databases --------------------------------------------------------------------------

    def run(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run one statement as the one who may do everything."""
        import psycopg

        with psycopg.connect(self._login(KEEPER, database), autocommit=True) as connection:
            cursor = connection.execute(statement)  # type: ignore[call-overload]
            return cursor.fetchall() if cursor.description else []

    def new_database(self, template: str | None = None) -> str:
        """The name of a database that the grader owns, like ``template`` or empty."""
        name = f"course_{secrets.token_hex(6)}"
        copied = f" TEMPLATE {template}" if template else ""
        self.run(f"CREATE DATABASE {name} OWNER {GRADER}{copied}")
        return name

    def url(self, database: str, options: str = "") -> str:
        """What a course writes into its configuration: no password, which the password file has."""
        return f"postgresql://{GRADER}@127.0.0.1:{self.port}/{database}{options}"

    def url_with_password(self, database: str) -> str:
        password = self.passwords[GRADER]
        return f"postgresql://{GRADER}:{password}@127.0.0.1:{self.port}/{database}"

    def password_lines(self) -> str:
        """What libpq's password file says of this server."""
        return f"127.0.0.1:{self.port}:*:{GRADER}:{self.passwords[GRADER]}\n"

    def _login(self, user: str, database: str) -> str:
        return (
            f"host=127.0.0.1 port={self.port} user={user} dbname={database} "
            f"password={self.passwords[user]}"
        )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
