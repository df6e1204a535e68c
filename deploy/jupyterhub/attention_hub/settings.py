"""What ``hub.toml`` says, read once and checked."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1]
NAMED_BY = "ATTENTION_HUB_SETTINGS"
_NUMBER = re.compile(r"(\d+)([KMGT]?)")
_SCALE = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
# The longest name that a Unix socket may have, less what Jupyter appends for a kernel.
LONGEST_SOCKETS = 107 - len("/4294967295/kernel-") - 36 - len("-ipc-5")


class BadSettings(Exception):
    """hub.toml cannot be used; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Limits:
    """For one user's server and all that it starts; memory in bytes, processors as a share."""

    memory: int
    processors: float
    processes: int


@dataclass(frozen=True, slots=True)
class Settings:
    """One hub with one course."""

    address: str
    state: Path
    sockets: Path
    course: str
    exchange: Path
    instructor: str
    colleagues: tuple[str, ...]
    students: tuple[str, ...]
    limits: Limits
    # Only for a demonstration: who knows it is let in under any of the names above.
    password: str | None = None
    hub_port: int | None = None
    proxy_port: int | None = None
    server_arguments: tuple[str, ...] = ()


def read(path: Path | None = None) -> Settings:
    """The settings of ``path``, of the file that ATTENTION_HUB_SETTINGS names, or of our own.

    Raises BadSettings, naming the file, where one is missing or of the wrong kind.
    """
    path = path or Path(os.environ.get(NAMED_BY) or FOLDER / "hub.toml")
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        return _settings(document)
    except OSError as error:
        raise BadSettings(
            f"{path} cannot be read ({error.strerror}). {NAMED_BY} names another."
        ) from error
    except KeyError as error:
        raise BadSettings(
            f"{path} lacks {error.args[0]!r}; deploy/jupyterhub/hub.toml has it."
        ) from error
    except (tomllib.TOMLDecodeError, TypeError, ValueError) as error:
        raise BadSettings(f"{path}: {error}.") from error


def _settings(document: dict[str, Any]) -> Settings:
    hub, course, limits = document["hub"], document["course"], document["limits"]
    made = Settings(
        address=str(hub["address"]).rstrip("/"),
        state=Path(hub["state"]),
        sockets=Path(hub["sockets"]),
        course=course["id"],
        exchange=Path(course["exchange"]),
        instructor=course["instructor"],
        colleagues=tuple(course.get("colleagues", ())),
        students=tuple(course.get("students", ())),
        limits=Limits(
            in_bytes(limits["memory"]), float(limits["processors"]), int(limits["processes"])
        ),
        password=hub.get("password"),
        hub_port=hub.get("hub_port"),
        proxy_port=hub.get("proxy_port"),
        server_arguments=tuple(hub.get("server_arguments", ())),
    )
    for name in ("state", "sockets", "exchange"):
        if not getattr(made, name).is_absolute():
            raise ValueError(f"{name} is {getattr(made, name)}, not an absolute path")
    if len(str(made.sockets)) > LONGEST_SOCKETS:
        raise ValueError(
            f"sockets is {len(str(made.sockets))} characters long; a socket's name allows "
            f"{LONGEST_SOCKETS}"
        )
    if made.instructor in made.students:
        raise ValueError(f"{made.instructor} is both instructor and student")
    return made


def in_bytes(text: str | int) -> int:
    """``"2G"`` and the like in bytes.

    >>> in_bytes("512M")
    536870912
    """
    found = _NUMBER.fullmatch(str(text).strip().upper())
    if found is None:
        raise ValueError(f"{text!r} is not a size such as 512M or 2G")
    return int(found[1]) * _SCALE[found[2]]
