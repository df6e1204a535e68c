"""Lets ordinary users run a Python that lies in a folder which they may not enter.

A Python under root's home, as pyenv makes it, is out of reach for everybody else. The hub then
runs in a mount namespace of its own, in which the closed folder is empty but for that Python,
read-only. Nothing changes for the rest of the machine.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

ENTER = 0o001
# $1 is a folder to open, the others up to -- are what is to be seen of it.
_SCRIPT = """
set -eu
_same_kind() {
  if [ -d "$1" ]; then mkdir -p -- "$2"; else mkdir -p -- "${2%/*}"; : > "$2"; fi
}
hold=$(mktemp -d)
while [ "$1" != -- ]; do
  closed=$1; count=$2; shift 2; number=0
  for place in $(seq "$count"); do
    eval "_same_kind \\"\\${$place}\\" \\"$hold/$place\\""
    eval "mount --bind -- \\"\\${$place}\\" \\"$hold/$place\\""
  done
  mount -t tmpfs -o mode=0755 tmpfs "$closed"
  for place in $(seq "$count"); do
    _same_kind "$hold/$place" "$1"
    mount --bind -- "$hold/$place" "$1"
    mount -o remount,bind,ro -- "$1"
    umount "$hold/$place"; rm -d -- "$hold/$place"
    shift
  done
done
rmdir "$hold"
shift
exec "$@"
"""


def needed(repository: Path) -> list[Path]:
    """The folders that a user's server reads: Python, its packages, and this checkout."""
    binary = Path(sys.executable).resolve().parents[1]
    places = [Path(sys.prefix), Path(sys.base_prefix), binary, repository]
    return list(dict.fromkeys(place.resolve() for place in places))


def closed_to_others(places: Sequence[Path]) -> dict[Path, list[Path]]:
    """Folders that an ordinary user may not enter, and which of ``places`` lie in each."""
    found: dict[Path, list[Path]] = {}
    for place in places:
        way = [place, *place.parents]
        ways = [path for path in reversed(way) if not path.stat().st_mode & ENTER]
        if not ways:
            continue
        inside = found.setdefault(ways[0], [])
        # A closed place itself would stay closed; what lies in it need not be.
        for one in [place] if place != ways[0] else sorted(place.iterdir()):
            if not any(one.is_relative_to(other) for other in inside):
                inside[:] = [*(other for other in inside if not other.is_relative_to(one)), one]
    return found


def opened(command: Sequence[str], places: Sequence[Path]) -> list[str]:
    """The command, in a mount namespace with these places opened where that is needed.

    Raises FileNotFoundError where util-linux's unshare is missing.
    """
    closed = closed_to_others(places)
    if not closed:
        return list(command)
    program = shutil.which("unshare")
    if program is None:
        raise FileNotFoundError(
            f"users of the hub may not enter {next(iter(closed))}, where this Python lies. "
            "Install util-linux, or make the environment with another one: "
            "make setup PYTHON=/usr/bin/python3"
        )
    arguments: list[str] = []
    for folder, inside in closed.items():
        arguments += [str(folder), str(len(inside)), *map(str, inside)]
    return [program, "--mount", "/bin/sh", "-c", _SCRIPT, "sh", *arguments, "--", *command]
