"""Files that a test and an answer hand each other, though they live in different processes."""

from __future__ import annotations

from pathlib import Path

from .conftest import Grade, answer, plain, test


def test_a_test_finds_what_a_cell_wrote(grade: Grade) -> None:
    cells = [
        answer("open('out.txt', 'w').write('done')"),
        test("assert open('out.txt').read() == 'done'"),
    ]
    assert grade(cells).score() == 1


def test_a_test_finds_what_a_function_wrote_while_it_was_called(grade: Grade) -> None:
    write = "import os\ndef save(x):\n    os.makedirs('deep', exist_ok=True)\n    open('deep/x', 'w').write(x)"
    asks = "save('1')\nassert open('deep/x').read() == '1'"
    assert grade([answer(write), test(asks)]).score() == 1


def test_a_function_finds_what_a_test_wrote(grade: Grade) -> None:
    read = answer("def load(name):\n    return open(name).read()")
    asks = (
        "for text in ('first', 'a longer second'):\n"
        "    with open('data.txt', 'w') as file:\n        file.write(text)\n"
        "    assert load('data.txt') == text"
    )
    assert grade([read, test(asks)]).score() == 1


def test_a_file_of_the_instructor_s_stays_the_instructor_s(grade: Grade, tmp_path: Path) -> None:
    helpers = tmp_path / "source"
    helpers.mkdir()
    (tmp_path / "submission").mkdir()
    for folder in (helpers, tmp_path / "submission"):
        (folder / "expected.txt").write_text("42")
        (folder / "mine.txt").write_text("begin")
    forged = answer(
        "open('expected.txt', 'w').write('0')\nopen('mine.txt', 'w').write('end')\n"
        "def value(): return 0"
    )
    asks = test("assert value() == int(open('expected.txt').read())", "test_value")
    kept = test("assert open('mine.txt').read() == 'end'", "test_mine")
    graded = grade([forged, asks, kept], helpers=helpers, student_files=frozenset({"mine.txt"}))
    assert (graded.score("test_value"), graded.score("test_mine")) == (0, 1)


def test_what_is_written_survives_for_whoever_looks_later(grade: Grade, tmp_path: Path) -> None:
    grade([answer("open('a.txt', 'w').write('1')"), test("pass"), plain("open('b.txt', 'w')")])
    assert (tmp_path / "submission" / "a.txt").read_text() == "1"
    assert (tmp_path / "submission" / "b.txt").exists()
