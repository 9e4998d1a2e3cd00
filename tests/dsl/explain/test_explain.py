"""What `explain` tells of a call: each rule that was looked at, its values, what decided, and what may follow."""

from random import Random

import msgspec
import pytest

from dsl.diagnostics import PolicyError
from dsl.expectation import told
from dsl.explain import Explanation, Sentence, explain, explanation_text
from dsl.rehearsal import World
from dsl.scene import Scene
from dsl.sentences import read_sentences
from tests.dsl.ambient import Asked
from tests.dsl.back.office import SCRIPT, office, unchecked
from tests.dsl.generated import Answers, policy
from tests.dsl.generated.scenarios import Scenarios
from tests.dsl.generated.vocabulary import wav


def said(*texts):
    return [Sentence(text, f"sentence {number}") for number, text in enumerate(texts, 1)]


def events(folder, *texts):
    return explain(office(folder), said(*texts)).events


def lines(folder, *texts, script=SCRIPT):
    return explanation_text(explain(office(folder, script), said(*texts))).splitlines()


def test_a_call_is_told_with_its_decision_first_then_rule_by_rule(tmp_path):
    text = lines(tmp_path, "call from alice to bob source office")
    assert text[0] == (
        "call from alice to bob source office: it is forwarded on behalf of bob to 015112345678 through trunk pstn for"
        " 25s; the caller is told so with 181 (office.route:58:3)"
    )
    assert text[4:] == [
        "on call: Wed 2026-07-01 12:00, source 10.20.0.1, transport udp, authenticated, caller alice, claimed alice,"
        " dialed bob, callee bob",
        "  office.route:32:3  when dialed is emergency and (source in office or authentica...: no, dialed is bob, no"
        " emergency number",
        "  office.route:33:3  when from trunk pstn: no, it comes from no trunk",
        "  office.route:38:3  when over doors and not authenticated: no, doors has room for 10.20.0.1",
        "  office.route:39:3  when not authenticated: no, alice is authenticated",
        "  office.route:40:3  also when caller in desk: yes, caller is alice, in desk (alice, carol)",
        '  office.route:41:3  when dialed == "carol": no, dialed is bob, not "carol"',
        "  office.route:46:3  when callee in staff: yes, callee is bob, in staff (alice, bob, carol)",
        "  office.route:58:3    when who == bob: yes, who is bob",
        '  so: forward "015112345678" via pstn',
        '    tags team "desk"',
        '    logs "bob"',
        "    takes one of limit doors for 10.20.0.1",
        "  if busy (486): reject 486, as nothing is said of it",
        "  if no-answer: reject 480, as nothing is said of it",
        "  if unreachable: reject 480, as nothing is said of it",
        "  if failure (404): reject 404, as nothing is said of it",
        '  if redirect (302): dial "sip:elsewhere@redirected.invalid", by office.route:66:3',
    ]


def test_a_trunks_call_is_told_with_the_number_that_it_comes_from(tmp_path):
    text = lines(tmp_path, 'call from "030 99 99 99" via trunk pstn to "030555001"')
    assert text[0].startswith('call from "030 99 99 99" via trunk pstn to "030555001": it goes to alice for 2min')
    assert "source 198.51.100.1" in text[4] and "claimed 030 99 99 99" in text[4]
    assert '    tags from "+4930999999"' in text


def test_what_an_accept_does_not_take_is_told_as_refused(tmp_path):
    text = lines(tmp_path, "register alice contacts 4")
    assert text[0] == 'register alice contacts 4: it is refused with 403 "Too Many Contacts" (office.route:28:3)'
    assert '  so: reject 403 "Too Many Contacts"' in text


def test_each_part_that_was_looked_at_has_a_line(tmp_path):
    text = lines(tmp_path, "call from alice to 112 source office")
    at = text.index("  office.route:32:3  when dialed is emergency and (source in office or authentica...: yes")
    assert [line.strip() for line in text[at + 1 : at + 3]] == [
        'dialed is emergency: yes, dialed is "112", an emergency number',
        "source in office: yes, source 10.20.0.1 is in office (10.20.0.0/16, 2001:db8:20::/48)",
    ]


def test_of_very_many_parts_those_in_the_middle_are_counted(tmp_path):
    many = " or ".join(f'dialed == "{number}"' for number in range(40))
    script = SCRIPT.replace("when over doors and not authenticated", f"when {many}")
    text = [line.strip() for line in lines(tmp_path, "call from alice to bob", script=script)]
    assert 'dialed == "2": no, dialed is bob, not "2"' in text
    assert "... 34 parts more, between these" in text
    assert 'dialed == "37": no, dialed is bob, not "37"' in text
    assert 'dialed == "3": no, dialed is bob, not "3"' not in text


