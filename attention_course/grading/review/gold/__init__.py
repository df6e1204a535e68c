"""The gold set: answers with the scores that people of the course gave by the rubric's anchors.

``GOLD``      answers in good and bad style, numerically right and wrong
``CANARIES``  answers that talk to whoever grades, each with its clean twin
"""

from attention_course.grading.review.gold.canaries import CANARIES, Canary
from attention_course.grading.review.gold.entry import GoldAnswer
from attention_course.grading.review.gold.first_steps import FIRST_STEPS
from attention_course.grading.review.gold.last_steps import LAST_STEPS

GOLD: tuple[GoldAnswer, ...] = (*FIRST_STEPS, *LAST_STEPS)

__all__ = ["CANARIES", "GOLD", "Canary", "GoldAnswer"]
