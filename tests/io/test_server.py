"""The whole server in this process: the real core, sockets on loopback, signals, and what an operator asks."""

from __future__ import annotations

import os
import re
import signal
import socket
from collections.abc import AsyncIterator, MutableMapping
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import numpy as np
import pytest
import soundfile
import structlog
import trio
from structlog.testing import LogCapture

from b2bua.core import RegistrationView
from b2bua.core.overview import Used
from b2bua.io import server
from b2bua.io.failure import ServerError
from b2bua.io.requests import (
    HangUp,
    Refused,
    Reload,
    ShowCalls,
    ShowLimits,
    ShowRegistrations,
    ShowStatus,
    ShowTransports,
    ShowTrunk,
    ShowTrunks,
    ShowUser,
    ShowUsers,
    SwitchTrunk,
)
from b2bua.io.server import Plan, Server, opened
from b2bua.io.state import AlreadyRunningError
from b2bua.settings import Listener, Media, Settings
from b2bua.settings import Reload as ReloadSettings
from dsl.files import Files
from dsl.policy import Policy, load

from .edge import request
from .patience import in_time

POLICY = """policy "lab"
domain lab.example
country +49
users staff from "users.yaml"

on register {
  when source in 127.0.0.0/8 -> accept
  otherwise -> challenge
}
on call {
  when source in 127.0.0.0/8 -> dial alice for 20s
  when not authenticated -> challenge
  otherwise -> reject 404
}
"""


class Logged(LogCapture):
    """Says when there is something new."""

    def __init__(self) -> None:
        super().__init__()
        self.news = trio.Event()

    def __call__(self, logger: Any, method: str, entry: MutableMapping[str, Any]) -> NoReturn:
        self.news.set()
        super().__call__(logger, method, entry)


class Bench:
    """A server that runs, a phone, and what was logged."""

    def __init__(self, folder: Path, grace: float) -> None:
        self.script = folder / "lab.route"
        self.script.write_text(POLICY)
        (folder / "users.yaml").write_text("alice: {password: a}\nbob: {password: b}\n")
        self.logged = Logged()
        self.phone, self.silent = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        for sock in (self.phone, self.silent):
            sock.bind(("127.0.0.1", 0))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        listen = tuple(Listener(transport, "127.0.0.1", self.port) for transport in ("UDP", "TCP"))
        log = structlog.wrap_logger(
            None, processors=[self.logged], wrapper_class=structlog.make_filtering_bound_logger(20)
        )
        read = partial(load, self.script)
        media = Media(first_port=29_580, last_port=29_589)
        files = Files()
        settings = Settings(listen, media=media, grace=grace, reload=ReloadSettings(watch=0.0))
        self.plan = Plan(settings, read(files), files, read, folder / "state", log)
        self.server: Server
        self.over = trio.Event()

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        with opened(self.plan) as resources:
            self.server = Server(self.plan, resources)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.server.run)
                await self.until("ready")
                task_status.started()
        self.over.set()

    async def until(self, event: str) -> None:
        """Wait until something was logged."""
        with in_time():
            while not any(entry["event"] == event for entry in self.logged.entries):
                self.logged.news = trio.Event()
                await self.logged.news.wait()

    async def send(self, method: str, headers: str = "", number: int = 1, by: socket.socket | None = None) -> str:
        """Send a request from the phone, and return the first response."""
        phone = by or self.phone
        host, port = phone.getsockname()
        phone.sendto(
            (
                f"{method} sip:127.0.0.1:{self.port} SIP/2.0\r\n"
                f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{method}{number}\r\nMax-Forwards: 70\r\n"
                f"From: <sip:alice@lab.example>;tag=1\r\nTo: <sip:alice@lab.example>\r\n"
                f"Call-ID: {method}{number}\r\nCSeq: 1 {method}\r\n{headers}Content-Length: 0\r\n\r\n"
            ).encode(),
            ("127.0.0.1", self.port),
        )
        with in_time():
            await trio.lowlevel.wait_readable(phone)
        return phone.recv(4096).decode()

    async def register(self) -> str:
        """Register a phone that will not answer calls."""
        port = self.silent.getsockname()[1]
        contact = f"Contact: <sip:alice@127.0.0.1:{port}>;expires=600\r\n"
        return await self.send("REGISTER", contact, by=self.silent)

    async def call(self, number: int = 1) -> str:
        """Call that phone from the other."""
        port = self.phone.getsockname()[1]
        return await self.send("INVITE", f"Contact: <sip:alice@127.0.0.1:{port}>\r\n", number)

    async def ring(self) -> None:
        """Let there be a call that rings."""
        await self.register()
        assert (await self.call()).startswith("SIP/2.0 100 ")


