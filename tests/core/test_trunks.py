"""Trunks as the core keeps them: what a restart leaves, who calls, and whom a call for our Contact is for."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from b2bua.core import Core
from b2bua.effects import Effect, Send
from b2bua.routing.facts import called_in
from b2bua.settings import Listener, Settings
from b2bua.sip.message import Request
from b2bua.sip.parser import parse
from dsl.policy import Policy, load

POLICY = """
policy "trunks"
domain lab.example
trunk one {{ uri "sip:198.51.100.1{port}" register as "acme" secret "s" }}
trunk two {{ uri "sip:198.51.100.2" register as "acme" secret "s" check every 30s }}
on register {{ otherwise -> reject 403 }}
on call {{ otherwise -> reject 404 }}
"""


def policy(folder: Path, port: str = "") -> Policy:
    secrets = folder / "secrets.yaml"
    secrets.touch(mode=0o600)
    secrets.write_text("s: {password: p}\n")
    script = folder / "trunks.route"
    script.write_text(POLICY.format(port=port))
    return load(script)


def core(folder: Path, *disabled: str) -> Core:
    draw = Random(1)
    settings = Settings(listen=(Listener("UDP", "192.0.2.1", 5060),))
    return Core(settings, policy(folder), lambda: f"{draw.getrandbits(64):016x}", bytes(32), [], 0.0, 1e9, disabled)


def requests(effects: list[Effect]) -> list[tuple[str, str, str]]:
    """Method, target and Expires of what is sent."""
    found = []
    for effect in effects:
        if isinstance(effect, Send):
            request = parse(effect.data)
            assert isinstance(request, Request)
            found.append((request.method, effect.flow.remote, request.get("Expires") or ""))
    return found


def test_nothing_is_sent_before_the_start_and_then_all_begins(tmp_path: Path) -> None:
    began = core(tmp_path)
    assert requests(began.start(0.0, 1e9)) == [
        ("REGISTER", "198.51.100.1", "600"),
        ("OPTIONS", "198.51.100.2", ""),
        ("REGISTER", "198.51.100.2", "600"),
    ]


def test_a_trunk_that_was_disabled_before_a_restart_stays_so(tmp_path: Path) -> None:
    began = core(tmp_path, "one", "gone")
    assert requests(began.start(0.0, 1e9)) == [("OPTIONS", "198.51.100.2", ""), ("REGISTER", "198.51.100.2", "600")]
    one, two = began.trunks(1e9)
    assert (one.state, one.why, one.registration) == ("disabled", "by the operator", "off")
    assert (two.state, two.why, two.registration) == ("up", "", "registering")
    assert requests(began.switch_trunk("one", False, 1.0, 1e9)) == [("REGISTER", "198.51.100.1", "600")]
    assert began.switch_trunk("nobody", True, 1.0, 1e9) == []


def test_a_trunk_that_moves_is_left_and_registered_at_anew(tmp_path: Path) -> None:
    began = core(tmp_path)
    began.start(0.0, 1e9)
    assert requests(began.reload(policy(tmp_path), 1.0, 1e9)) == []
    sent = requests(began.reload(policy(tmp_path, ":5070"), 2.0, 1e9))
    assert sent == [("REGISTER", "198.51.100.1", "0"), ("REGISTER", "198.51.100.1", "600")]


def test_a_server_that_ends_leaves_and_registers_no_more(tmp_path: Path) -> None:
    began = core(tmp_path)
    began.start(0.0, 1e9)
    assert [expires for _, _, expires in requests(began.drain(1.0, 1e9))] == ["0", "0"]
    assert not began.idle
    assert requests(began.reload(policy(tmp_path, ":5070"), 2.0, 1e9)) == []
    began.tick(5.0, 1e9)
    assert began.idle


CALL = (
    "INVITE sip:token@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n"
    "To: <sip:+4930555@carrier.example>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n{more}Content-Length: 0\r\n\r\n"
)


@pytest.mark.parametrize(
    ("more", "user"),
    [
        ("", "+4930555"),
        ("P-Called-Party-ID: <sip:+4930777@carrier.example>\r\n", "+4930777"),
        ("P-Called-Party-ID: <nonsense\r\n", "+4930555"),
    ],
)
def test_a_call_for_our_contact_says_elsewhere_whom_it_is_for(more: str, user: str) -> None:
    request = parse(CALL.format(more=more).encode())
    assert isinstance(request, Request)
    assert called_in(request).user == user


def test_each_trunk_has_a_contact_of_its_own_that_only_this_server_makes(tmp_path: Path) -> None:
    began = core(tmp_path)
    users = set()
    for effect in began.start(0.0, 1e9):
        assert isinstance(effect, Send)
        request = parse(effect.data)
        assert isinstance(request, Request)
        contacts = request.contacts
        assert isinstance(contacts, list)
        users.add(contacts[0].uri.user)
    assert len(users - {None}) == 2
    assert all(user is None or len(user) == 20 for user in users)
