"""The messages of RFC 4475 and RFC 5118, pushed through the whole core: answered as the RFCs say, or dropped."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from b2bua.core import Core
from b2bua.effects import Flow, Send, StoreBindings, Stored
from b2bua.settings import Listener, Settings
from dsl.policy import Policy, load
from tests.sip.torture.expected import DROPPED, EXPECTED, TAKEN, Expected, octets

DOMAINS = (
    "example.com, example.net, example.org, chair-dnrc.example.com, company.example.com, biloxi.example.com, "
    "t1.example.com, c.example.com, example.example.com"
)
USERS = """\
user: {password: secret}
j_user: {password: secret}
watson: {password: secret}
"""
FLOW = Flow("UDP", "192.0.2.100", 5060, "198.51.100.7", 5060)


def policy(folder: Path, register: str) -> Policy:
    (folder / "users.yaml").write_text(USERS, encoding="utf-8")
    script = folder / "torture.route"
    script.write_text(
        f"""
        policy "torture"
        domain {DOMAINS}
        country +49
        users staff from "users.yaml"
        on register {{ {register} }}
        on call {{ otherwise -> reject 480 }}
        """,
        encoding="utf-8",
    )
    return load(script)


def final_statuses(core: Core, data: bytes) -> list[int]:
    """The statuses with which a message is answered, when everything is stored."""
    statuses = []
    effects = core.datagram(data, FLOW, 1.0, 1e9)
    for effect in effects:
        if isinstance(effect, StoreBindings):
            effects += core.answered(effect.id, Stored(), 1.0, 1e9)
    for effect in effects:
        if isinstance(effect, Send) and effect.data.startswith(b"SIP/2.0 "):
            statuses.append(int(effect.data[8:11]))
    return [status for status in statuses if status >= 200]


@pytest.mark.parametrize(("name", "expected"), EXPECTED.items(), ids=EXPECTED)
def test_the_core_answers_as_the_rfc_says(name: str, expected: Expected, tmp_path: Path) -> None:
    register = "otherwise -> challenge" if name == "regaut01" else "otherwise -> accept"
    settings = Settings(listen=(Listener("UDP", "192.0.2.100", 5060),))
    draw = random.Random(1)
    core = Core(settings, policy(tmp_path, register), lambda: f"{draw.getrandbits(64):016x}", bytes(32), [], 0.0, 1e9)
    statuses = final_statuses(core, octets(name))
    assert len(statuses) <= 1
    if not statuses:
        is_request = not octets(name).lstrip().startswith(b"SIP/")
        assert DROPPED in expected.answers or (name == "insuf" and is_request)
    elif TAKEN in expected.answers:
        assert statuses[0] != 400 or 400 in expected.answers
    else:
        assert statuses[0] in expected.answers
