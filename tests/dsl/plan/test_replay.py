"""One call, decided again by a policy in which one thing is another: the same, something else, or unknown, and why."""

from __future__ import annotations

import wave
from pathlib import Path

import msgspec
import pytest

from dsl.compile_files import load_setup
from dsl.decision import Decision, Deliver, Dial, Facts, Frame, Outcome, Reject, Step, UserTarget
from dsl.diagnostics import Problem
from dsl.include import read_script
from dsl.plan.recorded import (
    Happened,
    Recorded,
    known_of,
    read_line,
    read_recorded,
    read_version,
    version_of,
    without_frames,
    written,
)
from dsl.plan.replay import Different, Replay, Unknown, _Headers
from dsl.plan.summary import Planning
from dsl.policy import Policy

USERS = "alice: {password: a1, number: '+4930100', extension: '201'}\nbob: {password: b1, extension: '202'}\n"
SCRIPT = """policy "lab"
domain lab.example
country +49
emergency 112
users staff from "users.yaml"
limit toll = 10 per 1h for each caller
sound jazz = "jazz.wav"
trunk pstn {
  uri "sip:gw.example"
  peers 198.51.100.0/28
  channels 4
  allow `+49X(6-12)`
}
trunk named { uri "sip:named.example" }
on register { when not authenticated -> challenge otherwise -> accept max 3 contacts }
on call {
  when from trunk pstn { when caller.number == "+4930555555" -> reject 403 otherwise -> dial bob for 20s }
  when from trunk named -> reject 486
  when dialed == "112" -> dial dialed via pstn
  when header "X-Team" == "red" -> reject 410
  when not authenticated -> challenge
  when dialed == "*45" -> answer play jazz
  when dialed == "desk" -> dial bob for 20s progress 4s then alice for 20s
  when dialed == "sister" -> redirect 302 "sip:sister@partner.example"
  when dialed == "other" -> forward bob.number via pstn
  when dialed == "uri" -> dial "sip:help@partner.example"
  when diverted by == bob -> reject 480
  when callee in staff -> dial callee for 20s
  when dialed matches `0X(6-14)` and pstn is up and pstn is not full {
    when over toll -> reject 403 "enough"
    otherwise { tag way "out" media relay dial dialed via pstn }
  }
  when bob is busy -> reject 486
  otherwise -> reject 404
}
on busy { when target == bob -> reject 486 otherwise -> reject 600 }
on hold { when holder == "+4930999999" -> continue otherwise -> play jazz to held loop }
on transfer { when target == bob -> transfer to bob otherwise -> reject 403 }
on message { when callee in staff -> deliver to callee otherwise -> reject 404 }
"""


DIAL_BOB = Dial((Step((UserTarget("bob"),), 20.0),), Frame("", 0))


class World:
    """An ambient of which little is true."""

    def __init__(self, **true: bool) -> None:
        self.true = {"up": True, "registered": True} | true

    def registered(self, user: str) -> bool:
        return self.true["registered"]

    def busy(self, user: str) -> bool:
        return self.true.get("busy", False)

    def over(self, limit: str, key: str) -> bool:
        return self.true.get("over", False)

    def up(self, trunk: str) -> bool:
        return self.true["up"]

    def full(self, trunk: str) -> bool:
        return self.true.get("full", False)

    def turn(self, group: str) -> int:
        return 1

    def draw(self, group: str) -> float:
        return 0.9


