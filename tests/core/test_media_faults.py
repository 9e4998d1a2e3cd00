"""What ends in the middle of media leaves nothing: by the operator, after a bug; and who is told of what is past."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.flows.play import Performance
from tests.flows.script import Line, read_flow

RELAYED = """\
# RFC 5359 2.3: music
media up
policy
  on call {
    media WAY
    when dialed == "*45" -> answer play jazz loop
    otherwise -> dial callee for 20s
  }
  on hold { otherwise -> play jazz to held loop }

0.0  alice > INVITE [to bob]           0.0  bob   < INVITE
1.0  bob   > 200                       1.0  alice < 200 INVITE
1.0  alice > ACK                       1.0  bob   < ACK
2.0  alice > reINVITE [sdp inactive]   2.0  alice < 200 INVITE
"""
SERVED = RELAYED[: RELAYED.index("0.0  alice")] + "0.0  alice > INVITE [to *45]    0.0  alice < 200 INVITE\n"


@pytest.fixture(params=["relay", "direct", "served", "served and heard"])
def in_the_middle(request: pytest.FixtureRequest, tmp_path: Path) -> Performance:
    """A call with music, its last request not yet acknowledged or answered."""
    if request.param.startswith("served"):
        text = SERVED + ("0.1  alice > ACK\n" if "heard" in request.param else "")
    else:
        text = RELAYED.replace("WAY", request.param) + ("2.0  bob < reINVITE\n" if request.param == "direct" else "")
    text = text.replace("media WAY\n", "media relay\n")
    path = tmp_path / "x.flow"
    path.write_text(text)
    performance = Performance(read_flow(path))
    performance._register()
    for line in performance.flow.lines:
        performance._play_line(line)
    assert performance.failures == []
    assert performance.stage.core.sizes()["media ports"] >= 1
    return performance


def run_out(performance: Performance) -> dict[str, int]:
    """What is left when every timer has run out and nobody says a word."""
    stage = performance.stage
    stage.clock.run(stage.clock.now + 400.0)
    return stage.left


def test_calls_that_the_operator_ends_leave_no_port(in_the_middle: Performance) -> None:
    stage = in_the_middle.stage
    stage.perform(stage.core.hangup_all(stage.clock.now, stage.wall))
    assert run_out(in_the_middle) == {}
    assert stage.hearing.plans == {}


def test_a_call_that_is_taken_away_leaves_no_port_and_what_comes_later_meets_nobody(
    in_the_middle: Performance,
) -> None:
    stage = in_the_middle.stage
    core, calls = stage.core, list(stage.core._parts.calls.values())
    stage.core._turn.concerned = calls[0]
    stage.perform(core.abolish(stage.clock.now, stage.wall))
    assert core.sizes()["media ports"] == core.sizes()["calls"] == core.sizes()["legs"] == 0
    assert stage.hearing.plans == {}
    bob = stage.cast.actors.get("bob")
    if bob is not None and "INVITE" in bob.conversations[bob.current].got:
        in_the_middle._play_line(read_line(in_the_middle, f"{stage.clock.now + 1.0:.1f}  bob > 200 INVITE"))
    assert run_out(in_the_middle) == {}
    assert [log.event for log in stage.logs if log.level == "error"] == []


def read_line(performance: Performance, text: str) -> Line:
    """One more line for the flow that is being played."""
    path = performance.flow.path.with_name("more.flow")
    path.write_text(f"# RFC\n{text}\n")
    return read_flow(path).lines[0]


def test_what_is_said_of_a_port_that_nobody_has_is_nobodys_concern(in_the_middle: Performance) -> None:
    stage = in_the_middle.stage
    now, wall = stage.clock.now, stage.wall
    assert stage.core.played(99, 1, now, wall) == []
    assert stage.core.silent(99, 1, now, wall) == []
    # Nor is the end of a sound that has been followed by another since.
    assert stage.core.played(1, 99, now, wall) == []
