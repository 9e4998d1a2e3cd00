"""`b2bua show call` as an operator has it: how a call is named, where its story comes from, what other tools get."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from b2bua.io.state import DATABASE
from b2bua.operator.ladder.pcap import pcap
from b2bua.operator.main import main
from b2bua.tape import Kept

from .flow_cases import LADDERS, played, store
from .terminal import Terminal


def b2bua(state: Path, *arguments: str | Path) -> Result:
    words = ["show", "call", *map(str, arguments), "--state", str(state)]
    return CliRunner(env={"TZ": "UTC"}).invoke(main, words)


def the_ladder(name: str) -> str:
    """What is drawn of a flow, without the line that has a time in it, which is local."""
    return _untimed((LADDERS / f"{name}.txt").read_text(encoding="utf-8"))


def _untimed(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.startswith("call "))


def test_a_past_call_is_drawn_by_its_id_a_call_id_or_a_beginning(tmp_path: Path) -> None:
    [call] = store("h02-hold-and-resume", tmp_path)
    callers, called = [record.sip_call_id for record in played("h02-hold-and-resume").records(call)]
    for name in (call, call[:12], callers, callers[:8], called):
        done = b2bua(tmp_path, name, "--width", "80")
        assert (done.exit_code, _untimed(done.stdout)) == (0, the_ladder("h02-hold-and-resume"))
        assert "\x1b" not in done.stdout


def test_the_width_is_the_terminals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [call] = store("n01-music-beside-the-media", tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    assert _untimed(b2bua(tmp_path, call).stdout) == the_ladder("n01-music-beside-the-media@120")
    monkeypatch.setenv("COLUMNS", "30")
    assert max(map(len, b2bua(tmp_path, call).stdout.splitlines())) == 80


def test_an_unknown_or_ambiguous_name_says_what_to_do(tmp_path: Path) -> None:
    calls = store("y01-attended-relayed", tmp_path)
    done = b2bua(tmp_path, "nosuch")
    assert (done.exit_code, done.stderr) == (
        1,
        "b2bua: there is no call nosuch; `b2bua show calls` lists those in progress, "
        "`b2bua history calls` those that were\n",
    )
    done = b2bua(tmp_path, calls[0][:5])
    assert done.exit_code == 1
    assert done.stderr.startswith(f"b2bua: {calls[0][:5]} could be any of these; say more of it:\nCALL ")
    assert all(call in done.stderr for call in calls)
    assert b2bua(tmp_path, "").exit_code == 1


def test_without_messages_it_says_why(tmp_path: Path) -> None:
    [call] = store("b06-busy", tmp_path, with_messages=False)
    done = b2bua(tmp_path, call)
    assert "its messages were not kept: this server keeps none" in done.stdout
    assert "* b06-busy.route:15: dial bob" in done.stdout
    refused = b2bua(tmp_path, call, "--pcap", tmp_path / "x.pcap")
    assert refused.stderr.startswith(f"b2bua: there are no messages of call {call}: this server keeps none")
    [later] = store("e01-busy-then-another", tmp_path)
    assert later != call
    with closing(sqlite3.connect(tmp_path / DATABASE)) as connection, connection:
        connection.execute("UPDATE tapes SET start = start + 60")
    assert "those of that time are not kept any more" in b2bua(tmp_path, call).stdout
    with closing(sqlite3.connect(tmp_path / DATABASE)) as connection, connection:
        connection.execute("UPDATE tapes SET start = start - 120")
    assert "under load those of some calls alone are kept" in b2bua(tmp_path, call).stdout


def test_a_damaged_tape_is_said_to_be_one(tmp_path: Path) -> None:
    [call] = store("b06-busy", tmp_path)
    with closing(sqlite3.connect(tmp_path / DATABASE)) as connection, connection:
        connection.execute("UPDATE tapes SET messages = substr(messages, 1, 40)")
    assert "its messages were not kept: they cannot be read" in b2bua(tmp_path, call).stdout


def test_all_of_it_as_json(tmp_path: Path) -> None:
    [call] = store("e01-busy-then-another", tmp_path)
    shown = json.loads(b2bua(tmp_path, call, "--json").stdout)
    assert shown["sentence"].startswith("alice called bob: e01-busy-then-another.route:16; bob was busy")
    assert [leg["cause"] for leg in shown["legs"]] == [486, 486, 486]
    assert [rule["place"] for rule in shown["rules"]] == [f"e01-busy-then-another.route:{line}" for line in (16, 17)]
    decisions = [step["because"] for step in shown["steps"] if step["step"] == "decision"]
    assert decisions == ["", "bob busy (486)", "carol busy (486)"]
    folded = sum(step["count"] for step in shown["steps"] if step["step"] == "message")
    assert folded == len(shown["messages"]) == len(played("e01-busy-then-another").messages(call))


def test_the_messages_as_text(tmp_path: Path) -> None:
    [call] = store("i03-tcp-call", tmp_path)
    text = b2bua(tmp_path, call, "--sip", "-").stdout
    kept = played("i03-tcp-call").messages(call)
    heads = [line for line in text.splitlines() if line.endswith(" UDP 192.0.2.1:5060 -> 192.0.2.11:5060")]
    assert len(heads) == sum(each.sent and each.transport == "UDP" for each in kept)
    assert text.count("Call-ID: ") == len(kept)
    file = tmp_path / "call.txt"
    assert b2bua(tmp_path, call, "--sip", file).stdout == f"{file}: {len(kept)} messages\n"
    assert file.read_text() == text
    assert file.stat().st_mode & 0o777 == 0o600
    assert b2bua(tmp_path, call, "--sip", file).stderr == f"b2bua: cannot write {file}: file exists\n"


@pytest.fixture(scope="module")
def tshark() -> str:
    """Wireshark's reader: said aloud where it is missing, and in CI an error."""
    found = shutil.which("tshark")
    if found is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("not installed: tshark; scripts/clients does it")
    return found