class Desk:
    """A folder with a policy that decides calls, and what became of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file("users.yaml", USERS)
        self.tune(0)
        self.policy = self.load(SCRIPT)

    def _file(self, name: str, text: str) -> Path:
        (self.folder / name).write_text(text, encoding="utf-8")
        return self.folder / name

    def tune(self, level: int) -> None:
        with wave.open(str(self.folder / "jazz.wav"), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(level.to_bytes(2, "little") * 800)

    def load(self, text: str) -> Policy:
        """A policy, whatever the checker's proofs say of it."""
        path = self._file("lab.route", text)
        script = read_script(path)
        problems: list[Problem] = []
        loaded = load_setup(script, path, problems)
        assert not problems
        return Policy(script, path, loaded.setup, loaded.version, [])

    def call(
        self,
        dialed: str = "0301234567",
        caller: str | None = "alice",
        number: str | None = None,
        headers: dict[str, str] | None = None,
        world: World | None = None,
        **said: str,
    ) -> Recorded:
        """A call as this policy decides it, and as it is read again."""
        policy = self.policy
        facts = Facts(
            time=1e9,
            source=said.pop("source", "192.0.2.1"),
            transport="udp",
            ambient=world or World(),
            caller=caller,
            authenticated=caller is not None,
            dialed=dialed,
            callee=policy.callee(dialed),
            headers=headers or {},
            **said,
        )
        facts.trunk = facts.trunk or policy.trunk_of(facts.source)
        if facts.trunk is not None and number is not None:
            facts.caller_number = policy.number_from(facts.trunk, number)
        events = [Happened("call", 1e9, policy.decide("call", facts))]
        known = known_of(facts, policy, number, headers or {}, None)
        return self.reread(Recorded("c1", known, tuple(events)))

    def reread(self, call: Recorded) -> Recorded:
        return read_recorded(written(Recorded(call.call, call.known, without_frames(call.events))))

    def further(self, call: Recorded, event: str, decision: Decision, **own: object) -> Recorded:
        outcome = own.pop("outcome", None)
        happened = Happened(event, 1e9 + 5, decision, outcome, own)
        return self.reread(Recorded(call.call, call.known, (*call.events, happened)))

    def would(self, call: Recorded, *changes: tuple[str, str], users: str = USERS, version: bool = True) -> str:
        """What is found of a call where these texts stand in place of those."""
        text = SCRIPT
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        self._file("users.yaml", users)
        changed = self.load(text)
        versions = {self.policy.hash: version_of(self.policy, 0.0)} if version else {}
        planning = Planning(changed, versions)
        planning.add(call)
        summary = planning.summary
        assert summary.calls == summary.same + summary.different + summary.unknown == 1
        match Replay(changed, versions).of(call):
            case None:
                return "same"
            case Different(change=change):
                assert summary.groups[0].change == change
                return change
            case Unknown(fact=fact):
                assert summary.unknowns[0].change == fact
                return f"unknown: {fact}"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


FULL, OVER, BUSY = World(full=True), World(over=True), World(busy=True)


@pytest.mark.parametrize(
    ("world", "changes", "found"),
    [
        (World(), (), "same"),
        (World(), (("10 per 1h", "20 per 1h"),), "same"),
        (World(), (("10 per 1h", "5 per 1h"),), "unknown: over toll"),
        (OVER, (("10 per 1h", "5 per 1h"),), "same"),
        (OVER, (("10 per 1h", "20 per 1h"),), "unknown: over toll"),
        (World(), (("10 per 1h", "10 per 2h"),), "unknown: over toll"),
        (World(), (("for each caller", "for each dialed"),), "unknown: over toll"),
        (World(), (("for each caller", ""),), "unknown: over toll"),
        (World(), (("channels 4", "channels 5"),), "same"),
        (World(), (("channels 4", "channels 3"),), "unknown: pstn is full"),
        (FULL, (("channels 4", "channels 3"),), "same"),
        (FULL, (("channels 4", "channels 5"),), "unknown: pstn is full"),
        (FULL, (("  channels 4\n", ""),), "unknown: over toll"),
        (World(), (("gw.example", "gw2.example"),), "unknown: pstn is up"),
        (World(), (("pstn is up and", "alice is registered and"),), "unknown: U is registered"),
        (World(), (("pstn is up and", "alice is not busy and"),), "unknown: U is busy"),
        (
            World(),
            (("dialed via pstn }", "dialed via named }"),),
            "dialled through pstn, would be dialled through named",
        ),
        (
            World(),
            (("dialed via pstn }", "dialed via pstn for 30s }"),),
            "dialled through pstn for 120s, would be for 30s",
        ),
        (World(), (('tag way "out"', ""),), "dialled through pstn, would be tagged otherwise"),
        (World(), (("media relay", ""),), "dialled through pstn, its media relay, would be auto"),
        (
            World(),
            (("media relay", 'media relay set header "X-A" to "b"'),),
            "dialled through pstn, would be with other headers",
        ),
        (World(), (("media relay", 'media relay log "b"'),), "same"),
        (
            World(),
            (('when over toll -> reject 403 "enough"\n', ""),),
            "dialled through pstn, would count for other limits",
        ),
        (
            World(),
            (("`+49X(6-12)`", "`+44X(6-12)`"),),
            "dialled through pstn (through pstn, which would not allow the number)",
        ),
        (
            World(),
            (("channels 4", "channels 4 number e164"),),
            "dialled through pstn (through pstn, which would be given another form of the number)",
        ),
        (
            World(),
            (("channels 4", 'channels 4 caller-id "+4930"'),),
            "dialled through pstn (through pstn, whose `caller-id` would be another)",
        ),
        (OVER, (('"enough"', '"too much"'),), "rejected 403, would be with another reason"),
    ],
)
def test_a_call_to_the_world(desk: Desk, world: World, changes: tuple[tuple[str, str], ...], found: str) -> None:
    assert desk.would(desk.call(world=world), *changes) == found


