"""Columns in terminals of a given width: nothing is wider, and what matters stays whole."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from b2bua.operator import show
from b2bua.operator.columns import aligned, cells, cut, printable

HEAD = ("CALL", "CALLER", "RULES")
ROWS = [("9f2c77aa", "alice.in.wonderland@example.com", "office.route:49:3 office.route:67:3"), ("1", "bob", "-")]


def test_what_has_room_is_as_wide_as_it_is() -> None:
    assert show.table(HEAD, ROWS, width=120) == show.table(HEAD, ROWS)


def test_the_widest_is_cut_first_and_an_id_never() -> None:
    assert show.table(HEAD, ROWS, ("CALL",), 60).splitlines() == [
        "CALL      CALLER                    RULES",
        "9f2c77aa  alice.in.wonderland@exa…  office.route:49:3 offic…",
        "1         bob                       -",
    ]


def test_columns_are_left_out_when_there_is_no_room_for_them() -> None:
    assert show.table(HEAD, ROWS, ("CALL",), 20).splitlines() == [
        "CALL      CALLER",
        "9f2c77aa  alice…",
        "1         bob",
    ]


def test_letters_that_take_two_cells_and_none_are_counted_so() -> None:
    assert (cells("日本"), cells("e\u0301"), cells("abc")) == (4, 1, 3)
    assert cut("日本語", 5) == "日本…"
    assert aligned([("A", "B"), ("日本", "x"), ("e\u0301", "y")]).splitlines() == [
        "A     B",
        "日本  x",
        "e\u0301     y",
    ]


def test_what_cannot_be_printed_moves_no_cursor() -> None:
    assert printable("\x1b[2Jcaf\udce9") == r"\x1b[2Jcaf\udce9"


@given(
    st.lists(st.tuples(*[st.text(max_size=30).map(printable)] * 3), min_size=1, max_size=5),
    st.integers(1, 100),
    st.sets(st.integers(0, 2)),
)
def test_no_line_is_ever_wider(rows: list[tuple[str, str, str]], width: int, whole: set[int]) -> None:
    assert all(cells(line) <= width for line in aligned(rows, whole, width).split("\n"))
