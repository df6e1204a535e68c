"""What the grader and its workers do not load, for they start anew for every run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

# Releases of jsonschema from 4.25 on do so, where the grammar's package is installed.
ASKS_FOR_THE_GRAMMAR = """
try:
    import rfc3987_syntax
except ImportError:
    pass
"""
LOADED = "print([name for name in sys.modules if name.startswith('rfc3987_syntax')])\n"


def said(program: str, **more: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **more},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_grammar_of_web_addresses_is_not_loaded() -> None:
    program = "import attention_course.grading.batch.run, sys\nassert 'jsonschema' in sys.modules\n"
    assert said(program + LOADED) == ["[]"]


def test_a_jsonschema_that_asks_for_the_grammar_is_loaded_without_it(
    tmp_path: Path, repository_root: Path
) -> None:
    """And who wants the grammar itself can still import it afterwards."""
    (tmp_path / "jsonschema.py").write_text(ASKS_FOR_THE_GRAMMAR)
    (tmp_path / "rfc3987_syntax.py").touch()
    program = "import attention_course.grading.batch, sys\nassert 'jsonschema' in sys.modules\n"
    program += LOADED + "import rfc3987_syntax\n" + LOADED
    path = os.pathsep.join([str(tmp_path), str(repository_root)])
    assert said(program, PYTHONPATH=path) == ["[]", "['rfc3987_syntax']"]
