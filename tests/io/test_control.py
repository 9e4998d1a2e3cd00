"""The control socket: who may open it, what it understands, and that nobody can block it."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from b2bua.io.control import REQUEST_OCTETS, Control, open_control
from b2bua.io.failure import ServerError
from b2bua.io.requests import HangUp, Refused, Request, ShowCalls

from .edge import Edge


class Named(msgspec.Struct, frozen=True):
    """Something to show."""

    name: str


class Bench:
    """A control socket whose acts the test sees."""

    def __init__(self, edge: Edge, folder: Path) -> None:
        self.path = folder / "control.sock"
        self.acts: list[Request] = []
        self.shown: object = []
        self.control = Control(open_control(self.path), edge.shell, self.act)

    async def act(self, request: Request) -> object:
        self.acts.append(request)
        if isinstance(request, HangUp):
            raise Refused(f"there is no call {request.call}")
        return self.shown

    async def ask(self, line: bytes) -> object:
        async with await trio.open_unix_socket(str(self.path)) as stream:
            await stream.send_all(line)
            answer = b"".join([bytes(part) async for part in stream])
        return json.loads(answer)


@pytest.fixture
async def bench(edge: Edge, tmp_path: Path, nursery: trio.Nursery) -> Bench:
    bench = Bench(edge, tmp_path)
    nursery.start_soon(bench.control.run)
    await wait_all_tasks_blocked()
    return bench


async def test_a_request_is_a_line_and_so_is_its_answer(bench: Bench) -> None:
    bench.shown = [Named("alice")]
    assert await bench.ask(b'{"do": "show-calls"}\n') == {"result": [{"name": "alice"}]}
    assert bench.acts == [ShowCalls()]


async def test_a_refusal_gives_its_reason(bench: Bench) -> None:
    assert await bench.ask(b'{"do": "hangup", "call": "x"}\n') == {"error": "there is no call x"}


@pytest.mark.parametrize("line", [b"\n", b"hello\n", b'{"do": "dance"}\n', b'{"do": "hangup"}\n'])
async def test_what_is_no_request_is_refused(bench: Bench, line: bytes) -> None:
    answer = await bench.ask(line)
    assert isinstance(answer, dict)
    assert answer["error"].startswith("this is no request: ")
    assert bench.acts == []


async def test_a_request_without_end_is_cut_off(bench: Bench) -> None:
    answer = await bench.ask(b"x" * REQUEST_OCTETS)
    assert isinstance(answer, dict)
    assert answer["error"].startswith("this is no request: ")


async def test_octets_that_are_no_text_are_escaped(bench: Bench) -> None:
    bench.shown = Named("caf\udce9")
    assert await bench.ask(b'{"do": "show-calls"}\n') == {"result": {"name": "caf\udce9"}}


async def test_whoever_says_nothing_keeps_nobody_waiting(bench: Bench) -> None:
    async with await trio.open_unix_socket(str(bench.path)):
        assert await bench.ask(b'{"do": "show-calls"}\n') == {"result": []}


async def test_whoever_leaves_early_does_no_harm(bench: Bench) -> None:
    async with await trio.open_unix_socket(str(bench.path)) as stream:
        await stream.send_all(b'{"do": "show-calls"}')
    assert await bench.ask(b'{"do": "show-calls"}\n') == {"result": []}


def test_only_its_owner_may_open_it_and_a_dead_servers_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    for _ in range(2):
        sock = open_control(path)
        assert path.stat().st_mode & 0o777 == 0o600
        sock.close()


def test_a_path_that_is_too_long_is_said_with_what_to_do(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 110)
    folder.mkdir()
    with pytest.raises(ServerError, match="name a shorter directory with --state"):
        open_control(folder / "control.sock")