@pytest.fixture(params=[60.0])
async def bench(tmp_path: Path, nursery: trio.Nursery, request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path, request.param)
    await nursery.start(bench.run)
    yield bench
    nursery.cancel_scope.cancel()
    for sock in (bench.phone, bench.silent):
        sock.close()


async def status(bench: Bench) -> dict[str, Any]:
    shown = await bench.server.commands.act(ShowStatus())
    assert isinstance(shown, dict)
    return shown


async def test_it_answers_and_shows_what_it_has(bench: Bench) -> None:
    assert (await bench.send("OPTIONS")).startswith("SIP/2.0 200 ")
    assert (await bench.register()).startswith("SIP/2.0 200 ")
    (binding,) = await registrations(bench)
    assert (binding.user, binding.transport, binding.reachable) == ("alice", "udp", True)
    assert await bench.server.commands.act(ShowCalls()) == []
    shown = await status(bench)
    assert shown["listen"] == [f"udp:127.0.0.1:{bench.port}", f"tcp:127.0.0.1:{bench.port}"]
    assert shown["policy"]["name"] == "lab"
    assert shown["sizes"]["calls"] == 0
    assert {"tasks", "descriptors", "connections", "transactions", "timers"} <= shown["sizes"].keys()
    assert shown["media"]["restarts"] == 0


async def registrations(bench: Bench) -> list[RegistrationView]:
    shown = await bench.server.commands.act(ShowRegistrations())
    assert isinstance(shown, list)
    return shown


async def test_a_call_that_is_not_there_cannot_be_hung_up(bench: Bench) -> None:
    with pytest.raises(Refused, match="there is no call x; `b2bua show calls` lists them"):
        await bench.server.commands.act(HangUp("x"))


async def test_a_trunk_is_disabled_and_a_reload_knows_it(bench: Bench) -> None:
    with pytest.raises(Refused, match="there is no trunk pstn; `b2bua show trunks` lists them"):
        await bench.server.commands.act(SwitchTrunk("pstn", True))
    change(bench, POLICY + 'trunk pstn { uri "sip:127.0.0.1:9" }\n')
    await bench.server.commands.act(Reload())
    with pytest.raises(Refused, match="there is no trunk psdn; did you mean `pstn`"):
        await bench.server.commands.act(SwitchTrunk("psdn", True))
    assert await bench.server.commands.act(SwitchTrunk("pstn", True)) == {"trunk": "pstn", "disabled": True}
    shown = await bench.server.commands.act(ShowTrunks())
    assert isinstance(shown, list)
    assert [(trunk.name, trunk.state) for trunk in shown] == [("pstn", "disabled")]


async def test_a_reload_swaps_the_policy(bench: Bench) -> None:
    before = bench.plan.policy.hash
    change(bench, POLICY.replace("reject 404", "reject 410"))
    shown = await bench.server.commands.act(Reload())
    assert isinstance(shown, dict)
    assert shown["before"] == before != shown["hash"]
    assert (await status(bench))["policy"]["hash"] == shown["hash"]


def change(bench: Bench, text: str) -> None:
    bench.script.write_text(text)


async def test_a_bad_policy_is_refused_with_all_that_is_wrong_and_the_old_one_stays(bench: Bench) -> None:
    change(bench, POLICY.replace("dial alice", "dial alise").replace("reject 404", "reject 99999"))
    with pytest.raises(Refused) as refused:
        await bench.server.commands.act(Reload())
    said = str(refused.value)
    assert "alise" in said
    assert said.endswith(f"the policy {bench.plan.policy.hash} stays in force")
    assert (await status(bench))["policy"]["hash"] == bench.plan.policy.hash
    assert any(entry["event"] == "policy not loaded" for entry in bench.logged.entries)


