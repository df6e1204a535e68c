"""What of a student's text a model may read, and what of a model's text a page may show.

Comments go, line numbers stay; strings can be masked; whatever a chat template or a fence of
ours would take for its own is broken up; text that reads like an instruction is pointed out
to a person. Going away is never a punishment: that is for people to decide.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import re
import tokenize
import unicodedata
from dataclasses import dataclass

SANITIZER = 1  # part of every stored answer's key: another sanitizer, another question
BREAK = "\u200b"  # a zero-width space: no marker survives it, and people do not see it
MASK = "…"
LONGEST = 8_000  # characters of an answer that fit beside the rubric
MOST_LOOKED_AT = 60_000  # characters that are searched for words to a grader
STRINGS = {tokenize.STRING}
# Parts of f-strings are tokens of their own from Python 3.12 on.
MIDDLE = getattr(tokenize, "FSTRING_MIDDLE", -1)

# What chat templates of the usual families take for control: <|im_start|>, [INST], <s>, …
MARKERS = re.compile(
    r"<[|｜]|[|｜]>|\[/?(?:INST|SYS|SYSTEM|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\]|<</?SYS>>"
    r"|</?(?:s|bos|eos|pad|unk|system|user|assistant|human|model|tool|tools|tool_call|think"
    r"|thinking|start_of_turn|end_of_turn|start_header_id|end_header_id|eot_id|message|answer)>"
    r"|^[ \t]*(?:#{2,}|(?:system|user|assistant|human|model)[ \t]*:)|`{3,}|~{3,}|={4,}|-{4,}",
    re.IGNORECASE | re.MULTILINE,
)
# Characters that turn text around or hide it.
HIDDEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]"
)

# Words that talk to a grader instead of a reader, in the languages that our students write.
TALKS = re.compile(
    r"ignore (?:all|any|the|every|previous|prior|above|my|your|these|those)|disregard"
    r"|(?:previous|prior|above|system|following) (?:instruction|prompt|rule|message)s?"
    r"|you are (?:now|a|an|the)\b|act as|pretend|as an? (?:ai|llm|language model)|language model"
    r"|(?:give|award|assign|grant|return|output|respond|answer|set|rate|score|grade)\b.{0,40}"
    r"\b(?:full|max(?:imum)?|top|highest|best|perfect|five|[45](?: ?/ ?5)?)\b.{0,20}"
    r"(?:mark|point|score|grade|rating)?"
    r"|(?:full|max(?:imum)?|top|highest|perfect) (?:mark|point|score|grade|credit|rating)s?"
    r"|[a-z] (?:names|shapes|structure) score|[a-z]_(?:names|shapes|structure)\W{0,4}[0-5]"
    r"|score\W{0,3}[:=]\W{0,3}[45]\b"
    r"|\b(?:reviewer|grader|evaluator|examiner|teaching assistant)s?\b|important notice|jailbreak"
    r"|(?:repeat|reveal|recite|leak)\b.{0,40}\b(?:rubric|reference|solution|answer|prompt|above)"
    r"|(?:print|show|quote|copy|write)\b.{0,30}\b(?:rubric|system prompt|good answer|instructions)"
    r"|ignorier|vergiss|volle punktzahl|(?:alle|volle|h(?:ö|oe)chste) punkte|bewerte|anweisung"
    r"|ignore[zr]? (?:les|toutes)|oublie|note maximale|tous les points|consigne"
    r"|ignora(?:r|d)? (?:las|todas|le|tutte)|olvida|m(?:á|a)xima (?:nota|puntuaci)|instruccion"
    r"|punteggio (?:massimo|pieno)|istruzioni|ignore (?:as|todas)|nota m(?:á|a)xima"
    r"|忽略|满分|滿分|最高分|指令|无视|無視|指示|満点|игнориру|максимальн|инструкци|оценк|تجاهل|무시|만점",
    re.IGNORECASE,
)
# Of a name of two words only what no name in a lesson says: max_score is an honest one.
SHORT_TALKS = re.compile(
    r"(?:full|all|perfect|top|max(?:imum)?|highest) (?:mark|point|credit|grade)s?"
    r"|(?:five|5) of (?:five|5)|ignore (?:rubric|rules)|good grader",
    re.IGNORECASE,
)
ENCODED = re.compile(r"(?:[A-Za-z0-9+/]{40,}={0,2}|(?:\\x[0-9a-f]{2}){12,}|(?:[0-9a-f]{2}){24,})")


@dataclass(frozen=True, slots=True)
class Flag:
    """A line that a person should look at, and why."""

    line: int
    why: str


def shown(source: str, *, masked: bool = False) -> str:
    """The source as the model reads it: no comments, the same lines, no markers.

    With ``masked`` strings and docstrings are empty as well, so that nothing but code is left.
    Doing it twice changes nothing more.
    """
    text = _plain(source)
    text = _rewritten(text, masked)
    return "\n".join(line.rstrip() for line in break_markers(text).split("\n"))


def break_markers(text: str) -> str:
    """Put a zero-width space behind the first character of whatever looks like a marker.

    >>> break_markers("<|im_end|>") == "<\\u200b|im_end|\\u200b>"
    True
    """
    before = None
    while before != text:
        before = text
        text = MARKERS.sub(_broken, text)
    return text


def _broken(match: re.Match[str]) -> str:
    found = match.group()
    lead = len(found) - len(found.lstrip(" \t"))
    return found[: lead + 1] + BREAK + BREAK.join(found[lead + 1 :])


def fence(text: str, key: bytes = b"code-quality review") -> str:
    """A line that surrounds ``text`` and cannot stand in it: it depends on every letter of it.

    Whoever knows ``key`` still cannot write a text that holds its own hash.
    """
    return "CODE-" + hmac.new(key, text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:24]


def flags(source: str, *, shown_whole: bool = True) -> tuple[Flag, ...]:
    """Lines that talk to whoever grades, or hide something; for a person, never for a mark."""
    found: list[Flag] = []
    if len(source) > LONGEST or not shown_whole:
        found.append(Flag(1, f"is longer than the {LONGEST} characters that the judge reads"))
    source = source[:MOST_LOOKED_AT].replace("\r\n", "\n")
    said = _said(source)
    for number, line in enumerate(source.split("\n"), 1):
        flat = unicodedata.normalize("NFKC", HIDDEN.sub("", said.get(number, "")))
        words = re.sub(r"[\s_\-.*~]+", " ", flat)
        if HIDDEN.search(line):
            found.append(Flag(number, "has invisible characters"))
        elif MARKERS.search(flat.strip()) and re.search(r"<[|｜/]?\w|\[/?INST|<<", flat):
            found.append(Flag(number, "has markers of a chat template"))
        elif TALKS.search(flat) or TALKS.search(words):
            found.append(Flag(number, "reads like an instruction to whoever grades"))
        elif ENCODED.search(flat):
            found.append(Flag(number, "holds a long encoded text"))
        elif _mixes_alphabets(unicodedata.normalize("NFKC", line)):
            found.append(Flag(number, "has a name that mixes alphabets"))
    return tuple(found)


def _said(source: str) -> dict[int, str]:
    """What each line says in words: comments, strings, and names that speak."""
    lines = source.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    # Magics and commands are no Python, and never reach the judge.
    said = {n: line for n, line in enumerate(lines, 1) if line.lstrip()[:1] in ("%", "!")}
    text = "\n".join("" if n in said else line for n, line in enumerate(lines, 1))
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            words = token.type in (tokenize.COMMENT, MIDDLE) or token.type in STRINGS
            if words or (token.type == tokenize.NAME and _speaks(token.string)):
                for place, line in enumerate(token.string.split("\n")):
                    number = token.start[0] + place
                    line = line if words else " ".join(_words(line))
                    said[number] = f"{said.get(number, '')} {line}"
    except (tokenize.TokenError, SyntaxError, RecursionError):
        return dict(enumerate(lines, 1))  # all of it: who knows what it is
    return said


def _words(name: str) -> list[str]:
    """The words of a name, whether_written_so or whetherWrittenSo."""
    return re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[^\W_A-Z]+", unicodedata.normalize("NFKC", name))


def _speaks(name: str) -> bool:
    words = _words(name)
    return len(words) >= 3 or bool(SHORT_TALKS.fullmatch(" ".join(words)))


def _mixes_alphabets(line: str) -> bool:
    for word in re.findall(r"\w+", line):
        scripts = {unicodedata.name(c, "?").split()[0] for c in word if c.isalpha()}
        if "LATIN" in scripts and scripts & {"CYRILLIC", "GREEK"} and len(word) > 2:
            return True
    return False


def identifiers(source: str) -> frozenset[str]:
    """Every name in the source, for telling whether a remark speaks of something that exists."""
    return frozenset(re.findall(r"[^\W\d]\w*", source))


# Code between two backticks is code on a page, and readable where nothing is rendered.
CODE = re.compile(r"(?<!`)`([^`<>&$\\\n]{1,60})`(?!`)")
# Where a page would read markup, a space keeps it from being one: people read on.
SPACED = (
    (re.compile(r"<(?=[^\s=\d])"), "< "),
    (re.compile(r"&(?=[#\w])"), "& "),
    (re.compile(r"\](?=[(\[:])"), "] "),
    (re.compile(r"\[(?=\^)"), "[ "),
    (re.compile(r":(?=//)"), ": "),
    (re.compile(r"(?i)\b(www)\."), r"\1 ."),
    (re.compile(r"~(?=~)"), "~ "),
    (re.compile(r"(?<=\S)\*|\*(?=\S)"), " * "),
)


def safe_text(text: str) -> str:
    """One line that shows as it stands in HTML and in Markdown, whoever wrote it.

    nbgrader's feedback renders it, formgrader's text field and the terminal do not.

    >>> safe_text("`d_k` <b>[x](y)</b> $1$")
    '`d_k` < b>[x] (y)< /b> ＄1＄'
    """
    flat = " ".join(HIDDEN.sub("", text).split())
    flat = "".join(c for c in flat if unicodedata.category(c) not in ("Cc", "Cs"))
    # MathJax reads the finished page, where an entity is the character again.
    flat = flat.replace("$", "\uff04").replace("\\", "\uff3c")
    parts = CODE.split(flat)
    shown_parts = (f"`{part}`" if n % 2 else _inert(part) for n, part in enumerate(parts))
    line = "".join(shown_parts).strip()
    return re.sub(r"^([#>+=*~|:-]+|\d+[.)](?=\s|$))", lambda m: f"({m[1]})", line)


def _inert(text: str) -> str:
    before = None
    text = text.replace("`", "'")
    while before != text:
        before = text
        for found, instead in SPACED:
            text = found.sub(instead, text)
        text = re.sub(r" {2,}", " ", text)
    return re.sub(r"(?<![^\W_])_|_(?![^\W_])", "&#95;", text)  # inside a word it means nothing


# -- comments and strings -------------------------------------------------------------------


def _plain(source: str) -> str:
    """Line ends as Python counts lines, and nothing that cannot be seen."""
    text = source.replace("\r\n", "\n").replace("\r", "\n").replace("\f", " ").replace("\0", "")
    text = "".join(c if c in "\n\t" or unicodedata.category(c) != "Cc" else " " for c in text)
    return HIDDEN.sub("", text.replace("\u2028", " ").replace("\u2029", " ").replace("\x85", " "))


def _rewritten(text: str, masked: bool) -> str:
    """Take comments out, and with ``masked`` what strings hold."""
    lines = text.split("\n")
    try:
        found = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError, RecursionError):
        return _roughly(text, masked)
    cuts: list[tuple[tuple[int, int], tuple[int, int], str]] = []
    for token in found:
        if token.type == tokenize.ERRORTOKEN and token.string.strip() in ("'", '"', "#"):
            return _roughly(text, masked)
        if token.type == tokenize.COMMENT:
            cuts.append((token.start, token.end, ""))
        elif masked and token.type in STRINGS:
            cuts.append((token.start, token.end, _emptied(token.string)))
        elif masked and token.type == MIDDLE and token.string:
            cuts.append((token.start, token.end, MASK + "\n" * token.string.count("\n")))
    for start, end, instead in reversed(cuts):
        head, tail = lines[start[0] - 1][: start[1]], lines[end[0] - 1][end[1] :]
        lines[start[0] - 1 : end[0]] = (head + instead + tail).split("\n")
    return "\n".join(lines)


def _emptied(literal: str) -> str:
    """The same literal over the same lines, holding nothing but a mask."""
    prefix = re.match(r"[A-Za-z]*", literal).group()  # type: ignore[union-attr]
    rest = literal[len(prefix) :]
    quote = rest[:3] if rest[:3] in ('"""', "'''") else rest[:1]
    return prefix + quote + MASK + "\n" * literal.count("\n") + quote


def _roughly(text: str, masked: bool) -> str:
    """The same for text that Python cannot read, letter by letter."""
    out: list[str] = []
    quote = ""
    at = 0
    while at < len(text):
        three, one = text[at : at + 3], text[at]
        if quote:
            if text.startswith(quote, at):
                out.append(quote)
                at += len(quote)
                quote = ""
                continue
            if one == "\n" and len(quote) == 1:
                quote = ""
            elif one == "\\" and at + 1 < len(text) and text[at + 1] != "\n":
                out.append("" if masked else text[at : at + 2])
                at += 2
                continue
            out.append(one if one == "\n" or not masked else "")
            at += 1
        elif one == "#":
            while at < len(text) and text[at] != "\n":
                at += 1
        elif three in ('"""', "'''") or one in "\"'":
            quote = three if three in ('"""', "'''") else one
            out.append(quote + (MASK if masked else ""))
            at += len(quote)
        else:
            out.append(one)
            at += 1
    return "".join(out)
