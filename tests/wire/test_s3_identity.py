"""Who a gateway is told calls (RFC 3325, RFC 3323), and a gateway that sends everything back (RFC 3261 16.3)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import HERE
from .conftest import _bench as bench
from .lab import GATEWAY, Lab
from .message import Address
from .peer import Dialog
from .ports import wait_bound
from .program import Program
from .server import Server

RETURNING = Address("127.0.0.6", 5080)
POLICY = """
policy    "identity-lab"
domain    lab.example
timezone  "UTC" country +49
users     staff from "users.yaml"

trunk told   { uri "sip:127.0.0.2:5080" peers 127.0.0.2 trusted number plain }
trunk untold { uri "sip:127.0.0.3:5080" number e164 }
trunk round  { uri "sip:127.0.0.6:5080" number e164 }

on register {
  when not authenticated -> challenge
  otherwise              -> accept max 5 contacts expires 60s to 1h
}

on call {
  when from trunk told and caller.number == "+4930777888" -> dial callee
  when from trunk round  -> dial "+49301000" via round
  when not authenticated -> challenge
  when dialed == "round" -> dial "+49301000" via round
  otherwise              -> dial e164(dialed) via told else e164(dialed) via untold
}
"""
KAMAILIO = """
debug=1
log_stderror=yes
children=1
listen=udp:{at.host}:{at.port}
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
request_route {{
  if (!mf_process_maxfwd_header("70")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
  if (method == "ACK" && !t_check_trans()) exit;
  $rd = "{server.host}";
  $rp = "{server.port}";
  t_relay();
}}
"""


@pytest.fixture
def identity(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A bench whose server tells one gateway who calls, and another not."""
    shutil.copy(HERE / "policies" / "users.yaml", tmp_path)
    (tmp_path / "identity.route").write_text(POLICY)
    with Server(tmp_path / "identity.route", tmp_path) as server:
        yield from bench(server, tmp_path, request)


def test_s301_a_trusted_gateway_is_told_what_the_called_party_is_not(identity: Lab) -> None:
    told = identity.peer(at=GATEWAY)
    untold = identity.peer(at=GATEWAY._replace(host="127.0.0.3"))
    phone = identity.peer()
    call = Dialog.calling(phone, identity.server.udp, "alice", "0301000")
    call.invite("alice", "lab-alice", headers=[("Privacy", "id"), ("P-Asserted-Identity", "<sip:+1555@x>")])
    first = told.receive("INVITE ")
    assert first.header("P-Asserted-Identity").startswith("<sip:493090182101@")
    assert first.header("Privacy") == "id"
    assert "sip:anonymous@anonymous.invalid" in first.header("From")
    told.answer(first, 503, tag="a")
    second = untold.receive("INVITE ")
    assert not second.headers("P-Asserted-Identity")
    assert "sip:anonymous@anonymous.invalid" in second.header("From")
    assert "alice" not in second.text
    untold.answer(second, 404, tag="b")
    call.acknowledge_failure(phone.receive(r"SIP/2\.0 404 "))


def test_s302_a_trusted_gateway_is_believed(identity: Lab) -> None:
    bob = identity.answerer("answer", identity.register("bob"))
    told = identity.peer(at=GATEWAY)
    call = Dialog.calling(told, identity.server.udp, "anybody", "bob")
    call.request("INVITE", body=told.sdp(), headers=[("P-Asserted-Identity", '"Zoe" <sip:4930777888@carrier.example>')])
    told.receive(r"SIP/2\.0 180 ")
    ok = told.receive(r"SIP/2\.0 200 ")
    call.confirm(ok)
    call.acknowledge()
    call.request("BYE")
    told.receive(r"SIP/2\.0 200 ")
    bob.wait()
    shown = bob.received("INVITE ")[0]
    assert shown.header("From").startswith('"Zoe" <sip:+4930777888@')
    assert not shown.headers("P-Asserted-Identity")


@pytest.mark.skipif(shutil.which("kamailio") is None, reason="kamailio is not installed")
def test_s303_a_proxy_that_sends_everything_back(identity: Lab) -> None:
    config = identity.folder / "kamailio.cfg"
    config.write_text(KAMAILIO.format(at=RETURNING, server=identity.server.udp))
    command = [
        "kamailio",
        "-DD",
        "-E",
        "-f",
        str(config),
        "-Y",
        str(identity.folder),
        "-P",
        str(identity.folder / "pid"),
    ]
    with Program(command, identity.folder / "kamailio.log") as proxy:
        wait_bound(proxy, RETURNING.host, RETURNING.port)
        call_id = identity.call_id()
        caller = identity.caller("call-refused", "alice", "round", status=482, call_id=call_id)
        caller.wait()
        identity.server.wait_sizes({"calls": 0, "legs": 0}, 5.0)
        assert [row["cause"] for row in identity.server.records(call_id, legs=2)] == [482, 482]
