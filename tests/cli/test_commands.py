"""The command line itself: what each command says, refuses and ends with."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from attention_course import cli
from attention_course.commands import doctor
from attention_course.commands.course_folder import (
    CourseFolder,
    Finished,
    Refusal,
    copy_course,
    find_course_folder,
)


def run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "attention_course.cli", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_lists_the_commands() -> None:
    told = CliRunner().invoke(cli.build(), ["--help"]).output
    for command in ("demo", "doctor", "report", "kill-matrix"):
        assert command in told


def test_help_loads_no_heavy_library() -> None:
    code = (
        "import sys; from attention_course.cli import build; build(); "
        "print([name for name in ('torch', 'nbgrader', 'bokeh') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_new_command_is_one_new_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "greet.py").write_text(
        "def register(app):\n    @app.command()\n    def greet():\n        print('good day')\n"
    )
    from attention_course import commands

    monkeypatch.setattr(commands, "__path__", [*commands.__path__, str(tmp_path)])
    assert CliRunner().invoke(cli.build(), ["greet"]).output == "good day\n"


def test_a_report_outside_a_course_folder_is_refused_in_one_line(tmp_path: Path) -> None:
    done = run("report", "attention", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        f"attention-course: {tmp_path} is not in a course folder (one with nbgrader_config.py and "
        "source/). Change to the course's folder and run the command again."
    ]


def test_a_report_on_an_unknown_assignment_lists_those_there_are(temp_course: Path) -> None:
    done = run("report", "attenton", cwd=temp_course)
    assert done.returncode == 2
    assert 'no assignment "attenton"' in done.stderr
    assert "There is: attention, attention_basics." in done.stderr


@pytest.mark.parametrize("name", ["../attention", "*", ""])
def test_an_assignment_s_name_is_no_path(temp_course: Path, name: str) -> None:
    with pytest.raises(Refusal):
        CourseFolder(temp_course).expect_assignment(name)


def test_the_course_folder_is_found_from_below(temp_course: Path) -> None:
    assert find_course_folder(temp_course / "source" / "attention").root == temp_course


def test_a_copy_of_the_course_holds_no_student_data(temp_course: Path, tmp_path: Path) -> None:
    (temp_course / "submitted").mkdir()
    (temp_course / "source" / "attention" / "progress").mkdir()
    copy = copy_course(CourseFolder(temp_course), tmp_path / "copy")
    assert {path.name for path in copy.root.iterdir()} == {"nbgrader_config.py", "source"}
    assert not (copy.root / "source" / "attention" / "progress").exists()


def test_a_program_that_failed_is_refused_with_its_last_words() -> None:
    finished = Finished(("nbgrader", "autograde"), 1, ("first", "", "disk full"))
    with pytest.raises(
        Refusal, match="nbgrader autograde ended with exit code 1:\nfirst\ndisk full"
    ):
        finished.expect_success()


def test_a_demonstration_never_clears_a_folder_that_it_did_not_make(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("ten years of work")
    done = run("demo", "--into", str(tmp_path))
    assert done.returncode == 2
    assert done.stderr == (
        f"attention-course: {tmp_path} holds files that no demonstration made. "
        "Choose another folder with --into.\n"
    )
    assert (tmp_path / "thesis.tex").exists()


def test_the_doctor_finds_a_good_course_gradable(temp_course: Path) -> None:
    done = run("doctor", "--json", cwd=temp_course)
    findings = {finding["what"]: finding for finding in json.loads(done.stdout)}
    assert done.returncode == 0, findings
    assert findings["nbgrader_config.py"]["state"] == "good"
    assert findings["course folder"]["found"] == f"{temp_course}: attention, attention_basics"


def test_the_doctor_ends_with_1_only_where_grading_cannot_work(tmp_path: Path) -> None:
    done = run("doctor", "--json", cwd=tmp_path)
    findings = {finding["what"]: finding for finding in json.loads(done.stdout)}
    assert done.returncode == 1
    assert [what for what, found in findings.items() if found["state"] == "broken"] == [
        "course folder"
    ]
    assert "nbgrader_config.py" in findings["course folder"]["mend"]


def test_the_doctor_names_a_configuration_that_does_not_load(temp_course: Path) -> None:
    (temp_course / "nbgrader_config.py").write_text("c = get_config()\nimport no_such_plugin\n")
    done = run("doctor", "--json", cwd=temp_course)
    assert done.returncode == 1
    (found,) = [f for f in json.loads(done.stdout) if f["what"] == "nbgrader_config.py"]
    assert "no_such_plugin" in found["found"]


def test_the_doctor_warns_of_tests_in_the_student_s_kernel(temp_course: Path) -> None:
    (temp_course / "nbgrader_config.py").write_text("c = get_config()\n")
    done = run("doctor", "--json", cwd=temp_course)
    (found,) = [f for f in json.loads(done.stdout) if f["what"] == "nbgrader_config.py"]
    assert found["state"] == "optional"
    assert "forge" in found["found"]


@pytest.mark.parametrize(("there", "state"), [(True, "good"), (False, "optional")])
def test_the_doctor_looks_for_the_lab_extension(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool, state: str
) -> None:
    folder = tmp_path / doctor.LAB_FOLDER / doctor.LAB_EXTENSION
    if there:
        folder.mkdir(parents=True)
        (folder / "package.json").write_text('{"version": "0.1.0"}')
    place = str(tmp_path / doctor.LAB_FOLDER)
    monkeypatch.setattr("jupyter_core.paths.jupyter_path", lambda *parts: [place])
    (found,) = doctor.examine_lab()
    assert found.state.value == state
    assert ("0.1.0" in found.found) == there


def test_the_doctor_prints_a_table_with_a_last_word(temp_course: Path) -> None:
    done = run("doctor", cwd=temp_course)
    assert done.stdout.rstrip().endswith("Grading can work.")


def test_a_gradebook_that_is_no_database_is_named(
    temp_course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (temp_course / "gradebook.db").write_text("not a database, but long enough to be read as one")
    monkeypatch.chdir(temp_course)
    (found,) = [f for f in doctor.examine_course() if f.what == "gradebook"]
    assert found.state is doctor.State.BROKEN


def test_an_ollama_that_does_not_answer_keeps_nothing_from_grading(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")
    (found,) = doctor.examine_ollama()
    assert found.state is doctor.State.OPTIONAL
    assert "OLLAMA_HOST" in found.mend


def test_an_examination_that_fails_is_a_finding_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def examine_moon() -> None:
        raise OSError("too far")

    monkeypatch.setattr(doctor, "EXAMINATIONS", [examine_moon])
    (found,) = doctor.examine()
    assert (found.what, found.found) == ("moon", "could not be examined: too far")


def test_pins_are_refused_outside_a_checkout(tmp_path: Path) -> None:
    done = run("pins", cwd=tmp_path)
    assert done.returncode == 2
    assert "has no pyproject.toml" in done.stderr
