"""The notebooks run to their last cell: complete, untouched, and with wrong answers."""

import functools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = {"attention": "lesson", "attention_basics": "attention_basics"}

SHAPES = {
    "embeddings": [6, 64],
    "queries": [6, 64],
    "keys": [6, 64],
    "values": [6, 64],
    "attention_scores": [1, 6, 6],
    "attention_weights": [1, 6, 6],
    "attended_values": [1, 6, 64],
}
TOKENS = ["The", "cat", "sat", "on", "the", "mat"]
MAX_POINTS = {"attention": 5, "attention_basics": 4}
each_assignment = pytest.mark.parametrize("assignment", NOTEBOOKS)


def run_in(root, kind, assignment, change=None):
    folder = root / kind / assignment
    shutil.copytree(ROOT / kind / assignment, folder)
    notebook = nbformat.read(folder / f"{NOTEBOOKS[assignment]}.ipynb", 4)
    if change is not None:
        change(notebook, folder)
    # Names and shapes at the end, said by the kernel itself.
    notebook.cells.append(nbformat.v4.new_code_cell(NAMES_AT_THE_END))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    client = NotebookClient(
        notebook, timeout=300, resources={"metadata": {"path": str(folder)}}, allow_errors=False
    )
    client.execute(env=environment)
    return notebook, folder


@pytest.fixture
def run_notebook(tmp_path):
    """Run a notebook to its last cell, errors not allowed, beside copies of its files."""
    return functools.partial(run_in, tmp_path)


@pytest.fixture(scope="module")
def run_master(tmp_path_factory):
    """``run_master(assignment)``: the master after a run to its last cell, for reading only."""
    return functools.cache(functools.partial(run_in, tmp_path_factory.mktemp("masters"), "source"))


NAMES_AT_THE_END = """
import json as _json
print(_json.dumps({
    name: list(value.shape) if hasattr(value, "shape") else value if isinstance(value, list) else ""
    for name, value in list(globals().items()) if not name.startswith("_")
}, default=str))
"""


def outputs_of(cell, mime="text/plain"):
    """What a run cell shows: display data and results, printed text as text/plain."""
    found = []
    for output in cell.outputs:
        if output.output_type == "stream" and mime == "text/plain":
            found.append(output.text)
        elif mime in output.get("data", {}):
            found.append(output.data[mime])
    return found


def records_of(notebook):
    """The verdict records that the checks of a run notebook left in their outputs."""
    return [
        output.metadata["attention_course"]
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if "attention_course" in output.get("metadata", {})
    ]


def names_at_the_end(notebook):
    return json.loads(outputs_of(notebook.cells[-1])[0])


def points(notebook):
    return sum(record["points"] for record in records_of(notebook))


def waiting_cards(notebook):
    return [
        text
        for cell in notebook.cells
        if cell.cell_type == "code"
        for text in outputs_of(cell)
        if "Waiting: this cell needs" in text
    ]


def everything_shown(notebook):
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return "\n".join(text for cell in cells for text in outputs_of(cell))


@each_assignment
def test_the_master_runs_and_earns_every_point(run_master, assignment):
    notebook, folder = run_master(assignment)
    assert points(notebook) == MAX_POINTS[assignment]
    assert waiting_cards(notebook) == []
    saved = json.loads((folder / "progress" / "lesson_progress.json").read_text())
    entry = saved["assignments"][assignment]
    assert (entry["points"], entry["evaluations"]) == (MAX_POINTS[assignment], 1)


def test_the_results_on_the_prompt_have_the_shapes_of_the_contract(run_master):
    notebook, _ = run_master("attention")
    names = names_at_the_end(notebook)
    assert names["tokens"] == TOKENS
    assert {name: names[name] for name in SHAPES} == SHAPES


@each_assignment
def test_the_untouched_release_runs_and_earns_nothing(run_notebook, assignment):
    notebook, _ = run_notebook("release", assignment)
    assert points(notebook) == 0
    assert {tuple(r["misconceptions"]) for r in records_of(notebook)} == {("not_started",)}
    assert waiting_cards(notebook)
    shown = everything_shown(notebook)
    assert "Traceback" not in shown and "NameError" not in shown


WRONG = {
    "linear_projections": "def linear_projections(embeddings, *weights):\n    return embeddings",
    "attention_scores": "def scaled_dot_product_scores(q, k):\n    return q[..., :2]",
    "attention_weights": "def softmax_weights(attention_scores):\n    return None",
    "value_aggregation": "def aggregate_values(attention_weights, values):\n    return 3",
    "attention_head": "class AttentionHead(nn.Module):\n    def __init__(self, a, b, c):\n"
    "        super().__init__()\n    def forward(self, x):\n        return x",
}


