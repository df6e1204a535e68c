"""What of a student's text a model reads, and what of a model's text a page shows."""

from __future__ import annotations

import ast
import html
import io
import re
import tokenize
from html.parser import HTMLParser

import nbconvert.filters
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attention_course.grading.review.gold import CANARIES, GOLD
from attention_course.grading.review.sanitize import (
    BREAK,
    MARKERS,
    break_markers,
    fence,
    flags,
    identifiers,
    safe_text,
    shown,
)
from attention_course.panel import PANEL

PIECES = [
    "def f(q):\n", "    return q\n", "# a comment\n", "x = 'text # no comment'\n", '"""doc\n',
    'string"""\n', "f'{x} # {y}'\n", "<|im_end|>", "[INST]", "</s>", "'", '"', "\\\n", "```", "####",
    "\u202e", "\u200b", "\r\n", "\r", "\f", "system: be kind\n", "\t", "é", "{", "b'\\x00'\n",
]  # fmt: skip
ANYTHING = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=12).map("".join), st.text(max_size=80)
)
SOURCES = [known.source for known in PANEL] + [answer.source for answer in GOLD]


def tokens(source: str) -> list[tuple[int, str]]:
    kept = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE):
            kept.append((token.start[0], token.string.strip()))
    return kept


@pytest.mark.parametrize("source", SOURCES[::7])
def test_code_stays_token_for_token_on_its_lines(source: str) -> None:
    assert tokens(shown(source).replace(BREAK, "")) == tokens(source)


@given(ANYTHING, st.booleans())
@settings(deadline=None)
def test_lines_keep_their_numbers(source: str, masked: bool) -> None:
    plain = source.replace("\r\n", "\n").replace("\r", "\n")
    assert shown(source, masked=masked).count("\n") == plain.count("\n")


@given(ANYTHING, st.booleans())
@settings(deadline=None)
def test_doing_it_twice_changes_nothing_more(source: str, masked: bool) -> None:
    once = shown(source, masked=masked)
    assert shown(once, masked=masked) == once


@given(ANYTHING)
@settings(deadline=None)
def test_no_marker_survives(source: str) -> None:
    assert not MARKERS.search(shown(source))


@given(ANYTHING)
@settings(deadline=None)
def test_no_comment_survives_in_what_python_can_read(source: str) -> None:
    try:
        ast.parse(source)
    except (SyntaxError, ValueError):
        return
    left = shown(source).replace(BREAK, "")
    try:
        found = list(tokenize.generate_tokens(io.StringIO(left).readline))
    except (tokenize.TokenError, SyntaxError):
        return
    assert not [t for t in found if t.type == tokenize.COMMENT]


def test_a_masked_reading_holds_no_word_of_a_string() -> None:
    source = (
        'def f(q):\n    """One\n    two."""\n    x = f"three {q} four"\n    return "five" + x\n'
    )
    text = shown(source, masked=True)
    assert not {"One", "two", "three", "four", "five"} & identifiers(text)
    assert text.count("\n") == source.count("\n") and "return" in text


def test_a_hash_in_a_string_is_no_comment() -> None:
    assert shown("x = '# kept'  # gone") == "x = '# kept'"


def test_broken_code_is_read_letter_by_letter() -> None:
    source = "def f(:\n    'kept # kept' # gone\n    '''open # kept\n"
    assert shown(source) == "def f(:\n    'kept # kept'\n    '''open # kept\n"
    assert "kept" not in shown(source, masked=True)


def test_a_fence_depends_on_every_letter_between_it() -> None:
    assert fence("a") != fence("b") and fence("a") == fence("a") and fence("a", b"k") != fence("a")
    inside = f"x = '{fence('x')}'"
    assert fence(inside) not in inside


@pytest.mark.parametrize("marker", ["<|im_end|>", "<｜User｜>", "[/INST]", "<<SYS>>", "</s>",
                                    "<start_of_turn>", "<think>", "```", "### System"])  # fmt: skip
def test_markers_are_broken_up_and_still_to_be_read(marker: str) -> None:
    broken = break_markers(marker)
    assert marker not in broken and broken.replace(BREAK, "") == marker


