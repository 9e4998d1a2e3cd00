"""What an operator is told of calls of real phones: ladders, captures, search, and new calls as they come."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .lab import Lab
from .program import Program, WireError
from .server import B2BUA
from .sipp import Sipp

SOON = 10.0


def test_o01_every_message_of_a_call_is_in_its_ladder_and_in_its_capture(office: Lab, tmp_path: Path) -> None:
    caller, phone, call_id = _call(office)
    office.server.records(call_id, legs=2)
    went = [message.start for message in (*caller.messages(), *phone.messages())]
    shown = office.server.show("call", call_id)
    assert isinstance(shown, dict)
    assert re.fullmatch(
        r"alice called bob: office.route:76; bob answered after 0:00; hung up by alice after 0:00", shown["sentence"]
    )
    arrows = [step for step in shown["steps"] if step["step"] == "message"]
    assert sum(arrow["count"] for arrow in arrows) == len(shown["messages"]) == len(went)
    assert sorted(each["text"].partition("\r\n")[0] for each in shown["messages"]) == sorted(went)
    assert office.password("alice") not in json.dumps(shown)
    drawn = office.server.ask("show", "call", call_id, "--width", "80").splitlines()
    assert [line for line in drawn if "--->|" in line or "|<---" in line]
    assert max(map(len, drawn)) <= 80
    file = tmp_path / "call.pcap"
    office.server.ask("show", "call", call_id, "--pcap", str(file))
    assert sorted(_dissected(file)) == sorted(_short(start) for start in went)


def test_o02_a_call_that_goes_on_is_told_as_far_as_it_is(office: Lab) -> None:
    office.answerer("answer", office.register("bob"))
    call_id = office.call_id()
    caller = office.caller("call", "alice", "bob", call_id=call_id, talk=3000)
    caller.wait_sent("ACK ")
    caller.wait_received(r"SIP/2\.0 200 ")
    calls = office.server.show("calls")
    assert isinstance(calls, list)
    [call] = [str(each["id"]) for each in calls]
    for name in (call_id, call, call[:14]):
        shown = office.server.show("call", name)
        assert isinstance(shown, dict)
        assert shown["in_progress"]
        assert re.search(r"alice called bob.*office.route:76.*; talking for 0:0\d$", shown["sentence"])
        assert "ACK" in [step["label"] for step in shown["steps"] if step["step"] == "message"]
    caller.wait()
    office.server.records(call_id, legs=2)
    shown = office.server.show("call", call)
    assert isinstance(shown, dict)
    assert not shown["in_progress"]
    assert shown["sentence"].endswith("hung up by alice after 0:03")


def test_o03_a_refused_call_is_found_with_the_rule(office: Lab) -> None:
    phone = office.answerer("refuse", office.register("dave"), status=486)
    call_id = office.call_id()
    office.caller("call-refused", "alice", "dave", status=486, call_id=call_id).wait()
    phone.wait()
    office.server.records(call_id, legs=2)
    found = json.loads(office.server.ask("history", "calls", "dave", "--failed", "--since", "1min", "--json"))
    sentence = office.server.show("call", found[-1]["call"])
    assert isinstance(sentence, dict)
    assert sentence["sentence"] == (
        "alice called dave: office.route:74; dave was busy, so the call was refused with 486 on the phone: "
        "office.route:74"
    )


def test_o04_new_calls_are_followed_and_no_others(office: Lab, tmp_path: Path) -> None:
    with _watch(office, tmp_path / "all") as everything, _watch(office, tmp_path / "carol", "carol") as few:
        _call(office)
        for what in ("began", "answered", "ended"):
            everything.wait_line(rf"{what} +[0-9a-f]+ +alice -> bob +office\.route:76", SOON)
        phone = office.answerer("refuse", office.register("carol"), status=404)
        office.caller("call-refused", "alice", "carol", status=404).wait()
        phone.wait()
        few.wait_line(r"ended +[0-9a-f]+ +alice -> carol +office\.route:73  404", SOON)
        assert "bob" not in "".join(few.lines())
        for program in (everything, few):
            assert program.stop(sent=signal.SIGINT) == 0


def test_o05_who_stops_reading_costs_calls_nothing(office: Lab, tmp_path: Path) -> None:
    with _watch(office, tmp_path / "stuck") as stuck:
        os.kill(stuck.pid, signal.SIGSTOP)
        try:
            for _ in range(3):
                _call(office)
        finally:
            os.kill(stuck.pid, signal.SIGCONT)
        for _ in range(3):
            stuck.wait_line("ended", SOON)


def _call(office: Lab) -> tuple[Sipp, Sipp, str]:
    """Alice calls bob, and hangs up."""
    phone = office.answerer("answer", office.register("bob"))
    call_id = office.call_id()
    caller = office.caller("call", "alice", "bob", call_id=call_id, talk=100)
    caller.wait()
    phone.wait()
    return caller, phone, call_id


def _watch(office: Lab, folder: Path, *who: str) -> Program:
    program = Program([B2BUA, "watch", *who, "--state", str(office.server.state)], folder / "watch.log")
    program.wait_line("watching", SOON)
    return program


def _dissected(file: Path) -> Iterator[str]:
    """What tshark calls SIP in a capture, by method or status."""
    tshark = shutil.which("tshark")
    assert tshark is not None
    fields = ("-e", "sip.Method", "-e", "sip.Status-Code")
    done = subprocess.run([tshark, "-n", "-r", str(file), "-Y", "sip", "-T", "fields", *fields], capture_output=True)
    if done.returncode:
        raise WireError(done.stderr.decode())
    for line in done.stdout.decode().splitlines():
        yield line.strip()


def _short(start: str) -> str:
    first, second, *_ = start.split()
    return second if first == "SIP/2.0" else first


@pytest.fixture(scope="module", autouse=True)
def _tshark() -> None:
    """Without it there is no capture to read: said aloud, and in CI an error."""
    if shutil.which("tshark") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("not installed: tshark; scripts/clients does it")
