"""A course's review desk: takes submissions in, says how each stands, works off what waits.

What nbgrader's plug-in, the batch engine and the command line all call. Knows nothing of
nbgrader: ``write`` puts a standing into whatever holds the grades.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attention_course.grading.review.assess import computed, form, without_a_model
from attention_course.grading.review.cache import fingerprint
from attention_course.grading.review.mechanical import Ahead, nothing_ahead
from attention_course.grading.review.queue import Job, Place, Queue
from attention_course.grading.review.settings import Settings
from attention_course.grading.review.standing import Standing, standing
from attention_course.grading.review.storage import Storage, now
from attention_course.grading.review.submitted import Submitted
from attention_course.grading.review.worker import Tally, Worker

if TYPE_CHECKING:
    from attention_course.grading.review.client import Reviewer

Write = Callable[[Place, Standing], bool]


class Desk:
    """The reviews of one course folder."""

    def __init__(self, settings: Settings, root: Path) -> None:
        self.settings = settings
        self.storage = Storage(root / settings.file)
        self.queue = Queue(self.storage)

    def close(self) -> None:
        self.storage.close()

    def __enter__(self) -> Desk:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- taking in -------------------------------------------------------------------------

    def take(self, place: Place, submitted: Submitted, ahead: Ahead = nothing_ahead) -> Standing:
        """Queue a submission, unless its review is there already, and say how it stands.

        Asks no model and no network. The same submission stands as it stood. ``ahead`` gives
        answers that will be taken in next.
        """
        record = submitted.record()
        content = {name: value for name, value in record.items() if name != "points"}
        identity = [content, form(), self.settings.model, self.settings.options()]
        asks = self.settings.share > 0
        name = fingerprint([*identity, asks])
        known = self.queue.find(place)
        if known is not None and known.fingerprint == name:
            said = known.payload["computed"]
        else:
            said = computed(submitted, ahead)
        job = self.queue.put(place, name, {"submitted": record, "computed": said})
        if job.state == "pending":
            result = without_a_model(submitted, said, asks=asks)
            if result is not None:
                job = self.queue.complete(job, "done", result)
        return self.standing(job)

    def standing(self, job: Job) -> Standing:
        return standing(job, self.settings, self.doubt)

    def noted(self, place: Place, said: Standing) -> None:
        """Note that the gradebook now says this of a finished review."""
        job = self.queue.find(place)
        if job is not None and job.finished:
            self.queue.applied(job, said.mark())

    # -- calibration -----------------------------------------------------------------------

    def doubt(self, digest: str) -> str:
        """Why a model's marks are only proposed; empty where its calibration was passed."""
        row = self.storage.connection.execute(
            "SELECT passed FROM calibrations WHERE digest = ? AND form = ?", (digest, form())
        ).fetchone()
        if row is None:
            return (
                "the model is not calibrated, so its mark is only proposed "
                "(attention-course review calibrate)"
            )
        return "" if row["passed"] else "the model failed its calibration; its mark is a proposal"

    def keep_calibration(self, digest: str, passed: bool, record: Mapping[str, Any]) -> None:
        """Keep how a model's calibration went, in the place of an earlier one."""
        values = (digest, form(), now(), passed, json.dumps(record))
        with self.storage.change() as connection:
            connection.execute("INSERT OR REPLACE INTO calibrations VALUES (?, ?, ?, ?, ?)", values)

    # -- working off -----------------------------------------------------------------------

    def jobs(self, assignment: str, student: str | None = None) -> list[Job]:
        return self.queue.jobs(assignment, student)

    def waiting(self, assignments: Iterable[str]) -> int:
        """How many reviews of these assignments are still to come."""
        jobs = [job for name in assignments for job in self.queue.jobs(name)]
        return sum(not job.finished for job in jobs)

    def apply(self, job: Job, write: Write) -> bool:
        """Tell the gradebook how a finished review stands; False where it knows it already."""
        said = self.standing(job)
        if job.applied == said.mark() or not write(job.place, said):
            return False
        self.queue.applied(job, said.mark())
        return True

    def apply_finished(self, assignment: str, write: Write) -> int:
        """Tell the gradebook of every review that it does not know; returns how many.

        A run that was killed between review and gradebook leaves such reviews, and so does a
        calibration, which turns proposals into marks.
        """
        finished = [job for job in self.queue.jobs(assignment) if job.finished]
        return sum(self.apply(job, write) for job in finished)

    def work_off(
        self,
        assignment: str,
        reviewer: Reviewer,
        write: Write,
        progress: Callable[[], None] = lambda: None,
    ) -> Tally:
        """Apply what is finished, then review what is pending, each applied as it comes."""
        self.apply_finished(assignment, write)

        def finished(job: Job) -> None:
            self.apply(job, write)

        worker = Worker(self.storage, reviewer, finished)
        return worker.work_off(assignment, progress)


def counts(jobs: Iterable[Job], standing_of: Callable[[Job], Standing]) -> Mapping[str, int]:
    """How many reviews stand how."""
    found: dict[str, Any] = {}
    for job in jobs:
        state = standing_of(job).state
        found[state] = found.get(state, 0) + 1
    return found
