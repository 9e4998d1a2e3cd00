"""What a policy says of a REGISTER besides its decision: limits that it uses up, lines that it logs."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from b2bua.core import Core
from b2bua.effects import Effect, Flow, Log, Send, StoreBindings, Stored
from b2bua.settings import Listener, Settings
from dsl.policy import load

POLICY = """
policy "limits"
domain example.com
users staff from "users.yaml"
limit often = 2 per 1min for each source
on register {
  when over often            -> reject 403 "too often"
  also when user in staff    -> log "one of us"
  otherwise                  -> accept
}
on call { otherwise -> reject 404 }
"""
PHONE = Flow("UDP", "192.0.2.100", 5060, "198.51.100.7", 5060)


class Server:
    """A core whose store always works."""

    def __init__(self, folder: Path) -> None:
        (folder / "users.yaml").write_text("alice: {password: secret}\n", encoding="utf-8")
        script = folder / "limits.route"
        script.write_text(POLICY, encoding="utf-8")
        draw = random.Random(1)
        settings = Settings(listen=(Listener("UDP", "192.0.2.100", 5060),))
        self.core = Core(settings, load(script), lambda: f"{draw.getrandbits(64):016x}", bytes(32), [], 0.0, 1e9)

    def request(self, cseq: int, expires: str = "60") -> bytes:
        """A REGISTER of alice's."""
        return (
            "REGISTER sip:example.com SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK{cseq};rport\r\n"
            "From: <sip:alice@example.com>;tag=1\r\nTo: <sip:alice@example.com>\r\n"
            f"Call-ID: c\r\nCSeq: {cseq} REGISTER\r\nContact: <sip:alice@198.51.100.7>\r\nExpires: {expires}\r\n"
            "Content-Length: 0\r\n\r\n"
        ).encode()

    def register(self, cseq: int, wall: float) -> tuple[int, list[str]]:
        """The status of the response, and what the policy logged."""
        effects: list[Effect] = self.core.datagram(self.request(cseq), PHONE, wall, wall)
        for effect in list(effects):
            if isinstance(effect, StoreBindings):
                effects += self.core.answered(effect.id, Stored(), wall, wall)
        [status] = [int(e.data[8:11]) for e in effects if isinstance(e, Send)]
        return status, [str(e.fields["said"]) for e in effects if isinstance(e, Log) and e.event == "policy"]


def test_a_limit_counts_registrations_and_forgets_them_with_time(tmp_path: Path) -> None:
    server = Server(tmp_path)
    assert [server.register(n, 1e9 + n)[0] for n in (1, 2, 3)] == [200, 200, 403]
    assert server.register(4, 1e9 + 62)[0] == 200


@pytest.mark.parametrize("expires", ["²", "9" * 5000, "never"])
def test_a_malformed_interval_is_an_hour_as_far_as_the_policy_can_tell(tmp_path: Path, expires: str) -> None:
    server = Server(tmp_path)
    effects = server.core.datagram(server.request(1, expires), PHONE, 0.0, 1e9)
    [write] = [effect for effect in effects if isinstance(effect, StoreBindings)]
    server.core.answered(write.id, Stored(), 0.0, 1e9)
    assert [view.expires for view in server.core.registrations(1e9)] == [3600]


def test_what_the_policy_logs_of_a_registration_is_logged(tmp_path: Path) -> None:
    server = Server(tmp_path)
    assert server.register(1, 1e9) == (200, ["one of us"])


def test_a_store_that_does_not_answer_costs_the_registration_and_nothing_else(tmp_path: Path) -> None:
    server = Server(tmp_path)
    effects = server.core.datagram(server.request(1), PHONE, 0.0, 1e9)
    [write] = [effect for effect in effects if isinstance(effect, StoreBindings)]
    late = server.core.tick(10.0, 1e9 + 10)
    assert [e.data.split(b"\r\n")[0] for e in late if isinstance(e, Send)] == [
        b"SIP/2.0 500 The registration could not be stored"
    ]
    assert server.core.answered(write.id, Stored(), 11.0, 1e9 + 11) == []
    assert server.core.registrations(1e9 + 11) == []
    assert server.register(2, 1e9 + 12)[0] == 200
