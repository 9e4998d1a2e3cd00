"""What can stand where somebody is writing."""

from __future__ import annotations

import pytest

from dsl.editor.completing import Completion, complete
from dsl.editor.view import View, seen
from dsl.files import Files
from tests.dsl.editor.written import OFFICE, place, view, write

CALL = "on call {\n"
END = "sub ring(who: user) {\n"
TEST = 'test "alice rings" {\n'


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> View:
    return view(write(tmp_path_factory.mktemp("office")), OFFICE)


def at(base: View, marked: str, before: str) -> Completion:
    """What is offered at the `|` of a line that stands above this one."""
    assert OFFICE.count(before) == 1
    return written(base, OFFICE.replace(before, f"{marked}\n{before}"))


def written(base: View, marked: str) -> Completion:
    text, line, column = place(marked)
    return complete(seen(base, Files({base.path: text})), str(base.path), line, column)


def in_call(base: View, marked: str) -> list[str]:
    return [item.text for item in at(base, marked, "  when over toll  ").items]


RULES = [
    ("  |", {"when", "also", "otherwise", "dial", "reject", "do"}, {"accept", "deliver", "alice", "trunk"}),
    ("  wh|", {"when"}, {"trunk"}),
    ("  when |", {"dialed", "callee", "alice", "pstn", "not", "over", "diverted by"}, {"expires", "open", "desk"}),
    ("  when dialed |", {"in", "is", "matches", "not"}, {"dialed"}),
    ("  when over |", {"toll"}, {"open", "alice", "in", "and"}),
    ("  when within |", {"open"}, {"toll", "is"}),
    ("  when lookup |", {"dids"}, {"toll"}),
    ("  when from |", {"trunk"}, {"in"}),
    ("  when from trunk |", {"pstn", "backup"}, {"out", "alice"}),
    ("  when dialed in |", {"bad", "vips", "desk", "staff", "office"}, {"alice", "pstn"}),
    ("  when caller in (alice, |", {"carol", "desk", "staff"}, {"pstn"}),
    ("  when caller in (|", {"carol", "desk"}, {"pstn"}),
    ("  when dialed is |", {"absent", "emergency", "not"}, {"alice", "silent"}),
    ("  when dialed is not |", {"absent", "emergency"}, {"alice", "not"}),
    ('  when dialed == "1" -> |', {"dial", "tag", "challenge"}, {"accept", "continue", "when"}),
    ('  when dialed == "1" -> dial |', {"alice", "desk", "callee", 'user "anna.m"'}, {"pstn", "out", "toll"}),
    ('  when dialed == "1" -> dial alice and |', {"bob", "desk"}, {"pstn"}),
    ('  when dialed == "1" -> dial e164(dialed) via |', {"pstn", "out"}, {"alice", "dids"}),
    ('  when dialed == "1" -> do |', {"ring"}, {"alice"}),
    ('  when dialed == "1" -> do ring(|', {"alice", "callee"}, {"desk"}),
    ('  when dialed == "1" -> answer |', {"echo", "tone", "play"}, {"jazz"}),
    ('  when dialed == "1" -> answer play |', {"jazz"}, {"echo"}),
    ('  when dialed == "1" -> media |', {"direct", "relay", "auto"}, set()),
    ('  when dialed == "1" -> dial bob |', {"for", "then", "else", "and", "via"}, {"alice"}),
    ('  when dialed == "1" -> dial bob { |', {"busy", "no-answer", "redirect"}, {"dial"}),
    ('  when dialed == "1" -> dial bob { busy { when |', {"target", "tried", "code"}, {"callee"}),
    ('  when dialed == "1" -> dial bob { failure -> reject 404 busy { when |', {"target"}, {"callee"}),
    ("  when bob.|", {"name", "number", "extension", "display"}, {"mobile", "alice"}),
    ("  when alice.|", {"mobile"}, set()),
    ("  when caller.|", {"mobile", "number"}, {"password"}),
    ("  when lookup dids dialed as d and d.|", {"number", "user"}, {"mobile"}),
    ("  when lookup dids dialed as d { when |", {"d"}, {"line", "n"}),
    ("  when lookup dids dialed as d { when d.user == bob -> dial e164(dialed) via |", {"d", "pstn"}, {"line"}),
    ("  when dialed matches `7{n:X}` { otherwise -> dial |", {"n"}, {"line"}),
    ("  when dialed matches `7{n:` { otherwise -> dial |", {"callee"}, {"n"}),
]


@pytest.mark.parametrize(("marked", "there", "not_there"), RULES, ids=[marked for marked, *_ in RULES])
def test_in_a_call(base: View, marked: str, there: set[str], not_there: set[str]) -> None:
    offered = in_call(base, marked)
    assert there - set(offered) == set()
    assert not_there & set(offered) == set()
    assert len(offered) == len(set(offered))


