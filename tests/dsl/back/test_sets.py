"""Ranges, sets and declared numbers: what is in them, how their files are read, and what a long list costs."""

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsl.decision import Facts, Outcome
from dsl.number_sets import NumberSet, RangeError, check_range, digits_between, load_numbers
from dsl.numbers import plan_for
from dsl.patterns import PatternSet, parse_pattern
from dsl.policy import load
from dsl.rehearsal import World

GERMANY = plan_for("+49")
HEAD = """policy "x" domain office.example country +49
users staff from "users.yaml"
group desk = alice
net office = 10.0.0.0/8
"""
USERS = 'alice: {password: a, extension: "201"}\nbob: {password: b}\ncarol: {password: c}\n'


@settings(max_examples=200, derandomize=True)
@given(st.integers(1, 5).flatmap(lambda n: st.tuples(st.just(n), *[st.integers(0, 10**n - 1)] * 3)), st.booleans())
def test_a_range_has_the_digits_between_its_ends_and_no_others(drawn, plus):
    length, one, two, asked = drawn
    sign = "+" if plus else ""
    low, high, text = (f"{sign}{number:0{length}}" for number in (min(one, two), max(one, two), asked))
    match = PatternSet(digits_between(low, high)).match
    assert bool(match(text)) == (min(one, two) <= asked <= max(one, two))
    assert not match(text + "0") and not match(text[:-1]) and not match(text[:-1] + "*")


@pytest.mark.parametrize(
    "ends", [("1", "20"), ("299", "200"), ("200", "200"), ("2a0", "299"), ("+10", "200"), ("", "")][:]
)
def test_a_range_has_two_ends_of_one_length_the_lower_first(ends):
    with pytest.raises(RangeError):
        check_range(*ends)


def test_numbers_are_found_as_written_and_as_they_are_looked_up():
    numbers = NumberSet(GERMANY, ["+49 30 123456", "*43"], [parse_pattern("0800X(7)"), *digits_between("200", "299")])
    for text in ("+4930123456", "030123456", "004930123456", "*43", "08001234567", "250"):
        assert numbers.has(text), text
    for text in ("30123456", "0301234567", "300", "2501", "alice", ""):
        assert not numbers.has(text), text
    abroad = NumberSet(GERMANY, [], [parse_pattern("+49800X(7)")])
    assert abroad.has("08001234567")


def test_a_file_of_numbers_has_one_on_each_line(tmp_path):
    file = tmp_path / "blocked.txt"
    file.write_text(
        "\ufeff# blocked since May\r\n\r\n+49 30 123456  # sales\r\n`0900X(6)`\r\n200 to 299\r\n#31#\r\n"
        "+49 30 5000 to +49 30 5099\r\n",
        "utf-8",
    )
    problems = []
    numbers = load_numbers(file, GERMANY, problems)
    assert problems == []
    assert [text for text in ("030123456", "0900123456", "217", "#31#", "300", "0305042") if numbers.has(text)] == [
        "030123456",
        "0900123456",
        "217",
        "0305042",
    ]


def test_what_is_wrong_in_a_file_of_numbers_is_told_with_its_line(tmp_path):
    file = tmp_path / "blocked.txt"
    file.write_text("+4930\nalice\n `09X(` \n299 to 200\n", "utf-8")
    problems = []
    load_numbers(file, GERMANY, problems)
    assert [str(problem).replace(f"{tmp_path}/", "") for problem in problems] == [
        "blocked.txt:2:1: error: `alice` is no number\n"
        "  alice\n"
        "  ^^^^^ write `+4930123`, `200 to 299` or a pattern in backticks",
        "blocked.txt:3:6: error: this is no count\n  `09X(`\n      ^ one is written `(6)` or `(6-12)`",
        "blocked.txt:4:1: error: this range goes backwards\n  299 to 200\n  ^^^^^^^^^^ write `200 to 299`",
    ]
    problems.clear()
    file.write_bytes(b"1\nb\xe4d\n")
    assert not load_numbers(file, GERMANY, problems).has("1")
    assert [(problem.line, problem.message) for problem in problems] == [(2, "this is not UTF-8")]
    problems.clear()
    file.write_text("bad\n" * 30, "utf-8")
    load_numbers(file, GERMANY, problems)
    assert len(problems) == 21 and problems[-1].message == "and 10 more like it"


