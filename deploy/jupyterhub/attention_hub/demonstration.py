"""A hub of one's own to try: accounts, course and exchange are made, and removed at the end."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

from attention_hub import accounts, limits
from attention_hub.course import REPOSITORY, NoAccount, set_up
from attention_hub.python_view import needed, opened
from attention_hub.settings import FOLDER, NAMED_BY, BadSettings, Settings, read

ASSIGNMENT = "attention"
INSIDE = "ATTENTION_HUB_INSIDE"  # set in the mount namespace
UP_WITHIN = 60  # seconds
PROXY = FOLDER / "node_modules" / ".bin" / "configurable-http-proxy"


class CannotStart(Exception):
    """The message says what is missing, and what to do."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Start, wait, clean up; the exit code of the program."""
    options = _options(arguments)
    try:
        _check_host()
        if INSIDE not in os.environ:
            _enter_view(arguments)
        with _demonstration(options):
            pass
    except KeyboardInterrupt:
        pass
    except (CannotStart, accounts.NotOurs, BadSettings, NoAccount, FileNotFoundError) as error:
        print(f"make hub: {error}", file=sys.stderr)
        return 1
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make hub", description=__doc__)
    parser.add_argument("--prefix", default="attention-", help="how the accounts' names begin")
    parser.add_argument("--students", type=int, default=2, help="how many")
    parser.add_argument("--folder", type=Path, help="where everything lies; a temporary one")
    parser.add_argument("--keep", action="store_true", help="keep accounts and folder at the end")
    parser.add_argument("--unreleased", action="store_true", help="leave releasing to you")
    parser.add_argument("--memory", default="2G", help="for each user")
    parser.add_argument("--processors", type=float, default=1.0, help="for each user")
    parser.add_argument("--processes", type=int, default=512, help="for each user")
    parser.add_argument("--server-argument", action="append", default=[], help="for each server")
    parser.add_argument("--ready", type=Path, help="write what is running to this file, as JSON")
    return parser.parse_args(arguments)


def _check_host() -> None:
    if sys.platform != "linux":
        raise CannotStart("the hub makes accounts with useradd, which needs Linux.")
    if os.geteuid() != 0:
        raise CannotStart(
            "the hub starts a server for each user under that user's account, which only root "
            "may do. Run it as root: sudo make hub"
        )
    for program, package in (("useradd", "passwd"), ("node", "nodejs")):
        if shutil.which(program) is None:
            raise CannotStart(f"{program} was not found (Debian: apt-get install {package}).")


def _enter_view(arguments: Sequence[str] | None) -> None:
    """Go on in a mount namespace where users may run this Python, if they may not here."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    command = [sys.executable, "-m", "attention_hub", *given]
    inside = opened(command, needed(REPOSITORY))
    if inside != command:
        os.environ[INSIDE] = "1"
        sys.stdout.flush()
        os.execv(inside[0], inside)


@contextlib.contextmanager
def _demonstration(options: argparse.Namespace) -> Iterator[None]:
    folder = options.folder or Path(tempfile.mkdtemp(prefix="attention-hub-"))
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    students = [f"{options.prefix}student-{n + 1:02d}" for n in range(options.students)]
    instructor = f"{options.prefix}instructor"
    before = [name for name in (instructor, *students) if accounts.exists(name)]
    sockets = _socket_root() / f"attention-hub-{os.getpid()}"
    hub: subprocess.Popen[bytes] | None = None
    for number in (signal.SIGINT, signal.SIGTERM):
        # A shell that starts us in the background has SIGINT ignored, and the hub would inherit it.
        signal.signal(number, _like_ctrl_c)
    try:
        for name in (instructor, *students):
            accounts.make(name, folder / "home" / name)
        settings_file = folder / "hub.toml"
        password = secrets.token_urlsafe(6)
        settings = _write_settings(
            settings_file, folder, sockets, instructor, students, password, options
        )
        course = set_up(settings)
        if not options.unreleased:
            _release(settings, course)
        hub = _start(settings, settings_file, folder / "hub.log")
        _say(settings, folder, password, options)
        if options.ready:
            state = {
                "url": settings.address, "pid": os.getpid(), "hub": hub.pid, "password": password,
                "folder": str(folder), "course": str(course), "settings": str(settings_file),
                "instructor": instructor, "students": students, "log": str(folder / "hub.log"),
            }  # fmt: skip
            partial = options.ready.with_suffix(".partial")
            partial.write_text(json.dumps(state))
            partial.replace(options.ready)
        code = hub.wait()
        raise CannotStart(f"the hub ended by itself with code {code}. See {folder / 'hub.log'}")
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _clean_up(hub, folder, sockets, (instructor, *students), before, keep=options.keep)
    yield


def _socket_root() -> Path:
    """Where short paths may be made; a socket's name has an end."""
    return Path("/run" if os.access("/run", os.W_OK) else tempfile.gettempdir())


def _like_ctrl_c(*_: object) -> None:
    raise KeyboardInterrupt


