"""What is read by the short way means what YAML itself makes of it; all else goes the long way."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsl.marked_yaml import Document
from dsl.numbers import plan_for
from dsl.plain_yaml import PlainYaml, UnplainError
from dsl.tables import load_table
from dsl.users import read_users
from dsl.yaml_rows import read_rows

PLAIN = [
    "a",
    "b c",
    "+4930123",
    "0x1f",
    "yes",
    "a  b",
    "x*",
    "2026-12-24",
    "1.5",
    "ü 日",
    '"c, d"',
    "'e: {f'",
    '"null"',
]
OTHER = [
    "null",
    "~",
    "nullify",
    '""',
    "'it''s'",
    '"a\\n"',
    "-1",
    "sip:x",
    "a#b",
    "*x",
    "&x y",
    "[1]",
    ">",
    "# x",
    '"日本"',
]
TEXTS = st.sampled_from([*PLAIN, *PLAIN, *OTHER])
SPACES = st.sampled_from([" ", " ", "  ", ""])
ENDS = st.sampled_from(["\n", "\n", "\n", "\r\n", " # note: this\n", "  \n", "\n\n", "\n# x: y\n", "\n  # z\n", ""])


@st.composite
def entry(draw, depth=0):
    value = draw(TEXTS) if depth or draw(st.integers(0, 4)) else braces(draw, 1)
    return f"{draw(TEXTS)}:{draw(SPACES)}{value}"


def braces(draw, depth):
    entries = draw(st.lists(entry(depth), max_size=3))
    return "{" + f"{draw(SPACES)},{draw(SPACES)}".join(entries) + "}"


@st.composite
def file(draw):
    rows = [draw(st.sampled_from(["", "", "---\n", "# begin\n"]))]
    for _ in range(draw(st.integers(0, 3))):
        name, end = draw(TEXTS), draw(ENDS)
        if draw(st.booleans()):
            rows.append(f"{name}: {braces(draw, 0)}{end}")
            continue
        lines = [f"{draw(st.sampled_from(['  ', '  ', '  ', '   ']))}{draw(entry())}{draw(ENDS)}" for _ in range(2)]
        rows.append(f"{name}:{end}{''.join(lines)}")
    return "".join(rows)


@st.composite
def listed(draw):
    items = [f"-{draw(SPACES)}{draw(TEXTS)}{draw(ENDS)}" for _ in range(draw(st.integers(1, 3)))]
    return draw(st.sampled_from(["", "", "---\n", "# begin\n"])) + "".join(items)


def content(document):
    """Everything in a file: texts, and mappings as lists in their order."""

    def of(node):
        if not document.is_mapping(node):
            return document.text(node, "a text")
        return [(name, of(value)) for name, _, value in document.entries(node, "a mapping")]

    return [(name, of(value)) for name, _, value in document.rows("a file")]


@settings(max_examples=150, derandomize=True, deadline=None)
@given(file())
def test_the_short_way_says_what_yaml_says(text):
    try:
        plain = content(PlainYaml(text))
    except UnplainError:
        return
    problems = []
    assert content(Document.of(Path("t.yaml"), text, problems)) == plain
    assert problems == []


def items(document):
    """The texts of a file that is a list."""
    return [document.text(node, "a text") for node in document.items(document.root, "a list")]


@settings(max_examples=100, derandomize=True, deadline=None)
@given(listed())
def test_the_short_way_says_of_a_list_what_yaml_says(text):
    try:
        plain = items(PlainYaml(text))
    except UnplainError:
        return
    problems = []
    assert items(Document.of(Path("t.yaml"), text, problems)) == plain
    assert problems == []


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("- a\n- b c # d\n\n#- e\n- 'f, g'\n- \"h\"", ["a", "b c", "f, g", "h"]),
        ("---\n# all\n- 12-24 to 12-26\r\n", ["12-24 to 12-26"]),
        ("- a\n -b\n", None),
        ("- - a\n", None),
        ("a: {b: c}\n", None),
        ("", None),
    ],
)
def test_which_lists_are_plain_and_which_are_not(text, read):
    try:
        assert items(PlainYaml(text)) == read
    except UnplainError:
        assert read is None


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("a: {b: c}", [("a", [("b", "c")])]),
        ("---\n# all\na: {}\n", [("a", [])]),
        ("a:\n  b: c # d: e\n  # f: g\n\n  h: 'i, j'\n", [("a", [("b", "c"), ("h", "i, j")])]),
        ('"a b": {c: "d: e", f: {g: h , i: j}}\r\n', [("a b", [("c", "d: e"), ("f", [("g", "h"), ("i", "j")])])]),
        ("a: {null device: b}\n", None),
        ("a: {b: c}\na: {b: d}\n", None),
        ("a: {b: c, b: d}\n", None),
        ("a: b\n", None),
        ("a:\n  b: c\n   d: e\n", None),
        ("a: {b: &c d}\n", None),
        ("a: {b: c,, d: e}\n", None),
        ("a: {b: c d: e}\n", None),
        ("a: {b: c,}\n", None),
        ("a: {b: 'c\td'}\n", None),
        ("a: {b: 'c\u2028d'}\n", None),
        ("a: {b: c} # d\x07\n", None),
        ("Łódź: {b: Žižka}\n", [("Łódź", [("b", "Žižka")])]),
        (f"a: {{b: {'c' * 1_000}}}\n", None),
        ("", None),
    ],
)
def test_what_is_plain_and_what_is_not(text, read):
    try:
        assert content(PlainYaml(text)) == read
    except UnplainError:
        assert read is None


def test_whatever_is_asked_of_a_mistake_goes_the_long_way():
    plain = PlainYaml("a: {b: c}\n")
    [(_, name, row)] = plain.rows("a file")
    for ask in (
        lambda: plain.entries("b", "a row"),
        lambda: plain.items("b", "a row"),
        lambda: plain.text(row, "a text"),
        lambda: plain.line_of(name),
        lambda: plain.wrong(name, "wrong"),
        lambda: plain.wrong_file("wrong", "mend it"),
    ):
        with pytest.raises(UnplainError):
            ask()


LENGTH = 1_000
"""Rows of a long file."""


def long(row):
    """Rows of one kind, each with its number."""
    return "".join(f"{row.format(number)}\n" for number in range(LENGTH))


def test_a_mistake_far_down_still_has_its_place(tmp_path):
    path = tmp_path / "users.yaml"
    people = long("user{0}: {{password: a{0}, extension: {0}}}")
    path.write_text(f"{people}b:\n  password: b\n  extension: 1\n", encoding="utf-8")
    problems = []
    read_users(path, "x.example", problems)
    assert [(wrong.line, wrong.column) for wrong in problems] == [(LENGTH + 3, 14)]


def test_each_mistake_in_a_yaml_table_has_its_place(tmp_path):
    path = tmp_path / "t.yaml"
    for rows, above in (("", 0), (long("row{}: {{to: somewhere}}"), LENGTH)):
        path.write_text(f"{rows}a: {{key: b, to: c}}\nd: {{to: e}}\nd: {{to: f}}\ng: h\n", encoding="utf-8")
        problems = []
        load_table(path, "text", plan_for("+49"), problems)
        assert [(wrong.line - above, wrong.column) for wrong in problems] == [(1, 5), (3, 1), (4, 4)]
    path.write_bytes(b"a: {to: \xff}\n")
    problems.clear()
    assert len(load_table(path, "text", plan_for("+49"), problems)) == 0
    assert [(wrong.line, wrong.column) for wrong in problems] == [(1, 9)]


def test_rows_of_a_shared_mapping_are_all_read(tmp_path):
    path = tmp_path / "t.yaml"
    path.write_text(f"a: &x {{b: c}}\n{long('row{}: *x # for all alike')}", encoding="utf-8")
    assert read_rows(path, [], content) == [("a", [("b", "c")]), *((f"row{n}", [("b", "c")]) for n in range(LENGTH))]


def test_a_hundred_thousand_rows_of_yaml_go_the_short_way(tmp_path, monkeypatch):
    path = tmp_path / "t.yaml"
    rows = (f'"+4930{number:07d}": {{user: user{number}, hide: "yes"}}\n' for number in range(100_000))
    path.write_text("".join(rows), encoding="utf-8")
    problems = []
    monkeypatch.delattr(Document, "of")
    numbers = load_table(path, "number", plan_for("+49"), problems)
    assert problems == [] and len(numbers) == 100_000
    assert numbers.find("030 0054321", plan_for("+49")) == {
        "key": "+49300054321",
        "user": "user54321",
        "hide": "yes",
    }
