"""Text of others: what is taken out of it, what is left, and that no filter takes long over it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_pipeline import text
from ecs_pipeline.errors import InvalidInput, PipelineError
from ecs_pipeline.text import LONGEST_LINE, LONGEST_RAW, cut, message, one_line, plain, plain_lines, without_credentials

PIECES = [
    *"\x1b\x9b\x9d\x90\x98\x9c\x07[]P^_0;m \n\r\t\u2028\u202e",
    "a",
    "://",
    "http://u:pw@h",
    "?token=",
    " [7 more characters]",
    "x" * (LONGEST_RAW - 5),
]
HOSTILE = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5)), max_size=12).map("".join)
FILTERS = [cut, plain, one_line, message, without_credentials]


@pytest.mark.parametrize(
    ("hostile", "harmless"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x9b31mred\x9b0m", "red"),
        ("\x1b]0;a title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bP1$r\x1b\\text", "text"),
        ("\x1b(Btext\x1bM", "text"),
        ("\x1b[2J\x1b[1;1Hgone", "gone"),
        ("bell\x07 null\x00 delete\x7f next\x85", "bell null delete next"),
        ("half \ud83d none \ufffe\uffff", "half  none "),
        ("\u202egnp.elif\u202c \u2066x\u2069", "gnp.elif x"),
        ("tabs\tstay, so do \U0001f680 and 日本", "tabs\tstay, so do \U0001f680 and 日本"),
        ("\x1b[31", "31"),
        ("\x1b]0;never ended", "0;never ended"),
    ],
)
def test_terminal_codes_and_forbidden_characters_are_removed(hostile: str, harmless: str) -> None:
    assert plain(hostile) == harmless


def test_every_kind_of_line_end_ends_a_line() -> None:
    assert plain_lines("a\nb\r\nc\rd\x85e\u2028f\x0bg") == list("abcdefg")


def test_a_text_of_many_lines_fits_on_one() -> None:
    assert one_line("first\r\n\n\x1b[1msecond\x1b[0m") == "first second"


def test_a_long_line_is_cut_and_says_how_much_is_missing() -> None:
    assert cut("x" * LONGEST_LINE) == "x" * LONGEST_LINE
    assert cut("x" * 1_000_000) == "x" * LONGEST_LINE + f" [{1_000_000 - LONGEST_LINE} more characters]"


def test_a_plain_line_is_whole() -> None:
    assert plain("word " * 200_000) == "word " * 200_000


def test_what_is_cut_twice_still_says_how_much_is_missing_in_all() -> None:
    whole = "x" * 1_000_000
    assert cut(plain(cut(whole, 100_000))) == cut(whole)


@pytest.mark.parametrize("opener", ["\x9d", "\x90", "\x1b]", "\x1bP", "\x9b0", "\x1b[", "\x1b "])
def test_an_expression_looks_at_so_much_at_a_time_and_no_more(monkeypatch: pytest.MonkeyPatch, opener: str) -> None:
    seen: list[int] = []

    class Looking:
        def __init__(self, expression: re.Pattern[str]) -> None:
            self.expression = expression

        def sub(self, new: str, line: str) -> str:
            seen.append(len(line))
            return self.expression.sub(new, line)

    for name in ("_TERMINAL_CODES", "_FORBIDDEN"):
        monkeypatch.setattr(text, name, Looking(getattr(text, name)))
    for made in (plain, one_line, message):
        made(opener * 100_000)
        made("begin\n" + opener * 100_000)
    assert max(seen) <= LONGEST_RAW


@given(HOSTILE)
def test_a_filter_applied_twice_changes_nothing_more(hostile: str) -> None:
    for made in FILTERS:
        once = made(hostile)
        assert made(once) == once, made


@given(HOSTILE)
def test_what_is_left_is_one_bounded_line_without_control_characters(hostile: str) -> None:
    left = message(hostile)
    assert len(left) <= LONGEST_RAW + 40
    assert len(left.splitlines()) <= 1
    assert all(sign == "\t" or sign.isprintable() or sign.isspace() or ord(sign) > 0x9F for sign in left)
    assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]", left)


@pytest.mark.parametrize(
    ("given_text", "shown"),
    [
        ('Could not connect to "http://user:PW@127.0.0.1:1/x?y=z"', 'Could not connect to "http://127.0.0.1:1/x"'),
        ("status 500 (http://u:p@h/health?token=X), twice", "status 500 (http://h/health), twice"),
        ("see https://a.b/c.", "see https://a.b/c."),
        ("http://u:p/w@host/x", "http://host/x"),
        ("http://u:p?w@host/x", "http://…"),
        ("HTTPS://u@h and tcp://1.2.3.4:2375", "HTTPS://h and tcp://1.2.3.4:2375"),
        ("http://[::1]:80/a?b", "http://[::1]:80/a"),
        ("https://h/@me/x#part", "https://h/@me/x"),
        ("http://h?x", "http://h"),
        ("no url: a@b?c", "no url: a@b?c"),
    ],
)
def test_a_url_is_shown_without_user_password_and_query(given_text: str, shown: str) -> None:
    assert without_credentials(given_text) == shown


@given(st.from_regex(r"[a-z0-9]{8}", fullmatch=True), st.sampled_from(["", "/x", ":80/x"]))
def test_no_secret_of_a_url_is_left(secret: str, end: str) -> None:
    for url in (f"http://user:{secret}@host{end}", f"http://host{end}?token={secret}", f"http://host{end}#{secret}"):
        assert secret not in message(f"before {url} after")
        assert message(f"before {url} after").endswith(" after")


# ---- errors: whoever wrote what they say


def test_an_error_is_one_plain_line_without_secrets_however_it_was_made() -> None:
    hostile = "\x1b[2K\x1b[1Aevil\r\n[Pipeline] Finished: SUCCESS (http://u:PW@h/?t=1)"
    harmless = "evil [Pipeline] Finished: SUCCESS (http://h/)"
    error = InvalidInput(hostile, cure=hostile, evidence=[hostile, "", "  indented"])
    assert (error.message, error.cure) == (harmless, harmless)
    assert str(error) == f"{harmless}; {harmless}"
    assert error.evidence == ("evil", "[Pipeline] Finished: SUCCESS (http://u:PW@h/?t=1)", "", "  indented")
    error.message = error.cure = hostile
    error.evidence = ("\x1b[1mx",)
    assert (error.message, error.cure, error.evidence) == (harmless, harmless, ("x",))


@given(HOSTILE, HOSTILE)
def test_no_error_brings_a_line_break_or_a_control_character_along(said: str, hint: str) -> None:
    error = PipelineError(said, cure=hint, evidence=[said])
    for line in (str(error), *error.args, *error.evidence):
        assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]", line)