def _write_settings(
    path: Path,
    folder: Path,
    sockets: Path,
    instructor: str,
    students: Sequence[str],
    password: str,
    options: argparse.Namespace,
) -> Settings:
    port, hub_port, proxy_port = _free_ports(3)
    lines = [
        "[hub]",
        f'address = "http://127.0.0.1:{port}"',
        f"state = {json.dumps(str(folder / 'state'))}",
        f"sockets = {json.dumps(str(sockets))}",
        f"hub_port = {hub_port}",
        f"proxy_port = {proxy_port}",
        f"password = {json.dumps(password)}",
        f"server_arguments = {json.dumps(options.server_argument)}",
        "[course]",
        'id = "attention-course"',
        f"exchange = {json.dumps(str(folder / 'exchange'))}",
        f"instructor = {json.dumps(instructor)}",
        f"students = {json.dumps(list(students))}",
        "[limits]",
        f"memory = {json.dumps(options.memory)}",
        f"processors = {options.processors}",
        f"processes = {options.processes}",
    ]
    path.touch(mode=0o600)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read(path)


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        taken = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in taken:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in taken]


def _release(settings: Settings, course: Path) -> None:
    """Release the lesson to the exchange, as the instructor would."""
    programs = str(Path(sys.executable).parent)
    environment = {
        "PATH": f"{programs}:/usr/bin:/bin",
        "JUPYTER_CONFIG_PATH": str(FOLDER / "configuration" / "everyone"),
        "ATTENTION_HUB_COURSE": settings.course,
        "ATTENTION_HUB_EXCHANGE": str(settings.exchange),
    }
    if (settings.exchange / settings.course / "outbound" / ASSIGNMENT).exists():
        return
    for verb in ("generate_assignment", "release_assignment"):
        command = [sys.executable, "-m", "nbgrader", verb, ASSIGNMENT]
        done = accounts.run_as(settings.instructor, command, folder=course, environment=environment)
        if done.returncode != 0:
            raise CannotStart(f"nbgrader {verb} {ASSIGNMENT} did not succeed:\n{done.stderr}")


def _start(settings: Settings, settings_file: Path, log: Path) -> subprocess.Popen[bytes]:
    environment = {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", INSIDE}}
    environment[NAMED_BY] = str(settings_file)
    command = [sys.executable, "-m", "jupyterhub", "-f", str(FOLDER / "jupyterhub_config.py")]
    with log.open("ab") as output:
        # A session of its own: Ctrl-C is for us, who then end the hub in good order.
        hub = subprocess.Popen(
            command,
            cwd=settings.state,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    deadline = time.monotonic() + UP_WITHIN
    while hub.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"{settings.address}/hub/api", timeout=5).close()
            return hub
        except (OSError, urllib.error.URLError):
            time.sleep(0.1)
    _end(hub)
    words = log.read_text(encoding="utf-8", errors="replace")[-2000:]
    raise CannotStart(f"the hub was not up after {UP_WITHIN} s. The end of its log:\n{words}")


def _say(settings: Settings, folder: Path, password: str, options: argparse.Namespace) -> None:
    group = limits.group_for("trial")
    if group is not None:
        group.end()
    print(f"The hub is up: {settings.address}")
    print(f"  students    {', '.join(settings.students)}")
    print(f"  instructor  {settings.instructor}")
    print(f"  password    {password} (for each of them; it ends with this demonstration)")
    print(f"Limits: {limits.in_words(settings.limits, group)}.")
    print(f"Everything lies in {folder}; hub.log there says what happens.")
    after = "stays" if options.keep else "is removed, the accounts too"
    print(f"Ctrl-C ends the hub; what was made here then {after}.", flush=True)


def _end(hub: subprocess.Popen[bytes], patience: float = 30) -> None:
    """JupyterHub ends its proxy and every server when it is asked to end."""
    if hub.poll() is None:
        hub.terminate()
        try:
            hub.wait(patience)
        except subprocess.TimeoutExpired:
            os.killpg(hub.pid, signal.SIGKILL)
            hub.wait()


def _clean_up(
    hub: subprocess.Popen[bytes] | None,
    folder: Path,
    sockets: Path,
    names: Sequence[str],
    before: Sequence[str],
    *,
    keep: bool,
) -> None:
    if hub is not None:
        print("Ending the hub", flush=True)
        _end(hub)
    for name in names:
        group = limits.group_for(name)
        if group is not None:
            group.end()
        if not accounts.exists(name):
            continue
        if keep or name in before:
            if pwd.getpwnam(name).pw_gecos == accounts.MARK:
                accounts.end_processes(pwd.getpwnam(name).pw_uid)
        else:
            accounts.remove(name)
    shutil.rmtree(sockets, ignore_errors=True)
    if keep:
        print(f"Kept: {folder} and the accounts {', '.join(names)}")
    elif not before:
        # Only what was made here, for --folder may name a folder that holds more.
        for name in ("home", "state", "exchange"):
            shutil.rmtree(folder / name, ignore_errors=True)
        for name in ("hub.toml", "hub.log"):
            (folder / name).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            folder.rmdir()
        print("The demonstration's accounts and folder are removed")