def test_what_is_given_counts_for_the_event_before_it_too(tmp_path):
    (call,) = events(tmp_path, "call from anyone to alice", "given over doors")
    assert (call.decision, call.by) == ("reject 486", "office.route:38:3")
    (call,) = events(tmp_path, "given over doors", "call from anyone to alice")
    assert call.decision == "reject 486"
    first, second = events(tmp_path, "call from anyone to alice", "call from anyone to bob", "given over doors")
    assert (first.decision, second.decision) == ("challenge", "reject 486")


def test_a_dial_that_ends_is_told_to_its_end(tmp_path):
    call, busy, failed = events(
        tmp_path, "call from bob to carol", *(f"given {user} answers 486" for user in ("alice", "bob", "carol"))
    )
    assert (call.said, call.endings) == ("call from bob to carol", ())
    assert (busy.said, busy.event, busy.decision, busy.by) == ("", "busy", "dial alice", "office.route:42:5")
    assert (failed.event, failed.plain, failed.by) == ("busy", "it is refused with 486", "")
    assert busy.facts["code"] == 486
    text = lines(
        tmp_path, "call from bob to carol", *(f"given {user} answers 486" for user in ("alice", "carol", "bob"))
    )
    assert text[1:3] == [
        "  busy: it goes to alice for 2min (office.route:42:5)",
        "  busy: it is refused with 486 (the policy says nothing of it)",
    ]


def test_what_happens_in_a_call_is_told_by_its_own_sentence(tmp_path):
    found = events(
        tmp_path,
        "call from bob to carol",
        "given carol answers 486",
        "hold by bob",
        "resume by bob after 90s",
        "transfer by bob to alice",
    )
    assert [(event.said, event.event, event.decision) for event in found] == [
        ("call from bob to carol", "call", 'dial carol then alice and bob else "015112345678" via pstn'),
        ("hold by bob", "hold", "continue"),
        ("resume by bob after 90s", "resume", "continue"),
        ("transfer by bob to alice", "transfer", "reject 403"),
    ]
    assert found[2].facts["held for"] == 90.0


def test_a_sentence_that_cannot_come_true_is_told_at_its_place(tmp_path):
    with pytest.raises(PolicyError) as refused:
        events(tmp_path, "call from bob to carol", "hold by alice")
    assert str(refused.value).splitlines() == [
        "sentence 2:1:9: error: the parties of this call are `bob` and `carol`",
        "  hold by alice",
        "          ^^^^^",
    ]


PLAIN = [
    ("register alice", "the registration is accepted for 1min to 1h, with at most 3 contacts"),
    ("register anyone", "it is asked for a password (401)"),
    ('call from bob to "away"', "the caller is told to call sip:alice@acme.example (302)"),
    ('call from bob to "404"', "it is refused with 404"),
    ('given over toll\ncall from bob to "0301234"', 'it is refused with 403 "hourly limit reached"'),
    ('call from bob to "0301234"', "it goes to +49301234 through trunk pstn for 1min"),
    ('call from bob to "9123"', "it goes to a number that is none through trunk pstn for 2min"),
    ("call from bob to alice", "it goes to alice for 2min"),
    ("given alice answers 302\ncall from carol to alice", "the caller is told to call"),
]


@pytest.mark.parametrize(("sentences", "plain"), PLAIN)
def test_a_decision_in_plain_words(tmp_path, sentences, plain):
    assert any(event.plain.startswith(plain) for event in events(tmp_path, *sentences.splitlines()))


WORDS = [
    ("answer echo", "we answer with an echo"),
    ("answer tone", "we answer with a tone"),
    ("answer play jazz loop", "we answer, and play jazz again and again"),
    ("answer play jazz", "we answer, and play jazz"),
    ('set header "X-A" to "1", strip header "X-B", media relay, reject 404', "it is refused with 404"),
    ('dial "sip:a@b.example" for 90min', "it goes to sip:a@b.example for 10min"),
    ("dial alice for 1500ms", "it goes to alice for 1.5s"),
    ("dial alice { busy -> redirect 302 caller.mobile }", "it goes to alice for 2min"),
]