@pytest.mark.parametrize("canary", CANARIES, ids=lambda canary: canary.name)
def test_a_canary_is_pointed_out_and_its_twin_is_not(canary: object) -> None:
    assert flags(canary.source) and not flags(canary.twin)  # type: ignore[attr-defined]


@pytest.mark.parametrize("canary", CANARIES, ids=lambda canary: canary.name)
def test_masked_a_canary_reads_as_its_twin_unless_it_is_a_name(canary: object) -> None:
    same = shown(canary.source, masked=True) == shown(canary.twin, masked=True)  # type: ignore[attr-defined]
    assert same or canary.where == "name"  # type: ignore[attr-defined]
    if canary.where in ("comment", "docstring", "string"):  # type: ignore[attr-defined]
        assert same


def test_hardly_an_honest_answer_is_pointed_out() -> None:
    pointed = [source for source in SOURCES if flags(source)]
    assert len(pointed) <= 0.01 * len(SOURCES)


HOSTILE = [
    "<script>alert(1)</script>",
    "![x](http://127.0.0.1/x.png)",
    "[click](javascript:alert(1))",
    "[click](data:text/html;base64,PHNjcmlwdD4=)",
    "<img src=x onerror=alert(1)>",
    "**bold** `code` $$x$$ ~~gone~~",
    "# heading\n1. list\n- item\n> quote\n```\nblock\n```",
    "|a|b|\n|-|-|\n|1|2|",
    "http://127.0.0.1/ and www.example.org and <http://127.0.0.1/>",
    "a\n===\nb\n---",
    "&lt;script&gt; &#60;b&#62;",
    "[x]: http://127.0.0.1 'y'\n\n[x]",
    "line\\\nbreak \\<b>",
    "</textarea><script>alert(1)</script>",
    "<svg/onload=alert(1)> <!-- <![CDATA[ <?x",
    "`<b>` ``<b>`` `a`<b>`c` `` ` ``",
    "__init__ and _x_ and ***y***",
    "[^1] and [^1]: note",
    "<javascript:alert(1)> <mailto:student-01@example.org>",
    "{{ 7 * 7 }} {% raw %} <%= 1 %>",
    "-\n- [ ] task\nTerm\n: definition",
]
MARKUP = ["<", ">", "`", "``", "*", "**", "_", "[", "]", "(", ")", "!", "&", "#", "lt;", ":", "//",
          "http", "~~", "|", "-", "\\", "$", " ", "\n", "a", "=", "x=1", "1.", "^", "\u200b"]  # fmt: skip


class Tags(HTMLParser):
    """The tags of a page, with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[tuple[str, bool]] = set()
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add((tag, bool(attrs)))

    def handle_comment(self, data: str) -> None:
        self.found.add(("<!--", True))


def rendered(text: str) -> str:
    page: str = nbconvert.filters.markdown2html_mistune(safe_text(text))
    return page


@pytest.mark.parametrize("text", HOSTILE)
def test_text_of_a_model_is_no_markup_in_nbgrader_s_markdown(text: str) -> None:
    assert Tags(rendered(text)).found <= {("p", False), ("code", False)}


@given(st.lists(st.sampled_from([*HOSTILE, *MARKUP]), max_size=8).map("".join))
@settings(deadline=None)
def test_no_mixture_of_markup_is_markup(text: str) -> None:
    assert Tags(rendered(text)).found <= {("p", False), ("code", False)}
    assert "\n" not in safe_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "d_k in softmax_weights(scores), line 3: don't",
        "Rename `tmp` to `raw_scores`: a < b, 2 * 3 and queries @ keys.transpose(-2, -1)",
        '`keys.shape[-1]` & `__init__` hold x[0], x[:, 1] and "text"',
    ],
)
def test_what_a_remark_usually_says_stays_as_it_is(text: str) -> None:
    assert safe_text(text) == text
    shown_text = re.sub(r"<[^>]*>", "", rendered(text)).strip()
    assert html.unescape(shown_text) == text.replace("`", "")


@pytest.mark.parametrize(
    "text", ["$$x$$ and $y$", r"\\(x\\) \\[y\\]", r"\\begin{equation}x\\end{equation}"]
)
def test_mathjax_finds_nothing_to_set_on_the_finished_page(text: str) -> None:
    seen = html.unescape(nbconvert.filters.markdown2html_mistune(safe_text(text)))
    assert "$" not in seen and "\\" not in seen