@pytest.mark.parametrize(
    ("dialed", "change", "found"),
    [
        ("bob", ("dial callee for 20s", "dial alice for 20s"), "dialled a user, would be another user"),
        ("bob", ("dial callee for 20s", "dial bob for 20s"), "same"),
        (
            "desk",
            ("progress 4s", "progress 5s"),
            "dialled a user then a user, would be left after another time without progress",
        ),
        ("desk", ("then alice", "else alice"), "dialled a user then a user, would be dialled a user else a user"),
        (
            "desk",
            ("bob for 20s p", "bob and alice for 20s p"),
            "dialled a user then a user, would be dialled a user and a user then a user",
        ),
        (
            "desk",
            ("then alice for 20s", "then alice and bob for 20s"),
            "dialled a user then a user, would be dialled a user then a user and a user",
        ),
        ("uri", ("help@partner", "desk@partner"), "dialled an address, would be another address"),
        ("sister", ("sip:sister@", "sip:brother@"), "redirected 302, would be to another address"),
        ("sister", ("redirect 302", "redirect 301"), "redirected 302, would be redirected 301"),
        ("*45", ("answer play jazz", "answer play jazz loop"), "answered with jazz, would be in another way"),
        ("*45", ("answer play jazz", "answer echo"), "answered with jazz, would be answered with echo"),
        (
            "other",
            ("forward bob.number via pstn", "forward bob.number via pstn notify 182"),
            "forwarded nobody through pstn, would be on behalf of somebody else",
        ),
        (
            "other",
            ("forward bob.number", "forward alice.number"),
            "forwarded nobody through pstn, would be forwarded through pstn",
        ),
        (
            "112",
            ("emergency 112", "emergency 110"),
            "dialled through pstn (through pstn, which would not allow the number)",
        ),
        (
            "112",
            ("dial dialed via pstn\n", 'dial "110" via pstn\n'),
            "dialled through pstn, would be another number there",
        ),
    ],
)
def test_where_a_call_goes(desk: Desk, dialed: str, change: tuple[str, str], found: str) -> None:
    assert desk.would(desk.call(dialed), change) == found


def test_a_limit_that_is_another_for_one_user_alone(desk: Desk) -> None:
    """`for each caller` may have a number for each user in the users file."""
    desk.policy = desk.load(SCRIPT.replace("toll = 10 per", "toll = caller.calls or 10 per"))
    call = desk.call()
    users = USERS.replace("number: '+4930100'", "number: '+4930100', calls: '5'")
    changed = ("toll = 10 per", "toll = caller.calls or 10 per")
    assert desk.would(call, changed) == "same"
    assert desk.would(call, changed, users=users) == "unknown: over toll"


