"""Which level of protection is taken, which is refused, and what each says of itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from attention_course.grading.sandbox import (
    Limits,
    Unprotected,
    bubblewrap,
    landlock,
    level_here,
    levels,
    read_folder,
    refusal,
    start,
    write_folder,
)

from .test_sandbox_contract import missing


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine with neither bubblewrap nor landlock."""
    monkeypatch.setattr(bubblewrap, "available", lambda: "bwrap is not installed")
    monkeypatch.setattr(landlock, "version", lambda: 0)
    level_here.cache_clear()
    yield
    level_here.cache_clear()


@pytest.mark.usefixtures("bare")
def test_a_level_that_is_asked_for_is_never_replaced() -> None:
    with pytest.raises(Unprotected, match="bwrap is not installed"):
        start({}, Limits(), wanted="bubblewrap")
    with pytest.raises(Unprotected, match="no landlock"):
        level_here("landlock")
    with pytest.raises(ValueError, match="no isolation level 'strong'"):
        level_here("strong")


@pytest.mark.usefixtures("bare")
def test_without_any_protection_nothing_starts_unless_that_is_allowed() -> None:
    assert level_here("auto").name == "plain"
    assert refusal("auto", ()) is None
    reason = str(refusal("auto", ("files", "network")))
    assert "gradebook" in reason and "network" in reason and "bwrap is not installed" in reason
    with pytest.raises(Unprotected, match="gradebook"):
        start({}, Limits(), required=("files",))


def test_plain_is_not_taken_for_a_protection() -> None:
    assert "configuration asks for it" in str(refusal("plain", ("files",)))


def test_a_missing_bubblewrap_leaves_landlock(monkeypatch: pytest.MonkeyPatch) -> None:
    if missing("landlock"):
        pytest.skip(str(missing("landlock")))
    monkeypatch.setattr(bubblewrap, "available", lambda: "bwrap is not installed")
    level_here.cache_clear()
    try:
        level = level_here("auto")
        assert level.name == "landlock" and level.because == "bwrap is not installed"
    finally:
        level_here.cache_clear()


def test_every_layer_says_what_it_gives_or_why_it_ismissing() -> None:
    found = {layer.name: layer for layer in levels.layers()}
    assert set(found) == {"warm forks", "namespaces", "landlock", "seccomp", "rlimits", "cgroup"}
    assert all(layer.gives and layer.mend for layer in found.values())


def test_what_is_not_a_file_of_the_folder_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "small").write_bytes(b"12")
    (tmp_path / "here" / "large").write_bytes(bytes(100))
    (tmp_path / "here" / "link").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "here" / "pipe")
    assert read_folder(tmp_path / "here", 50) == {"small": b"12"}
    for name in ("../out", "/out", "a/../../out", "", ".", "a\0b"):
        write_folder(tmp_path / "here", {name: b"x"})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["here"]
