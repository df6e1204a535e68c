"""What is right, what is wrong, and what it is called.

Used by the notebook's self-check and by the grader alike; knows nothing of either.
"""

from attention_course.checks.exercises import EXERCISES, exercises_of
from attention_course.checks.judging import MISSING, judge
from attention_course.checks.misconceptions import MISCONCEPTIONS, Misconception
from attention_course.checks.session import Session, current_session, session

__all__ = [
    "EXERCISES",
    "MISCONCEPTIONS",
    "MISSING",
    "Misconception",
    "Session",
    "current_session",
    "exercises_of",
    "judge",
    "session",
]