def test_a_number_that_was_refused_may_be_allowed(desk: Desk) -> None:
    call = desk.call("004412345678")
    found = desk.would(call, ("`+49X(6-12)`", "`+X(6-12)`"))
    assert found == "dialled through pstn (refused by pstn, which would allow the number)"


def test_another_sound_of_the_same_name(desk: Desk) -> None:
    call = desk.call("*45")
    desk.tune(9)
    assert desk.would(call) == "answered with jazz, which would be another sound"
    headless = ('  when header "X-Team" == "red" -> reject 410\n', "")
    assert desk.would(call, headless, version=False) == "same"


def test_an_account_that_is_gone_would_be_challenged(desk: Desk) -> None:
    call = desk.call("zoe", caller="bob", world=World())
    users = USERS.partition("bob")[0]
    assert desk.would(desk.call("zoe", caller="alice"), users=USERS) == "same"
    assert desk.would(call, *[("bob", "alice")], users=users) == "rejected 404, would be challenged"


def test_who_calls_from_a_trunk(desk: Desk) -> None:
    call = desk.call("bob", None, "030555555", source="198.51.100.1", claimed="030111111")
    assert desk.would(call) == "same"
    assert desk.would(call, ("country +49", "country +44")) == "rejected 403, would be dialled a user"
    trusted = ("channels 4", "channels 4 trusted")
    assert desk.would(call, trusted) == "unknown: caller.number"
    unasked = ('when caller.number == "+4930555555" -> reject 403 otherwise ->', "otherwise ->")
    assert desk.would(call, trusted, unasked) == "rejected 403, would be dialled a user"
    counted = ("for each caller", "for each caller.number")
    assert desk.would(call, trusted, unasked, counted) == "unknown: caller.number"
    rung = Recorded("c1", call.known, (Happened("call", 1e9, Decision(DIAL_BOB, desk.policy.hash)),))
    play = desk.policy.decide("hold", Facts(time=0.0, source="", transport="udp", ambient=World()))
    held = {"holder": "+4930555555", "held": "bob", "holder_is_caller": True, "held_for": None}
    holding = desk.further(rung, "hold", play, **held)
    assert desk.would(holding, trusted, unasked) == "unknown: holder"
    deaf = ('when holder == "+4930999999" -> continue ', "")
    assert desk.would(holding, trusted, unasked, deaf) == "same"
    assert desk.would(call, ("  peers 198.51.100.0/28\n", "")) == "rejected 403, would be challenged"


def test_a_caller_from_a_trunk_that_was_believed(desk: Desk) -> None:
    desk.policy = desk.load(SCRIPT.replace("channels 4", "channels 4 trusted"))
    call = desk.call("bob", None, "030555555", source="198.51.100.1", claimed="030111111")
    assert desk.would(call) == "rejected 403, would be dialled a user"


def test_a_caller_who_comes_to_be_from_a_trunk(desk: Desk) -> None:
    call = desk.call("112", None, source="203.0.113.9", claimed="030555555")
    peers = ("peers 198.51.100.0/28", "peers 198.51.100.0/28, 203.0.113.0/24")
    assert desk.would(call, peers) == "dialled through pstn, would be rejected 403"


def test_a_trunk_that_was_known_by_its_uri(desk: Desk) -> None:
    call = desk.call("bob", None, source="203.0.113.9", trunk="named")
    assert call.known.trunk_uri == "sip:named.example"
    assert desk.would(call) == "same"
    assert desk.would(call, ("trunk named", "trunk renamed")) == "same"
    assert desk.would(call, ("sip:named.example", "sip:moved.example")) == "rejected 486, would be challenged"


def test_headers_are_known_where_the_policy_named_them(desk: Desk) -> None:
    red = desk.call("zoe", headers={"x-team": "red", "authorization": "red"})
    assert desk.would(red) == "same"
    assert desk.would(red, ('"X-Team" == "red"', '"X-Group" == "red"')) == 'unknown: header "x-group"'
    desk.policy = desk.load(SCRIPT.replace("X-Team", "Authorization"))
    blue = ('"X-Team" == "red"', '"Authorization" == "blue"')
    assert desk.would(red, blue) == 'unknown: header "authorization"'
    assert desk.would(red, version=False) == 'unknown: header "x-team"'