def test_wrong_answers_everywhere_still_run_to_the_end(run_notebook):
    def write_wrong(notebook, _folder):
        for cell in notebook.cells:
            data = cell.metadata.get("nbgrader", {})
            if data.get("solution"):
                cell.source = WRONG[data["grade_id"]]

    notebook, _ = run_notebook("release", "attention", write_wrong)
    assert points(notebook) == 0
    assert "Run the check of that exercise: it says what to change." in everything_shown(notebook)


def test_a_mistake_in_one_exercise_costs_no_point_in_another(run_notebook):
    def break_scores(notebook, _folder):
        for cell in notebook.cells:
            if cell.metadata.get("nbgrader", {}).get("grade_id") == "attention_scores":
                cell.source = cell.source.replace("/ math.sqrt(d_k)", "")

    notebook, _ = run_notebook("source", "attention", break_scores)
    earned = {record["exercise"]: record["points"] for record in records_of(notebook)}
    assert earned.pop("attention_scores") == 0
    assert set(earned.values()) == {1}


def test_the_basics_are_graded_from_problem_py(run_notebook):
    from attention_course.panel import complete_problem

    def complete(_notebook, folder):
        (folder / "problem.py").write_text(complete_problem())

    notebook, _ = run_notebook("release", "attention_basics", complete)
    assert points(notebook) == 4


# --- nbgrader ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """A released course of nothing but our sources: nbgrader's defaults, no configuration of ours."""
    folder = tmp_path_factory.mktemp("released") / "course"
    folder.mkdir()
    shutil.copytree(
        ROOT / "source",
        folder / "source",
        ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "progress", ".pytest*"),
    )
    for assignment in NOTEBOOKS:
        nbgrader(folder, "generate_assignment", assignment)
    return folder


def nbgrader(course, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=course,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def files_of(folder: Path):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not {"__pycache__", "progress", ".ipynb_checkpoints"} & set(path.parts)
    }


@each_assignment
def test_the_committed_release_is_what_nbgrader_generates(released, assignment):
    fresh = files_of(released / "release" / assignment)
    committed = files_of(ROOT / "release" / assignment)
    assert fresh.keys() == committed.keys()
    for name, content in fresh.items():
        assert content == committed[name], f"run: nbgrader generate_assignment {assignment} --force"


@each_assignment
def test_the_release_holds_no_solution_and_no_marking_notes(assignment):
    for name, content in files_of(ROOT / "release" / assignment).items():
        assert b"BEGIN SOLUTION" not in content and b"MARK SCHEME" not in content, name


@each_assignment
def test_generate_solution_gives_the_complete_lesson(released, assignment):
    nbgrader(released, "generate_solution", assignment)
    path = released / "solution" / assignment / f"{NOTEBOOKS[assignment]}.ipynb"
    notebook = nbformat.read(path, 4)
    assert points(notebook) == MAX_POINTS[assignment]
    assert waiting_cards(notebook) == []
    assert "MARK SCHEME" not in path.read_text()


# --- test_attention.py beside the notebook ---------------------------------------------------


def run_student_tests(tmp_path, problem=None):
    folder = tmp_path / "attention_basics"
    shutil.copytree(ROOT / "release" / "attention_basics", folder)
    if problem is not None:
        (folder / "problem.py").write_text(problem)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "test_attention.py", "-v", "-p", "no:cacheprovider"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )


def test_a_complete_problem_passes_the_students_tests(tmp_path):
    from attention_course.panel import complete_problem

    done = run_student_tests(tmp_path, complete_problem())
    assert done.returncode == 0, done.stdout


def test_an_unwritten_problem_fails_with_sentences_and_no_trace(tmp_path):
    done = run_student_tests(tmp_path)
    assert done.returncode == 1
    assert "SimpleAttention is not written yet: begin with __init__." in done.stdout
    assert "Traceback" not in done.stdout and "passed" not in done.stdout.splitlines()[-1]


# --- what section 9 tells --------------------------------------------------------------------


def test_the_trained_head_that_section_9_shows_looks_from_sat_to_cat():
    from reference_attention.model_utils import compare_attention_implementations

    comparison = compare_attention_implementations(layer=4)
    assert list(comparison.tokens) == TOKENS
    assert comparison.model_weights[4, 0, 2].argmax() == 1


def test_section_9_writes_the_same_text_with_right_functions_and_another_without_scaling(
    run_master,
):
    notebook, _ = run_master("attention")
    shown = {cell.id: "\n".join(outputs_of(cell)) for cell in notebook.cells if "outputs" in cell}
    texts = dict(
        line.split(":", 1)
        for line in (
            shown["mini-transformer-load"] + "\n" + shown["mini-transformer-compare"]
        ).splitlines()
        if line.startswith("with")
    )
    texts = {name: text.strip() for name, text in texts.items()}
    assert texts["with your attention"] == texts["with its attention"]
    assert texts["without scaling"] != texts["with its attention"]
