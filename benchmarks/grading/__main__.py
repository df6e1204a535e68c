"""``python -m benchmarks.grading``: run it, print the table, write JSON and picture."""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from benchmarks.grading.session import Options, run

RESULTS = Path(__file__).resolve().parents[1] / "results"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.grading",
        description="How fast a class is graded: ours, stock nbgrader, otter-grader, the floor.",
    )
    parser.add_argument("--students", type=int, help="size of the class (50)")
    parser.add_argument("--rounds", type=int, help="how often everybody grades it (3)")
    parser.add_argument("--stock-students", type=int, help="stock grades only so many of them")
    parser.add_argument("--many", type=int, help="size of the class that is graded again (300)")
    parser.add_argument("--only", nargs="+", default=[], metavar="KEY", help="only these take part")
    parser.add_argument("--no-otter", action="store_true", help="leave otter-grader out")
    parser.add_argument("--quick", action="store_true", help="10 students, 1 round, no otter")
    parser.add_argument("--into", type=Path, default=RESULTS, help="folder for JSON and picture")
    parser.add_argument(
        "--document", action="store_true", help="write the figures into docs/speed.md as well"
    )
    chosen = parser.parse_args()
    usual = Options(10, 1, None, 40, otter=False) if chosen.quick else Options()
    options = Options(
        students=chosen.students or usual.students,
        rounds=chosen.rounds or usual.rounds,
        stock_students=chosen.stock_students,
        many=chosen.many or usual.many,
        only=tuple(chosen.only),
        otter=usual.otter and not chosen.no_otter,
    )
    # Below the system's folder for such things: its paths are short enough for sockets.
    with tempfile.TemporaryDirectory(prefix="grading-benchmark-") as scratch:
        session = run(options, Path(scratch), lambda text: print(text, flush=True))
    report(session.to_record(), chosen.into, document=chosen.document)


def report(record: dict[str, object], into: Path, *, document: bool = False) -> None:
    """Print the tables; write ``grading.json``, ``grading.html`` and, where it can, a PNG."""
    from benchmarks.grading.document import fill_in
    from benchmarks.grading.picture import write_picture
    from benchmarks.grading.tables import show

    into.mkdir(parents=True, exist_ok=True)
    (into / "grading.json").write_text(json.dumps(record, indent=1) + "\n")
    show(record)
    print(f"figures: {into / 'grading.json'}")
    for file in write_picture(record, into / "grading"):
        print(f"picture: {file}")
    if document:
        for file in fill_in(record, into / "grading.png"):
            print(f"document: {file}")


if __name__ == "__main__":
    main()