def test_what_stands_in_a_record_of_headers(desk: Desk) -> None:
    known = desk.call("zoe", headers={"x-team": "red", "authorization": "red"}).known
    assert known.headers == {"x-team": "red"}


def test_without_the_version_that_decided_little_is_known(desk: Desk) -> None:
    headless = ('  when header "X-Team" == "red" -> reject 410\n', "")
    call = desk.call("0301234567")
    assert desk.would(call, headless, version=False) == "unknown: pstn is up"
    upless = ("pstn is up and ", "")
    assert desk.would(call, headless, upless, version=False) == "unknown: pstn is full"
    fullless = ("pstn is not full", "dialed is not absent")
    assert desk.would(call, headless, upless, fullless, version=False) == "unknown: over toll"
    assert desk.would(desk.call("bob"), headless, version=False) == "same"
    assert desk.would(desk.call("112"), headless, version=False) == "same"


def test_who_forwarded_is_who_has_that_name_now(desk: Desk) -> None:
    call = desk.call("zoe", diverted_by="bob")
    assert desk.would(call) == "same"
    assert desk.would(desk.call("zoe", diverted_by="299"), users=USERS.replace("202", "299")) == (
        "rejected 404, would be rejected 480"
    )


def test_an_outcome_is_gone_through_as_it_came(desk: Desk) -> None:
    outcome = Outcome("busy", "bob", 486, True, 1)
    call = desk.further(desk.call("bob"), "busy", Decision(Reject(486), desk.policy.hash, ("38:11",)), outcome=outcome)
    assert desk.would(call) == "same"
    assert desk.would(call, ("target == bob", "target == alice")) == "rejected 486, would be rejected 600"
    nested = ("dial callee for 20s", "dial callee for 20s { busy -> reject 480 }")
    assert desk.would(call, nested) == "rejected 486, would be rejected 480"
    assert desk.would(call, ("dial callee for 20s", "dial callee for 25s")) == (
        "dialled a user for 20s, would be for 25s"
    )


def test_who_holds_is_called_what_this_policy_calls_it(desk: Desk) -> None:
    call = desk.call("112", None, "030555555", source="198.51.100.1", claimed="030999999")
    call = Recorded("c1", call.known, (Happened("call", 1e9, Decision(Reject(403), desk.policy.hash)),))
    play = desk.policy.decide("hold", Facts(time=0.0, source="", transport="udp", ambient=World()))
    held = {"holder": "+4930555555", "held": "bob", "holder_is_caller": True, "held_for": None}
    holding = desk.further(call, "hold", play, **held)
    assert desk.would(holding) == "same"
    assert desk.would(holding, ('"+4930999999"', '"+4930555555"')) == "held with jazz over and over, would be passed on"
    other = held | {"holder": "bob", "held": "+4930555555", "holder_is_caller": False}
    assert desk.would(desk.further(call, "hold", play, **other), ('"+4930999999"', "bob")) == (
        "held with jazz over and over, would be passed on"
    )
    assert desk.would(holding, ("jazz to held loop", "jazz to held")) == (
        "held with jazz over and over, would be held with jazz"
    )


def test_a_transfer_goes_to_who_has_that_name_now(desk: Desk) -> None:
    own = {"transferor": "alice", "transferee": "bob", "transferor_is_caller": True, "transferor_is_known": True}
    facts = Facts(time=0.0, source="", transport="udp", ambient=World(), dialed="202", target="bob")
    decision = desk.policy.decide("transfer", facts)
    call = desk.further(desk.call("bob"), "transfer", decision, **own, dialed="202", target="bob")
    assert desk.would(call) == "same"
    assert desk.would(call, users=USERS.replace("202", "299")) == "transferred to a user, would be rejected 403"
    assert desk.would(call, ("transfer to bob", "transfer to bob for 20s")) == (
        "transferred to a user, would be in another way"
    )


