"""What earns full marks in stock nbgrader without an answer earns nothing here."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Grade, answer, locked, plain, test

MASTER = [
    plain("import torch"),
    answer("def double(x):\n    return 2 * x"),
    test("assert torch.allclose(double(torch.ones(3)), torch.full((3,), 2.0))", "test_double", 4),
    test("assert double(4) == 8\nassert abs(double(1.5) - 3.0) < 1e-9", "test_numbers", 4),
    test("score = 0\nif double(2) == 4:\n    score += 2\nscore", "test_partial", 4),
]

FORGERIES = {
    "an input transformer that empties every later cell": (
        "get_ipython().input_transformers_cleanup.append(lambda lines: ['pass\\n'])"
    ),
    "an AST transformer that drops asserts": (
        "import ast\nclass Drop(ast.NodeTransformer):\n"
        "    def visit_Assert(self, node): return ast.Pass()\n"
        "get_ipython().ast_transformers.append(Drop())"
    ),
    "the display hook": "import sys\nsys.displayhook(4)\nraise SystemExit",
    "a display hook of its own": (
        "import sys\nclass Hook:\n    def __call__(self, value): print('4')\nsys.displayhook = Hook()"
    ),
    "a formatter that shows every number as four": (
        "get_ipython().display_formatter.formatters['text/plain']"
        ".for_type(int, lambda value, printer, cycle: printer.text('4'))"
    ),
    "torch's comparisons patched": (
        "import torch\ntorch.allclose = torch.equal = lambda *a, **k: True\n"
        "torch.testing.assert_close = lambda *a, **k: None"
    ),
    "a thread that patches again": (
        "import threading, torch, time\ndef again():\n    while True:\n"
        "        torch.allclose = lambda *a, **k: True\n        time.sleep(0.001)\n"
        "threading.Thread(target=again, daemon=True).start()"
    ),
    "an object that equals everything": (
        "class Any:\n    __eq__ = __lt__ = __le__ = lambda self, other: True\n"
        "    __sub__ = __rsub__ = lambda self, other: 0.0\n    __abs__ = lambda self: 0.0\n"
        "    __float__ = lambda self: 8.0\n    __hash__ = lambda self: 0\n"
        "def double(x): return Any()"
    ),
    "a tensor that equals everything": (
        "import torch\nclass Same(torch.Tensor):\n    @classmethod\n"
        "    def __torch_function__(cls, func, types, args=(), kwargs=None): return True\n"
        "    __eq__ = lambda self, other: True\n"
        "def double(x): return torch.zeros(3).as_subclass(Same)"
    ),
    "an integer that equals everything": (
        "class Same(int):\n    __eq__ = lambda self, other: True\n    __hash__ = int.__hash__\n"
        "    __sub__ = lambda self, other: 0\ndef double(x): return Same(1)"
    ),
    "the frames of the callers": (
        "import sys\ndef double(x):\n    frame = sys._getframe()\n    found = []\n"
        "    while frame:\n        found += [v for v in frame.f_locals.values() if 'assert' in str(v)]\n"
        "        for name in ('score', 'expected'):\n            frame.f_globals[name] = 4\n"
        "        frame = frame.f_back\n    return found"
    ),
    "the history of inputs": (
        "def double(x):\n    ip = get_ipython()\n    return [c for c in ip.user_ns.get('In', []) if 'assert' in c] or 0"
    ),
    "the garbage collector's objects": (
        "import gc\ndef double(x):\n"
        "    return [o for o in gc.get_objects() if isinstance(o, str) and 'allclose(double' in o]"
    ),
    "assert disabled by optimisation": "import builtins\nbuiltins.AssertionError = type('Quiet', (), {})",
    "an exception that looks like success": (
        "class Passed(Exception): pass\ndef double(x): raise Passed('4')"
    ),
    "stand-ins for the shell": (
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "InteractiveShell.showtraceback = lambda *a, **k: None\n"
        "InteractiveShell.run_cell = lambda *a, **k: None"
    ),
    "the exit": "def double(x):\n    import os; os._exit(0)",
    "printing a score": "def double(x):\n    print('4'); return None",
    "frames forged on the connection": (
        "import os, json, struct\n"
        "for fd in range(3, 64):\n    for number in range(1, 60):\n"
        "        head = json.dumps({'id': number, 'value': ['b', True], 'outputs': []}).encode()\n"
        "        try: os.write(fd, struct.pack('>IQ', len(head), 0) + head)\n"
        "        except OSError: break"
    ),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_earns_nothing(grade: Grade, name: str) -> None:
    wrong = "" if "def double" in FORGERIES[name] else "\ndef double(x):\n    return -1"
    handed_in = [MASTER[0], answer(FORGERIES[name] + wrong), *MASTER[2:]]
    graded = grade(MASTER, handed_in, seconds=5)
    earned = [graded.score(f"test_{part}") for part in ("double", "numbers", "partial")]
    assert earned == [0, 0, 0], graded.notebook


def test_the_honest_answer_earns_all(grade: Grade) -> None:
    graded = grade(MASTER)
    assert [graded.score(f"test_{part}") for part in ("double", "numbers")] == [4, 4]
    assert graded.score("test_partial") == 2


def test_the_text_of_a_test_never_reaches_the_student(grade: Grade, tmp_path: object) -> None:
    secret = "assert spy(1) == 'a-secret-of-the-test'"
    spy = (
        "import gc, sys, os\ndef spy(x):\n    seen = [o for o in gc.get_objects() if isinstance(o, (str, bytes, dict, list))]\n"
        "    text = repr(seen) + repr(os.environ) + repr(get_ipython().user_ns)\n"
        "    return 'found' if 'a-secret-' + 'of-the-test' in text else 'nothing'"
    )
    graded = grade(
        [answer(spy), test(secret + " or True", "test_spy"), test("assert spy(2) == 'nothing'")]
    )
    assert graded.score() == 1


def test_a_stand_in_never_claims_to_be_a_tensor(grade: Grade) -> None:
    # torch's C code believes isinstance and would read memory that is not there.
    solution = (
        "class Own(torch.Tensor): pass\nhuge = torch.zeros(1).expand(10**12).as_subclass(Own)"
    )
    checks = "assert not isinstance(huge, torch.Tensor)\ntorch.allclose(huge, torch.zeros(1))"
    graded = grade([plain("import torch"), answer(solution), test(checks)])
    assert graded.score() == 0 and "TypeError" in graded.text()


def test_a_check_of_the_students_own_never_stands_in_for_the_instructors(grade: Grade) -> None:
    master = [
        locked("from a_module_that_is_not_here import check", "setup"),
        answer("x = 1"),
        test("check(x)"),
    ]
    handed_in = [locked("", "setup"), answer("def check(x): return 1\nx = 0"), master[2]]
    graded = grade(master, handed_in)
    assert "instructor's cell setup failed" in graded.record.ungraded["test_answer"]


def test_a_name_that_failed_through_the_student_is_the_students_failure(grade: Grade) -> None:
    master = [
        answer("def f(): return 3"),
        locked("result = f() + 1", "use"),
        test("assert result == 4"),
    ]
    assert grade(master).score() == 1
    handed_in = [answer("def f(): return None\nresult = 4"), *master[1:]]
    graded = grade(master, handed_in)
    assert graded.score() == 0 and not graded.record.ungraded


def test_a_library_that_the_grader_lacks_is_not_the_students_to_bring(
    grade: Grade, tmp_path: Path
) -> None:
    (tmp_path / "submission").mkdir()
    (tmp_path / "submission" / "rare_library.py").write_text("def same(a, b): return True\n")
    graded = grade([answer("x = 0"), test("from rare_library import same\nassert same(x, 1)")])
    assert "could not be run here" in graded.record.ungraded["test_answer"]
