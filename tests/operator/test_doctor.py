"""`b2bua doctor`: what it finds, with another server of ours as the carrier."""

from __future__ import annotations

import json
import re
import resource
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from b2bua.operator.doctor import files, machine, network, trunks
from b2bua.operator.doctor.findings import Finding
from b2bua.operator.settings_file import DEFAULT_LISTEN
from b2bua.settings import Listener, Media, NameServer, Settings, Tls
from dsl.policy import load
from tests.authority import Authority

from .serving import Written, b2bua

TRUNK = """trunk carrier {{
  uri "{uri}"
  register as "alice" secret "carrier"
}}
"""
LOOPBACK = Settings(DEFAULT_LISTEN)
README = Path(__file__).parents[2] / "README.md"
RANGE = "20000 to 21999"


@pytest.fixture(scope="module")
def carrier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Written]:
    written = Written(tmp_path_factory.mktemp("carrier") / "pbx", 28_600)
    with written.serving():
        yield written


@pytest.fixture
def pbx(tmp_path: Path) -> Written:
    return Written(tmp_path / "pbx", 28_640)


def with_trunk(pbx: Written, uri: str, password: str) -> None:
    text = pbx.policy.read_text()
    pbx.policy.write_text(text.replace("on register {", TRUNK.format(uri=uri) + "\non register {", 1))
    secrets = pbx.folder / "secrets.yaml"
    secrets.write_text(f'carrier: {{password: "{password}"}}\n')


def examined(pbx: Written) -> tuple[int, list[Finding]]:
    done = b2bua("doctor", pbx.policy, "--settings", pbx.settings, "--state", pbx.state, "--json")
    assert done.exit_code in (0, 1), done.output
    return done.exit_code, msgspec.convert(json.loads(done.stdout), list[Finding])


def of(found: list[Finding], what: str) -> list[tuple[str, str]]:
    return [(finding.state, finding.told) for finding in found if finding.what == what]


def test_what_init_wrote_is_well(pbx: Written) -> None:
    done = b2bua("doctor", pbx.policy, "--settings", pbx.settings, "--state", pbx.state)
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert f"ok       users        3 in {pbx.folder / 'users.yaml'}, for its owner to read" in lines
    assert f"ok       listen       udp:127.0.0.1:{pbx.port} is free, for this machine alone" in lines
    assert "ok       media ports  28640 to 28659 of 127.0.0.1 are free" in lines
    assert lines[-1].endswith(", 0 failures")
    assert not pbx.state.exists()


def test_a_trunk_is_asked_registered_at_and_left_as_it_was(pbx: Written, carrier: Written) -> None:
    with_trunk(pbx, f"sip:127.0.0.1:{carrier.port}", carrier.accounts["alice"])
    before = carrier.show("transports")[0]["received"]
    code, found = examined(pbx)
    [(state, told)] = of(found, "trunks")
    assert (code, state) == (0, "ok")
    assert told.startswith("carrier answers in ")
    assert told.endswith(" ms, we are registered there")
    # OPTIONS, and REGISTER twice for the challenge; then it is taken back.
    assert carrier.show("transports")[0]["received"] - before >= 4
    assert carrier.show("registrations") == []


def test_a_trunk_that_does_not_know_us_is_a_failure(pbx: Written, carrier: Written) -> None:
    with_trunk(pbx, f"sip:127.0.0.1:{carrier.port}", "a wrong password")
    code, found = examined(pbx)
    [(state, told)] = of(found, "trunks")
    assert (code, state) == (1, "failure")
    assert told.startswith("carrier does not register us: ")


def test_a_trunk_that_is_not_there_is_a_failure_with_what_to_do(pbx: Written) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
    with_trunk(pbx, f"sip:127.0.0.1:{port}", "x")
    code, found = examined(pbx)
    assert (code, of(found, "trunks")) == (
        1,
        [("failure", f"carrier at sip:127.0.0.1:{port}: it cannot be reached")],
    )
    [advice] = [finding.advice for finding in found if finding.what == "trunks"]
    assert "ask its operator whether it is there" in advice


def test_a_running_server_is_asked_and_not_disturbed(pbx: Written, carrier: Written) -> None:
    with_trunk(pbx, f"sip:127.0.0.1:{carrier.port}", carrier.accounts["alice"])
    with pbx.serving():
        while pbx.show("trunks")[0]["registration"] != "registered":
            pass
        before = carrier.show("transports")[0]["received"]
        code, found = examined(pbx)
        assert carrier.show("transports")[0]["received"] == before
        assert [row["user"] for row in carrier.show("registrations")] == ["alice"]
    assert code == 0
    assert of(found, "listen") == [
        ("ok", f"{transport}:127.0.0.1:{pbx.port} is the server's") for transport in ("udp", "tcp")
    ]
    told = "carrier takes calls; it has no `check`, so it is not asked whether it is there, we are registered there"
    assert of(found, "trunks") == [("ok", told)]
    assert of(found, "server")[0][1].startswith("process ")
    assert of(found, "media ports") == [("ok", "the server has room for 10 streams")]


