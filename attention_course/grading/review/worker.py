"""Works off the queue: one submission after another, each stored whole before the next.

May be killed at any moment. What was answered is in the file, what was claimed is pending again,
and the next run goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from attention_course.grading.review.assess import assess, state_of
from attention_course.grading.review.cache import Cache, StoredAnswer, answer_key
from attention_course.grading.review.protocol import (
    AnswerRefused,
    RequestFailed,
    ReviewUnavailable,
)
from attention_course.grading.review.queue import Job, Place, Queue, Reading
from attention_course.grading.review.storage import Storage
from attention_course.grading.review.submitted import Submitted

if TYPE_CHECKING:
    from attention_course.grading.review.client import Request, Reviewer


@dataclass(slots=True)
class Tally:
    """What one run came to; ``stopped`` says why it ended before the queue did."""

    reviewed: int = 0
    calls: int = 0
    answers: int = 0
    stopped: str = ""
    failed: list[str] = field(default_factory=list)


class Worker:
    """Reviews the pending submissions of one assignment with one model.

    ``finished(job)`` is called after each review is stored, to write it into the gradebook.
    """

    def __init__(
        self,
        storage: Storage,
        reviewer: Reviewer,
        finished: Callable[[Job], None] = lambda job: None,
    ) -> None:
        self.storage = storage
        self.queue = Queue(storage)
        self.cache = Cache(storage)
        self.reviewer = reviewer
        self.finished = finished

    @property
    def lease(self) -> float:
        """Seconds after which a claim is given up: longer than one answer can take."""
        settings = self.reviewer.settings
        return settings.attempts * (settings.answer_timeout + 30) + 60

    def work_off(self, assignment: str, progress: Callable[[], None] = lambda: None) -> Tally:
        """Review until nothing is pending, or until the server is given up."""
        tally = Tally()
        left_alone: set[Place] = set()
        while not tally.stopped:
            job = self.queue.claim(assignment, self.lease, left_alone)
            if job is None:
                break
            try:
                done = self._review(job, tally)
            except ReviewUnavailable as error:
                # A server that is not there is no failure of this submission.
                self.queue.give_back(job, str(error), failed=isinstance(error, RequestFailed))
                left_alone.add(job.place)
                tally.failed.append(f"{job.place}: {error}")
                if self.reviewer.breaker.open or not isinstance(error, RequestFailed):
                    tally.stopped = str(error)
                    self.queue.say_why(assignment, str(error))
                continue
            except BaseException as error:
                self.queue.give_back(job, str(error) or "interrupted", failed=False)
                raise
            if done is not None:
                tally.reviewed += 1
                self.finished(done)
            progress()
        return tally

    def _review(self, job: Job, tally: Tally) -> Job | None:
        readings: list[Reading] = []
        digests: set[str] = set()

        def ask(exercise: str, masked: bool, request: Request) -> StoredAnswer:
            answer, asked = self._answer(request)
            digests.add(answer.digest)
            tally.answers += 1
            tally.calls += asked
            readings.append(Reading(exercise, masked, answer.key, asked))
            if asked:
                self.queue.renew(job, self.lease)
            return answer

        submitted = Submitted.from_record(job.payload["submitted"])
        result = assess(submitted, job.payload["computed"], ask)
        if len(digests) > 1:
            raise RequestFailed("the model was replaced in the middle of this review")
        result["digest"] = next(iter(digests), "")
        if not self.queue.finish(job, state_of(result), result, readings):
            return None  # handed in anew meanwhile, or taken over by another process
        return self.queue.find(job.place)

    def _answer(self, request: Request) -> tuple[StoredAnswer, bool]:
        """The stored answer to a request, or the model's, stored; and whether it was asked."""
        server = self.reviewer.server()
        body = self.reviewer.body(request)
        key = answer_key(body, server)
        stored = self.cache.find(key)
        if stored is not None:
            return stored, False
        try:
            return self.cache.keep(key, self.reviewer.judge(request)), True
        except AnswerRefused as refused:
            return self.cache.keep_refusal(key, server, body, refused.raw, str(refused)), True
