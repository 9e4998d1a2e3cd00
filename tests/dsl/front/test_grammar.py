"""What can be written, and what it means: conditions, decisions, and words that are names elsewhere."""

from __future__ import annotations

import pytest
from lark import Lark

from dsl import tree
from dsl.diagnostics import PolicyError
from dsl.language import GRAMMAR, words
from dsl.parser import parse
from dsl.spoken import spoken


def statements(text: str) -> tuple[tree.Statement, ...]:
    (on,) = parse(f"on call {{ {text} }}", "x.route").declarations
    assert isinstance(on, tree.On)
    return on.body.statements


def condition(text: str) -> tree.Condition:
    (rule,) = statements(f"when {text} -> reject 404")
    assert isinstance(rule, tree.When)
    return rule.condition


def decision(text: str) -> tree.Statement:
    (only,) = statements(text)
    return only


def dial(text: str) -> tree.Dial:
    found = decision(text)
    assert isinstance(found, tree.Dial)
    return found


def steps(found: tree.Dial) -> list[tuple[str, list[str], str | None, str | None]]:
    return [
        (
            step.after,
            [spoken(party.target) + (f" via {party.trunk.text}" if party.trunk else "") for party in step.parties],
            step.duration.text if step.duration else None,
            step.progress.text if step.progress else None,
        )
        for step in found.steps
    ]


def played(text: str) -> list[tuple[str, bool]]:
    """The sounds that are played in some statements, and whether without end."""
    nodes = (node for statement in statements(text) for node in tree.walk(statement))
    found = (node for node in nodes if isinstance(node, tree.Answer | tree.Play))
    return [(node.sound.text, node.loop) for node in found if node.sound is not None]


def test_the_grammar_has_no_conflicts_and_its_words_do_not_collide() -> None:
    Lark(GRAMMAR.read_text(), parser="lalr", lexer="contextual", propagate_positions=True, strict=True)


ATOMS = [
    "callee == bob",
    'dialed != "1"',
    "tried < 3",
    "tried <= 3",
    "tried > 3",
    "tried >= 3",
    "held for > 60s",
    "holder is caller",
    "holder is not caller",
    "held == bob",
    "caller in desk",
    "source not in office",
    "source in 10.0.0.0/8",
    "dialed matches `0X(6-14)`",
    "dialed not matches `0X`",
    "callee is absent",
    "callee is not absent",
    "dialed is emergency",
    "pstn is up",
    "over toll",
    "within open",
    "lookup dids dialed",
    "lookup dids dialed as d",
    "lookup dids source as d",
    "from trunk pstn",
    "authenticated",
    "diverted by == bob",
    "caller.number == d.number",
    'header "X-Level" == "3"',
    'e164(dialed) == "+49301234567"',
    'caller == user "anna.schmidt"',
    'user "anna.schmidt".mobile is absent',
]


@pytest.mark.parametrize("atom", ATOMS)
def test_a_condition_is_written_as_it_is_read(atom: str) -> None:
    assert spoken(condition(atom)) == atom


@pytest.mark.parametrize("one", ATOMS)
def test_any_condition_may_stand_beside_any_connective_and_any_other(one: str) -> None:
    for other in ATOMS:
        text = f"not ({one} and {other}) or {other} and ({one} or not ({other} or {one}))"
        assert spoken(condition(text)) == text


def test_brackets_that_change_nothing_are_not_needed() -> None:
    assert spoken(condition("((anonymous)) and (rang or (over toll))")) == "anonymous and (rang or over toll)"


def test_and_binds_closer_than_or_and_not_closer_than_and() -> None:
    found = condition("not authenticated and anonymous or over toll")
    assert isinstance(found, tree.Or)
    first, second = found.conditions
    assert isinstance(first, tree.And)
    assert isinstance(first.conditions[0], tree.Not)
    assert isinstance(second, tree.Over)


def test_one_connective_after_another_makes_one_condition_of_many() -> None:
    found = condition("anonymous and rang and authenticated and over toll")
    assert isinstance(found, tree.And)
    assert len(found.conditions) == 4


SIGNS = {"->", ">=", "<=", ":", ",", ".", "==", "-", "=", "{", "<", "(", ">", "}", ")", "!="}
KEYWORDS = sorted(set(words().values()) - SIGNS)
CONNECTING = {"and", "or", "not", "in", "is", "matches"}
"""Words that follow a value: after `over`, `within` and `lookup`, which are values too if nothing follows."""

OPENING = {"not", "over", "within", "lookup", "from", "user", "header", "e164", "diverted", "held"}
"""Words with which a condition or a value begins."""


