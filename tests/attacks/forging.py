"""Answers that are wrong and want the marks all the same."""

from __future__ import annotations

from .attack import Attack, family

HERE = "the test runs in the grader's process"
COPY = "the wall passes on plain numbers, never an object"
OBJECT = "a stand-in equals no data of the grader's"

FORGING = family(
    "Forging marks",
    "The tests are ordinary asserts of an instructor's; every answer is wrong.",
    [
        Attack(
            "an input transformer that empties every later cell", "tests that do nothing", HERE,
            "get_ipython().input_transformers_cleanup.append(lambda lines: ['pass\\n'])",
            seen="not defined|AssertionError",
        ),
        Attack(
            "an AST transformer that drops asserts", "tests without asserts", HERE,
            "import ast\nclass Drop(ast.NodeTransformer):\n"
            "    def visit_Assert(self, node): return ast.Pass()\n"
            "get_ipython().ast_transformers.append(Drop())",
            seen="AssertionError",
        ),
        Attack(
            "calling the display hook", "a number as the test's result", HERE,
            "import sys\nsys.displayhook(4)\nraise SystemExit",
            seen="not defined|AssertionError",
        ),
        Attack(
            "a display hook of its own", "every result shown as 4", HERE,
            "import sys\nclass Hook:\n    def __call__(self, value): print('4')\nsys.displayhook = Hook()",
            seen="AssertionError",
        ),
        Attack(
            "a formatter that shows every number as four", "partial credit", HERE,
            "get_ipython().display_formatter.formatters['text/plain']"
            ".for_type(int, lambda value, printer, cycle: printer.text('4'))",
            seen="AssertionError",
        ),
        Attack(
            "an execute_result published by hand", "partial credit",
            "outputs of a student's cell stay in that cell; a call passes on text alone",
            "def double(x):\n    out = get_ipython().display_pub.outputs\n"
            "    out.show('execute_result', {'text/plain': '4'}, {}, 1)\n    return -1",
            seen="AssertionError",
        ),
        Attack(
            "torch's comparisons patched", "allclose that is always true", HERE,
            "import torch\ntorch.allclose = torch.equal = lambda *a, **k: True\n"
            "torch.testing.assert_close = lambda *a, **k: None\ntorch.Tensor.__lt__ = lambda *a: True",
            seen="AssertionError",
        ),
        Attack(
            "a thread that patches again", "allclose that is always true", HERE,
            "import threading, torch, time\ndef again():\n    while True:\n"
            "        torch.allclose = lambda *a, **k: True\n        time.sleep(0.001)\n"
            "threading.Thread(target=again, daemon=True).start()",
            seen="AssertionError",
        ),
        Attack(
            "a module put in torch's place", "tests that use a false torch", HERE,
            "import sys, types, builtins\nfalse = types.ModuleType('torch')\n"
            "false.allclose = lambda *a, **k: True\nsys.modules['torch'] = torch = false",
            seen="AssertionError|AttributeError", own=True,
        ),
        Attack(
            "the tests' own names bound", "a torch, zip and abs of the student's", HERE,
            "class Yes:\n    __getattr__ = lambda self, name: lambda *a, **k: True\n"
            "torch = math = Yes()\nabs = lambda x: 0\nzip = map = lambda *a: []\n"
            "score = expected = 4\nimport builtins\nbuiltins.zip = builtins.abs = zip",
            seen="AssertionError|not defined|WireError", own=True,
        ),
        Attack(
            "assert disabled by a false AssertionError", "failures that do not count", HERE,
            "import builtins\nbuiltins.AssertionError = type('Quiet', (), {})",
            seen="AssertionError",
        ),
        Attack(
            "the shell's methods replaced", "failures that are not shown", HERE,
            "from IPython.core.interactiveshell import InteractiveShell\n"
            "InteractiveShell.showtraceback = lambda *a, **k: None\n"
            "InteractiveShell.run_cell = lambda *a, **k: None",
            seen="not defined|AssertionError", own=True,
        ),
        Attack(
            "a trace function that changes local variables", "a score of 4", HERE,
            "import sys\ndef trace(frame, event, value):\n    frame.f_globals['score'] = 4\n"
            "    return trace\nsys.settrace(trace)",
            seen="AssertionError",
        ),
        Attack(
            "an object that equals everything", "== that is always true", OBJECT,
            "class Any:\n    __eq__ = __lt__ = __le__ = lambda self, other: True\n"
            "    __sub__ = __rsub__ = lambda self, other: 0.0\n    __abs__ = lambda self: 0.0\n"
            "    __float__ = lambda self: 8.0\n    __hash__ = lambda self: 0\n"
            "def double(x): return Any()",
            seen="AssertionError|TypeError",
        ),
        Attack(
            "an object with every attribute", "a tensor that is none", OBJECT,
            "class Every:\n    def __getattr__(self, name): return lambda *a, **k: self\n"
            "    __bool__ = lambda self: True\n    __len__ = lambda self: 3\n"
            "    __iter__ = lambda self: iter([2.0] * 3)\n    __index__ = lambda self: 8\n"
            "def double(x): return Every()",
            seen="AssertionError|TypeError",
        ),
        Attack(
            "a tensor subclass that answers for torch", "allclose that is always true", COPY,
            "import torch\nclass Same(torch.Tensor):\n    @classmethod\n"
            "    def __torch_function__(cls, func, types, args=(), kwargs=None): return True\n"
            "    __eq__ = lambda self, other: True\n"
            "def double(x): return torch.zeros(3).as_subclass(Same)",
            seen="AssertionError",
        ),
        Attack(
            "an array subclass that answers for numpy", "allclose that is always true", COPY,
            "import numpy\nclass Same(numpy.ndarray):\n"
            "    def __array_ufunc__(self, *a, **k): return True\n"
            "    def __array_function__(self, *a, **k): return True\n"
            "def double(x): return numpy.zeros(3).view(Same)",
            seen="AssertionError|TypeError",
        ),
        Attack(
            "numbers and texts of classes that equal everything", "== that is always true", OBJECT,
            "def same(base):\n    return type('Same', (base,), {'__eq__': lambda s, o: True, "
            "'__hash__': base.__hash__, '__sub__': lambda s, o: 0, '__abs__': lambda s: 0})\n"
            "kinds = [same(int)(1), same(float)(1.0), same(str)('1'), same(list)()]\n"
            "def double(x):\n    kinds.append(kinds.pop(0))\n    return kinds[0]",
            seen="AssertionError|TypeError",
        ),
        Attack(
            "a class that lies about what it is", "isinstance that is always true",
            "a stand-in claims no class but a torch module's",
            "import torch\nclass Meta(type):\n    __instancecheck__ = lambda c, x: True\n"
            "    __subclasscheck__ = lambda c, x: True\n    __eq__ = lambda c, x: True\n"
            "    __hash__ = type.__hash__\n"
            "class Liar(metaclass=Meta):\n    __class__ = property(lambda self: torch.Tensor)\n"
            "    __eq__ = lambda self, other: True\ndef double(x): return Liar()",
            seen="AssertionError|TypeError",
        ),
        Attack(
            "StopIteration out of an answer", "the end of the test's loop, with nothing asserted",
            "the wall makes it a RuntimeError",
            "def double(x): raise StopIteration",
            seen="StopIteration: the code raised StopIteration",
        ),
        Attack(
            "a class derived from StopIteration", "the end of the test's loop",
            "the wall makes it a RuntimeError",
            "class Enough(StopIteration): pass\ndef double(x): raise Enough(4)",
            seen="Enough: the code raised Enough",
        ),
        Attack(
            "GeneratorExit out of an answer", "the end of the test's loop",
            "only classes derived from Exception are raised in a test",
            "def double(x): raise GeneratorExit", seen="Stopped|GeneratorExit|exit code", own=True,
        ),
        Attack(
            "an exception that looks like success", "a test that has passed",
            "an exception is a failure, whatever its name",
            "class Passed(Exception): pass\ndef double(x): raise Passed('4')", seen="Passed: 4",
        ),
        Attack(
            "exceptions of a test framework", "a test that was skipped",
            "an exception is a failure, whatever its name",
            "import unittest\ndef double(x): raise unittest.SkipTest('not here')", seen="SkipTest",
        ),
        Attack(
            "the grader's own Ungradable raised", "no mark instead of a zero",
            "the wall makes a class of its own of that name",
            "from attention_course.verdict import Ungradable\n"
            "def double(x): raise Ungradable('the machine was broken')",
            seen="Ungradable: the machine was broken",
        ),
        Attack(
            "ImportError as if a library were missing", "no mark instead of a zero",
            "what the student's code raised is marked as theirs",
            "def double(x): raise ImportError('No module named torch', name='torch')",
            seen="ImportError: No module named torch",
        ),
        Attack(
            "SystemExit out of an answer", "a test that ends well",
            "the wall makes it AnswerStopped", "def double(x): raise SystemExit(0)",
            seen="the code raised SystemExit",
        ),
        Attack(
            "KeyboardInterrupt out of an answer", "the end of the grading",
            "the wall makes it AnswerStopped", "def double(x): raise KeyboardInterrupt",
            seen="the code raised KeyboardInterrupt",
        ),
        Attack(
            "a class derived from BaseException", "an error that nothing catches",
            "only classes derived from Exception are raised in a test",
            "class Last(BaseException): pass\ndef double(x): raise Last('end')", seen="Last: end",
        ),
        Attack(
            "an exception with hostile text, arguments and class", "a crash of the grader",
            "its words are cut and made anew; only plain arguments travel",
            "class Worst(Exception):\n    __str__ = __repr__ = lambda self: 1 / 0\n"
            "    __eq__ = lambda s, o: True\n    __hash__ = lambda s: 1 / 0\n"
            "    args = property(lambda s: 1 / 0)\n    __traceback__ = 5\n"
            "def double(x): raise Worst(float('nan'), object())",
            seen="cannot be shown|ZeroDivisionError|exit code", own=True,
        ),
        Attack(
            "a group of a thousand nested exceptions", "a crash of the grader",
            "an exception travels as name and text",
            "def double(x):\n    error = ValueError('x')\n    for _ in range(1000):\n"
            "        error = ExceptionGroup('more', [error])\n    raise error",
            seen="ExceptionGroup|more",
        ),
        Attack(
            "not a number, and infinity", "comparisons with NaN that are not false",
            "a copy of NaN equals nothing", "import torch\n"
            "def double(x): return torch.full((2,), float('nan')) if torch.is_tensor(x) else float('nan')",
            seen="AssertionError",
        ),
        Attack(
            "leaving the process with exit code 0", "a test that ends well",
            "the end of the process is a failure",
            "def double(x):\n    import os; os._exit(0)", seen="exit code 0", own=True,
        ),
        Attack(
            "printing a score", "partial credit", "text on a stream is no score",
            "def double(x):\n    print('4'); return None", seen="AssertionError|TypeError",
        ),
        Attack(
            "the frames of the callers", "changing the test's variables",
            "the test has no frame in the student's process",
            "import sys\ndef double(x):\n    frame = sys._getframe()\n    while frame:\n"
            "        for name in ('score', 'expected', 'got', 'want'):\n"
            "            frame.f_globals[name] = frame.f_locals[name] = 4\n"
            "        frame = frame.f_back\n    return -1",
            seen="AssertionError",
        ),
        Attack(
            "answers by chance", "being right now and then",
            "each test asks more than once", "import random\n"
            "def double(x): return random.choice([1, 2, 4]) if type(x) is int else -x",
            seen="AssertionError", more={"may": 2},
        ),
        Attack(
            "the encoder in its own process replaced", "a right answer that was never given",
            "what arrives is compared by the grader",
            "from attention_course.grading.sandbox import wire\n"
            "wire.Encoder.encode = lambda self, value, depth=0: ['b', True]",
            seen="AssertionError|sent|TypeError", own=True,
        ),
        Attack(
            "a function that says it is another one", "a test that runs torch's own code",
            "a function is called over there, whatever it says of itself",
            "import torch\nclass Double:\n    __module__, __qualname__ = 'torch', 'add'\n"
            "    __name__ = '_VariableFunctionsClass.add'\n    __wrapped__ = torch.add\n"
            "    def __call__(self, x): return -1\ndouble = Double()",
            seen="AssertionError",
        ),
    ],
)  # fmt: skip
