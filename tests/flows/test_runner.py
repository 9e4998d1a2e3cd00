"""The runner notices whatever is not as written, and says where: one small flow, made wrong in one place each time."""

from __future__ import annotations

from pathlib import Path

import pytest

from dsl.diagnostics import PolicyError

from .play import Performance
from .script import FlowError, read_flow

RIGHT = """\
# RFC 3261 21.4.24: busy
0.0  alice > INVITE [to bob]    0.0  bob < INVITE [sdp = alice's]
0.5  bob > 180                  0.5  alice < 180 INVITE [no sdp, to-tag as tag]
1.0  bob > 486                  1.0  alice < 486 INVITE [to-tag = $tag]
record in  486
record out 486
"""


def failures(text: str, folder: Path) -> list[str]:
    path = folder / "x.flow"
    path.write_text(text)
    performance = Performance(read_flow(path))
    performance.play()
    return performance.failures


def test_a_flow_that_is_right_passes(tmp_path: Path) -> None:
    assert failures(RIGHT, tmp_path) == []


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("0.5  alice < 180", "0.6  alice < 180", "x.flow:3: at 0.600 alice gets 180 INVITE at 0.500, where 180"),
        ("alice < 180", "alice < 183", "alice gets 180 INVITE at 0.500, where 183 INVITE is due"),
        (
            "0.5  alice < 180 INVITE [no sdp, to-tag as tag]",
            "0.5  alice < 100",
            "alice gets 180 INVITE at 0.500, where 100",
        ),
        ("bob < INVITE [", "bob < BYE [", "bob gets INVITE at 0.000, where BYE is due"),
        ("sdp = alice's", "sdp != alice's", "INVITE: the body is"),
        ("no sdp,", "sdp,", "where `sdp` is due the body is b''"),
        ("to-tag = $tag", "to-tag != $tag", "486 INVITE: to-tag is"),
        ("to-tag = $tag", "Warning ~ busy", "486 INVITE: Warning is None, which should be ~ 'busy'"),
        ("to-tag = $tag", "no Content-Length", "486 INVITE: Content-Length is '0'"),
        ("record out 486\n", "", "the records are ['record in 486 by nobody', 'record out 486 by nobody']"),
        ("record out 486", "record out 487", "the records are"),
        ("record out 486", "record out 486 [target ~ carol]", "target is"),
        ("record out 486", "record out 486\nlog disk full", "the errors logged are []"),
    ],
)
def test_what_is_not_as_written_fails(right: str, wrong: str, said: str, tmp_path: Path) -> None:
    assert right in RIGHT
    assert said in "\n".join(failures(RIGHT.replace(right, wrong), tmp_path))


def test_a_message_of_which_no_line_speaks_fails_at_the_end(tmp_path: Path) -> None:
    text = RIGHT.replace("alice < 486 INVITE [to-tag = $tag]", "operator > drain")
    assert failures(text, tmp_path) == ["alice gets 486 INVITE at 1.000, of which no line speaks"]


def test_repetitions_fail_where_they_are_to_be_shown(tmp_path: Path) -> None:
    text = RIGHT.replace("0.0  alice", "retransmissions shown\n0.0  alice", 1)
    assert "bob gets INVITE at 0.500, of which no line speaks" not in failures(RIGHT, tmp_path)
    assert "x.flow:5: at 1.000 alice gets" not in failures(text, tmp_path)
    assert any("bob gets INVITE at 0.500" in failure for failure in failures(text, tmp_path))


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("# RFC 3261 21.4.24: busy\n", "", "x.flow: the first line says what it shows"),
        ("0.5  bob", "0.5  zoe", "x.flow:3: nobody is called zoe"),
        ("1.0  bob > 486", "0.1  bob > 486", "x.flow:4: 0.1 comes before the line above"),
        ("0.5  bob > 180", "soon  bob > 180", "x.flow:3: no line of a flow: soon  bob > 180"),
        ("[to bob]", "[to bob", "x.flow:2: a bracket stays open"),
        ("[to bob]", "[towards bob]", "x.flow:2: `towards bob` changes nothing that one can send"),
        ("to-tag = $tag", "loudly", "x.flow:4: `loudly` asks nothing of a message"),
        ("bob > 486", "carol > BYE", "x.flow:4: carol is in no such call"),
        ("bob > 486", "alice > 486 INVITE", "x.flow:4: alice has got no INVITE to answer"),
        ("bob > 486", "bob > 180 [again], 486 BYE", "x.flow:4: bob has got no BYE to answer"),
        ("record in  486", "record in", "x.flow:5: no record line: record in"),
        ("1.0  bob > 486", "1.0  store > explode", "x.flow:4: store cannot `explode`"),
    ],
)
def test_what_cannot_be_read_says_where(right: str, wrong: str, said: str, tmp_path: Path) -> None:
    assert right in RIGHT
    with pytest.raises(FlowError) as caught:
        failures(RIGHT.replace(right, wrong), tmp_path)
    assert said in str(caught.value)


def test_a_policy_that_is_wrong_is_the_checkers_to_refuse(tmp_path: Path) -> None:
    text = RIGHT.replace("0.0  alice", "policy\n  on call { otherwise -> dial nobody }\n\n0.0  alice", 1)
    with pytest.raises(PolicyError):
        failures(text, tmp_path)
