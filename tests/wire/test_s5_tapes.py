"""Every message of a call is kept, without what proves who somebody is, and nothing of it stays in memory."""

from __future__ import annotations

import re
import time
from collections import Counter
from pathlib import Path

import msgspec

from b2bua.io.requests import ShowTape
from b2bua.operator.client import ask
from b2bua.tape import Kept

from .conversation import answered
from .lab import Lab
from .server import Server


class Told(msgspec.Struct):
    """What the server says of a call in progress."""

    call: str
    left_out: int
    messages: list[Kept]


def test_s5_01_the_row_holds_all_messages_of_the_call_and_no_password(lab_policy: Path, tmp_path: Path) -> None:
    with Server(lab_policy, tmp_path) as server, Lab(server, tmp_path) as lab:
        phone = lab.answerer("answer", lab.register("bob"), ring=100)
        call_id = lab.call_id()
        caller = lab.caller("call", "alice", "bob", call_id=call_id, talk=100)
        caller.wait()
        phone.wait()
        over = time.monotonic()
        messages = server.tape(call_id)
        assert time.monotonic() - over < 2.5
        assert server.sizes()["tapes"] == 0
        seen = [(kept.data.split(b"\r\n")[0], kept.sent) for kept in messages]
        due = Counter([(m.start.encode(), m.direction == "received") for m in (*caller.messages(), *phone.messages())])
        assert Counter(seen) == due
        assert [kept.wall for kept in messages] == sorted(kept.wall for kept in messages)
        for kept in messages:
            near, far = server.udp, caller.address if call_id.encode() in kept.data else phone.address
            assert (kept.transport, kept.local, kept.local_port) == ("UDP", near.host, near.port)
            assert (kept.remote, kept.remote_port) == (far.host, far.port)
        [secret] = [kept.data for kept in messages if b"Authorization: Digest" in kept.data]
        assert re.search(rb'response="\*{32}"', secret)
        [proof] = re.findall(r'response="([0-9a-f]{32})"', "".join(message.text for message in caller.sent("INVITE ")))
        stored = b"".join(path.read_bytes() for path in server.state.glob("b2bua.sqlite*"))
        assert proof.encode() not in stored + b"".join(kept.data for kept in messages)


def test_s5_02_a_call_in_progress_is_told_and_kill_9_loses_it_alone(lab_policy: Path, tmp_path: Path) -> None:
    with Server(lab_policy, tmp_path) as server, Lab(server, tmp_path) as lab:
        line = lab.register("carol")
        phone = lab.answerer("answer", line)
        call_id = lab.call_id()
        lab.caller("call", "alice", "carol", call_id=call_id).wait()
        phone.wait()
        before = server.tape(call_id)
        talking = answered(lab)
        talking.call.acknowledge()
        calls = server.show("calls")
        assert isinstance(calls, list)
        told = msgspec.convert(ask(server.state, ShowTape(calls[0]["id"])), Told)
        live = told.messages
        assert [kept.data.split(b" ")[0] for kept in live].count(b"INVITE") == 3
        server.kill()
        server.restart()
        assert server.tape(call_id) == before