@pytest.mark.parametrize(("decision", "plain"), WORDS)
def test_each_kind_of_decision_has_its_words(tmp_path, decision, plain):
    script = SCRIPT.replace("-> reject 486", f"-> {decision}", 1) + 'sound jazz = "jazz.wav"\n'
    (tmp_path / "jazz.wav").write_bytes(wav())
    (call, *_) = explain(unchecked(tmp_path, script), said("given over doors", "call from anyone to bob")).events
    assert call.plain == plain
    if decision.startswith("set"):
        assert call.besides == ('sets header X-A to "1"', "strips header X-B", "media relay")


WITHIN = """
sound jazz = "jazz.wav"
on hold { when holder == carol -> play jazz to held otherwise -> play jazz to held loop }
on transfer { when target == alice -> transfer to "sip:desk@b.example" for 90s otherwise -> transfer to target for 1h }
"""
IN_A_CALL = [
    ("hold by bob", "whoever is held hears jazz again and again"),
    ("hold by carol", "whoever is held hears jazz"),
    ("transfer by bob to alice", "the transfer is allowed, and calls sip:desk@b.example for 90s"),
    ("transfer by bob to 123", "the transfer is allowed, and calls nobody for 10min"),
]


@pytest.mark.parametrize(("sentence", "plain"), IN_A_CALL)
def test_decisions_in_a_call_have_their_words(tmp_path, sentence, plain):
    (tmp_path / "jazz.wav").write_bytes(wav())
    compiled = unchecked(tmp_path, SCRIPT + WITHIN)
    assert explain(compiled, said("call from bob to carol", sentence)).events[-1].plain == plain


def test_an_attended_transfer_calls_nobody(tmp_path):
    (tmp_path / "jazz.wav").write_bytes(wav())
    sentences = said("call from bob to carol", "call from bob to alice", "transfer by bob to alice attended")
    first, transfer, second = explain(unchecked(tmp_path, SCRIPT + WITHIN), sentences).events
    assert (first.event, second.event, transfer.said) == ("call", "call", "transfer by bob to alice attended")
    assert transfer.plain == "the transfer is allowed, and connects the two"
    assert transfer.facts["attended"] is True


def test_a_message_is_explained_too(tmp_path):
    script = SCRIPT + "on message { when not authenticated -> challenge otherwise -> deliver to callee }\n"
    first, second = explain(
        unchecked(tmp_path, script), said("message from bob to alice", "message from bob to 9")
    ).events
    assert (first.event, first.plain) == ("message", "the message is handed to alice")
    assert second.plain == "the message is handed to nobody"


class Moment(Asked):
    """A server where nobody is registered and one trunk is down."""

    def _say(self, *question):
        return question not in (("registered", "bob"), ("up", "pstn"), ("over", "toll", "bob"))


def test_what_is_not_given_is_asked_of_the_server(tmp_path):
    compiled = office(tmp_path)
    time = 1_782_900_000.0
    found = explain(compiled, said("call from anyone to bob source 192.0.2.9"), Moment(), time)
    (call,) = found.events
    assert (found.live, call.decision, call.asked) == (True, "reject 486", {"over doors 192.0.2.9": True})
    assert call.time == "Wed 2026-07-01 12:00"
    call, unreachable = explain(
        compiled, said("call from bob to 0301234", "given pstn is not full", "given bob is busy"), Moment(), time
    ).events
    assert (call.decision, unreachable.event) == ('dial "+49301234" via pstn', "unreachable")
    assert explanation_text(found).splitlines()[2].startswith("office.route, as the server has it now, by the version")


def test_an_explanation_can_be_written_and_read_again(tmp_path):
    found = explain(office(tmp_path), said("call from bob to carol", "register alice"))
    assert msgspec.json.decode(msgspec.json.encode(found), type=Explanation) == found


def test_it_agrees_with_the_compiled_policy_whatever_it_says(tmp_path):
    decided = 0
    for seed in range(30):
        generated = policy(seed, tmp_path, size=8)
        compiled = generated.compiled(tmp_path)
        writer, random = Scenarios(generated.words), Random(seed)
        for number in range(6):
            sentences = said(*writer._given(), writer._call() if random.random() < 0.8 else writer._register())
            ambient = Answers(number)
            found = explain(compiled, sentences, ambient)
            scene = Scene(compiled, World(compiled, ambient))
            for item in read_sentences(compiled, sentences):
                scene.take(item.step)
            scene.finish()
            decisions = [made for happening in scene.happenings for made in happening.decisions]
            assert [event.decision for event in found.events] == [told(made.action) for made in decisions]
            for event, made in zip(found.events, decisions, strict=True):
                fired = [item.place.removeprefix("generated.route:") for item in event.tried if item.matched]
                assert (fired, event.asked) == (list(made.rules), made.asked)
            decided += len(decisions)
    assert decided > 200