async def test_sighup_reloads(bench: Bench) -> None:
    change(bench, POLICY.replace("reject 404", "reject 410"))
    os.kill(os.getpid(), signal.SIGHUP)
    await bench.until("policy loaded")
    assert (await status(bench))["policy"]["hash"] != bench.plan.policy.hash


def beep(bench: Bench, frequency: int) -> None:
    """Let the policy have a sound: a fifth of a second."""
    wave = np.sin(2 * np.pi * frequency * np.arange(1_600) / 8_000)
    soundfile.write(bench.script.parent / "beep.wav", wave, 8_000)
    change(bench, POLICY + 'sound beep = "beep.wav"\non hold { otherwise -> play beep to held loop }\n')


async def test_media_ports_are_bound_and_sounds_known_before_it_is_ready(bench: Bench) -> None:
    said = [entry["event"] for entry in bench.logged.entries]
    assert said.index("media ready") < said.index("ready")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken, pytest.raises(OSError, match="in use"):
        taken.bind(("127.0.0.1", bench.plan.settings.media.first_port))
    assert bench.server.repertoire.sounds == {"tone"}


async def test_a_reload_brings_its_sounds_and_those_that_nobody_can_go_back_to_go(bench: Bench) -> None:
    beep(bench, 440)
    await bench.server.commands.act(Reload())
    first = bench.server.repertoire.sounds - {"tone"}
    beep(bench, 660)
    await bench.server.commands.act(Reload())
    second = bench.server.repertoire.sounds - first
    assert len(second) == 2
    assert first < bench.server.repertoire.sounds
    beep(bench, 880)
    await bench.server.commands.act(Reload())
    assert second < bench.server.repertoire.sounds
    assert not first & bench.server.repertoire.sounds