@pytest.mark.parametrize("word", KEYWORDS)
def test_every_word_of_the_language_is_a_name_where_only_a_name_can_stand(word: str) -> None:
    script = parse(
        f"""
        users {word} from "users.yaml"
        group {word} = {word}, {word}
        net {word} = 10.0.0.0/8
        hours {word} = mon-fri 08:00-18:00
        limit {word} = 4 at once for each {word}
        table {word} from "x.csv" key {word}
        trunk {word} {{ uri "sip:x.example" number {word} from {word} }}
        on {word} {{
          when caller in {word} and from trunk {word} -> do {word}(caller.{word})
          when lookup dids dialed as {word} -> tag {word} "x", dial bob.{word} via {word} for 20s
          otherwise -> reject 404
        }}
        sub {word}({word}: {word}) {{ otherwise -> reject 404 }}
        """,
        "x.route",
    )
    names = [node.text for node in tree.walk(script) if isinstance(node, tree.Name)]
    assert names.count(word) == 25


@pytest.mark.parametrize("word", [word for word in KEYWORDS if word not in CONNECTING])
def test_limits_hours_and_tables_may_be_called_by_any_word_that_connects_nothing(word: str) -> None:
    text = f"over {word} and within {word} and lookup {word} dialed"
    assert spoken(condition(text)) == text


@pytest.mark.parametrize("word", [word for word in KEYWORDS if word not in OPENING])
def test_every_word_that_begins_no_value_is_a_value(word: str) -> None:
    for text in (f"{word} == bob", f"bob == {word}", f"lookup dids {word}", f"{word} and {word}", f"not {word}"):
        assert spoken(condition(text)) == text
    assert spoken(condition(f"{word}.{word} in desk")) == f"{word}.{word} in desk"
    assert steps(dial(f"dial {word} and {word}.{word} via {word} then {word}"))[1] == ("then", [word], None, None)


@pytest.mark.parametrize("word", sorted(OPENING - {"not"}))
def test_even_a_word_that_begins_a_condition_is_a_value_where_nothing_of_it_follows(word: str) -> None:
    assert spoken(condition(f"{word} == bob and {word} in desk")) == f"{word} == bob and {word} in desk"
    assert spoken(condition(f"{word}.mobile is absent or {word}")) == f"{word}.mobile is absent or {word}"


def test_the_facts_that_are_words_too_can_be_looked_up_and_tagged() -> None:
    for fact in ("source", "contacts", "expires", "user"):
        assert spoken(condition(f"lookup blocked {fact} as b")) == f"lookup blocked {fact} as b"
        tag = decision(f"tag who {fact}")
        assert isinstance(tag, tree.Tag)
        assert spoken(tag.value) == fact


def test_and_rings_together_then_follows_and_else_is_the_next_way() -> None:
    found = dial("dial bob for 20s then alice and carol.mobile via pstn for 15s else dave progress 4s")
    assert steps(found) == [
        ("then", ["bob"], "20s", None),
        ("then", ["alice", "carol.mobile via pstn"], "15s", None),
        ("else", ["dave"], None, "4s"),
    ]


@pytest.mark.parametrize("text", ["for 60s progress 4s", "progress 4s for 60s"])
def test_for_and_progress_come_in_either_order(text: str) -> None:
    assert steps(dial(f"dial e164(dialed) via pstn {text}")) == [("then", ["e164(dialed) via pstn"], "60s", "4s")]


def test_outcomes_stand_where_the_dial_stands_and_may_dial_again() -> None:
    found = dial("forward bob notify 181 { busy -> dial alice { no-answer -> reject 480 } redirect -> reject 480 }")
    assert found.forwarded
    assert found.notify is not None
    assert found.notify.value == 181
    assert [outcome.written for outcome in found.outcomes] == ["busy", "redirect"]
    (again,) = found.outcomes[0].body.statements
    assert isinstance(again, tree.Dial)
    assert [outcome.written for outcome in again.outcomes] == ["no-answer"]


@pytest.mark.parametrize(
    ("text", "seconds"), [("20s", 20.0), ("2min", 120.0), ("1h", 3600.0), ("1d", 86400.0), ("500ms", 0.5), ("20", None)]
)
def test_a_time_has_a_unit_and_one_without_is_kept_to_be_told_of(text: str, seconds: float | None) -> None:
    (step,) = dial(f"dial bob for {text}").steps
    assert step.duration is not None
    assert step.duration.seconds == seconds


@pytest.mark.parametrize("word", KEYWORDS)
def test_every_word_may_name_a_sound_wherever_it_is_played(word: str) -> None:
    (sound,) = parse(f'sound {word} = "x.wav"', "x.route").declarations
    assert isinstance(sound, tree.Sound)
    assert sound.name.text == word
    rules = f"when rang -> answer play {word} when anonymous -> play {word} to held loop otherwise -> continue"
    assert played(rules) == [(word, False), (word, True)]


def test_a_sound_is_played_once_or_without_end() -> None:
    once_and_again = [("jazz", False), ("jazz", True)]
    assert played("when rang -> answer play jazz otherwise -> answer play jazz loop") == once_and_again
    assert played("when rang -> play jazz to held otherwise -> play jazz to held loop") == once_and_again


