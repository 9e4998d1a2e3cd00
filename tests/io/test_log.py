"""Lines for eyes and for machines, and nothing of a peer's that could be taken for one."""

from __future__ import annotations

import io
import json

from b2bua.io.log import open_log


def test_a_line_for_eyes() -> None:
    to = io.StringIO()
    open_log(False, to).info("ready", policy="acme", listens="udp and tcp", calls=3, empty="")
    time, _, rest = to.getvalue().partition(" ")
    assert time.endswith("Z")
    assert rest == 'info ready policy=acme listens="udp and tcp" calls=3 empty=""\n'


def test_a_peers_line_ends_stay_in_their_line() -> None:
    to = io.StringIO()
    open_log(False, to).warning("refused", user='bob"\r\n2026 info ready', name="caf\udce9")
    (line,) = to.getvalue().splitlines()
    assert line.endswith(r'user="bob\"\r\n2026 info ready" name="caf\udce9"')


def test_a_line_for_machines() -> None:
    to = io.StringIO()
    open_log(True, to).error("not stored", why="disk\nfull")
    line = json.loads(to.getvalue())
    assert (line["level"], line["event"], line["why"]) == ("error", "not stored", "disk\nfull")


def test_the_trace_of_a_bug_follows_its_line() -> None:
    to = io.StringIO()
    try:
        raise ZeroDivisionError("here")
    except ZeroDivisionError:
        open_log(False, to).exception("input lost", input="datagram")
    first, *trace = to.getvalue().splitlines()
    assert first.endswith("error input lost input=datagram ")
    assert trace[0].startswith("  Traceback")
    assert trace[-1] == "  ZeroDivisionError: here"


def test_debug_is_left_out() -> None:
    to = io.StringIO()
    open_log(False, to).debug("detail")
    assert to.getvalue() == ""


def test_a_reader_that_is_gone_is_no_reason_to_stop() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    open_log(False, Gone()).info("ready")
    closed = io.StringIO()
    closed.close()
    open_log(True, closed).info("ready")