@pytest.mark.parametrize("flow", ["b01-basic-call", "i03-tcp-call", "q02-tls-call"])
def test_wireshark_reads_every_message_as_it_went(flow: str, tmp_path: Path, tshark: str) -> None:
    call = store(flow, tmp_path)[0]
    file = tmp_path / "call.pcap"
    assert b2bua(tmp_path, call, "--pcap", file).exit_code == 0
    fields = ("frame.time_epoch", "sip.Call-ID", "sip.CSeq", "sip.Status-Code", "_ws.malformed")
    columns = "-o", 'gui.column.format:"a","%s","b","%uS","c","%d","d","%uD"', "-e", "_ws.col.a", "-e", "_ws.col.b"
    shown = [word for field in fields for word in ("-e", field)]
    command = [tshark, "-n", "-r", str(file), "-T", "fields", *columns, "-e", "_ws.col.c", "-e", "_ws.col.d", *shown]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    read = [line.split("\t") for line in done.stdout.splitlines()]
    kept = played(flow).messages(call)
    assert len(read) == len(kept)
    for line, each in zip(read, kept, strict=True):
        ours, theirs = [each.local, str(each.local_port)], [each.remote, str(each.remote_port)]
        assert line[:4] == (ours + theirs if each.sent else theirs + ours)
        assert abs(float(line[4]) - each.wall) < 0.000002
        assert f"Call-ID: {line[5]}\r\n".encode() in each.data
        assert f"CSeq: {line[6]}\r\n".encode() in each.data
        assert each.data.startswith(f"SIP/2.0 {line[7]} ".encode() if line[7] else line[6].split()[1].encode())
        assert line[8] == ""


@pytest.mark.parametrize(
    ("transport", "local", "remote"),
    [
        ("TCP", "192.0.2.1", "192.0.2.10"),
        ("UDP", "2001:db8::1", "fe80::10"),
        ("TCP", "2001:db8::1", "2001:db8::10"),
        ("UDP", "0.0.0.0", "2001:db8::10"),
    ],
)
def test_packets_are_as_they_should_be(transport: str, local: str, remote: str, tmp_path: Path, tshark: str) -> None:
    """Checksums are right, a message in two segments of a connection is one, nothing is out of order."""
    body = b"x" * 70_001
    long = b"MESSAGE sip:bob@x SIP/2.0\r\nCSeq: 1 MESSAGE\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    short = b"SIP/2.0 200 OK\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n"
    first = long if transport == "TCP" else short
    messages = [
        Kept(0.5 + number, number % 2 == 0, transport, local, 5060, remote, 5060, data)
        for number, data in enumerate((first, short, first, short))
    ]
    file = tmp_path / "call.pcap"
    file.write_bytes(pcap(messages))
    checked = [word for name in ("ip", "udp", "tcp") for word in ("-o", f"{name}.check_checksum:TRUE")]
    fields = ("sip.CSeq", "_ws.expert.message", "ip.checksum.status", "udp.checksum.status", "tcp.checksum.status")
    shown = [word for field in fields for word in ("-e", field)]
    command = [tshark, "-n", "-r", str(file), "-T", "fields", *checked, *shown]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert sum(line[0] == "1 MESSAGE" for line in lines) == 4
    assert {status for line in lines for status in line[2:]} == {"", "1"}
    assert not [line[1] for line in lines if "out-of-order" in line[1].lower() or "retransmi" in line[1].lower()]


def test_a_terminal_has_colours_and_its_own_width(tmp_path: Path) -> None:
    [call] = store("e01-busy-then-another", tmp_path)
    terminal = Terminal(["show", "call", call, "--state", tmp_path], columns=101)
    assert terminal.ended() == 0
    lines = re.sub(r"\x1b\[[0-9;]*m", "", terminal.said).splitlines()
    assert 95 < max(map(len, lines)) <= 101
    assert "\x1b[36m" in terminal.said
    assert "\x1b[31m" in next(line for line in terminal.said.splitlines() if "486 Busy Here --" in line)
