"""What the grader and its workers do not load, for they start anew for every run."""

from __future__ import annotations

import subprocess
import sys


def test_the_grammar_of_web_addresses_is_not_loaded_and_can_still_be_imported() -> None:
    program = (
        "import attention_course.grading.batch.run, sys\n"
        "assert 'jsonschema' in sys.modules\n"
        "print([name for name in sys.modules if name.startswith('rfc3987_syntax')])\n"
        "import importlib.util\n"
        "print(importlib.util.find_spec('rfc3987_syntax') is not None)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines() == ["[]", "True"], done.stderr
