"""Collecting from an exchange on one host: a submission counts for the account that made it.

nbgrader's exchange reads the student from a folder's name, which its maker chooses, and only
warns where the owner is another. A later submission in someone's name would replace theirs.
"""

from __future__ import annotations

import os
import pwd
from typing import Any

from nbgrader.exchange.default import ExchangeCollect

REFUSED = ""  # no account has an empty name


class OwnedCollect(ExchangeCollect):
    """nbgrader's collect, which leaves out what another account handed in.

    ``c.ExchangeFactory.collect = "attention_course.grading.collect.OwnedCollect"``
    """

    src_records: list[dict[str, Any]]

    def _path_to_record(self, path: str) -> dict[str, Any]:
        record: dict[str, Any] = super()._path_to_record(path)
        # Of a symbolic link, the link's own maker.
        owner = _name_of(os.lstat(path).st_uid)
        if owner != record["username"]:
            self.log.error(
                "%s says it is from %s, but %s made it; it was not collected. Ask %s.",
                path,
                record["username"],
                owner,
                owner,
            )
            record["username"] = REFUSED
        return record

    def init_src(self) -> None:
        super().init_src()
        self.src_records = [one for one in self.src_records if one["username"] != REFUSED]


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
