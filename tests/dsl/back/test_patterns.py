"""Patterns one by one, and a set of them that must agree with trying them one after the other."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsl.patterns import PatternError, PatternSet, parse_pattern


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        (
            "+49X(6-12)",
            ["+49123456", "+49123456789012"],
            ["+4912345", "+491234567890123", "49123456", "+4912345a"],
        ),
        ("0ZX(2)", ["0123"], ["0023", "012", "01234"]),
        ("N[2-5][1,3,7-9]", ["221", "959"], ["121", "261", "252"]),
        ("*43", ["*43"], ["43", "*433"]),
        ("#X(0-2)", ["#", "#1", "#12"], ["#123"]),
        ("X(3)", ["123"], ["١٢٣", "12", "12\n3", "123\n"]),
        ("[25](2)", ["22", "25"], ["2", "23"]),
    ],
)
def test_a_pattern_takes_the_whole_text(pattern, matching, other):
    parsed = parse_pattern(pattern)
    for text in matching:
        assert parsed.matches(text) and PatternSet([parsed]).match(text) == (0,)
    for text in other:
        assert not parsed.matches(text) and PatternSet([parsed]).match(text) == ()


def test_captures_take_their_part():
    found = parse_pattern("9{area:X(3)}{rest:X(4-8)}#").regular_expression().fullmatch("903012345#")
    assert found is not None
    assert found.groupdict() == {"area": "030", "rest": "12345"}


@pytest.mark.parametrize(
    ("text", "offset", "says"),
    [
        ("", 0, "empty"),
        ("X(0-3)", 0, "at least one"),
        ("12a", 2, "`a` means nothing"),
        ("X(", 1, "no count"),
        ("X(5-3)", 1, "lower"),
        ("X(0)", 1, "lower"),
        ("X(2-99)", 1, "32"),
        ("1[5-2]", 1, "lower"),
        ("1[]", 1, "set of digits"),
        ("1{n:X", 1, "not closed"),
        ("1}", 1, "no capture"),
        ("{n:}", 0, "nothing"),
        ("{n:X{m:X}}", 4, "inside"),
        ("{n:X}{n:X}", 5, "twice"),
        ("{N:X}", 0, "lower-case"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text, offset, says):
    with pytest.raises(PatternError) as caught:
        parse_pattern(text)
    assert caught.value.offset == offset
    assert says in caught.value.message


PIECES = st.sampled_from(["0", "1", "4", "+", "*", "X", "Z", "N", "[0-4]", "X(0-2)", "X(2)", "Z(1-3)", "[14](0-1)"])
TEXTS = st.lists(st.text("0145+*#", max_size=8), min_size=1, max_size=10)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(PIECES, max_size=4).map("".join), max_size=12), st.sampled_from("0X+"), TEXTS)
def test_a_set_finds_what_one_after_the_other_finds(written, first, texts):
    patterns = [parse_pattern(first + text) for text in written]
    together = PatternSet(patterns)
    for text in texts:
        assert together.match(text) == tuple(i for i, pattern in enumerate(patterns) if pattern.matches(text))


@pytest.mark.parametrize(("patterns", "most"), [(40, 20), (100, 40)])
def test_made_up_numbers_do_not_fill_the_memory(monkeypatch, patterns, most):
    monkeypatch.setattr("dsl.patterns._MOST_STATES", most)
    together = PatternSet([parse_pattern(f"{number}X(2)") for number in range(100, 100 + patterns)])
    for number in range(10_000, 10_000 + 100 * patterns):
        assert together.match(str(number)) == (number // 100 - 100,)
        assert len(together._states) <= most
