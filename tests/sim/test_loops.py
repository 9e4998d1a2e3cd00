"""A gateway that sends everything back: a loop ends soon, whatever the gateway is, and leaves nothing behind."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

import pytest

from b2bua.effects import Answer, Failed, Resolve, Stored
from b2bua.settings import Settings
from b2bua.sip.message import Response
from b2bua.sip.parser import parse
from dsl import policy

from .audit import Audit
from .clock import Clock
from .gateway import Gateway
from .link import Faults, Link, Place
from .mirror import Kind, Mirror
from .plan import Plan
from .shell import LISTENERS, SERVER, Shell

POLICY = """
policy  "a loop"
domain  acme.example
country +49
trunk mirror { uri "sip:198.51.100.1" number e164 }
trunk start  { uri "sip:198.51.100.17" }
on register { otherwise -> reject 403 }
on call { otherwise -> dial "+4930555" via mirror for 10min }
"""
STEP = " and ".join(f'"sip:{name}@[2001:db8::1]"' for name in ("a", "b", "c"))
WIDE = f"""
policy "everywhere"
domain acme.example
trunk start {{ uri "sip:198.51.100.17" }}
on register {{ otherwise -> reject 403 }}
on call {{ otherwise -> dial {" then ".join([STEP] * 10)} }}
on unreachable {{ otherwise -> dial {" then ".join([STEP] * 10)} }}
"""
BAD = Faults(loss=0.2, twice=0.1, delay=(0.001, 0.2), late=0.1, lateness=1.0)
CLEAN = Faults(delay=(0.01, 0.02))


class Hall(Shell):
    """A server between a caller and a mirror."""

    def __init__(self, folder: Path, kind: Kind, faults: Faults, seed: int, text: str = POLICY) -> None:
        route = folder / "loop.route"
        route.write_text(text)
        self.wrong: list[str] = []
        clock, draw = Clock(), Random(seed)
        link = Link(clock, Random(draw.random()), faults)
        audit = Audit(SERVER, lambda rule, text, call_id: self.wrong.append(f"{rule}: {text}"))
        super().__init__(clock, link, audit, Settings(listen=LISTENERS), policy.load(route), draw)
        server = Place("UDP", SERVER, 5060)
        self.mirror = Mirror(kind, Place("UDP", "198.51.100.1", 5060), server, "acme.example", link)
        self.caller = Gateway(
            "start", "x", ("", ""), Place("UDP", "198.51.100.17", 5060), server, clock, link, draw, self._reported
        )

    def _reported(self, rule: str, text: str, call_id: str) -> None:
        self.wrong.append(f"{rule}: {text}")

    def stored(self) -> tuple[float, Answer]:
        return 0.0, Stored()

    def resolved(self, question: Resolve) -> tuple[float, Answer]:
        return 0.0, Failed("no name is asked for here")

    def finals(self) -> list[int]:
        """The final responses that the caller got to its INVITE."""
        read = [parse(passage.data) for passage in self.link.passages if passage.target == "198.51.100.17"]
        read += [parse(passage.data) for passage in self.link.passages if passage.target == "start"]
        return [m.status for m in read if isinstance(m, Response) and m.cseq.method == "INVITE" and m.status >= 200]


def loop(folder: Path, kind: Kind, faults: Faults, seed: int) -> Hall:
    return called(Hall(folder, kind, faults, seed))


def called(hall: Hall) -> Hall:
    """After a call, when all is quiet."""
    hall.caller.call("sip:+4930555@acme.example", Plan(leave_after=590.0), "<sip:+4930999@carrier.example>")
    hall.clock.run(hall.clock.now + 700.0)
    assert hall.left == {}
    assert hall.wrong == []
    return hall


@pytest.mark.parametrize("seed", range(12))
def test_a_proxy_sends_it_back_once_and_hears_of_a_loop(tmp_path: Path, seed: int) -> None:
    hall = loop(tmp_path, "proxy", BAD if seed else CLEAN, seed)
    # What came back the first time came from elsewhere than the first call, so that it might have been a spiral.
    assert len(hall.mirror.invited) == 2
    assert len(hall.records) == 2 * hall.core.counters["calls"]
    assert set(hall.finals()) == {482}


@pytest.mark.parametrize("seed", range(4))
def test_a_b2bua_sends_it_back_until_no_hop_is_left(tmp_path: Path, seed: int) -> None:
    hall = loop(tmp_path, "b2bua", BAD if seed else CLEAN, seed)
    assert len(hall.mirror.invited) == 35
    # Over a bad network some leg hears nothing for 64*T1 first.
    assert {480 if seed else 483}.issuperset(hall.finals())


def test_a_fork_cannot_multiply_beyond_its_breadth(tmp_path: Path) -> None:
    hall = loop(tmp_path, "fork", CLEAN, 1)
    assert 60 < len(hall.mirror.invited) <= 60 * 35
    assert set(hall.finals()) == {483}


def test_one_call_leads_to_a_bounded_number_of_legs(tmp_path: Path) -> None:
    hall = called(Hall(tmp_path, "proxy", CLEAN, 1, WIDE))
    assert Counter(record.direction for record in hall.records) == {"in": 1, "out": 100}
    assert len(set(hall.finals())) == 1
