"""What the grader and its workers do not load, for they start anew for every run."""

from __future__ import annotations

import subprocess
import sys


def test_what_takes_long_to_load_is_left_to_those_who_need_it() -> None:
    program = (
        "import attention_course.grading.batch.run, sys\n"
        "assert 'jsonschema' in sys.modules\n"
        "print([name for name in ('lark', 'rfc3987_syntax', 'torch') if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stdout == "[]\n", done.stderr