def test_an_attended_transfer_is_the_same_whatever_the_rule_names(desk: Desk) -> None:
    own = {"transferor": "alice", "transferee": "bob", "transferor_is_known": True, "attended": True}
    facts = Facts(time=0.0, source="", transport="udp", ambient=World(), dialed="bob", target="bob", attended=True)
    decision = desk.policy.decide("transfer", facts)
    call = desk.further(desk.call("bob"), "transfer", decision, **own, dialed="bob", target="bob")
    assert desk.would(call) == "same"
    assert desk.would(call, ("transfer to bob", "transfer to alice for 20s")) == "same"
    assert desk.would(call, ("when target == bob ->", "when not attended ->")) == (
        "transferred to a user, would be rejected 403"
    )
    assert desk.would(call, users=USERS.replace("bob:", "bill:").replace("target == bob", "target == bill")) != "same"


def test_an_attended_transfer_that_was_refused_may_be_allowed(desk: Desk) -> None:
    own = {"transferor": "alice", "transferee": "bob", "transferor_is_known": True, "attended": True}
    facts = Facts(time=0.0, source="", transport="udp", ambient=World(), dialed="+4930", attended=True)
    decision = desk.policy.decide("transfer", facts)
    call = desk.further(desk.call("bob"), "transfer", decision, **own, dialed="+4930", target=None)
    assert desk.would(call) == "same"
    assert desk.would(call, ("when target == bob ->", "when attended ->")) == (
        "rejected 403, would be transferred to a user"
    )


def test_a_message_goes_to_who_has_that_name_now(desk: Desk) -> None:
    facts = Facts(time=1e9, source="192.0.2.1", transport="udp", ambient=World(), dialed="202", callee="bob")
    facts.caller, facts.authenticated = "alice", True
    event = Happened("message", 1e9, desk.policy.decide("message", facts))
    message = desk.reread(Recorded("m1", known_of(facts, desk.policy, None, {}, None), (event,)))
    assert event.decision.action == Deliver("bob")
    assert desk.would(message) == "same"
    assert desk.would(message, users=USERS.replace("202", "299")) == "delivered to a user, would be rejected 404"
    assert desk.would(message, ("deliver to callee", "deliver to alice")) == (
        "delivered to a user, would be to another user"
    )
    assert desk.would(message, ("deliver to callee", "deliver to bob.number")) == (
        "delivered to a user, would be delivered to nobody"
    )


def registered(desk: Desk, caller: str | None, named: str) -> Recorded:
    facts = Facts(time=1e9, source="192.0.2.1", transport="udp", ambient=World(), caller=caller, user=caller)
    facts.authenticated = caller is not None
    decision = desk.policy.decide("register", facts)
    known = known_of(facts, desk.policy, None, {}, named)
    return desk.reread(Recorded(named, known, (Happened("register", 1e9, decision),)))


def test_a_registration(desk: Desk) -> None:
    call = registered(desk, "bob", "202")
    assert desk.would(call) == "same"
    assert desk.would(call, ("max 3", "max 2")) == "accepted, would be with other bounds"
    swapped = USERS.replace("202", "9").replace("201", "202")
    assert desk.would(call, users=swapped) == "accepted, would be rejected 403"


def test_a_policy_that_fails_rejects_as_the_engine_does(desk: Desk) -> None:
    fails = desk.policy
    fails._program.events["call"] = fails._program.events["hold"] = lambda run: None
    fails._program.events["busy"] = lambda run: None
    replay = Replay(fails, {})
    known = known_of(Facts(time=1.0, source="192.0.2.1", transport="udp", ambient=World()), fails, None, {}, None)
    busy = Happened("busy", 2.0, Decision(Reject(500), "x"), Outcome("busy"))
    hold = Happened("hold", 3.0, Decision(Reject(486), "x"))
    first = Happened("call", 1.0, Decision(Reject(500), "x"))
    found = replay.of(Recorded("c1", known, (first, busy, hold)))
    assert isinstance(found, Different)
    assert (found.event, found.change) == (hold, "rejected 486, would be passed on")


