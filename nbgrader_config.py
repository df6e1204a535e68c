"""Settings of the course for nbgrader: plug-ins in their order, and paths. No logic."""

from attention_course.grading.inert import InertPages, inert_markdown
from attention_course.grading.plugins import autograde_preprocessors, sanitize_preprocessors

c = get_config()  # noqa: F821 - traitlets gives it to configuration files

c.CourseDirectory.course_id = "attention-course"

# Students write these files; nbgrader must not put the released version over them.
c.Autograde.exclude_overwriting = {"attention_basics": ["problem.py"]}

# The student's cells run in a process of their own, the tests in the grader's.
c.Autograde.sanitize_preprocessors = sanitize_preprocessors()
c.Autograde.autograde_preprocessors = autograde_preprocessors()

# How the code reads, judged by a local model where one runs; docs/review.md lists the settings.
c.Review.enabled = True
c.Review.model = "qwen2.5-coder:7b"

# Seconds that a cell, or all that a test cell asks of the student's code, may take.
c.Execute.timeout = 30

# Nothing of a student's is alive on the pages that graders look at.
c.HTMLExporter.preprocessors = [InertPages]
c.HTMLExporter.filters = {"markdown2html": inert_markdown}
