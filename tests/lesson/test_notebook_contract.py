"""Names, points, order and teaching parts of the master notebooks, as the contract has them."""

import re
from pathlib import Path

import nbformat
import pytest

POINTS = {
    "attention": {
        "linear_projections": 1,
        "attention_scores": 1,
        "attention_weights": 1,
        "value_aggregation": 1,
        "attention_head": 1,
    },
    "attention_basics": {"projections": 1, "scores": 1, "weights": 1, "output": 1},
}
TASK_POINTS = {"attention": 2, "attention_basics": 1}
SET_UP = {
    "attention": ["setup", "prompt", "tokens", "weights"],
    "attention_basics": ["setup", "prompt"],
}
SECTIONS = [
    "1. Introduction and theory",
    "2. PROMPT_EXAMPLE",
    "3. Tokenization and embedding",
    "4. Linear projections",
    "5. Scaled dot-product attention",
    "6. Softmax and attention weights",
    "7. Value aggregation",
    "8. Full attention head",
    "9. Mini-transformer demonstration",
    "10. Metrics and comparisons",
    "11. Verification and grading",
]
EXERCISES = [(name, exercise) for name, points in POINTS.items() for exercise in points]
each_exercise = pytest.mark.parametrize(("assignment", "exercise"), EXERCISES)
each_assignment = pytest.mark.parametrize("assignment", POINTS)


def graded(cell):
    return cell.metadata.get("nbgrader", {})


def place(notebook, grade_id):
    (found,) = [
        i for i, cell in enumerate(notebook.cells) if graded(cell).get("grade_id") == grade_id
    ]
    return found


def after(notebook, grade_id, until=("solution", "task")):
    """The cells that belong to an exercise: from its solution cell to the next one."""
    start = place(notebook, grade_id)
    for end in range(start + 1, len(notebook.cells)):
        if any(graded(notebook.cells[end]).get(kind) for kind in until):
            break
    return notebook.cells[start:end]


@each_assignment
def test_the_notebook_is_valid_and_clean(masters, assignment):
    notebook = masters[assignment]
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z0-9-]+", one) for one in ids)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)


@each_assignment
def test_grade_ids_kinds_and_points_are_those_of_the_contract(masters, assignment):
    seen = {}
    for cell in masters[assignment].cells:
        data = graded(cell)
        if data:
            assert data["schema_version"] == 3
            kind = [name for name in ("grade", "solution", "task") if data[name]] or ["read-only"]
            seen[data["grade_id"]] = (*kind, data["locked"], data.get("points"), cell.cell_type)
    expected = dict.fromkeys(SET_UP[assignment], ("read-only", True, None, "code"))
    for exercise, points in POINTS[assignment].items():
        expected[exercise] = ("solution", False, None, "code")
        expected[f"test_{exercise}"] = ("grade", True, points, "code")
    expected["code_quality"] = ("task", True, TASK_POINTS[assignment], "markdown")
    assert seen == expected


def test_the_lessons_sections_come_in_order(masters):
    text = "\n".join(c.source for c in masters["attention"].cells if c.cell_type == "markdown")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == SECTIONS


@each_exercise
def test_a_test_cell_is_just_the_check(masters, assignment, exercise):
    notebook = masters[assignment]
    source = notebook.cells[place(notebook, f"test_{exercise}")].source
    assert re.fullmatch(rf"check\.{exercise}\(\w+\)", source)


@each_exercise
def test_an_exercise_has_theory_time_difficulty_and_the_expected_shape(
    masters, assignment, exercise
):
    notebook = masters[assignment]
    end = place(notebook, exercise)
    start = max(
        [i for i in range(end) if notebook.cells[i].source.startswith("## ")],
    )
    text = "\n".join(cell.source for cell in notebook.cells[start:end])
    assert re.search(r"\*\*\d+ minutes · difficulty: (easy|medium|hard) · 1 point\*\*", text)
    assert "$$" in text
    assert re.search(r"(On our\s+prompt|Expected).*`\[(1, )?6, (6|64)\]`", text, re.DOTALL)


