"""The course's folders on this host, with the rights that keep students' work apart.

exchange/                 1777 root        everybody may use it, nobody rename others' things
  COURSE/                 0755 instructor
    outbound/             0755             what is released
    inbound/              3733             students put submissions in, and cannot look
    feedback/             0711             a page is found only by whom its secret name is known
~instructor/COURSE/       0700             source, gradebook, submissions, graded copies
"""

from __future__ import annotations

import os
import pwd
import shutil
import sys
from pathlib import Path

from attention_hub.settings import FOLDER, BadSettings, Settings, read

REPOSITORY = FOLDER.parents[1]


class NoAccount(Exception):
    """The instructor of hub.toml has no account on this host."""


def course_folder(settings: Settings) -> Path:
    """Where the instructor keeps the course."""
    return Path(_account(settings).pw_dir) / settings.course


def set_up(settings: Settings) -> Path:
    """Make what is missing of the course and its exchange; returns the course's folder.

    Existing files keep their content, folders get their rights again.
    """
    account = _account(settings)
    owner = (account.pw_uid, account.pw_gid)
    _folder(settings.state, 0o700, (0, 0))
    _folder(settings.sockets, 0o755, (0, 0))
    _folder(settings.exchange, 0o1777, (0, 0))
    shared = settings.exchange / settings.course
    _folder(shared, 0o755, owner)
    _folder(shared / "outbound", 0o755, owner)
    # The set-group-ID bit gives submissions to the instructor's group; the sticky bit keeps
    # students from renaming each other's, whose names they could only guess.
    _folder(shared / "inbound", 0o3733, owner)
    _folder(shared / "feedback", 0o711, owner)
    course = course_folder(settings)
    if not course.exists():
        course.mkdir(mode=0o700)
        shutil.copy2(REPOSITORY / "nbgrader_config.py", course)
        shutil.copytree(REPOSITORY / "source", course / "source")
    jupyter = Path(account.pw_dir) / ".jupyter"
    jupyter.mkdir(mode=0o700, exist_ok=True)
    configuration = jupyter / "nbgrader_config.py"
    if not configuration.exists():
        configuration.write_text(
            "c = get_config()\n\n"
            "# Where formgrader and nbgrader's commands find the course.\n"
            f"c.CourseDirectory.root = {str(course)!r}\n"
        )
    for place in (course, jupyter):
        place.chmod(0o700)
        for path in (place, *place.rglob("*")):
            os.chown(path, *owner, follow_symlinks=False)
    return course


def _account(settings: Settings) -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(settings.instructor)
    except KeyError:
        raise NoAccount(
            f"the instructor {settings.instructor!r} has no account on this host. Make one "
            f"(useradd --create-home {settings.instructor}) or name another in hub.toml."
        ) from None


def _folder(path: Path, mode: int, owner: tuple[int, int]) -> None:
    path.mkdir(parents=True, exist_ok=True)
    os.chown(path, *owner)
    path.chmod(mode)


def main() -> int:
    """Set the course of hub.toml up, for ``python -m attention_hub.course``."""
    try:
        print(f"The course lies in {set_up(read())}")
    except (BadSettings, NoAccount) as error:
        print(error, file=sys.stderr)
        return 1
    except PermissionError as error:
        print(f"{error.filename} can only be made by root: use sudo.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