def policy(folder, rules, declared=""):
    (folder / "users.yaml").write_text(USERS)
    script = folder / "x.route"
    script.write_text(f"{HEAD}{declared}\non register {{ otherwise -> reject 403 }}\non call {{\n{rules}\n}}\n")
    return load(script)


def call(policy, **given):
    facts = Facts(**{"time": 0.0, "source": "192.0.2.1", "transport": "udp", "ambient": World(policy)} | given)
    facts.callee = policy.callee(facts.dialed)
    return policy.decide("call", facts)


@pytest.mark.parametrize("rules", [1, 20])
def test_the_first_rule_decides_whose_set_has_the_value(tmp_path, rules):
    made = policy(
        tmp_path,
        "\n".join(
            f'when dialed in ("{n}00", {n}10 to {n}19, `{n}2X`, vips) and source in (10.{n}.0.0/16, 2001:db8:{n}::/48)'
            f" -> reject 4{n:02}"
            for n in range(10, 10 + rules)
        )
        + "\nwhen callee in (bob, desk) -> reject 486\nwhen dialed not in 300 to 399 -> reject 480"
        + "\notherwise -> reject 404",
        'numbers vips = "+4930123456"',
    )
    for dialed in ("1000", "1015", "1029", "030123456", "+4930123456"):
        assert call(made, dialed=dialed, source="10.10.0.1").action.code == 410, dialed
        assert call(made, dialed=dialed, source="2001:db8:10::1").action.code == 410
        assert call(made, dialed=dialed, source="10.99.0.1").action.code == 480
    assert call(made, dialed="201").action.code == 486
    assert call(made, dialed="carol").action.code == 480
    assert call(made, dialed="399").action.code == 404
    assert call(made, dialed=None).action.code == 480


def test_a_long_list_is_asked_once(tmp_path):
    (tmp_path / "blocked.txt").write_text("\n".join(f"+4930{number}" for number in range(100_000, 200_000)))
    made = policy(
        tmp_path, "when dialed in blocked -> reject 403 otherwise -> reject 404", 'numbers blocked from "blocked.txt"'
    )
    assert call(made, dialed="030123456").rules == ("8:1",)
    assert call(made, dialed="030223456").action.code == 404


def test_many_rules_with_long_sets_cost_what_one_costs(tmp_path):
    """So many steps of the interpreter, not so much time: what a machine is busy with plays no part."""
    steps = []
    for rules in (20, 100):
        made = policy(
            tmp_path,
            "\n".join(
                f"when dialed in ({', '.join(f'{n}{last:02}' for last in range(100))}) -> reject 486"
                for n in range(1000, 1000 + rules)
            )
            + "\notherwise -> reject 404",
        )
        call(made, dialed="100050")
        steps.append(lines_run(lambda made=made: call(made, dialed="100050")))
    assert steps[0] == steps[1]


def lines_run(act):
    """How many lines of Python are run."""
    count = 0

    def trace(frame, event, argument):
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        act()
    finally:
        sys.settrace(before)
    return count


def test_amounts_are_in_ranges_with_both_ends(tmp_path):
    rules = """when dialed == "1" -> dial bob {
      failure {
        when code in (404, 500 to 503) -> reject 480
        otherwise -> reject 500
      }
    }
    otherwise -> reject 404"""
    made = policy(tmp_path, rules)
    decision = call(made, dialed="1")
    facts = Facts(time=0.0, source="192.0.2.1", transport="udp", ambient=World(made))
    codes = {
        code: made.resume(decision.action.frame, Outcome("failure", code=code), facts).action.code
        for code in (403, 404, 499, 500, 503, 504, None)
    }
    assert codes == {403: 500, 404: 480, 499: 500, 500: 480, 503: 480, 504: 500, None: 500}