@each_exercise
def test_a_stub_stands_between_solution_markers_and_names_its_shapes(masters, assignment, exercise):
    notebook = masters[assignment]
    source = notebook.cells[place(notebook, exercise)].source
    assert source.count("### BEGIN SOLUTION") == source.count("### END SOLUTION") >= 1
    assert "# " in re.split("### BEGIN SOLUTION", source)[1], "the solution explains nothing"
    if assignment == "attention":
        assert re.search(r"\[\.\.\., n", source.split("### BEGIN SOLUTION")[0] + source)


@each_exercise
def test_three_folded_hints_follow_the_check(masters, assignment, exercise):
    notebook = masters[assignment]
    hint = notebook.cells[place(notebook, f"test_{exercise}") + 1]
    assert hint.cell_type == "markdown"
    assert hint.metadata["attention_course"] == {"hint_for": exercise}
    assert "hint" in hint.metadata.tags
    summaries = re.findall(r"<details>\n<summary>(.*?)</summary>", hint.source)
    assert summaries == ["Hint 1: a nudge", "Hint 2: the idea", "Hint 3: nearly the code"]
    assert "<details open" not in hint.source
    assert "```python" in hint.source.split("Hint 3")[1]


@each_exercise
def test_no_hint_holds_a_whole_answer(masters, assignment, exercise):
    notebook = masters[assignment]
    hint = notebook.cells[place(notebook, f"test_{exercise}") + 1].source
    for block in re.findall(r"```python\n(.*?)```", hint, re.DOTALL):
        assert "..." in block or "print(" in block


@each_exercise
def test_a_picture_of_the_result_follows(masters, assignment, exercise):
    cells = after(masters[assignment], exercise)
    pictures = [c for c in cells if c.cell_type == "code" and "display(" in c.source]
    assert pictures
    assert all("demonstration" in cell.metadata.get("tags", ()) for cell in pictures)


@each_assignment
def test_only_cells_that_nothing_graded_needs_are_demonstrations(masters, assignment):
    for cell in masters[assignment].cells:
        if "demonstration" in cell.metadata.get("tags", ()):
            assert not graded(cell)


@each_assignment
def test_later_cells_wait_for_the_answers_they_use(masters, assignment):
    answers = (
        r"\b(linear_projections|scaled_dot_product_scores|softmax_weights|aggregate_values"
        r"|AttentionHead|SimpleAttention)\("
    )
    for cell in masters[assignment].cells:
        if cell.cell_type == "code" and not graded(cell) and re.search(answers, cell.source):
            assert "with needs(" in cell.source, cell.id


@each_assignment
def test_the_last_cell_verifies_this_assignment(masters, assignment):
    last = masters[assignment].cells[-1]
    assert last.source == f'verify("{assignment}")'
    assert "demonstration" in last.metadata.tags


def test_the_basics_say_all_that_the_contract_lists(masters):
    text = "\n".join(
        c.source for c in masters["attention_basics"].cells if c.cell_type == "markdown"
    )
    for wanted in (
        "45 to 60 minutes",
        "difficulty",
        "After this assignment you can",
        "Background",
        "Why three vectors",
        "The task",
        "Expected shapes",
        "Common pitfalls",
        "How to test",
        "pytest test_attention.py -v",
        "Self-attention.",
        "Weights as probabilities.",
        "Near permutation invariance.",
        "Resources",
        "Next step: scaling.",
    ):
        assert wanted in text, wanted


def test_no_solution_lies_beside_the_basics():
    folder = Path(__file__).resolve().parents[2] / "source" / "attention_basics"
    assert {path.name for path in folder.iterdir() if path.is_file()} == {
        "attention_basics.ipynb",
        "problem.py",
        "test_attention.py",
    }
    problem = (folder / "problem.py").read_text()
    assert problem.count("raise NotImplementedError()") == 2
    assert "softmax(" not in problem and "nn.Linear" not in problem


@each_assignment
def test_the_code_quality_points_that_students_read_are_the_cells_points(assignment):
    from attention_course.lesson.evaluation import CODE_QUALITY_POINTS

    assert CODE_QUALITY_POINTS[assignment] == TASK_POINTS[assignment]
