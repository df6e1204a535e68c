"""What a lesson's cells call: ``check``, ``verify`` and ``needs``.

Nothing here decides what is right: :mod:`attention_course.checks` does. This room shows
its verdicts, keeps the student's progress and lets unfinished lessons run to their end.
"""

from attention_course.lesson.evaluation import verify
from attention_course.lesson.selfcheck import check
from attention_course.lesson.waiting import needs

__all__ = ["check", "needs", "verify"]
