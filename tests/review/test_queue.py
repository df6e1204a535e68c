"""The queue: one row a submission, whatever is killed in between."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from attention_course.grading.review.queue import MOST_FAILURES, Place, Queue
from attention_course.grading.review.storage import Storage, StorageUnreadable

ONE = Place("attention", "student-01", "lesson")
TWO = Place("attention", "student-02", "lesson")


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    with Storage(tmp_path / "cache" / "reviews.db") as storage:
        yield Queue(storage)


def test_a_submission_waits_once_however_often_it_is_put(queue: Queue) -> None:
    for _ in range(3):
        job = queue.put(ONE, "same", {"answers": {}})
    assert job.state == "pending"
    assert [job.place for job in queue.jobs("attention")] == [ONE]


def test_jobs_are_claimed_in_the_order_in_which_they_came(queue: Queue) -> None:
    queue.put(TWO, "b", {})
    queue.put(ONE, "a", {})
    first, second = queue.claim("attention", 60), queue.claim("attention", 60)
    assert first is not None and second is not None
    assert [first.place, second.place] == [TWO, ONE]
    assert queue.claim("attention", 60) is None


def test_a_finished_review_stays_when_the_same_submission_is_graded_again(queue: Queue) -> None:
    queue.put(ONE, "same", {})
    job = queue.claim("attention", 60)
    assert job is not None
    assert queue.finish(job, "done", {"score": 2}, [])
    again = queue.put(ONE, "same", {})
    assert again.state == "done" and again.result == {"score": 2}


def test_another_submission_of_the_student_waits_anew(queue: Queue) -> None:
    queue.put(ONE, "first", {})
    job = queue.claim("attention", 60)
    assert job is not None
    queue.finish(job, "done", {"score": 2}, [])
    again = queue.put(ONE, "second", {})
    assert again.state == "pending" and again.result is None


def test_a_review_of_what_was_replaced_meanwhile_is_not_stored(queue: Queue) -> None:
    queue.put(ONE, "first", {})
    job = queue.claim("attention", 60)
    assert job is not None
    queue.put(ONE, "second", {})
    assert not queue.finish(job, "done", {"score": 2}, [])
    found = queue.find(ONE)
    assert found is not None and found.state == "pending"


def test_what_a_dead_process_had_claimed_is_pending_again(queue: Queue) -> None:
    queue.put(ONE, "a", {})
    program = (
        "import sys; from pathlib import Path\n"
        "from attention_course.grading.review.queue import Queue\n"
        "from attention_course.grading.review.storage import Storage\n"
        "import os, signal\n"
        "assert Queue(Storage(Path(sys.argv[1]))).claim('attention', 3600)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(queue.storage.path)], check=False)
    assert done.returncode == -9
    job = queue.claim("attention", 60)
    assert job is not None and job.place == ONE


def test_a_living_process_keeps_its_claim_until_its_time_is_over(queue: Queue) -> None:
    queue.put(ONE, "a", {})
    assert queue.claim("attention", 60) is not None
    assert queue.claim("attention", 60) is None
    queue.storage.connection.execute("UPDATE reviews SET lease = 0")
    assert queue.claim("attention", 60) is not None


def test_a_claim_that_was_lost_cannot_be_finished(queue: Queue) -> None:
    queue.put(ONE, "a", {})
    job = queue.claim("attention", 60)
    assert job is not None
    queue.storage.connection.execute("UPDATE reviews SET owner = 'elsewhere 1 2.00'")
    assert not queue.renew(job, 60)
    assert not queue.finish(job, "done", {}, [])


def test_what_fails_again_and_again_goes_to_a_person(queue: Queue) -> None:
    queue.put(ONE, "a", {})
    for number in range(MOST_FAILURES):
        job = queue.claim("attention", 60)
        assert job is not None, number
        queue.give_back(job, "did not answer in time")
    found = queue.find(ONE)
    assert found is not None and found.state == "for_person"
    assert found.reason == "did not answer in time"


def test_what_is_left_alone_in_a_run_is_not_claimed(queue: Queue) -> None:
    queue.put(ONE, "a", {})
    assert queue.claim("attention", 60, but={ONE}) is None


def test_an_application_counts_only_where_it_says_something_new(queue: Queue) -> None:
    job = queue.put(ONE, "a", {})
    for what in ("1.5", "1.5", "2"):
        queue.applied(job, what)
    row = queue.storage.connection.execute("SELECT applied, applied_times FROM reviews").fetchone()
    assert tuple(row) == ("2", 2)


def test_a_transaction_that_is_killed_leaves_nothing_behind(queue: Queue) -> None:
    program = (
        "import sys, os, signal; from pathlib import Path\n"
        "from attention_course.grading.review.storage import Storage\n"
        "storage = Storage(Path(sys.argv[1]))\n"
        "with storage.change() as connection:\n"
        '    connection.execute("INSERT INTO reviews (assignment, student, notebook, '
        "fingerprint, state, payload, queued) VALUES ('a','s','n','f','pending','{}','')\")\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(queue.storage.path)], check=False)
    assert queue.jobs("a") == []


def test_a_damaged_file_is_named_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "reviews.db"
    path.write_bytes(b"not a database, but long enough to look like a file of some kind" * 20)
    with pytest.raises(StorageUnreadable, match=r"reviews\.db cannot be read .*Move it away"):
        Storage(path)


def test_a_file_of_another_version_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "reviews.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    size = os.path.getsize(path)
    with pytest.raises(StorageUnreadable, match="of version 99"):
        Storage(path)
    assert os.path.getsize(path) == size


def test_an_older_file_that_somebody_reads_is_used_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "review.sqlite"
    Storage(path).close()
    monkeypatch.setattr("attention_course.grading.review.storage.PATIENCE", 0.1)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        assert other.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)
        other.execute("BEGIN")
        other.execute("SELECT * FROM reviews").fetchall()
        Storage(path).close()
        assert other.execute("PRAGMA journal_mode").fetchone() == ("delete",)