def test_where_another_program_has_our_address_no_trunk_is_asked(pbx: Written, carrier: Written) -> None:
    with_trunk(pbx, f"sip:127.0.0.1:{carrier.port}", carrier.accounts["alice"])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", pbx.port))
        code, found = examined(pbx)
    listen = [finding for finding in found if finding.what == "listen"]
    assert (code, listen[0].state, listen[1].state) == (1, "failure", "ok")
    assert listen[0].told == f"cannot listen on udp:127.0.0.1:{pbx.port}: Address already in use"
    assert listen[0].advice.startswith("another program has this port: ")
    assert of(found, "trunks")[0][0] == "warning"


def test_what_is_wrong_with_settings_is_told_by_its_place(pbx: Written) -> None:
    pbx.settings.write_text("grase: 30s\n")
    code, found = examined(pbx)
    [finding] = [finding for finding in found if finding.what == "settings"]
    assert (code, finding.told) == (1, f"{pbx.settings}:1:1: `grase` is unknown here")
    assert finding.advice == "did you mean `grace`?"


def test_what_is_wrong_with_a_policy_is_told_by_its_place(pbx: Written) -> None:
    (pbx.folder / "secrets.yaml").chmod(0o644)
    with_trunk(pbx, "sip:127.0.0.1:9", "x")
    code, found = examined(pbx)
    assert code == 1
    told = [told for state, told in of(found, "policy") if state == "failure"]
    assert len(told) == 2
    assert f"{pbx.folder / 'secrets.yaml'}:1:1: others on this machine may read the secrets" in told


def test_a_policy_is_found_where_there_is_one(pbx: Written, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(pbx.folder)
    assert "policy       office.route: office, version" in b2bua("doctor", "--settings", "settings.yaml").stdout
    monkeypatch.chdir(tmp_path)
    assert "policy       none is named" in b2bua("doctor", "--settings", pbx.settings).stdout


def test_files_that_others_may_read_are_told_of(pbx: Written) -> None:
    users = pbx.folder / "users.yaml"
    users.chmod(0o644)
    [finding] = files.users(load(pbx.policy))
    assert (finding.state, finding.advice) == ("warning", f"run `chmod 600 {users}`")


def test_a_sound_that_cannot_be_decoded_is_a_failure(pbx: Written) -> None:
    text = pbx.policy.read_text().replace("on register {", 'sound jazz = "jazz.wav"\non register {', 1)
    pbx.policy.write_text(text)
    office = Path(__file__).parents[2] / "examples" / "office" / "sounds" / "jazz.wav"
    (pbx.folder / "jazz.wav").write_bytes(office.read_bytes())
    policy = load(pbx.policy)
    assert of(files.sounds(policy), "sounds") == [("ok", "jazz: can be played")]
    (pbx.folder / "jazz.wav").write_bytes(b"RIFF")
    [finding] = files.sounds(policy)
    assert (finding.state, finding.told.startswith(f"jazz, {pbx.folder / 'jazz.wav'}: ")) == ("failure", True)


@pytest.mark.parametrize(("days", "state"), [(365, "ok"), (12.5, "warning"), (-1, "failure")])
def test_certificates_are_told_of_before_they_end(tmp_path: Path, days: float, state: str) -> None:
    pair = Authority(tmp_path).pair("pbx.example", days=days)
    Path(pair.key).chmod(0o600)
    settings = Settings((Listener("TLS", "127.0.0.1", 5061),), tls=Tls(pair.certificate, pair.key))
    [finding] = files.certificates(settings)
    assert (finding.state, bool(finding.advice)) == (state, state != "ok")
    assert pair.certificate in finding.told
    Path(pair.key).chmod(0o640)
    assert len(files.certificates(settings)) == (1 if state == "failure" else 2)


@pytest.mark.parametrize(
    ("changes", "uri", "found"),
    [
        ({}, "sip:carrier.example.com", [("warning", "10.0.0.5 is a private address, and trunk carrier is out on")]),
        ({}, "sip:10.0.0.9", [("ok", "10.0.0.5 is a private address: for phones of its network")]),
        (
            {"advertise_in": (("0.0.0.0/0", "198.51.100.10"),)},
            "sip:carrier.example.com",
            [("ok", "198.51.100.10 is told to peers; it is no address of this machine: somebody forwards it")],
        ),
        (
            {"advertise_in": (("10.0.0.0/8", "127.0.0.1"), ("0.0.0.0/0", "0.0.0.0"))},
            "sip:10.0.0.9",
            [("ok", "127.0.0.1 is told to peers; it is an address"), ("failure", "0.0.0.0 is told to peers, and no")],
        ),
    ],
)
def test_behind_a_router_the_public_address_has_to_be_set(
    pbx: Written, changes: dict[str, object], uri: str, found: list[tuple[str, str]]
) -> None:
    with_trunk(pbx, uri, "x")
    settings = msgspec.structs.replace(Settings((Listener("UDP", "10.0.0.5", 5060),)), **changes)
    told = network.known_as(settings, load(pbx.policy))
    assert [(each.state, each.told[: len(begin)]) for each, (_, begin) in zip(told, found, strict=True)] == found


def test_media_ports_that_somebody_has_are_counted() -> None:
    settings = msgspec.structs.replace(LOOPBACK, media=Media(first_port=28_680, last_port=28_681))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 28_681))
        [finding] = network.media_ports(settings, None)
        assert finding.told == "1 of 28680 to 28681 of 127.0.0.1 cannot be had, 127.0.0.1:28681 the first of them"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.1", 28_680))
            assert [each.state for each in network.media_ports(settings, None)] == ["failure"]
    assert [each.state for each in network.media_ports(settings, None)] == ["ok"]
    assert network.media_ports(settings, {"media": {"restarts": 1}})[0].state == "failure"
    none = msgspec.structs.replace(LOOPBACK, media=Media(first_port=0, last_port=0))
    assert network.media_ports(none, None)[0].told == "none: media is neither relayed nor played"


