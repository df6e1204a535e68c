"""A user's home is the user's alone, whoever made it."""

from __future__ import annotations

import os
import pwd
import stat

OTHERS = stat.S_IRWXG | stat.S_IRWXO


class OpenHome(Exception):
    """A home that cannot be kept from others; the message says why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.jupyterhub_message = message  # what JupyterHub shows to whom it happened to


def close_to_others(account: pwd.struct_passwd) -> bool:
    """Take a home's rights from everybody but its owner; whether there were any.

    An account may come from adduser, a directory or a provider of logins, and its home with the
    rights that these find right.
    """
    home, name = account.pw_dir, account.pw_name
    try:
        handle = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise OpenHome(
            f"{name} has no home: {home} ({error.strerror}). Ask who runs the hub."
        ) from error
    try:
        found = os.fstat(handle)
        if found.st_uid != account.pw_uid:
            raise OpenHome(
                f"{home}, the home of {name}, belongs to another account, so others could read "
                "the work in it. Ask who runs the hub to give it to its owner."
            )
        if not found.st_mode & OTHERS:
            return False
        try:
            os.fchmod(handle, stat.S_IMODE(found.st_mode) & ~OTHERS)
        except OSError as error:
            raise OpenHome(
                f"{home}, the home of {name}, is open to others and cannot be closed "
                f"({error.strerror}). Ask who runs the hub to set its mode to 0700."
            ) from error
        return True
    finally:
        os.close(handle)
