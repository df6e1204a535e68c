"""Starts each user's server as that user, within limits, with the settings of their role."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable
from pathlib import Path

from jupyterhub.spawner import LocalProcessSpawner

from attention_hub import homes, limits
from attention_hub.settings import FOLDER, Settings

CONFIGURATION = FOLDER / "configuration"


class CourseSpawner(LocalProcessSpawner):
    """LocalProcessSpawner with limits, a private folder for sockets, and roles.

    JupyterHub makes spawners itself, so the settings are the class's: see ``of``.
    """

    settings: Settings
    _group: limits.UserGroup | None = None

    @classmethod
    def of(cls, settings: Settings) -> type[CourseSpawner]:
        """The class for one hub."""
        return type("CourseSpawner", (cls,), {"settings": settings})

    def make_preexec_fn(self, name: str) -> Callable[[], None]:
        become_user = super().make_preexec_fn(name)
        take_on = limits.before_start(self.settings.limits, self._group)

        def prepare() -> None:
            take_on()
            become_user()

        return prepare

    def get_env(self) -> dict[str, str]:
        environment: dict[str, str] = super().get_env()
        environment.pop("PYTHONPATH", None)
        is_teaching = self.user.name == self.settings.instructor
        folders = ["instructor" if is_teaching else "student", "everyone"]
        environment |= {
            "JUPYTER_CONFIG_PATH": os.pathsep.join(str(CONFIGURATION / name) for name in folders),
            "JUPYTER_RUNTIME_DIR": str(self.socket_folder()),
            "ATTENTION_HUB_COURSE": self.settings.course,
            "ATTENTION_HUB_EXCHANGE": str(self.settings.exchange),
            # A library that counts the host's processors would start a thread for each.
            "OMP_NUM_THREADS": str(max(1, round(self.settings.limits.processors))),
        }
        return environment

    def socket_folder(self) -> Path:
        """Where the user's kernels listen: sockets of the file system, which have an owner.

        On a port of the loopback device every user of the host could listen to what a kernel
        publishes, the code it runs included.
        """
        return self.settings.sockets / str(pwd.getpwnam(self.user.name).pw_uid)

    async def start(self) -> tuple[str, int]:
        account = pwd.getpwnam(self.user.name)
        if homes.close_to_others(account):
            self.log.warning("%s was open to others; it is 0700 now", account.pw_dir)
        folder = self.socket_folder()
        folder.mkdir(parents=True, exist_ok=True)
        os.chown(folder, account.pw_uid, account.pw_gid)
        folder.chmod(0o700)
        self._group = limits.group_for(self.user.name)
        if self._group is not None:
            self._group.limit(self.settings.limits)
        self.log.info("Limits: %s", limits.in_words(self.settings.limits, self._group))
        address: tuple[str, int] = await super().start()
        return address

    async def stop(self, now: bool = False) -> None:
        await super().stop(now=now)
        if self._group is not None:
            self._group.end()
            self._group = None
