import pytest

from ecs_pipeline.reports.plain import LONGEST_LINE, one_line, plain, plain_lines, shortened


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
    assert shortened("x" * LONGEST_LINE) == "x" * LONGEST_LINE
    assert shortened("x" * 1_000_000) == "x" * LONGEST_LINE + f" [{1_000_000 - LONGEST_LINE} more characters]"
