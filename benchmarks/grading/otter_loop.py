"""Grades many notebooks with otter-grader in one process; run by otter-grader's own Python.

    python otter_loop.py AUTOGRADER.zip SUBMITTED RESULT.json STUDENT...

Otter's documented interface for grading without containers, ``otter.api.grade_submission``, in
a loop: ``otter run`` does the same for one notebook a process, and would load otter anew each
time. Needs nothing of ours.
"""

import json
import sys
import time
from pathlib import Path


def main() -> None:
    from otter.api import grade_submission

    autograder, submitted, result = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    marks, landed = {}, []
    for student in sys.argv[4:]:
        (notebook,) = (submitted / student).rglob("*.ipynb")
        results = grade_submission(str(notebook), autograder, quiet=True)
        marks[student] = {
            name: file.score > 0 for name, file in results.results.items() if hasattr(file, "score")
        }
        landed.append(time.time())
    result.write_text(json.dumps({"marks": marks, "landed": landed}))


if __name__ == "__main__":
    main()
