"""The contract of the sandboxes once more, as a user without root's rights.

Root's own folders may hide Python or this checkout from others; so the second run sees the
same disk with those folders opened, in a mount namespace of its own that ends with it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from attention_course.grading.sandbox.bubblewrap import available, python_folders

USER = "4242"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="not root: already so"),
    pytest.mark.skipif(available() is not None, reason=str(available())),
    pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv is not installed"),
]


def test_the_contract_holds_for_an_ordinary_user(repository_root: Path) -> None:
    needed = sorted({*python_folders(), str(repository_root)})
    for folder in needed:
        if not Path(folder).stat().st_mode & 1:
            pytest.skip(f"only its owner may look into {folder}")
    world = ["bwrap", "--dev-bind", "/", "/"]
    closed = {p for f in needed for p in Path(f).parents if not p.stat().st_mode & 1}
    for folder in sorted(closed):
        world += ["--tmpfs", str(folder), "--chmod", "0755", str(folder)]
    for folder in needed:
        if any(Path(folder).is_relative_to(p) for p in closed):
            for parent in sorted(Path(folder).parents):
                if any(parent != p and parent.is_relative_to(p) for p in closed):
                    world += ["--perms", "0755", "--dir", str(parent)]
            world += ["--ro-bind", folder, folder]
    # Not below pytest's own folders, which are closed to others.
    scratch = Path(tempfile.mkdtemp(prefix="ordinary-user-"))
    os.chown(scratch, int(USER), int(USER))
    user = ["setpriv", "--reuid", USER, "--regid", USER, "--clear-groups", "--bounding-set", "-all"]
    names = ("test_sandbox_contract.py", "test_warm_process.py", "test_sandbox_levels.py")
    tests = [str(repository_root / "tests" / "grading" / name) for name in names]
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "-p",
               "no:xdist", "--basetemp", str(scratch / "pytest"), *tests]  # fmt: skip
    environment = {**os.environ, "HOME": str(scratch), "TMPDIR": str(scratch)}
    environment = {k: v for k, v in environment.items() if not k.startswith("PYTEST")}
    try:
        done = subprocess.run(
            [*world, *user, *command],
            cwd=repository_root,
            env=environment,
            capture_output=True,
            text=True,
            timeout=500,
        )
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    words = done.stdout[-3000:] + done.stderr[-2000:]
    print(words)
    assert done.returncode == 0, words
    assert " passed" in words and "asked for, but" not in words, words