def test_a_decision_by_no_rule_or_one_that_is_not_there(desk: Desk) -> None:
    call = desk.call("bob")
    [event] = call.events
    assert isinstance(event.decision.action, Dial)
    assert event.decision.action.frame == Frame("", 0)
    bare = Recorded("c1", call.known, (Happened("call", 1e9, Decision(Reject(486), desk.policy.hash)),))
    far = Recorded("c2", call.known, (Happened("call", 1e9, Decision(Reject(486), desk.policy.hash, ("9999:1",))),))
    odd = Recorded("c3", call.known, (Happened("call", 1e9, Decision(Reject(486), "other", ("9:1",))),))
    planning = Planning(desk.policy, {desk.policy.hash: version_of(desk.policy, 0.0)})
    for each in (bare, far):
        planning.add(each)
    assert {group.before.text for group in planning.summary.groups} == {""}
    planning.add(odd)
    assert planning.summary.unknown == 1


def test_the_newest_calls_stand_for_a_group(desk: Desk) -> None:
    call = desk.call("zoe")
    changed = desk.load(SCRIPT.replace("reject 404", "reject 410"))
    planning = Planning(changed, {desk.policy.hash: version_of(desk.policy, 0.0)})
    [event] = call.events
    for at in (5.0, 9.0, 2.0, 7.0, 1.0):
        planning.add(Recorded(f"at {at:g}", call.known, (msgspec.structs.replace(event, time=at),)))
    [group] = planning.summary.groups
    assert (group.calls, [example.call for example in group.examples]) == (5, ["at 9", "at 7", "at 5"])


def test_the_headers_that_were_kept_can_be_gone_through() -> None:
    headers = _Headers({"x-team": "red"}, None)
    assert (list(headers), len(headers)) == (["x-team"], 1)


def test_what_was_kept_is_read_from_its_lines_again(desk: Desk) -> None:
    call, version = desk.call("bob"), version_of(desk.policy, 0.0)
    assert [read_line(written(each)) for each in (call, version)] == [call, version]
    assert read_version(written(version)) == version


def test_octets_that_are_no_text_are_kept_as_what_stands_for_them(desk: Desk) -> None:
    call = desk.call("bob")
    odd = msgspec.structs.replace(
        call, known=msgspec.structs.replace(call.known, claimed="a\udcff", headers={"x": "b"})
    )
    assert read_recorded(written(odd)).known.claimed == "a\ufffd"


def test_calls_of_which_the_same_is_unknown_are_counted_together(desk: Desk) -> None:
    call = desk.call("bob")
    [event] = call.events
    odd = msgspec.structs.replace(event, decision=msgspec.structs.replace(event.decision, policy="other"))
    planning = Planning(desk.load(SCRIPT.replace("dial callee for 20s", "dial callee for 30s")), {})
    for number in range(2):
        planning.add(Recorded(f"c{number}", call.known, (odd,)))
    assert planning.summary.unknown == 2


GROUPS = """\
group duty in turn = alice, bob
group sales by weight = alice 1, bob 9
on call {
  when dialed == "7" -> dial duty
  when dialed == "8" -> dial sales
"""


@pytest.mark.parametrize(
    ("dialed", "others", "why"),
    [
        ("7", ("duty in turn = alice, bob", "duty in turn = bob, alice"), "whose turn it is in duty"),
        ("8", ("sales by weight = alice 1, bob 9", "sales by weight = alice 99, bob 1"), "who comes first in sales"),
    ],
)
def test_whose_turn_it_was_and_what_chance_said_are_recorded(
    tmp_path: Path, dialed: str, others: tuple[str, str], why: str
) -> None:
    desk = Desk(tmp_path)
    grouped = ("on call {\n", GROUPS)
    assert desk.would(desk.call(dialed), grouped) == f"unknown: {why}"
    desk.policy = desk.load(SCRIPT.replace(*grouped))
    call = desk.call(dialed)
    assert desk.would(call, grouped) == "same"
    assert desk.would(call, grouped, others) != "same"
