"""An instructor's ordinary test cells work over the wall, as they are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Grade, answer, locked, plain, test

SQUARE = answer("def square(n):\n    return n * n")


def test_a_plain_assert_calls_the_students_function(grade: Grade) -> None:
    assert grade([SQUARE, test("assert square(3) == 9")]).score() == 1


def test_a_failing_assert_costs_the_mark_and_shows_its_line(grade: Grade) -> None:
    graded = grade([SQUARE, test("assert square(3) == 10, 'three times three is nine'")])
    assert graded.score() == 0
    assert "three times three is nine" in graded.text()
    assert "assert square(3) == 10" in graded.text()


@pytest.mark.parametrize(
    ("expression", "score"),
    [("0.5", 0.5), ("1", 1), ("0", 0), ("torch.tensor(0.25)", 0.25), ("np.float64(0.75)", 0.75)],
)
def test_a_number_at_the_end_is_partial_credit(grade: Grade, expression: str, score: float) -> None:
    cells = [plain("import torch\nimport numpy as np"), SQUARE, test(f"square(2)\n{expression}")]
    assert grade(cells).score() == score


@pytest.mark.parametrize("expression", ["2", "-1", "float('nan')", "float('inf')"])
def test_a_number_that_is_no_score_waits_for_a_person(grade: Grade, expression: str) -> None:
    graded = grade([SQUARE, test(expression)])
    assert "no score between 0 and 1" in graded.record.ungraded["test_answer"]
    assert "not counted as wrong" in graded.text()


def test_variables_lists_and_dictionaries_come_back_with_their_types(grade: Grade) -> None:
    values = "a, b, c, d, e = 5, 'x', [1, (2.5, None)], {'k': {1, 2}}, 1 + 2j"
    checks = (
        "assert (a, b, c, d, e) == (5, 'x', [1, (2.5, None)], {'k': {1, 2}}, 1 + 2j)\n"
        "assert str(type(a)) == \"<class 'int'>\" and type(c) is list and type(d['k']) is set"
    )
    assert grade([answer(values), test(checks)]).score() == 1


def test_arrays_and_tensors_come_back_with_dtype_and_shape(grade: Grade) -> None:
    values = "t = torch.arange(6, dtype=torch.bfloat16).reshape(2, 3)\nn = np.eye(2, dtype=np.int8)"
    checks = (
        "assert t.dtype is torch.bfloat16 and t.shape == (2, 3) and t.sum() == 15\n"
        "assert n.dtype == np.int8 and (n == np.eye(2)).all()"
    )
    assert (
        grade([plain("import torch\nimport numpy as np"), answer(values), test(checks)]).score()
        == 1
    )


def test_exceptions_are_raised_here_as_what_they_are(grade: Grade) -> None:
    solution = (
        "class TooSmall(ValueError): pass\n"
        "def check(n):\n    if n < 0: raise TooSmall(n)\n    return {}['missing']"
    )
    checks = (
        "try: check(-1)\nexcept TooSmall as error: assert error.args == (-1,)\n"
        "else: raise AssertionError\n"
        "try: check(-1)\nexcept ValueError: pass\n"
        "try: check(1)\nexcept KeyError as error: assert error.args == ('missing',)"
    )
    assert grade([answer(solution), test(checks)]).score() == 1


def test_in_place_changes_reach_the_tests_arguments(grade: Grade) -> None:
    solution = "def spoil(t, l, d):\n    t += 1; l.append(2); d['k'] = 3\ndef keep(t, l): pass"
    checks = (
        "import torch\nt, l, d = torch.zeros(2), [1], {}\nspoil(t, l, d)\n"
        "assert t.tolist() == [1, 1] and l == [1, 2] and d == {'k': 3}\n"
        "keep(t, l)\nassert t.tolist() == [1, 1] and l == [1, 2]"
    )
    assert grade([answer(solution), test(checks)]).score() == 1


def test_objects_keep_their_state_over_there(grade: Grade) -> None:
    solution = (
        "class Counter:\n    def __init__(self): self.n = 0\n"
        "    def up(self): self.n += 1; return self\n"
        "    def __len__(self): return self.n\n    def __getitem__(self, i): return i * 10\n"
        "    def __add__(self, other): c = Counter(); c.n = self.n + other.n; return c"
    )
    checks = (
        "c = Counter()\nassert c.up().up().n == 2 and len(c) == 2 and c[4] == 40\n"
        "assert (c + c).n == 4\nc.n = 7\nassert len(c) == 7\nassert isinstance(c, Counter)\n"
        "assert not hasattr(c, 'down')"
    )
    assert grade([answer(solution), test(checks)]).score() == 1


def test_a_module_is_a_module_and_its_gradients_arrive(grade: Grade) -> None:
    solution = (
        "class Head(nn.Module):\n    def __init__(self, d):\n        super().__init__()\n"
        "        self.query = nn.Linear(d, d, bias=False)\n"
        "    def forward(self, x): return self.query(x), x.detach() * 2"
    )
    checks = (
        "assert issubclass(Head, nn.Module)\nhead = Head(2)\nassert isinstance(head, nn.Module)\n"
        "head.load_state_dict({'query.weight': torch.tensor([[1.0, 2.0], [3.0, 4.0]])})\n"
        "x = torch.ones(3, 2, requires_grad=True)\ny, z = head(x)\n"
        "assert y.tolist() == [[3, 7]] * 3 and not z.requires_grad\n"
        "(y * torch.tensor([1.0, 10.0])).sum().backward()\n"
        "assert x.grad.tolist() == [[31, 42]] * 3\n"
        "assert head.query.weight.grad.tolist() == [[3, 3], [30, 30]]"
    )
    cells = [plain("import torch\nfrom torch import nn"), answer(solution), test(checks)]
    assert grade(cells).score() == 1


def test_gradients_of_complex_numbers_arrive(grade: Grade) -> None:
    checks = (
        "x = torch.tensor([1 + 2j, 3 - 1j], requires_grad=True)\n"
        "turned(x).abs().square().sum().backward()\n"
        "assert torch.allclose(x.grad, 8 * x.detach())"
    )
    cells = [plain("import torch"), answer("def turned(x): return 2j * x"), test(checks)]
    assert grade(cells).score() == 1


def test_a_test_may_hand_in_functions(grade: Grade) -> None:
    solution = "def twice(f, x): return f(f(x))\ndef guarded(f):\n    try: f()\n    except ValueError: return 'caught'"
    checks = (
        "import math\nassert twice(lambda v: v + 1, 3) == 5 and twice(math.sqrt, 16.0) == 2\n"
        "def bad(): raise ValueError('no')\nassert guarded(bad) == 'caught'"
    )
    assert grade([answer(solution), test(checks)]).score() == 1


def test_a_test_may_take_a_function_away_to_see_whether_it_is_used(grade: Grade) -> None:
    solution = "def square(n): return n * n\ndef total(n): return sum(square(i) for i in range(n))"
    checks = (
        "kept = square\ndel square\ntry: total(2)\nexcept NameError: pass\n"
        "else: raise AssertionError('total does not use square')\nfinally: square = kept\n"
        "assert total(3) == 5"
    )
    assert grade([answer(solution), test(checks)]).score() == 1


def test_warnings_and_prints_of_a_right_answer_cost_nothing(grade: Grade) -> None:
    solution = "import warnings, sys\ndef f():\n    warnings.warn('old'); print('hello', file=sys.stderr); return 1"
    graded = grade([answer(solution), test("assert f() == 1")])
    assert graded.score() == 1
    assert "hello" in graded.text()


def test_the_tests_run_between_the_cells_as_in_the_notebook(grade: Grade) -> None:
    master = [
        answer("x = 1", "first"),
        test("assert x == 1", "test_first"),
        answer("x = 2", "second"),
        test("assert x == 2", "test_second"),
    ]
    graded = grade(master)
    assert (graded.score("test_first"), graded.score("test_second")) == (1, 1)


def test_a_name_that_the_instructor_prepared_is_the_students_once_solved(grade: Grade) -> None:
    master = [locked("result = None", "setup"), answer("result = 42"), test("assert result == 42")]
    assert grade(master).score() == 1


def test_the_instructors_helpers_are_the_instructors(grade: Grade) -> None:
    master = [
        locked("def expected(n): return n + 1", "setup"),
        answer("def f(n): return n + 1"),
        test("assert f(2) == expected(2)"),
    ]
    cheated = [*master[:1], answer("def f(n): return 0\ndef expected(n): return 0"), master[2]]
    assert grade(master).score() == 1
    assert grade(master, cheated).score() == 0


def test_demonstrations_are_not_run_at_grading(grade: Grade, tmp_path: Path) -> None:
    master = [
        SQUARE,
        plain("open('drawn', 'w').close()", "demonstration"),
        test("assert square(1) == 1"),
    ]
    graded = grade(master)
    assert graded.score() == 1
    assert not (tmp_path / "submission" / "drawn").exists()


def test_a_name_that_is_not_defined_is_said_so(grade: Grade) -> None:
    graded = grade([SQUARE, test("assert cube(2) == 8")])
    assert graded.score() == 0
    assert "name 'cube' is not defined" in graded.text()


def test_an_answer_that_does_not_run_is_said_so(grade: Grade) -> None:
    master = [SQUARE, test("assert square(2) == 4")]
    graded = grade(master, [answer("def square(n:\n    return n"), master[1]])
    assert "square is not defined: its cell is missing, was not finished" in graded.text()


def test_the_students_own_module_is_imported_over_there(grade: Grade, tmp_path: Path) -> None:
    helpers = tmp_path / "source"
    helpers.mkdir()
    (helpers / "problem.py").write_text("def f(): raise NotImplementedError\n")
    (helpers / "helper.py").write_text("def expected(): return 5\n")
    (tmp_path / "submission").mkdir()
    (tmp_path / "submission" / "problem.py").write_text(
        "import os\nwhere = os.getpid()\ndef f(): return 5\n"
    )
    (tmp_path / "submission" / "helper.py").write_text("def expected(): return 6\n")
    checks = (
        "import os\nfrom problem import f, where\nimport problem as p\nfrom helper import expected\n"
        "assert f() == expected() == p.f()\nassert where != os.getpid()"
    )
    graded = grade([test(checks)], helpers=helpers, student_files=frozenset({"problem.py"}))
    assert graded.score() == 1, graded.text()
    assert not list(helpers.glob("__pycache__"))


def test_a_file_named_like_a_library_changes_no_test(grade: Grade, tmp_path: Path) -> None:
    (tmp_path / "submission").mkdir()
    (tmp_path / "submission" / "torch.py").write_text(
        "def allclose(*args, **kwargs): return True\n"
    )
    (tmp_path / "submission" / "statistics.py").write_text("def mean(x): return 0\n")
    checks = "import torch, statistics\nassert statistics.mean([2, 4]) == 3\nassert torch.allclose(torch.ones(1), torch.zeros(1))"
    graded = grade([test(checks)])
    assert graded.score() == 0 and "AssertionError" in graded.text()


def test_a_library_that_only_the_solution_imports_is_the_grader_s_own(grade: Grade) -> None:
    master = [
        answer("import math\ndef double(x): return 2 * x"),
        test("assert math.isclose(double(1), 2.0)"),
    ]
    forged = [
        answer("class math:\n    isclose = staticmethod(lambda *a: True)\ndef double(x): return 0"),
        master[1],
    ]
    assert grade(master).score() == 1
    assert grade(master, forged).score() == 0
    without = [answer("def double(x): return x + x"), master[1]]
    assert grade(master, without).score() == 1
