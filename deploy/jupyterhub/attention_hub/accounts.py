"""Accounts of this host: those of the demonstration are made and taken away again."""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

# In the account's comment field: what lacks it was not made here, and is left alone.
MARK = "attention-course demonstration"


class NotOurs(Exception):
    """An account of that name exists and was not made by a demonstration."""


def exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def make(name: str, home: Path) -> None:
    """Make an account with no password and a home that only it may enter.

    Raises NotOurs where the name is taken; one that an earlier demonstration kept is used again.
    """
    if exists(name):
        account = pwd.getpwnam(name)
        if account.pw_gecos != MARK:
            raise NotOurs(
                f"the account {name} exists and is not the demonstration's. Choose other names "
                "with --prefix."
            )
        if Path(account.pw_dir) != home:
            raise NotOurs(
                f"the account {name} was kept with its home in {account.pw_dir}. Go on with "
                f"--folder {Path(account.pw_dir).parents[1]}, or choose other names with --prefix."
            )
        return
    command = ["useradd", "--comment", MARK, "--home-dir", str(home), "--create-home"]
    command += ["--user-group", "--shell", "/bin/bash", name]
    subprocess.run(command, check=True, capture_output=True, text=True)
    home.chmod(0o700)


def remove(name: str) -> None:
    """End what the account runs, then remove it with its home, if a demonstration made it."""
    if not exists(name) or pwd.getpwnam(name).pw_gecos != MARK:
        return
    end_processes(pwd.getpwnam(name).pw_uid)
    subprocess.run(["userdel", "--remove", name], check=False, capture_output=True, text=True)


def end_processes(uid: int) -> None:
    """End all processes of one user; they have five seconds before they are made to."""
    deadline = time.monotonic() + 5
    while pids := _processes_of(uid):
        late = time.monotonic() > deadline
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL if late else signal.SIGTERM)
        if time.monotonic() > deadline + 5:
            return
        time.sleep(0.05)


def _processes_of(uid: int) -> list[int]:
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError, StopIteration):
                lines = (folder / "status").read_text().splitlines()
                fields = dict(line.split(":", 1) for line in lines if ":" in line)
                if int(fields["Uid"].split()[0]) == uid and "Z" not in fields["State"]:
                    found.append(int(folder.name))
    return found


def run_as(
    name: str,
    command: Sequence[str],
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command as a user, with that user's rights, groups and home and no more."""
    account = pwd.getpwnam(name)
    clean = {"HOME": account.pw_dir, "USER": name, "LOGNAME": name, "LANG": "C.UTF-8"}
    return subprocess.run(
        list(command),
        cwd=folder or account.pw_dir,
        env={**clean, "PATH": "/usr/local/bin:/usr/bin:/bin", **(environment or {})},
        user=account.pw_uid,
        group=account.pw_gid,
        extra_groups=os.getgrouplist(name, account.pw_gid),
        umask=0o077,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
