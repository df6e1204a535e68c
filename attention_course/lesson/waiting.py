"""``with needs("attention_scores"):`` lets a later cell wait kindly for an earlier answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from attention_course.lesson.card import Card, Mood
from attention_course.lesson.setting import in_sandbox, show

OURS = ("attention_course", "reference_attention")


@contextmanager
def needs(*exercises: str) -> Iterator[None]:
    """Run a block that uses earlier answers; if it cannot run yet, say why and go on.

    Give the exercises that the block builds on, in lesson order. Whatever the block raises
    is shown as one sentence below the cell, so that a notebook with unfinished or wrong
    answers still runs to its end. Interrupting the kernel still interrupts.
    """
    if not exercises:
        raise TypeError("needs() wants the name of at least one exercise")
    try:
        yield
    except Exception as error:
        if not in_sandbox():
            names = _listed([f"`{name}`" for name in exercises])
            show(
                Card(
                    mood=Mood.WAITING,
                    title=f"this cell needs {names}",
                    paragraphs=(_explain(error),),
                )
            )


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _explain(error: Exception) -> str:
    if isinstance(error, NotImplementedError):
        return (
            "It is not written yet. Replace `raise NotImplementedError()` with your answer, "
            "run its check, then run this cell again."
        )
    if isinstance(error, NameError) and error.name:
        return (
            f"`{error.name}` does not exist yet. Run the cells above in order, from the one "
            "that defines it, then run this cell again."
        )
    said = " ".join(str(error).split())
    if type(error).__module__.partition(".")[0] in OURS:
        # Our own errors are written for the student: they say where and what next.
        return said
    if isinstance(error, ImportError):
        return f"A package is missing here ({said}). The rest of the lesson does not need it."
    what = f"{type(error).__name__}: {said}" if said else type(error).__name__
    return (
        f"It could not be used here ({what}). Run the check of that exercise: it says what to "
        "change. Then run this cell again."
    )
