"""What a student reads below a check: the words, the HTML and its text twin."""

import re
from html.parser import HTMLParser

import pytest

from attention_course.lesson.card import MAX_MESSAGE, Card, Mood, Row
from attention_course.lesson.selfcheck import earned, verdict_card
from attention_course.verdict import Outcome, Verdict


def card_of(outcome=Outcome.FAILED, message="Row 2 sums to 0.93, not 1.", **fields):
    return verdict_card(Verdict(outcome, "attention_weights", message, **fields), "Weights")


class Words(HTMLParser):
    """The words of a page, in order, without tags."""

    def __init__(self, html):
        super().__init__()
        self.words, self.tags = [], []
        self.feed(html)

    def handle_data(self, data):
        self.words += data.split()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))


def words(text):
    return re.findall(r"[\w.,\[\]()=/-]+", text.replace("`", ""))


def test_a_failed_card_says_points_message_shapes_and_what_next():
    card = card_of(expected_shape="[2, 5, 7]", actual_shape="[2, 7, 5]")
    assert card.text() == (
        "\N{BALLOT X} Not yet: Weights   0 of 1 point\n"
        "  Row 2 sums to 0.93, not 1.\n"
        "  Expected shape: [2, 5, 7]\n"
        "  Your shape: [2, 7, 5]\n"
        "  Next: Change your answer, run its cell again, then this one. The hints are just below."
    )


def test_a_passed_card_says_what_was_not_checked():
    card = card_of(Outcome.PASSED, "Your rows sum to 1.", points=1.0)
    assert card.text() == (
        "\N{CHECK MARK} Passed: Weights   1 of 1 point\n"
        "  Your rows sum to 1.\n"
        "  Checked here: several shapes and sizes, with the same numbers in every run. "
        "Not checked here: the grader's own numbers, which are drawn afresh."
    )


def test_an_ungraded_card_says_whose_fault_it_is_and_takes_no_points():
    text = card_of(Outcome.UNGRADED, "The check could not run.").text()
    assert text == (
        "? Not checked: Weights   no points yet, none lost\n"
        "  The check could not run.\n"
        "  Next: This is not your answer's fault. Run the cell again; if it stays, tell a teacher."
    )


def test_a_stub_waits_instead_of_failing():
    card = card_of(message="Nothing is written yet.", misconceptions=("not_started",))
    assert card.mood is Mood.WAITING
    assert "Next" not in card.text()


CARDS = [
    card_of(expected_shape="[2, 5, 7]", actual_shape="[2, 7, 5]", details=("One.", "Two.")),
    card_of(Outcome.PASSED, points=1.0),
    card_of(Outcome.UNGRADED),
    Card(
        Mood.FAILED,
        "1 of 2 exercises",
        "1 of 2 points",
        rows=(
            Row(Mood.PASSED, "Scores", "1/1", "Right."),
            Row(Mood.FAILED, "Weights", "0/1", "No."),
        ),
    ),
]


@pytest.mark.parametrize("card", CARDS)
def test_the_text_says_every_word_of_the_html(card):
    html = Words(card.html())
    table_head = {"Exercise", "Result", "Points", "Remark"} if card.rows else set()
    missing = set(words(" ".join(html.words))) - set(words(card.text())) - table_head
    assert missing == set()


@pytest.mark.parametrize("card", CARDS)
def test_a_card_is_announced_to_screen_readers_and_not_by_colour_alone(card):
    html = Words(card.html())
    assert html.tags[0][0] == "div" and html.tags[0][1]["role"] == "status"
    assert card.mood.symbol in card.html() and card.mood.word in card.html()
    assert all(tag != "style" for tag, _ in html.tags)


@pytest.mark.parametrize("card", CARDS)
def test_a_card_keeps_the_pages_own_text_colour(card):
    colours = re.findall(r"(?<![-\w])color: ([^;\"]+)", card.html())
    assert set(colours) == {"inherit"}
    assert re.search(r"background: rgba\([\d, ]+, 0\.\d+\)", card.html())


def test_moods_differ_in_symbol_and_word_and_colour():
    for part in ("symbol", "word", "rgb"):
        assert len({getattr(mood, part) for mood in Mood}) == len(Mood)


def test_text_of_the_students_own_is_escaped():
    attack = '<img src=x onerror="alert(1)"></div><script>alert(2)</script>'
    card = card_of(message=attack, details=(attack,), expected_shape=attack, actual_shape=attack)
    tags = {tag for tag, _ in Words(card.html()).tags}
    assert tags <= {"div", "strong", "span", "code", "br"}
    assert attack in card.text()


def test_a_very_long_message_is_cut_and_says_so():
    card = card_of(message="x" * 10_000_000)
    assert len(card.html()) < 3 * MAX_MESSAGE
    assert f"({10_000_000 - MAX_MESSAGE} more characters)" in card.text()


def test_backticks_become_code():
    assert "<code>dim=-1</code>" in card_of(message="Use `dim=-1` here.").html()
    assert "<code>" not in card_of(message="One ` alone.").html()


def test_the_output_carries_the_record_that_the_grader_writes():
    verdict = Verdict(Outcome.FAILED, "attention_weights", "No.", misconceptions=("no_name",))
    data, metadata = verdict_card(verdict, "Weights")._repr_mimebundle_()
    assert set(data) == {"text/html", "text/plain"}
    assert Verdict.from_record(metadata["attention_course"]) == verdict


@pytest.mark.parametrize(
    ("outcome", "points", "expected"),
    [
        (Outcome.PASSED, 1.0, "1"),
        (Outcome.FAILED, 0.0, "0"),
        (Outcome.FAILED, 0.5, "0.5"),
        (Outcome.UNGRADED, 0.0, "0"),
    ],
)
def test_points_come_back_as_a_plain_number(outcome, points, expected):
    assert repr(earned(Verdict(outcome, "x", "…", points=points))) == expected