PLACES = [
    (END, "|", {"trunk", "group", "on", "test", "sub"}, {"when", "uri"}),
    (END, "sub x(who: |", {"user", "number", "text"}, {"alice"}),
    (END, "sub x(|", set(), {"user", "alice"}),
    (END, "sub x(where: number) { otherwise -> dial |", {"where"}, {"who"}),
    (END, "group |", set(), {"alice", "desk"}),
    (END, "group y |", {"in", "by"}, set()),
    (END, "group y = alice, |", {"bob", 'user "anna.m"'}, {"pstn", "desk"}),
    (END, "trunks y in order = |", {"pstn", "backup"}, {"alice", "out"}),
    (END, "trunks y in order = pstn, |", {"backup"}, {"alice"}),
    (END, "trunk |", set(), {"pstn"}),
    (END, "trunk x { |", {"uri", "peers", "allow", "check"}, {"dial"}),
    (END, "trunk x { number |", {"e164", "as-dialed"}, set()),
    (END, "trunk x { from |", {"caller", "account"}, {"alice"}),
    (END, "on |", {"call", "hold", "no-answer"}, {"alice"}),
    (END, "on hold { otherwise -> |", {"play", "continue", "do"}, {"dial", "reject"}),
    (END, "on hold { when |", {"holder", "held"}, {"callee"}),
    (END, "on nothing { when |", {"alice"}, {"dialed"}),
    (END, 'table x from "y" key |', {"number", "prefix", "text"}, set()),
    (END, "limit x = 4 per 1h for each |", {"caller", "source"}, {"alice"}),
    (END, "limit x = caller.|", {"mobile"}, set()),
    (END, "hours x = |", {"mon", "dec"}, {"open"}),
    (END, "hours x = mon-fri 8:00-9:00 except hours |", {"open"}, {"mon"}),
    (END, "hours |", set(), {"open"}),
    (TEST, 'test "x" { |', {"call", "given", "expect", "hang"}, {"dial"}),
    (TEST, 'test "x" { call from |', {"alice", "trunk", "anyone"}, {"caller"}),
    (TEST, 'test "x" { call from trunk |', {"pstn"}, {"alice"}),
    (TEST, 'test "x" { call from alice to |', {"bob"}, {"pstn"}),
    (TEST, 'test "x" { call from alice to bob |', {"source", "without", "expect"}, {"alice"}),
    (TEST, 'test "x" { call from alice to bob source |', {"office"}, {"alice"}),
    (TEST, 'test "x" { call from alice to bob transport |', {"tls", "udp"}, set()),
    (TEST, 'test "x" { given |', {"bob", "pstn", "first", "out", "over", "time"}, {"callee", "toll"}),
    (TEST, 'test "x" { given over |', {"toll"}, {"bob"}),
    (TEST, 'test "x" { given bob is |', {"busy", "silent"}, {"emergency"}),
    (TEST, 'test "x" { given first begins with |', {"alice", "pstn"}, {"toll"}),
    (TEST, 'test "x" { given time |', {"mon", "jan"}, {"alice"}),
    (TEST, 'test "x" { expect |', {"dial", "reject", "response", "nothing"}, {"given"}),
    (TEST, 'test "x" { expect dial |', {"alice", "desk"}, {"toll"}),
    (TEST, 'test "x" { expect takes |', {"toll"}, {"alice"}),
    (TEST, 'test "x" { expect trunk |', {"pstn"}, {"alice"}),
    (TEST, 'test "x" { hold by |', {"alice", "trunk"}, {"pstn"}),
    (TEST, 'test "x" { unregister |', {"alice"}, {"pstn"}),
    (TEST, 'test "x" { hang up |', {"all"}, {"alice"}),
]


@pytest.mark.parametrize(("before", "marked", "there", "not_there"), PLACES, ids=[marked for _, marked, *_ in PLACES])
def test_elsewhere(base: View, before: str, marked: str, there: set[str], not_there: set[str]) -> None:
    offered = {item.text for item in at(base, marked, before).items}
    assert there - offered == set()
    assert not_there & offered == set()


def test_a_number_gets_its_units(base: View) -> None:
    offered = at(base, '  when dialed == "1" -> dial bob for 20|', "  when over toll  ")
    assert offered.length == 2
    assert [item.text for item in offered.items] == ["20s", "20min", "20h", "20d", "20ms"]
    assert in_call(base, '  when dialed == "1" -> reject 40|') == []


def test_what_was_written_of_the_word_is_replaced(base: View) -> None:
    assert at(base, "  when no-ans|", "  when over toll  ").length == 6
    assert at(base, "  when |", "  when over toll  ").length == 0


@pytest.mark.parametrize(
    "marked", ['  reject 404 "no|', "  when dialed matches `0X|", "  # when |", '  reject 404 "', "  reject # 404 |"]
)
def test_nothing_is_offered_within_texts_patterns_and_comments(base: View, marked: str) -> None:
    assert in_call(base, marked if "|" in marked else f"{marked}|") == []


def test_behind_a_text_or_a_pattern_something_is_offered(base: View) -> None:
    assert "and" in in_call(base, "  when dialed matches `0X` |")
    assert "despite" in in_call(base, '  reject 404 "no" |')


def test_what_is_damaged_above_does_not_matter_and_where_one_is_writing_it_does(base: View) -> None:
    assert "toll" in in_call(base, "  when when -> dial\n  when over |")
    assert in_call(base, "  when $ over |") == []
    assert in_call(base, "  when not not |") == in_call(base, "  when not |")
    deep = "when dialed is absent { " * 60 + "}" * 60
    assert in_call(base, f"  {deep}\n when |") == []


def test_a_sub_that_several_events_do_is_offered_the_facts_of_all(base: View) -> None:
    marked = OFFICE.replace(
        "on hold { otherwise -> play jazz to held loop }", "on busy { otherwise -> do ring(alice) }"
    )
    marked = marked.replace("  when who == alice   ", "  when |\n  when who == alice   ")
    offered = {item.text: item for item in written(base, marked).items}
    assert offered.keys() >= {"who", "dialed", "caller"}
    assert offered.keys().isdisjoint({"target", "callee"})
    assert offered["who"].kind == "a parameter"
    assert offered["dialed"].kind == "fact"
    assert "what was dialled" in offered["dialed"].about


def test_words_come_with_what_the_reference_says(base: View) -> None:
    offered = {item.text: item.about for item in at(base, "trunk x { |", END).items}
    assert "how many calls it carries at once" in offered["channels"]
    assert all(offered.values())
    assert all(item.about for item in at(base, "on |", END).items)
