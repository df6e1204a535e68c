"""The documents: their commands run, their links lead somewhere, their targets exist."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from attention_course import cli

REPOSITORY = Path(__file__).resolve().parents[2]
DOCUMENTS = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")

# Commands that cannot run here, and why.
NOT_RUN = {
    "make test": "it runs this very test",
    "make check": "make test has run it before this test",
    "make lab": "it opens a browser and stays",
    "make demo": "tests/cli/test_demo.py runs what it calls",
    "make bench": "it measures for minutes",
    "make hub": "tests/hub starts what it starts",
    "python benchmarks/scale.py --document": "it measures for minutes",
    # tests/grading/batch/clusters.py starts the same programs on ports of its own.
    "dask scheduler --host 127.0.0.1 --no-dashboard &": "it stays",
    "dask worker tcp://127.0.0.1:8786 --nworkers 2 --nthreads 1 --no-dashboard &": "it stays",
    "attention-course grade attention --scheduler tcp://127.0.0.1:8786": "it needs them",
    "attention-course grade attention --scheduler tcp://grading-scheduler:8786": "so does this",
}
# Commands that belong into another folder than the course's.
ELSEWHERE = {"pytest test_attention.py -v": "finished/attention_basics"}


def commands_of(document: Path) -> list[str]:
    return [
        line.removeprefix("$ ").strip()
        for block in BLOCK.findall(document.read_text(encoding="utf-8"))
        for line in block.splitlines()
        if line.startswith("$ ")
    ]


@pytest.fixture(scope="module")
def prepared_course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course folder with releases, two submissions, and a finished attention_basics."""
    from attention_course.commands.course_folder import checkout, copy_course
    from attention_course.panel import complete_problem
    from attention_course.sample_class import make_class

    course = copy_course(checkout(), tmp_path_factory.mktemp("documents") / "course")
    (course.root / "docs").mkdir()
    for name in course.assignments():
        course.nbgrader("generate_assignment", name).expect_success()
    make_class(course, "attention", size=2)
    finished = course.root / "finished" / "attention_basics"
    shutil.copytree(course.root / "release" / "attention_basics", finished)
    (finished / "problem.py").write_text(complete_problem("right"))
    return course.root


@pytest.mark.slow
@pytest.mark.parametrize(
    "document",
    [d for d in DOCUMENTS if set(commands_of(d)) - NOT_RUN.keys()],
    ids=lambda path: path.name,
)
def test_the_commands_of_a_document_run_one_after_the_other(
    prepared_course: Path, document: Path
) -> None:
    programs = str(Path(sys.executable).parent)
    environment = dict(os.environ, PATH=os.pathsep.join([programs, os.environ["PATH"]]))
    for command in commands_of(document):
        if command in NOT_RUN:
            continue
        done = subprocess.run(
            command,
            shell=True,
            cwd=prepared_course / ELSEWHERE.get(command, "."),
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


def test_every_command_that_is_not_run_is_still_quoted_somewhere() -> None:
    quoted = {command for document in DOCUMENTS for command in commands_of(document)}
    assert quoted >= NOT_RUN.keys() | ELSEWHERE.keys()


def test_every_document_that_a_reader_is_sent_to_has_commands() -> None:
    for name in ("student", "instructor", "grader", "developer"):
        assert commands_of(REPOSITORY / "docs" / f"{name}.md"), name


def test_every_make_target_that_is_named_exists() -> None:
    makefile = (REPOSITORY / "Makefile").read_text()
    for document in DOCUMENTS:
        for target in re.findall(r"(?:`|\$ )make ([a-z]+)", document.read_text(encoding="utf-8")):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"{document.name}: {target}"


def test_every_command_of_ours_that_is_named_exists() -> None:
    known = {command.name for command in cli.build().registered_commands}
    known |= {
        command.callback.__name__.replace("_", "-")
        for command in cli.build().registered_commands
        if command.callback
    }
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for name in re.findall(r"(?:`|\$ )attention-course ([a-z][a-z-]*)", text):
            assert name in known, f"{document.name}: attention-course {name}"


@pytest.mark.parametrize(
    "document",
    [*DOCUMENTS, *sorted((REPOSITORY / "docs" / "decisions").glob("*.md"))],
    ids=lambda path: path.name,
)
def test_every_link_to_a_file_leads_to_one(document: Path) -> None:
    for target in LINK.findall(document.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (document.parent / target).exists(), target


def test_no_two_decisions_have_the_same_number() -> None:
    numbers = [path.name[:3] for path in (REPOSITORY / "docs" / "decisions").glob("*.md")]
    assert all(number.isdigit() for number in numbers)
    assert len(numbers) == len(set(numbers))
