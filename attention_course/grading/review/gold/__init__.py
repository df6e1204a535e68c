"""The gold set: answers written for this course, scored by the words of the rubric's levels.

``GOLD``      answers in good and bad style, numerically right and wrong
``CANARIES``  answers that talk to whoever grades, each with its clean twin
"""

from attention_course.grading.review.gold.canaries import CANARIES, Canary
from attention_course.grading.review.gold.entry import GoldAnswer
from attention_course.grading.review.gold.first_steps import FIRST_STEPS
from attention_course.grading.review.gold.last_steps import LAST_STEPS

GOLD: tuple[GoldAnswer, ...] = (*FIRST_STEPS, *LAST_STEPS)

__all__ = ["CANARIES", "GOLD", "Canary", "GoldAnswer"]
