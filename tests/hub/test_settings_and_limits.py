"""What hub.toml may say, what is enforced where, and what the programs answer without root."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from attention_hub import limits
from attention_hub.python_view import closed_to_others, opened
from attention_hub.settings import FOLDER, BadSettings, Limits, read

LIMITS = Limits(memory=512 << 20, processors=1.5, processes=200)


@pytest.fixture
def settings_text() -> str:
    return (FOLDER / "hub.toml").read_text(encoding="utf-8")


def test_the_settings_that_we_ship_can_be_read() -> None:
    settings = read(FOLDER / "hub.toml")
    assert settings.limits == Limits(2 << 30, 1.0, 512)
    assert settings.password is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('exchange = "/srv', 'exchange = "srv', "exchange is srv/nbgrader/exchange, not an abs"),
        ('memory = "2G"', 'memory = "plenty"', "'plenty' is not a size such as 512M or 2G"),
        ("students = []", 'students = ["instructor"]', "instructor is both instructor and stud"),
        ('memory = "2G"', "", "lacks 'memory'; deploy/jupyterhub/hub.toml has it"),
        ("[hub]", "[hub", "hub.toml: "),
        ('sockets = "/run', f'sockets = "/{"x" * 60}', "a socket's name allows"),
    ],
)
def test_settings_that_cannot_work_are_refused_with_the_reason(
    settings_text: str, tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in settings_text
    path = tmp_path / "hub.toml"
    path.write_text(settings_text.replace(old, new, 1))
    with pytest.raises(BadSettings, match=r"hub\.toml") as refused:
        read(path)
    assert message in str(refused.value)


def newer_hierarchy(root: Path) -> Path:
    """The folders of a systemd service with Delegate=yes, as files."""
    own = root / "system.slice" / "hub.service"
    own.mkdir(parents=True)
    (own / "cgroup.subtree_control").write_text("")
    (own / "cgroup.procs").write_text("17\n")
    return own


def test_in_the_newer_hierarchy_the_hub_moves_aside_and_users_get_groups(tmp_path: Path) -> None:
    own = newer_hierarchy(tmp_path)
    group = limits.group_for("student-01", tmp_path, "0::/system.slice/hub.service\n")
    assert group is not None
    assert (own / "hub" / "cgroup.procs").read_text() == "17"
    assert (own / "cgroup.subtree_control").read_text() == "+memory +pids +cpu"
    (place,) = set(group.places.values())
    assert place == own / "attention-hub-student-01"
    for name in ("memory.max", "pids.max", "cpu.max"):
        (place / name).touch()
    group.limit(LIMITS)
    assert (place / "memory.max").read_text() == str(512 << 20)
    assert (place / "memory.swap.max").read_text() == "0"
    assert (place / "pids.max").read_text() == "200"
    assert (place / "cpu.max").read_text() == "150000 100000"


def test_in_the_older_hierarchy_each_controller_has_its_own_folder(tmp_path: Path) -> None:
    membership = "4:memory:/a\n3:pids:/b\n2:cpu,cpuacct:/\n"
    for folder in ("memory/a", "pids/b", "cpu"):
        (tmp_path / folder).mkdir(parents=True)
    group = limits.group_for("student-01", tmp_path, membership)
    assert group is not None
    group.limit(LIMITS)
    assert (group.places["memory"] / "memory.limit_in_bytes").read_text() == str(512 << 20)
    assert (group.places["cpu"] / "cpu.cfs_quota_us").read_text() == "150000"
    assert group.places["pids"] == tmp_path / "pids" / "b" / "attention-hub-student-01"


def test_where_no_group_can_be_made_it_is_said_what_is_limited_instead(tmp_path: Path) -> None:
    assert limits.group_for("student-01", tmp_path, "0::/nowhere\n") is None
    words = limits.in_words(LIMITS, None)
    assert "each process of a user has 512 MiB of memory" in words
    assert "processors are shared out, not limited" in words


def test_without_a_group_a_process_cannot_take_more_memory_than_its_share() -> None:
    program = (
        "from attention_hub import limits; from attention_hub.settings import Limits\n"
        "limits.before_start(Limits(256 << 20, 1.0, 4096), None)()\n"
        "try: held = bytearray(512 << 20)\n"
        "except MemoryError: print('refused')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(FOLDER)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "refused\n"


def test_a_python_that_everybody_may_run_needs_no_view(tmp_path: Path) -> None:
    assert closed_to_others([Path("/usr/bin")]) == {}
    assert opened(["true"], [Path("/usr/bin")]) == ["true"]


def test_the_outermost_closed_folder_is_the_one_to_open(tmp_path: Path) -> None:
    closed = tmp_path / "home"
    python = closed / "inner" / "python"
    python.mkdir(parents=True)
    for folder in (closed, closed / "inner"):
        folder.chmod(0o700)
    python.chmod(0o755)
    found = closed_to_others([python, python / ".."])
    assert next(path for path in found if path.is_relative_to(closed) or path in closed.parents)
    assert opened(["true"], [python])[-2:] == ["--", "true"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root opens folders")
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv is not installed")
@pytest.mark.parametrize("place", [".", "inner"])
def test_somebody_else_reads_what_lies_in_a_closed_folder(place: str) -> None:
    with tempfile.TemporaryDirectory() as closed:  # nobody else may enter it
        for name in ("a file", "inner/a file"):
            file = Path(closed, name)
            file.parent.mkdir(exist_ok=True)
            file.write_text("read")
        wanted = Path(closed, place, "a file")
        command = ["setpriv", "--reuid", "4242", "--clear-groups", "cat", str(wanted)]
        assert subprocess.run(command, capture_output=True).returncode != 0
        done = subprocess.run(
            opened(command, [Path(closed, place).resolve()]), capture_output=True, text=True
        )
        assert done.stdout == "read", done.stderr


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="not root already")
@pytest.mark.skipif(not Path("/usr/bin/setpriv").exists(), reason="setpriv is not installed")
def test_without_root_one_sentence_says_so(tmp_path: Path) -> None:
    program = (
        "import os, sys\n"
        "from attention_hub.demonstration import main\n"
        "os.setuid(4242)\n"
        "sys.exit(main([]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(FOLDER)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == (
        "make hub: the hub starts a server for each user under that user's account, which only "
        "root may do. Run it as root: sudo make hub\n"
    )


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="needs root's rights")
def test_an_account_that_was_there_before_is_neither_used_nor_removed(tmp_path: Path) -> None:
    from attention_hub import accounts

    with pytest.raises(accounts.NotOurs, match="the account root exists and is not the demonstr"):
        accounts.make("root", tmp_path)
    accounts.remove("nobody")
    assert accounts.exists("nobody")
