"""Hold, resume, calls that we answer ourselves, and the way of the media: decided, and tried in `test` blocks."""

import wave

import msgspec
import pytest

from dsl import tester
from dsl.decision import Answer, Continue, Decision, Play

from .office import facts, office

SCRIPT = """\
policy "acme-office"
domain acme.example
country +49
users staff from "users.yaml"
group desk = alice, carol
sound jazz = "jazz.wav"
sound news = "news.wav"
limit lines = 2 at once
trunk pstn { uri "sip:gw.carrier.example" peers 198.51.100.0/28 }

on register { otherwise -> reject 403 }
on call {
  media direct
  when from trunk pstn { also when dialed == "030555001" -> media relay
    dial alice }
  when not authenticated -> challenge
  when dialed == "*43" -> answer echo
  when dialed == "*44" -> answer tone
  when dialed == "*45" { when over lines -> reject 486
    otherwise -> answer play news }
  when dialed == "*46" -> answer play jazz loop
  when callee in staff -> dial callee { no-answer -> media auto, answer play news
    busy -> answer play jazz loop }
  otherwise -> dial dialed via pstn
}
on hold {
  also when holder is caller -> tag waiting held, log "the caller holds"
  when held == bob and authenticated -> continue
  when holder in desk -> play jazz to held loop
  when held matches `+X(6-14)` or held == "030123456" -> do entertain("x")
  otherwise -> play news to held
}
sub entertain(why: text) { otherwise -> play jazz to held }
on resume {
  also when held for > 90s -> tag patience "long"
  also when held for < 1500ms -> tag patience "short"
  otherwise -> continue
}
"""
SILENT = SCRIPT[: SCRIPT.index("on hold")]


