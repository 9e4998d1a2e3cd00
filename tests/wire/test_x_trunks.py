"""Trunks that live: registered, checked, taken out and brought back, switched by the operator.

The far side is Kamailio as registrar and proxy, SIPp behind it, and a peer that answers OPTIONS and nothing else.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .carrier import Carrier
from .lab import Lab
from .message import Address
from .peer import Peer
from .ports import block
from .server import B2BUA, Server
from .sipp import Sipp

HERE = Path(__file__).parent
CARRIER_HOST, DUMB_HOST, GATEWAY_HOST = "127.0.0.4", "127.0.0.5", "127.0.0.6"
NOTICED = 40.0
"""Seconds within which a trunk that is checked every 5 s is surely seen to be gone, or to be back."""


class House:
    """A server with these trunks, and where their far ends are to be."""

    def __init__(self, folder: Path, password: str = "lab-carrier") -> None:
        policies = folder / "policies"
        shutil.copytree(HERE / "policies", policies)
        self.carrier = Address(CARRIER_HOST, block(2, CARRIER_HOST))
        self.dumb = Address(DUMB_HOST, block(2, DUMB_HOST))
        self.gateway = Address(GATEWAY_HOST, block(6, GATEWAY_HOST))
        policy = policies / "trunks.route"
        text = policy.read_text(encoding="utf-8")
        text = text.replace("@CARRIER@", str(self.carrier.port)).replace("@DUMB@", str(self.dumb.port))
        policy.write_text(text, encoding="utf-8")
        secrets = policies / "secrets.yaml"
        secrets.write_text(f"carrier: {{username: acme, password: {password}}}\n", encoding="utf-8")
        secrets.chmod(0o600)
        self.folder = folder
        self.policy = policy

    def start(self) -> Server:
        """Start the server."""
        return Server(self.policy, self.folder / "server")

    def start_carrier(self, name: str = "carrier") -> Carrier:
        """Start the carrier."""
        return Carrier(self.folder / name, self.carrier, self.gateway)


@pytest.fixture(autouse=True)
def _kamailio() -> None:
    if shutil.which("kamailio") is None:
        pytest.skip("not installed: kamailio")


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


@pytest.fixture
def carrier(house: House) -> Iterator[Carrier]:
    with house.start_carrier() as carrier:
        yield carrier


@pytest.fixture
def lab(house: House, carrier: Carrier, tmp_path: Path) -> Iterator[Lab]:
    with house.start() as server, Lab(server, tmp_path) as lab:
        server.program.wait_line("registered at trunk", 10.0)
        yield lab


def command(server: Server, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `b2bua WORDS --state DIR` as an operator does."""
    return subprocess.run(
        [B2BUA, *words, "--state", str(server.state)], capture_output=True, text=True, timeout=20, check=False
    )


def trunk(server: Server, name: str = "pstn") -> dict[str, object]:
    """One row of `b2bua show trunks --json`."""
    rows = server.show("trunks")
    assert isinstance(rows, list)
    (row,) = [row for row in rows if row["name"] == name]
    assert isinstance(row, dict)
    return row


def test_x01_we_register_with_a_challenge_and_a_call_for_our_contact_comes_in(lab: Lab, carrier: Carrier) -> None:
    row = trunk(lab.server)
    assert (row["state"], row["registration"]) == ("up", "registered")
    until = row["registered_until"]
    assert isinstance(until, float)
    assert 30 < until - time.time() <= 60
    assert carrier.count("REGISTER challenged") == carrier.count("REGISTER accepted") == 1
    phone = lab.answerer("answer", lab.register("bob"))
    with Sipp("call-open", lab.folder, target=carrier.address, dial="acme", values={"user": "world"}) as caller:
        caller.wait()
    phone.wait()
    lab.server.restart()
    assert carrier.count("REGISTER accepted, Expires 0") == 1


