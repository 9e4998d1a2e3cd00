"""The desk's process: `python -m b2bua.operator.desk.process`, as the server starts it (`b2bua.io.desk`).

Owns its start and its end, and the sign of life that it gives. It ends when the server does: its standard input closes
then.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, cast

import anycorn
import msgspec
import trio
from anycorn.typing import ASGIFramework
from structlog.typing import FilteringBoundLogger

from b2bua.io.desk import Orders
from b2bua.io.log import open_log
from b2bua.operator.desk.csv_file import CsvFile
from b2bua.operator.desk.feed import Feed
from b2bua.operator.desk.pages import pages
from b2bua.operator.desk.source import Source
from b2bua.operator.desk.webhook import Webhook

SIGN_SECONDS: Final = 2.0
"""From one sign of life to the next."""

READ_SECONDS: Final = 10
"""For a request to come whole."""

LONGEST_CSV_SECONDS: Final = 5.0
"""From one try to write call records to the next."""

LAST_SECONDS: Final = 1.0
"""When the server has ended: for requests that are being answered."""


class _Told(logging.Handler):
    """What anycorn has to say, as a line of our log."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        super().__init__(logging.ERROR)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write it."""
        self._log.error("page failed", why=record.getMessage(), exc_info=record.exc_info)


async def _serve_pages(orders: Orders, feeds: Sequence[Feed], log: FilteringBoundLogger, ended: trio.Event) -> None:
    config = anycorn.Config()
    config.bind = [f"fd://{orders.listening}"]
    config.read_timeout = READ_SECONDS
    config.graceful_timeout = LAST_SECONDS
    config.include_server_header = False
    config.errorlog = logging.Logger("desk", logging.ERROR)
    config.errorlog.addHandler(_Told(log))
    application = cast(ASGIFramework, pages(Source(Path(orders.state)), feeds))
    await anycorn.serve(application, config, mode="asgi", shutdown_trigger=ended.wait)


def _feeds(orders: Orders, log: FilteringBoundLogger) -> list[Feed]:
    """Those who are to be told of calls that end."""
    state, feeds = Path(orders.state), []
    if orders.csv:
        file = CsvFile(Path(orders.csv))
        feeds.append(Feed("csv", state, orders.told, file.tell, log, longest=LONGEST_CSV_SECONDS))
    if orders.webhook:
        webhook = Webhook(orders.webhook, orders.secret)
        feeds.append(Feed("webhook", state, orders.told, webhook.tell, log))
    return feeds


async def _live(orders: Orders) -> None:
    log, ended = open_log(orders.log_json), trio.Event()
    feeds = _feeds(orders, log)
    async with trio.open_nursery() as signs:
        signs.start_soon(_give_signs)
        async with trio.open_nursery() as work:
            for feed in feeds:
                work.start_soon(feed.run, ended)
            if orders.listening is not None:
                work.start_soon(_serve_pages, orders, feeds, log, ended)
            await _server_ended()
            ended.set()
        signs.cancel_scope.cancel()


async def _give_signs() -> None:
    async with trio.lowlevel.FdStream(os.dup(sys.stdout.fileno())) as stream:
        while True:
            await stream.send_all(b".")
            await trio.sleep(SIGN_SECONDS)


async def _server_ended() -> None:
    async with trio.lowlevel.FdStream(os.dup(sys.stdin.fileno())) as stream:
        while await stream.receive_some():
            """The server has nothing more to say than its orders."""


def main() -> None:
    """Work for the server at the other end of standard input."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    orders = msgspec.json.decode(sys.stdin.buffer.readline(), type=Orders)
    trio.run(_live, orders)


if __name__ == "__main__":
    main()
