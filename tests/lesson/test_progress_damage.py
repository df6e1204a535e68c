"""Damaged and foreign files, folders that cannot be written, and two kernels at once."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from attention_course import progress
from attention_course.verdict import Outcome, Verdict

PASSED = Verdict(Outcome.PASSED, "attention_scores", "Right.", points=1.0)

FOREIGN = {
    "half a file": b'{"format": "attention-cou',
    "empty": b"",
    "not text": b"\xff\xfe\x00\x80",
    "another JSON": b'{"hello": 1}',
    "a list": b"[1, 2, 3]",
    "a later version": json.dumps({**progress.empty_progress(), "version": 2}).encode(),
    "a nonsense count": json.dumps(
        {
            **progress.empty_progress(),
            "assignments": {"attention": {"points": "many"}},
        }
    ).encode(),
    "deep nesting": b"[" * 100_000,
}


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = progress.progress_path()
    path.parent.mkdir()
    return path


def set_aside(path):
    return sorted(path.parent.glob("lesson_progress.json.*.broken"))


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
def test_a_file_of_another_kind_is_set_aside_whole(path, content):
    path.write_bytes(content)
    saved = progress.record("attention", [PASSED])
    assert saved.ok
    (aside,) = set_aside(path)
    assert aside.read_bytes() == content
    assert progress.read_progress()["assignments"]["attention"]["points"] == 1


def test_setting_aside_is_told_in_one_sentence(path):
    path.write_text("shopping list")
    (note,) = progress.record("attention", [PASSED]).notes
    (aside,) = set_aside(path)
    assert note == (
        "progress/lesson_progress.json was not a progress file of this course, so it was kept "
        f"as progress/{aside.name} and a new one was begun."
    )


def test_setting_aside_twice_keeps_both(path):
    for text in ("one", "two"):
        path.write_text(text)
        progress.record("attention", [PASSED])
    assert [aside.read_text() for aside in set_aside(path)] == ["one", "two"]


def test_a_folder_in_the_files_place_is_set_aside(path):
    path.mkdir()
    (path / "kept.txt").write_text("kept")
    assert progress.record("attention", [PASSED]).ok
    (aside,) = set_aside(path)
    assert (aside / "kept.txt").read_text() == "kept"


def test_a_file_in_the_folders_place_is_left_alone_and_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "progress").write_text("mine")
    saved = progress.record("attention", [PASSED])
    assert not saved.ok
    assert saved.notes[0].startswith("Your progress could not be saved in progress/")
    assert (tmp_path / "progress").read_text() == "mine"


def test_a_disk_that_refuses_is_one_sentence_and_no_crash(path, monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError(28, "No space left on device")

    progress.record("attention", [PASSED])
    before = path.read_bytes()
    monkeypatch.setattr(os, "replace", refuse)
    saved = progress.record("attention", [PASSED])
    assert saved.notes == (
        "Your progress could not be saved in progress/lesson_progress.json "
        "(No space left on device); the lesson goes on without it.",
    )
    assert path.read_bytes() == before
    assert {item.name for item in path.parent.iterdir()} == {path.name, progress.LOCK_NAME}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_one_sentence_and_no_crash(path):
    path.parent.chmod(0o555)
    try:
        saved = progress.record("attention", [PASSED])
    finally:
        path.parent.chmod(0o755)
    assert not saved.ok and len(saved.notes) == 1


def test_a_lock_that_is_never_given_back_does_not_hang_the_lesson(path, monkeypatch):
    monkeypatch.setattr(progress, "LOCK_SECONDS", 0.05)
    with progress._locked(path.parent / progress.LOCK_NAME):
        saved = progress.record("attention", [PASSED])
    assert not saved.ok
    assert "another program" in saved.notes[0]


CHECK_OFTEN = """
import sys
from pathlib import Path
from attention_course import progress
from attention_course.verdict import Outcome, Verdict
folder, exercise, times = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
for _ in range(times):
    verdict = Verdict(Outcome.PASSED, exercise, "Right.", points=1.0)
    assert progress.record("attention", [verdict], folder=folder).ok
"""


def test_two_kernels_that_write_at_once_lose_nothing(tmp_path):
    kernels = [
        subprocess.Popen(
            [sys.executable, "-c", CHECK_OFTEN, str(tmp_path), name, "40"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("attention_scores", "attention_weights")
    ]
    for kernel in kernels:
        assert kernel.stdout.readline() == "ready\n"
    for kernel in kernels:
        kernel.stdin.write("go\n")
        kernel.stdin.flush()
    for kernel in kernels:
        kernel.communicate(timeout=120)
    assert [kernel.returncode for kernel in kernels] == [0, 0]
    exercises = progress.read_progress(tmp_path)["assignments"]["attention"]["exercises"]
    assert {name: entry["attempts"] for name, entry in exercises.items()} == {
        "attention_scores": 40,
        "attention_weights": 40,
    }


def test_threads_that_write_at_once_lose_nothing(path):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: progress.record("attention", [PASSED]), range(40)))
    entry = progress.read_progress()["assignments"]["attention"]["exercises"]["attention_scores"]
    assert entry["attempts"] == 40


def test_a_reader_never_meets_half_a_file(path):
    progress.record("attention", [PASSED])
    with ThreadPoolExecutor(2) as pool:
        writer = pool.submit(lambda: [progress.record("attention", [PASSED]) for _ in range(50)])
        while not writer.done():
            progress.read_progress()  # raises on half a file
    assert set_aside(path) == []