async def test_a_sound_that_vanished_is_no_reason_to_change_the_policy(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    beep(bench, 440)
    load_it = bench.plan.load

    def vanishing(files: Files) -> Policy:
        policy = load_it(files)
        (bench.script.parent / "beep.wav").unlink()
        return policy

    monkeypatch.setattr(bench.server.in_force, "load", vanishing)
    with pytest.raises(Refused, match=r"sound beep, .*beep\.wav: No such file"):
        await bench.server.commands.act(Reload())
    assert (await status(bench))["policy"]["hash"] == bench.plan.policy.hash


async def test_sigterm_ends_it_and_a_restart_finds_the_registrations(bench: Bench, nursery: trio.Nursery) -> None:
    await bench.register()
    os.kill(os.getpid(), signal.SIGTERM)
    with in_time():
        await bench.over.wait()
    assert bench.logged.entries[-1]["event"] == "ended"
    bench.logged.entries.clear()
    await nursery.start(bench.run)
    assert [binding.user for binding in await registrations(bench)] == ["alice"]


@pytest.mark.parametrize("bench", [0.02], indirect=True)
async def test_calls_are_hung_up_when_their_grace_is_over(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "LAST_WORDS_SECONDS", 0.02)
    await bench.ring()
    os.kill(os.getpid(), signal.SIGTERM)
    with in_time():
        await bench.over.wait()
    said = [entry["event"] for entry in bench.logged.entries]
    assert said[-3:] == ["draining", "hanging up", "ended"]


async def test_a_draining_server_takes_no_new_call(bench: Bench) -> None:
    await bench.ring()
    os.kill(os.getpid(), signal.SIGTERM)
    await bench.until("draining")
    assert (await bench.call(number=2)).startswith("SIP/2.0 503 ")
    shown = await status(bench)
    assert (shown["draining"], shown["sizes"]["calls"]) == (True, 1)


async def test_a_call_can_be_hung_up(bench: Bench) -> None:
    await bench.ring()
    calls = await bench.server.commands.act(ShowCalls())
    assert isinstance(calls, list)
    await bench.server.commands.act(HangUp(calls[0].id))
    with in_time():
        await trio.lowlevel.wait_readable(bench.phone)
    assert re.match(rb"SIP/2\.0 [45]\d\d ", bench.phone.recv(4096))


async def test_a_second_signal_ends_it_at_once(bench: Bench) -> None:
    await bench.ring()
    for event in ("draining", "ended"):
        os.kill(os.getpid(), signal.SIGTERM)
        await bench.until(event)
    assert "hanging up" not in [entry["event"] for entry in bench.logged.entries]


async def test_a_second_server_is_refused(bench: Bench) -> None:
    with pytest.raises(AlreadyRunningError), opened(bench.plan):
        pass


async def test_what_was_opened_before_a_failure_is_closed(bench: Bench, tmp_path: Path) -> None:
    elsewhere = msgspec.structs.replace(bench.plan, state=tmp_path / "other")
    for _ in range(2):
        with pytest.raises(ServerError, match="Address already in use"), opened(elsewhere):
            pass


LIMITED = POLICY.replace(
    "on call {",
    'trunk pstn { uri "sip:127.0.0.1:9" }\ngroup ops = alice\n'
    "limit lines = 5 at once\nlimit pace = 1 per 1h for each source\n"
    "on call {\n  when over lines or over pace -> reject 503",
)


async def test_users_limits_and_transports_are_shown_as_they_are(bench: Bench) -> None:
    act = bench.server.commands.act
    change(bench, LIMITED)
    await act(Reload())
    await bench.ring()
    alice, bob = await act(ShowUsers())
    assert (alice.name, alice.phones, alice.unreachable, alice.calls) == ("alice", 1, 0, 0)
    assert 590 < alice.expires <= 600
    assert (bob.name, bob.phones, bob.expires) == ("bob", 0, None)
    lines, pace = await act(ShowLimits())
    assert (lines.name, lines.keys, lines.full, lines.used) == ("lines", 1, 0, (Used("", 1, 5),))
    assert (pace.per, pace.each, pace.full, pace.used) == (3600.0, "source", 1, (Used("127.0.0.1", 1, 1),))
    udp, tcp = await act(ShowTransports())
    assert (udp.listen, udp.received, udp.sent >= 3, udp.certificate) == (f"udp:127.0.0.1:{bench.port}", 2, True, None)
    assert (tcp.received, tcp.connections, tcp.taken) == (0, 0, 0)
    async with await trio.open_tcp_stream("127.0.0.1", bench.port) as stream:
        await stream.send_all(request())
        assert (await stream.receive_some()).startswith(b"SIP/2.0 200 ")
        _, tcp = await act(ShowTransports())
    assert (tcp.received, tcp.sent, tcp.connections, tcp.taken, tcp.opened) == (1, 1, 1, 1, 0)


async def test_one_user_is_shown_with_phones_calls_and_groups(bench: Bench) -> None:
    change(bench, LIMITED)
    await bench.server.commands.act(Reload())
    await bench.ring()
    shown = await bench.server.commands.act(ShowUser("alice"))
    assert (shown.user.name, shown.groups, shown.algorithms) == ("alice", ("staff", "ops"), ("MD5", "SHA-256"))
    assert [phone.user for phone in shown.registrations] == ["alice"]
    assert [call.callee for call in shown.calls] == [
        call.callee for call in await bench.server.commands.act(ShowCalls())
    ]
    assert (await bench.server.commands.act(ShowUser("bob"))).calls == ()
    with pytest.raises(Refused, match="there is no user alise; did you mean `alice`"):
        await bench.server.commands.act(ShowUser("alise"))


async def test_one_trunk_is_shown_with_the_calls_by_it(bench: Bench) -> None:
    gateway = f"sip:127.0.0.1:{bench.silent.getsockname()[1]}"
    text = LIMITED.replace("dial alice for", 'dial "+4930123456" via pstn for').replace("sip:127.0.0.1:9", gateway)
    change(bench, text)
    await bench.server.commands.act(Reload())
    assert (await bench.call()).startswith("SIP/2.0 100 ")
    shown = await bench.server.commands.act(ShowTrunk("pstn"))
    assert (shown.trunk.name, shown.trunk.uri, shown.trunk.channels > 0, shown.check) == ("pstn", gateway, True, None)
    assert [call.id for call in shown.calls] == [call.id for call in await bench.server.commands.act(ShowCalls())]
    with pytest.raises(Refused, match="there is no trunk psdn; did you mean `pstn`"):
        await bench.server.commands.act(ShowTrunk("psdn"))