def policy_of(folder, script=SCRIPT):
    for name, length in (("jazz.wav", 800), ("news.wav", 400)):
        with wave.open(str(folder / name), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(bytes(length))
    return office(folder, script)


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    return policy_of(tmp_path_factory.mktemp("holding"))


def holding(policy, holder, held, caller=None, **given):
    return facts(policy, "201", caller, holder=holder, held=held, **given)


# Decisions


def test_who_holds_and_who_waits_decide_what_is_heard(policy):
    def hold(*parties, **given):
        return policy.decide("hold", holding(policy, *parties, **given)).action

    assert hold("alice", "carol") == Play("jazz", loop=True)
    assert hold("bob", "carol") == Play("news")
    assert hold("alice", "bob", caller="alice") == Continue()
    assert hold("alice", "bob") == Play("jazz", loop=True)
    assert hold(None, None) == Play("news")
    assert hold("bob", "+4930123456") == hold("bob", "030123456") == Play("jazz")


def test_a_hold_names_its_rules_its_tags_and_its_version(policy):
    made = policy.decide("hold", holding(policy, "alice", "carol", holder_is_caller=True))
    assert made.tags == {"waiting": "carol"} and made.logs == ("the caller holds",)
    lines = SCRIPT.split("\n")
    fired = [next(i for i, line in enumerate(lines, 1) if text in line) for text in ("also when holder", "holder in")]
    assert made.rules == tuple(f"{number}:3" for number in fired)
    assert made.policy == policy.hash
    assert policy.decide("hold", holding(policy, "alice", "carol")).tags == {}


def test_a_resume_goes_on_and_knows_for_how_long_somebody_waited(policy):
    def patience(seconds):
        made = policy.decide("resume", holding(policy, "alice", "bob", held_for=seconds))
        assert made.action == Continue()
        return made.tags.get("patience")

    assert [patience(seconds) for seconds in (0.5, 1.5, 90.0, 90.2)] == ["short", None, None, "long"]


def test_where_a_policy_says_nothing_a_hold_goes_on_without_music(tmp_path):
    silent = policy_of(tmp_path, SILENT.replace('sound news = "news.wav"\n', 'sound news = "jazz.wav"\n'))
    for event in ("hold", "resume"):
        assert silent.decide(event, holding(silent, "alice", "bob")) == Decision(Continue(), silent.hash)
    assert {"on hold: continue", "on resume: continue"} <= set(silent.defaults_in_force)


def test_a_policy_that_speaks_of_holds_has_no_default_for_them(policy):
    assert not any("continue" in default for default in policy.defaults_in_force)


def test_we_answer_with_an_echo_a_tone_or_a_sound(policy):
    def answer(dialed):
        return policy.decide("call", facts(policy, dialed, "alice")).action

    assert answer("*43") == Answer("echo")
    assert answer("*44") == Answer("tone")
    assert answer("*45") == Answer("play", "news")
    assert answer("*46") == Answer("play", "jazz", loop=True)


def test_an_answer_takes_from_the_limit_that_it_asked_about(policy):
    assert policy.decide("call", facts(policy, "*45", "alice")).takes == (("lines", ""),)


def test_the_last_rule_that_chose_says_how_the_media_flows(policy):
    assert policy.decide("call", facts(policy, "bob", "alice")).media == "direct"
    assert policy.decide("call", facts(policy, "030555001", trunk="pstn")).media == "relay"
    assert policy.decide("hold", holding(policy, "alice", "bob")).media is None


def test_what_is_decided_is_plain_data(policy):
    asked = [("call", facts(policy, "*46", "alice")), ("hold", holding(policy, "alice", "carol"))]
    for event, known in [*asked, ("resume", holding(policy, "alice", "bob", held_for=1.0))]:
        made = policy.decide(event, known)
        assert msgspec.json.decode(msgspec.json.encode(made), type=Decision) == made


# `test` blocks


def said(folder, text):
    """None when a test of these steps passes, else what it says."""
    (result,) = tester.run(policy_of(folder, SCRIPT + f'test "it" {{\n{text}\n}}'))
    return None if result.failure is None else result.failure.message


@pytest.mark.parametrize(
    "text",
    [
        'call from alice to bob\nexpect dial bob\nhold by alice\nexpect continue\nexpect tag waiting "bob"',
        "call from bob to alice\nhold by alice\nexpect continue\nhold by bob\nexpect play news to alice",
        "call from bob to alice\nhold by bob\nexpect play news to alice\nresume by bob after 2min\nexpect continue\n"
        'expect tag patience "long"',
        "call from carol to alice\nhold by alice\nexpect play jazz to carol loop\nresume by alice after 500ms\n"
        'expect tag patience "short"\nhold by alice\nexpect play jazz to carol\n'
        "resume by alice after 3s\nexpect continue",
        'given time "2026-07-01 12:00"\ncall from bob to alice\nhold by bob\ngiven time "2026-07-01 12:02"\n'
        'resume by bob\nexpect tag patience "long"',
        'call from bob to "030123456"\nexpect dial dialed via pstn\nhold by bob\nexpect play jazz to "+4930123456"',
        'call from bob to "030123456"\nhold by bob\nexpect play jazz to dialed',
        'call from bob to "030123456"\nhold by bob\nexpect play jazz to held',
        'call from bob to "030123456"\nhold by trunk pstn\nexpect continue',
        'call from bob to "030123456"\nhold by "+4930123456"\nexpect continue',
        'call from trunk pstn to "030555001"\nhold by trunk pstn\nexpect play news to alice\nexpect media relay',
        'call from trunk pstn to "030555001"\nhold by alice\nexpect play jazz to held loop',
        'call from "+4930777777" to alice source 198.51.100.1\nhold by "030777777"\nexpect play news to alice',
        'call from "+4930777777" to alice source 198.51.100.1\nhold by anyone\nexpect play news to alice',
        "call from bob to alice\nexpect media direct\nexpect response 200\nhold by bob\nexpect media direct",
        "given bob rings\ncall from alice to bob\nexpect dial bob\nexpect answer play news\nexpect media auto",
        "given bob answers 486\ncall from alice to bob\nexpect dial bob\nexpect answer play jazz loop\n"
        "expect response 200",
        'call from alice to "*43"\nexpect answer echo\nexpect response 200',
        'call from alice to "*46"\nexpect answer play jazz',
    ],
)
def test_what_is_expected_and_comes_true(tmp_path, text):
    assert said(tmp_path, text) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("call from bob to alice\nhold by bob\nexpect continue", "instead it was: play news to held by the rule at"),
        ("call from bob to alice\nhold by bob\nexpect play news to alice loop", "instead it was: play news to held"),
        ("call from bob to alice\nhold by bob\nexpect play jazz to alice", "instead it was: play news to held"),
        ("call from bob to alice\nhold by bob\nexpect play news to bob", "instead it was: play news to held"),
        ("call from carol to alice\nhold by carol\nexpect play news to alice", "it was: play jazz to held loop"),
        ("call from bob to alice\nhold by alice\nexpect play news to bob", "instead it was: continue"),
        ("call from bob to alice\nhold by carol\nexpect continue", "the parties of this call are `bob` and `alice`"),
        ("call from bob to alice\nresume by bob\nexpect continue", "`bob` does not hold"),
        ("call from bob to alice\nhold by bob\nresume by alice\nexpect continue", "`alice` does not hold"),
        ("call from bob to alice\nhold by bob\nhold by bob\nexpect continue", "`bob` holds already"),
        ("call from bob to alice\nhold by bob\nexpect play news to alice\nexpect continue", "no further decision"),
        ('given pstn answers 404\ncall from bob to "030123456"\nhold by bob\nexpect continue', "nobody answered"),
        ("call from anyone to bob\nhold by anyone\nexpect continue", "nobody answered this call"),
        ('call from bob to "*43"\nhold by bob\nexpect continue', "we answered this call ourselves"),
        ("given bob rings\ncall from alice to bob\nhold by alice\nexpect continue", "we answered this call ourselves"),
        ('call from alice to "*43"\nexpect answer tone', "instead it was: answer echo"),
        ('call from alice to "*45"\nexpect answer play news loop', "instead it was: answer play news"),
        ('call from alice to "*46"\nexpect answer play news', "instead it was: answer play jazz loop"),
        ("call from alice to bob\nexpect answer echo", "instead it was: dial bob"),
        ("call from alice to bob\nexpect media relay", "the media is `direct`"),
        ("call from bob to alice\nhold by trunk pstn\nexpect continue", "the parties of this call are"),
        (
            'call from trunk pstn to "030555001"\nhold by bob\nexpect continue',
            "the parties of this call are the caller and `alice`",
        ),
    ],
)
def test_what_does_not_come_true_is_told_with_what_did(tmp_path, text, message):
    assert message in said(tmp_path, text)


def test_a_step_that_cannot_be_fails_where_it_stands(tmp_path):
    (result,) = tester.run(
        policy_of(tmp_path, SCRIPT + 'test "it" {\ncall from bob to alice\n  resume by bob\nexpect continue\n}')
    )
    assert (result.failure.text, result.failure.column) == ("  resume by bob", 3)
