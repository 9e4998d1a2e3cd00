"""Tables from CSV and YAML: what they find, and what is wrong with a file, by line."""

import pytest

from dsl.numbers import plan_for
from dsl.tables import load_table

GERMANY = plan_for("+49")


def table(tmp_path, text, kind="number", name="t.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    problems = []
    return load_table(path, kind, GERMANY, problems), [(p.line, p.message) for p in problems]


def test_a_number_is_found_however_it_is_written(tmp_path):
    dids, problems = table(tmp_path, "number,user,note\n030 123456,alice,\n+49301234567,bob,front desk\n")
    assert problems == [] and len(dids) == 2
    for written in ("030123456", "+4930123456", "004930123456", "(030) 123-456"):
        assert dids.find(written, GERMANY) == {"number": "030 123456", "user": "alice"}
    assert dids.find("030 1234567", GERMANY)["note"] == "front desk"
    assert dids.find("0301", GERMANY) is None


def test_the_longest_prefix_wins(tmp_path):
    routes, problems = table(tmp_path, "prefix,via\n+49,a\n+4930,b\n0043,c\n9,d\n", "prefix")
    assert problems == []
    for dialed, via in [
        ("+49301234", "b"),
        ("0301234567", "b"),
        ("+49401234", "a"),
        ("+4312345", "c"),
        ("911", "d"),
    ]:
        assert routes.find(dialed, GERMANY)["via"] == via
    assert routes.find("+331234567", GERMANY) is None


def test_texts_are_compared_as_they_stand(tmp_path):
    words, _ = table(tmp_path, 'word,to\nhelp,a\n030 1,"b, c"\n', "text")
    assert words.find("help", GERMANY)["to"] == "a"
    assert words.find("030 1", GERMANY)["to"] == "b, c"
    assert words.find("Help", GERMANY) is None and words.find("0301", GERMANY) is None


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("", [(1, "the first line names")]),
        ("a,,b\n", [(1, "the first line names")]),
        ("a,a\n", [(1, "two columns")]),
        ("number;user\n", [(1, "separated by commas")]),
        ("number,user\n\n1\n,x\n2,y,z\n", [(3, "1 column stands"), (4, "the key is empty"), (5, "3 columns")]),
        ("number,user\n+49301234,a\n2,b\n0301234,c\n", [(4, "the key `0301234` stands in line 2 already")]),
        (f"number,user\n1,{'a' * 200_000}\n", [(2, "this row cannot be read")]),
        ('number,user\n1,"a\n', [(2, "a quote in this row is not closed")]),
    ],
)
def test_each_problem_names_its_line(tmp_path, text, problems):
    _, found = table(tmp_path, text)
    assert len(found) == len(problems)
    for (line, message), (expected_line, says) in zip(found, problems, strict=True):
        assert line == expected_line and says in message


def test_a_file_full_of_problems_is_summed_up(tmp_path):
    _, found = table(tmp_path, "a,b\n" + "x\n" * 100)
    assert len(found) == 21 and found[-1] == (22, "and 80 more like it")


def test_what_is_no_utf8_is_a_problem(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"a,b\n1,\xff\n")
    problems = []
    assert len(load_table(tmp_path / "t.csv", "text", GERMANY, problems)) == 0
    assert [(p.line, p.column) for p in problems] == [(2, 3)]


def test_a_yaml_table_maps_keys_to_columns(tmp_path):
    text = "030 123456: {user: alice}\n+4930999: {user: bob, hide: yes}\n"
    dids, problems = table(tmp_path, text, name="t.yaml")
    assert problems == []
    assert dids.columns == ("key", "user", "hide")
    assert dids.find("+4930123456", GERMANY) == {"key": "030 123456", "user": "alice"}
    assert dids.find("030 999", GERMANY)["hide"] == "yes"


def test_a_yaml_table_with_the_same_number_twice_is_wrong(tmp_path):
    _, found = table(tmp_path, "030 123456: {user: a}\n+4930123456: {user: b}\n", name="t.yml")
    assert [line for line, _ in found] == [2]


def test_a_hundred_thousand_rows_are_one_table(tmp_path):
    text = "number,user\n" + "".join(f"+4930{number:07d},user{number}\n" for number in range(100_000))
    numbers, problems = table(tmp_path, text)
    assert problems == [] and len(numbers) == 100_000
    assert numbers.find("030 0054321", GERMANY)["user"] == "user54321"
