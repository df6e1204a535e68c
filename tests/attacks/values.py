"""Results that are no numbers, and answers that are right only now and then."""

from __future__ import annotations

from .attack import Attack, family

JUDGED = "the check judges a copy of declared shape and dtype, and says what is wrong"
FRESH = "fresh secret inputs of several sizes, and several calls"


def returns(name: str, value: str) -> Attack:
    code = f"def aggregate_values(w, v):\n    return {value}"
    return Attack(name, "a crash, or no verdict", JUDGED, code)


def answers(name: str, stopped_by: str, code: str) -> Attack:
    return Attack(name, "the mark without the answer", stopped_by, code)


HOSTILE = """
class Hostile:
    __repr__ = __str__ = __eq__ = __len__ = __iter__ = __bool__ = __getitem__ = lambda self, *a: 1 / 0
    __hash__ = __float__ = __int__ = __format__ = __getattr__ = lambda self, *a: 1 / 0
"""

VALUES = family(
    "Hostile results",
    "Given to the course's own check of `aggregate_values(w, v)`, with secret inputs.",
    [
        returns("NaN everywhere", "(w @ v) * float('nan')"),
        returns("infinity everywhere", "(w @ v) + float('inf')"),
        returns("complex numbers", "(w @ v).to(torch.complex64) * 1j"),
        returns("whole numbers", "(w @ v).long()"),
        returns("a sparse tensor", "(w @ v).to_sparse()"),
        returns("a quantised tensor", "torch.quantize_per_tensor((w @ v).float(), 0.1, 0, torch.qint8)"),
        returns("a tensor with no data", "(w @ v).to('meta')"),
        returns("a nested tensor", "torch.nested.nested_tensor(list(w @ v))"),
        returns("a tensor of a trillion numbers that takes no memory", "torch.zeros(1).expand(10**12)"),
        returns("a tensor of no numbers and many rows", "torch.zeros(0, 2**40)"),
        returns("a tensor of sixty-four dimensions", "torch.zeros([1] * 64)"),
        returns("an object that raises at every touch", "Hostile()"),
        returns("a list of itself", "recursive"),
        returns("a dictionary of itself", "around"),
        returns("a number of a million digits", "10 ** 10**6"),
        returns("half a surrogate pair", "'\\ud800' * 99"),
        returns("ten million letters of markup", "'<script>' * 10**6"),
        returns("an endless generator", "iter(int, 1)"),
        returns("a function", "print"),
        returns("a module", "torch"),
        returns("a class", "type('T', (torch.Tensor,), {'shape': property(lambda s: 1 / 0)})"),
        returns("a coroutine that nobody awaits", "(lambda: (yield))()"),
        returns("an array of objects", "__import__('numpy').array([Hostile(), None], dtype=object)"),
        returns("an array of texts", "__import__('numpy').array(['0.5'] * 3)"),
        returns("a tensor that is a view backwards", "torch.flip(w @ v, (0, 1, 2)[: (w @ v).dim()])"),
        answers(
            "a memory of what it was asked before", FRESH,
            "seen = {}\ndef aggregate_values(w, v):\n    key = (tuple(w.shape), tuple(v.shape))\n"
            "    return seen.setdefault(key, torch.zeros(*w.shape[:-1], v.shape[-1]))",
        ),
        answers(
            "right at the first call and never again", FRESH,
            "calls = []\ndef aggregate_values(w, v):\n    calls.append(1)\n"
            "    return w @ v if len(calls) == 1 else v",
        ),
        answers(
            "right at every second call", FRESH,
            "calls = []\ndef aggregate_values(w, v):\n    calls.append(1)\n"
            "    return w @ v if len(calls) % 2 else (w @ v) * 1.1",
        ),
        answers(
            "right by chance", FRESH,
            "def aggregate_values(w, v): return (w @ v) * (1 if torch.rand(()) < 0.5 else 2)",
        ),
        answers(
            "right for the sizes of the lesson's example alone", FRESH,
            "def aggregate_values(w, v):\n    return w @ v if w.dim() == 2 else torch.zeros(*w.shape[:-1], v.shape[-1])",
        ),
        answers(
            "right only where nobody grades", "what is wrong at grading is wrong",
            "import os\ndef aggregate_values(w, v): return v if 'ATTENTION_COURSE_SANDBOX' in os.environ else w @ v",
        ),
        answers(
            "arguments changed until the answer fits", "the check keeps its own copy of what it gives",
            "def aggregate_values(w, v):\n    w.zero_(); v.zero_()\n    return w @ v",
        ),
        answers(
            "arguments stretched in place", "the check keeps its own copy of what it gives",
            "def aggregate_values(w, v):\n    w.resize_(1, 1).fill_(1); v.resize_(1, 1).fill_(1)\n    return w @ v",
        ),
        answers(
            "the tests' shapes answered with zeros", "numbers are compared, not shapes",
            "def aggregate_values(w, v): return torch.zeros(*w.shape[:-1], v.shape[-1])",
        ),
    ],
)  # fmt: skip
