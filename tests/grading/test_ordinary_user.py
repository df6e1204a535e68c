"""The contract of the sandboxes once more, as a user without root's rights.

Root's own folders may hide Python or this checkout from others; so the second run sees the
same disk with those folders opened, in a mount namespace of its own that ends with it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
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


def test_the_contract_holds_for_an_ordinary_user(repository_root: Path, tmp_path: Path) -> None:
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
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    for place in (scratch, *scratch.parents):
        if place.owner() == "root" and place.is_relative_to(tmp_path.parents[1]):
            place.chmod(0o755)
    os.chown(scratch, int(USER), int(USER))
    user = ["setpriv", "--reuid", USER, "--regid", USER, "--clear-groups", "--bounding-set", "-all"]
    names = ("test_sandbox_contract.py", "test_sandbox_levels.py")
    tests = [str(repository_root / "tests" / "grading" / name) for name in names]
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "-p",
               "no:xdist", "--basetemp", str(scratch / "pytest"), *tests]  # fmt: skip
    environment = {**os.environ, "HOME": str(scratch), "TMPDIR": str(scratch)}
    environment = {k: v for k, v in environment.items() if not k.startswith("PYTEST")}
    done = subprocess.run(
        [*world, *user, *command],
        cwd=repository_root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=500,
    )
    words = done.stdout[-3000:] + done.stderr[-2000:]
    print(words)
    assert done.returncode == 0, words
    assert " passed" in words and "asked for, but" not in words, words
