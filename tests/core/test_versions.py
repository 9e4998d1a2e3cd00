"""Versions of the policy under traffic: who follows which, and what becomes of those that are replaced."""

from __future__ import annotations

import weakref
from collections import Counter
from hashlib import md5
from pathlib import Path
from random import Random

import pytest

from b2bua.core import Core
from b2bua.effects import Effect, Flow, Send, StoreBindings, Stored
from b2bua.settings import Listener, Reload, Settings
from b2bua.sip.credentials import Challenge
from b2bua.sip.digest import response
from b2bua.sip.message import Response
from b2bua.sip.parser import parse
from dsl.policy import Policy, load

POLICY = """
policy "versions"
domain {domain}
users staff from "users.yaml"
limit few = 2 per 1h
{trunks}
on register {{ when not authenticated -> challenge otherwise -> accept }}
on call {{
  when not authenticated -> challenge
  when over few -> reject 486
  otherwise -> {decision}
}}
"""
PHONE = "192.0.2.8"
WALL = 1e9


class Office:
    """A core, and the files of its policy."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        draw = Random(1)
        settings = Settings(listen=(Listener("UDP", "192.0.2.1", 5060),), reload=Reload(max_age=3600.0))
        self.core = Core(
            settings, self.policy("reject 480"), lambda: f"{draw.getrandbits(64):016x}", bytes(32), [], 0.0, WALL
        )
        self.core.start(0.0, WALL)
        self._number = 0

    def policy(self, decision: str, password: str = "a", domain: str = "lab.example", trunks: str = "") -> Policy:
        """A version that decides so."""
        (self.folder / "users.yaml").write_text(f"alice: {{password: {password}}}\n")
        script = self.folder / "versions.route"
        script.write_text(POLICY.format(decision=decision, domain=domain, trunks=trunks))
        return load(script)

    def reload(self, decision: str, percent: int = 100, password: str = "a", domain: str = "lab.example") -> str:
        """Load that version, and return its hash."""
        policy = self.policy(decision, password, domain)
        self.core.reload(policy, 0.0, WALL, percent)
        return policy.hash

    def ask(self, method: str, call_id: str, credentials: str = "", source: str = "192.0.2.9") -> Response:
        """Send a request, and return the last response to it."""
        self._number += 1
        flow = Flow("UDP", "192.0.2.1", 5060, source, 5060)
        lines = (
            f"{method} sip:bob@192.0.2.1 SIP/2.0",
            f"Via: SIP/2.0/UDP {source};branch=z9hG4bK{self._number}",
            f"From: <sip:alice@lab.example>;tag={self._number}",
            "To: <sip:alice@lab.example>",
            f"Call-ID: {call_id}",
            f"CSeq: {self._number} {method}",
            f"Contact: <sip:alice@{source}>",
            *([credentials] if credentials else []),
            "Content-Length: 0",
            "",
            "",
        )
        effects = self.core.datagram("\r\n".join(lines).encode(), flow, 0.0, WALL)
        for effect in effects:
            if isinstance(effect, StoreBindings):
                effects = effects + self.core.answered(effect.id, Stored(), 0.0, WALL)
        return responses(effects)[-1]

    def called(self, call_id: str, password: str = "a") -> int:
        """What a caller is told who answers the challenge, all under one Call-ID."""
        challenge = self.ask("INVITE", call_id)
        return self.ask("INVITE", call_id, proof(challenge, "INVITE", password)).status

    def register(self) -> None:
        """Register a phone that rings for ever."""
        challenge = self.ask("REGISTER", "phone", source=PHONE)
        assert self.ask("REGISTER", "phone", proof(challenge, "REGISTER", "a"), PHONE).status == 200

    def end(self) -> None:
        """End all calls."""
        self.core.hangup_all(1.0, WALL)
        for second in range(2, 100):
            self.core.tick(float(second), WALL)

    def states(self) -> dict[str, tuple[str, int, int]]:
        """Each version's state, its share of new calls and its calls, by hash."""
        return {view.hash: (view.state, view.percent, view.calls) for view in self.core.policies()}


def responses(effects: list[Effect]) -> list[Response]:
    sent = [parse(effect.data) for effect in effects if isinstance(effect, Send)]
    return [message for message in sent if isinstance(message, Response)]


def proof(challenge: Response, method: str, password: str) -> str:
    """An Authorization header that answers a challenge."""
    asked = Challenge.parse(challenge.headers["WWW-Authenticate"][0])
    ha1 = md5(f"alice:{asked.realm}:{password}".encode(), usedforsecurity=False).hexdigest()
    uri = "sip:bob@192.0.2.1"
    answer = response(ha1, method, uri, asked.nonce, "00000001", "c", "auth", "MD5")
    return (
        f'Authorization: Digest username="alice", realm="{asked.realm}", nonce="{asked.nonce}", uri="{uri}", '
        f'response="{answer}", qop=auth, nc=00000001, cnonce="c"'
    )


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


CALLS = [f"{number:x}@phone" for number in range(200)]


NEW = "reject 404"


def test_a_trial_has_its_share_of_calls_and_a_wider_one_those_and_more(office: Office) -> None:
    office.reload("reject 480")
    few = Counter[int]()
    taken: list[set[str]] = []
    for percent in (5, 50, 99):
        office.reload(NEW, percent)
        versions = office.core._parts.versions
        taken.append({call for call in CALLS if versions.of(call) is versions.trial})
        few[percent] = len(taken[-1])
    assert taken[0] < taken[1] < taken[2]
    assert 2 <= few[5] <= 20
    assert 80 <= few[50] <= 120


