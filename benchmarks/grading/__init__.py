"""How fast a class is graded: our engine, stock nbgrader, otter-grader and the floor.

    python -m benchmarks.grading [--quick]

``docs/speed.md`` says what is measured, how it is kept fair, and what came of it.
"""