def test_a_line_and_a_rule_choose_the_way_of_the_media() -> None:
    line, rule, _ = statements("media direct also when rang -> media relay, log dialed otherwise -> reject 404")
    assert isinstance(line, tree.Media)
    assert line.choice.text == "direct"
    assert isinstance(rule, tree.AlsoWhen)
    assert [type(item) for item in rule.body.statements] == [tree.Media, tree.Log]


def test_an_arrow_may_do_several_things_and_then_decide() -> None:
    (rule,) = statements('when anonymous -> tag who "nobody", log "no name", reject 433')
    assert isinstance(rule, tree.When)
    assert [type(item) for item in rule.body.statements] == [tree.Tag, tree.Log, tree.Reject]


def test_a_statement_ends_where_the_next_begins_whatever_the_lines_are() -> None:
    text = 'when anonymous -> reject 403 also when rang -> log "x" otherwise -> dial bob'
    assert [type(item) for item in statements(text)] == [tree.When, tree.AlsoWhen, tree.Otherwise]
    assert [type(item) for item in statements(text.replace(" ", "\n"))] == [tree.When, tree.AlsoWhen, tree.Otherwise]


def test_a_comment_goes_to_the_end_of_its_line() -> None:
    found = parse('# one\ngroup desk = alice, # two { "\n  carol # three\n', "x.route").declarations
    assert len(found) == 1


def test_text_and_patterns_may_hold_the_sign_of_a_comment() -> None:
    assert spoken(condition("dialed matches `#31#X`")) == "dialed matches `#31#X`"
    assert spoken(condition('dialed == "#31#"')) == 'dialed == "#31#"'


def test_every_node_knows_its_place() -> None:
    text = 'on call {\n  when callee == bob -> reject 404 "gone"\n}\n'
    (on,) = parse(text, "x.route").declarations
    assert isinstance(on, tree.On)
    (rule,) = on.body.statements
    assert isinstance(rule, tree.When)
    assert rule.head == tree.Span("x.route", 2, 3, 2, 21)
    (reject,) = rule.body.statements
    assert isinstance(reject, tree.Reject)
    assert reject.span == tree.Span("x.route", 2, 25, 2, 42)
    assert reject.reason is not None
    assert reject.reason.span == tree.Span("x.route", 2, 36, 2, 42)
    assert on.body.end == tree.Span("x.route", 3, 1, 3, 2)


def test_line_ends_of_windows_and_a_byte_order_mark_do_no_harm() -> None:
    (on,) = parse("\ufeffon call {\r\n  reject 404\r\n}\r\n", "x.route").declarations
    assert on.span.end_line == 3


def test_an_empty_file_is_a_script_without_declarations() -> None:
    assert parse("", "x.route").declarations == ()
    assert parse("# nothing\n", "x.route").declarations == ()


def test_the_steps_of_a_test() -> None:
    (test,) = parse(
        """
        test "all of them" {
          given time "2026-12-24 19:00"
          given alice answers 486
          given bob.mobile rings
          given carol is not registered
          given pstn is full
          given over toll
          call from alice to bob source office header "X-A" "1" transport tcp
          call from trunk pstn to "0049301234567" source 198.51.100.1
          call from "+49301234567" to "201"
          call from anyone to user "anna.schmidt" without password
          register alice source 10.0.0.1 contacts 4 expires 30s
          register anyone
          hold by alice
          hold by trunk pstn
          resume by "+49301234567"
          resume by anyone after 90s
          expect response 181
          expect reject 404
          expect tag team "desk"
          expect media relay
          expect play jazz to "201" loop
          expect answer echo
          expect continue
        }
        """,
        "x.route",
    ).declarations
    assert isinstance(test, tree.Test)
    kinds = [type(step).__name__ for step in test.steps]
    assert kinds == [
        "GivenTime",
        "GivenAnswer",
        "GivenRings",
        "GivenState",
        "GivenState",
        "GivenOver",
        *["CallStep"] * 4,
        *["RegisterStep"] * 2,
        *["HoldStep"] * 2,
        *["ResumeStep"] * 2,
        "ExpectResponse",
        "ExpectDecision",
        "ExpectTag",
        "ExpectMedia",
        *["ExpectDecision"] * 3,
    ]


def test_a_user_whose_name_is_no_word_is_written_in_quotes() -> None:
    found = condition('callee == user "anna.schmidt"')
    assert isinstance(found, tree.Compare)
    assert isinstance(found.right, tree.Reference)
    assert found.right.name.quoted
    assert found.right.name.text == "anna.schmidt"


def test_what_cannot_be_read_is_one_error_with_all_problems() -> None:
    with pytest.raises(PolicyError) as caught:
        parse('polcy "x"\non call { wehn anonymous -> reject 403\n otherwise -> reject }\n', "x.route")
    assert [problem.line for problem in caught.value.problems] == [1, 2]