def test_a_caller_who_answers_the_challenge_stays_with_the_version(office: Office) -> None:
    office.reload(NEW, 50)
    versions = office.core._parts.versions
    calls = [next(call for call in CALLS if (versions.of(call) is versions.trial) == new) for new in (True, False)]
    assert [office.called(call) for call in calls] == [404, 480]


def test_a_trial_is_widened_completed_and_taken_back(office: Office) -> None:
    old = office.policy("reject 480").hash
    new = office.reload(NEW, 5)
    assert office.states() == {old: ("in force", 95, 0), new: ("on trial", 5, 0)}
    office.reload(NEW, 50)
    assert office.states() == {old: ("in force", 50, 0), new: ("on trial", 50, 0)}
    office.reload(NEW)
    assert office.states() == {new: ("in force", 100, 0), old: ("previous", 0, 0)}
    assert office.called("x") == 404
    office.core.roll_back(0.0, WALL)
    assert office.states() == {old: ("in force", 100, 0)}
    assert office.called("y") == 480
    with pytest.raises(KeyError):
        office.core.roll_back(0.0, WALL)


def test_rolling_back_in_a_trial_ends_the_trial_alone(office: Office) -> None:
    first = office.policy("reject 480").hash
    second = office.reload(NEW)
    office.reload("reject 603", 20)
    office.core.roll_back(0.0, WALL)
    assert office.states() == {second: ("in force", 100, 0), first: ("previous", 0, 0)}


def test_what_is_in_force_already_ends_a_trial(office: Office) -> None:
    old = office.reload("reject 480")
    office.reload(NEW, 20)
    office.reload("reject 480", 20)
    assert office.states() == {old: ("in force", 100, 0)}


def test_another_trial_takes_the_place_of_one(office: Office) -> None:
    old = office.reload("reject 480")
    office.reload(NEW, 20)
    other = office.reload("reject 603", 30)
    assert office.states() == {old: ("in force", 70, 0), other: ("on trial", 30, 0)}


def test_the_version_before_can_be_on_trial(office: Office) -> None:
    old = office.reload("reject 480")
    new = office.reload(NEW)
    office.reload("reject 480", 30)
    assert office.states() == {new: ("in force", 70, 0), old: ("on trial", 30, 0)}


def test_a_password_counts_at_once_and_is_no_new_version(office: Office) -> None:
    old = office.reload("reject 480")
    assert office.reload("reject 480", password="b") == old
    assert office.states() == {old: ("in force", 100, 0)}
    assert office.called("x", "a") == 401
    assert office.called("y", "b") == 480


def test_the_newest_password_decides_after_a_rollback_too(office: Office) -> None:
    office.reload(NEW, password="b")
    office.core.roll_back(0.0, WALL)
    assert office.called("x", "a") == 401
    assert office.called("y", "b") == 480


def test_a_version_of_another_realm_has_its_own_digests(office: Office) -> None:
    office.reload(NEW, domain="other.example")
    assert office.called("x") == 404
    office.core.roll_back(0.0, WALL)
    assert office.called("y") == 480


def test_a_limit_goes_on_with_the_next_version(office: Office) -> None:
    assert office.called("x") == 480
    office.reload(NEW, 100)
    assert office.called("y") == 404
    assert office.called("z") == 486
    office.core.roll_back(0.0, WALL)
    assert office.called("w") == 486


def test_calls_keep_their_version_and_it_goes_with_the_last_of_them(office: Office) -> None:
    office.register()
    ringing = office.reload("dial alice")
    assert office.called("x") == 100
    policy = weakref.ref(office.core._parts.versions.current.policy)
    second = office.reload(NEW)
    third = office.reload("reject 603")
    assert office.states() == {
        third: ("in force", 100, 0),
        second: ("previous", 0, 0),
        ringing: ("draining", 0, 1),
    }
    assert policy() is not None
    office.end()
    assert ringing not in office.states()
    assert policy() is None


def test_nothing_grows_by_reloading(office: Office) -> None:
    policies = []
    for number in range(30):
        policy = office.policy(f'reject 480 "{number}"')
        policies.append(weakref.ref(policy))
        office.core.reload(policy, 0.0, WALL, 100 if number % 3 else 10)
        del policy
    assert sum(policy() is not None for policy in policies) == 2


ONE = 'trunk one { uri "sip:198.51.100.1" }\n'


def test_a_trial_brings_the_trunks_that_it_adds_and_takes_them_away(office: Office) -> None:
    two = ONE + 'trunk two { uri "sip:198.51.100.2" }\n'
    office.core.reload(office.policy("reject 480", trunks=ONE), 0.0, WALL)
    office.core.reload(office.policy("reject 480", trunks=two), 0.0, WALL, 10)
    assert [trunk.name for trunk in office.core.trunks(WALL)] == ["one", "two"]
    office.core.roll_back(0.0, WALL)
    assert [trunk.name for trunk in office.core.trunks(WALL)] == ["one"]


def test_a_trial_that_moves_a_trunk_is_not_held_back_by_the_state_of_the_old_place(office: Office) -> None:
    moved = 'trunk one { uri "sip:198.51.100.7" }\n'
    office.core.reload(office.policy("reject 480", trunks=ONE), 0.0, WALL)
    office.core.reload(office.policy("reject 480", trunks=moved), 0.0, WALL, 10)
    versions = office.core._parts.versions
    assert [version.apart for version in versions.live] == [frozenset(), frozenset({"one"})]
    assert [trunk.uri for trunk in office.core.trunks(WALL)] == ["sip:198.51.100.1"]
    office.core.reload(office.policy("reject 480", trunks=moved), 0.0, WALL)
    assert [version.apart for version in versions.kept] == [frozenset(), frozenset({"one"})]
    assert [trunk.uri for trunk in office.core.trunks(WALL)] == ["sip:198.51.100.7"]