def test_x02_a_refused_password_is_said_and_not_hammered(tmp_path: Path) -> None:
    house = House(tmp_path, password="wrong")
    with house.start_carrier() as carrier, house.start() as server:
        server.program.wait_line("registration refused by trunk", 10.0)
        time.sleep(3.0)
        assert carrier.count("REGISTER") == 2
        assert trunk(server)["registration"] == "refused"
        assert "refused" in command(server, "show", "trunks").stdout
        said = len(server.program.lines())
        assert command(server, "trunk", "pstn", "disable").stdout == "trunk pstn is disabled\n"
        assert command(server, "trunk", "pstn", "enable").stdout == "trunk pstn is enabled\n"
        server.program.wait_line("registration refused by trunk", 10.0, after=said)
        assert carrier.count("REGISTER challenged") == carrier.count("REGISTER") == 4


def test_x03_a_trunk_that_dies_during_calls_is_seen_and_comes_back_by_itself(
    lab: Lab, carrier: Carrier, house: House
) -> None:
    server = lab.server
    with lab.gateway("answer", at=house.gateway) as gateway:
        caller = lab.caller("call", "alice", "out", talk=2000)
        gateway.wait_received("ACK ")
        assert trunk(server)["channels"] == 1
        carrier.program.stop()
        caller.wait()
    server.program.wait_line("trunk down.*trunk=pstn", NOTICED)
    row = trunk(server)
    assert (row["state"], row["latency"]) == ("down", None)
    began = time.monotonic()
    lab.caller("call-refused", "alice", "out", status=480).wait()
    assert time.monotonic() - began < 2.0
    with house.start_carrier("again"), lab.gateway("answer", at=house.gateway) as gateway:
        server.program.wait_line("trunk up.*trunk=pstn", NOTICED)
        lab.caller("call", "alice", "out").wait()
        gateway.wait()
        row = trunk(server)
        assert (row["state"], row["channels"]) == ("up", 0)
        said = [line for line in server.program.lines() if "trunk=pstn" in line]
        assert len([line for line in said if "trunk down" in line]) == 1


def test_x04_a_gateway_that_answers_options_only_is_found_out(house: House, tmp_path: Path) -> None:
    with Peer(house.dumb.host, house.dumb.port) as dumb, house.start() as server, Lab(server, tmp_path) as lab:
        dumb.answer(dumb.receive("OPTIONS "), 200)
        for _ in range(3):
            lab.caller("call-refused", "alice", "dumb", status=480).wait()
            dumb.receive("INVITE ")
        server.program.wait_line("trunk down.*trunk=dumb", 5.0)
        row = trunk(server, "dumb")
        assert (row["state"], row["calls_failed"], row["calls_ok"]) == ("down", 3, 0)
        assert row["latency"] is not None
        began = time.monotonic()
        lab.caller("call-refused", "alice", "dumb", status=480).wait()
        assert time.monotonic() - began < 1.0
        assert sum(message.start.startswith("INVITE ") for message in dumb.received) - dumb.repeated <= 3


def test_x05_the_operator_disables_a_trunk_and_it_stays_so(lab: Lab, carrier: Carrier, house: House) -> None:
    server = lab.server
    with lab.gateway("answer", at=house.gateway) as gateway:
        caller = lab.caller("call", "alice", "out", talk=2000)
        gateway.wait_received("ACK ")
        assert command(server, "trunk", "pstn", "disable").stdout == "trunk pstn is disabled\n"
        carrier.program.wait_line("REGISTER accepted, Expires 0", 5.0)
        lab.caller("call-refused", "alice", "out", status=480).wait()
        caller.wait()
        gateway.wait()
    server.restart()
    row = trunk(server)
    assert (row["state"], row["why"], row["registration"]) == ("disabled", "by the operator", "off")
    assert command(server, "trunk", "pstn", "enable").returncode == 0
    server.program.wait_line("registered at trunk", 10.0)
    assert trunk(server)["state"] == "up"
    wrong = command(server, "trunk", "pstm", "disable")
    assert wrong.returncode == 1
    assert "there is no trunk pstm" in wrong.stderr
    assert "pstn" in wrong.stderr
