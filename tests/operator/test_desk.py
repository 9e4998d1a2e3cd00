"""The desk's pages, before a server that answers, or does not."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

from b2bua.io.requests import CONTROL
from b2bua.operator.desk.pages import pages
from b2bua.operator.desk.source import Source

from .measured import measures

pytestmark = pytest.mark.trio


class Server:
    """What answers at a control socket: `answer`, or nothing at all while that is None. `asked` counts."""

    def __init__(self) -> None:
        self.answer: object = {"result": measures()}
        self.asked = 0

    async def serve(self, stream: trio.SocketStream) -> None:
        async with stream:
            await stream.receive_some()
            self.asked += 1
            if self.answer is None:
                await trio.sleep_forever()
            await stream.send_all(json.dumps(self.answer).encode() + b"\n")


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Server]:
    server = Server()
    with trio.socket.socket(trio.socket.AF_UNIX) as sock:
        await sock.bind(str(folder / CONTROL))
        sock.listen()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(trio.serve_listeners, server.serve, [trio.SocketListener(sock)]))
            yield server
            nursery.cancel_scope.cancel()


def client(folder: Path) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=pages(Source(folder))), base_url="http://desk")


def said(answer: httpx.Response) -> Any:
    return answer.status_code, answer.json()


async def test_a_server_that_is_well(tmp_path: Path) -> None:
    async with running(tmp_path), client(tmp_path) as desk:
        assert said(await desk.get("/healthz")) == (200, {"healthy": True, "why": []})
        assert said(await desk.get("/readyz")) == (200, {"ready": True, "why": []})
        scraped = await desk.get("/metrics")
        assert scraped.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert "\nb2bua_calls 4.0\n" in scraped.text
        assert (await desk.get("/elsewhere")).status_code == 404


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"draining": True}, "the server is about to end, and takes no new calls"),
        (
            {"store": {"records": 1, "decisions": 0, "failing": "call records: disk full"}},
            "the store cannot be written: call records: disk full",
        ),
        ({"policies": []}, "no policy is in force"),
    ],
)
async def test_a_server_that_lives_and_takes_no_calls(tmp_path: Path, changes: dict[str, Any], why: str) -> None:
    async with running(tmp_path) as server, client(tmp_path) as desk:
        server.answer = {"result": measures(**changes)}
        assert said(await desk.get("/healthz"))[0] == 200
        assert said(await desk.get("/readyz")) == (503, {"ready": False, "why": [why]})
        assert "\nb2bua_ready 0.0\n" in (await desk.get("/metrics")).text


async def test_many_who_ask_are_one_question_to_the_server(tmp_path: Path) -> None:
    async with running(tmp_path) as server, client(tmp_path) as desk, trio.open_nursery() as nursery:
        for _ in range(50):
            nursery.start_soon(desk.get, "/metrics")
    assert server.asked == 1


async def test_no_server(tmp_path: Path) -> None:
    async with client(tmp_path) as desk:
        status, told = said(await desk.get("/healthz"))
        assert status == 503
        assert told["why"][0].startswith("the server cannot be asked: ")
        assert said(await desk.get("/readyz"))[0] == 503
        assert "b2bua_server_up 0.0" in (await desk.get("/metrics")).text


async def test_a_server_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("b2bua.operator.desk.source.PATIENCE_SECONDS", 0.05)
    async with running(tmp_path) as server, client(tmp_path) as desk:
        server.answer = None
        why = "the server gave no answer within 0.05 s"
        assert said(await desk.get("/healthz")) == (503, {"healthy": False, "why": [why]})


async def test_a_server_that_talks_nonsense(tmp_path: Path) -> None:
    async with running(tmp_path) as server, client(tmp_path) as desk:
        server.answer = {"error": "this is no request"}
        assert said(await desk.get("/healthz"))[1]["why"] == ["the server's answer is none; its log says why"]