def denying(server: socket.socket) -> None:
    """Answer each question with NXDOMAIN (RFC 1035 4.1.1)."""
    while True:
        question, peer = server.recvfrom(4096)
        if not question:
            return
        server.sendto(question[:2] + b"\x81\x83" + question[4:], peer)


def test_a_name_that_leads_nowhere_is_a_failure(pbx: Written) -> None:
    with_trunk(pbx, "sip:localhost:5080", "x")
    policy = load(pbx.policy)
    assert of(trunks.names(LOOPBACK, policy), "names") == [("ok", "trunk carrier: localhost is udp:127.0.0.1")]
    pbx.policy.write_text(pbx.policy.read_text().replace("sip:localhost:5080", "sip:nowhere.invalid"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=denying, args=(server,), daemon=True)
        thread.start()
        settings = msgspec.structs.replace(LOOPBACK, name_servers=(NameServer(*server.getsockname()),))
        [finding] = trunks.names(settings, load(pbx.policy))
        server.sendto(b"", server.getsockname())
        thread.join()
    assert (finding.state, "nowhere.invalid" in finding.told) == ("failure", True)
    assert "`name_servers` in the settings says whom to ask" in finding.advice


def test_a_disk_that_cannot_be_written_or_is_full_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.disk(tmp_path / "new" / "state", LOOPBACK).state == "ok"
    (tmp_path / "file").write_text("")
    assert machine.disk(tmp_path / "file" / "state", LOOPBACK).state == "failure"
    for free, state in ((50e6, "failure"), (200e6, "warning"), (5e9, "ok")):
        monkeypatch.setattr("shutil.disk_usage", lambda _, free=free: type("Usage", (), {"free": free}))
        assert machine.disk(tmp_path, LOOPBACK).state == state


def test_too_few_files_that_may_be_open_are_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    for most, state in ((1024, "failure"), (20_000, "ok"), (resource.RLIM_INFINITY, "ok")):
        monkeypatch.setattr("resource.getrlimit", lambda _, most=most: (most, most))
        assert machine.open_files(LOOPBACK).state == state


def test_a_clock_that_jumps_or_that_nobody_keeps_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    [finding] = machine.clock(machine.clock_offset() - 3600)
    assert (finding.state, "it jumped by +3600.0 s just now" in finding.told) == ("warning", True)
    for known, state in ((True, "ok"), (False, "warning"), (None, "ok")):
        monkeypatch.setattr(machine, "_synchronised", lambda known=known: known)
        assert [each.state for each in machine.clock(machine.clock_offset())] == [state]
    monkeypatch.setattr(machine, "_EARLIEST", machine.datetime.max.replace(tzinfo=machine.UTC))
    assert [each.state for each in machine.clock(machine.clock_offset())] == ["failure"]


@pytest.mark.skipif(sys.platform != "linux", reason="adjtimex(2) is Linux's")
def test_the_kernel_says_something_of_the_clock() -> None:
    assert machine._synchronised() in (True, False, None)


def test_the_readme_shows_what_it_prints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_synchronised", lambda: True)
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 70e9}))
    monkeypatch.setattr("resource.getrlimit", lambda _: (1_048_576, 1_048_576))
    pbx = Written(tmp_path / "pbx", 28_640)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
    with_trunk(pbx, f"sip:127.0.0.1:{port}", "x")
    (pbx.folder / "users.yaml").chmod(0o644)
    monkeypatch.chdir(pbx.folder)
    done = b2bua("doctor", "office.route", "--settings", "settings.yaml")
    said = done.stdout.replace(f":{pbx.port}", ":5060").replace(f":{port}", ":5080").replace("28640 to 28659", RANGE)
    for pattern, shown in (
        (r"(compiled|interpreted), Python \S+", "interpreted, Python 3.11.2"),
        (r"version [0-9a-f]{16}", "version 1998fc0f9247cac4"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "2026-11-25 10:30 UTC"),
    ):
        said = re.sub(pattern, shown, said)
    [block] = re.findall(r"^```console\n\$ b2bua doctor .*\n((?:.*\n)*?)```", README.read_text(), re.MULTILINE)
    assert (done.exit_code, said) == (1, block)
