"""The runner notices who hears what is not as written; and the policy is asked of holds exactly once each."""

from __future__ import annotations

from pathlib import Path

import pytest

from .play import Performance
from .script import FlowError, read_flow

HELD = """\
# RFC 5359 2.3: music
media up
policy
  on call { media relay otherwise -> dial callee for 20s }
  on hold {
    when holder is caller { log "caller holds" play jazz to held loop }
    otherwise { log "called party holds" play blues to held loop }
  }
  on resume { log "resumed" continue }

0.0  alice > INVITE [to bob]           0.0  bob   < INVITE [sdp = alice's relayed]
1.0  bob   > 200                       1.0  alice < 200 INVITE [address = 192.0.2.1]
1.0  alice > ACK                       1.0  bob   < ACK
1.5  media < heard [alice = bob relayed in PCMU]
2.0  alice > reINVITE [sdp sendonly]   2.0  alice < 200 INVITE [direction = recvonly, formats = 0 8 101, no video-port]
2.0  alice > ACK
2.5  media < heard [alice = nothing, bob = jazz played in PCMU]
3.0  bob   > BYE                       3.0  bob   < 200 BYE    3.0  alice < BYE
3.0  alice > 200 BYE
record in  200 hung up by callee
record out 200 hung up by callee
"""
BEGINNING = HELD[: HELD.index("1.5  media")]
END = HELD[HELD.index("3.0  bob   > BYE") :]


def performed(text: str, folder: Path) -> Performance:
    path = folder / "x.flow"
    path.write_text(text)
    performance = Performance(read_flow(path))
    performance.play()
    return performance


def asked(performance: Performance) -> list[object]:
    return [log.fields["said"] for log in performance.stage.logs if log.event == "policy"]


def test_a_flow_that_is_heard_right_passes(tmp_path: Path) -> None:
    assert performed(HELD, tmp_path).failures == []


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("alice = bob relayed", "alice = bob direct", "alice hears bob audio relayed in PCMU, where bob direct"),
        ("relayed in PCMU", "relayed in PCMA", "alice hears bob audio relayed in PCMU, where bob relayed in PCMA"),
        ("alice = bob relayed", "alice = bob video", "alice hears bob audio relayed in PCMU, where bob video"),
        ("bob = jazz played", "bob = jazz + alice", "bob hears jazz audio played in PCMU, where jazz + alice"),
        ("bob = jazz played in PCMU", "bob = nothing", "bob hears jazz audio played in PCMU, where nothing is due"),
        ("alice = nothing", "alice = bob", "alice hears nothing, where bob is due"),
        ("sdp = alice's relayed", "sdp = alice's", "INVITE: the body is"),
        ("address = 192.0.2.1", "sdp = alice's relayed", "200 INVITE: the body is"),
        ("direction = recvonly", "direction = sendrecv", "direction is 'recvonly', which should be = 'sendrecv'"),
        ("formats = 0 8 101", "formats = 0", "formats is '0 8 101'"),
        ("no video-port", "video-port = 0", "video-port is None"),
    ],
)
def test_what_is_not_heard_as_written_fails(right: str, wrong: str, said: str, tmp_path: Path) -> None:
    assert right in HELD
    assert said in "\n".join(performed(HELD.replace(right, wrong, 1), tmp_path).failures)


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("media < heard [alice = bob", "media < seen [alice = bob", "media has nothing to show"),
        ("media < heard [alice = bob", "media < heard [zoe = bob", "`zoe = bob relayed in PCMU` asks nothing"),
        ("media < heard [alice = bob", "store < heard [alice = bob", "store has nothing to show"),
        ("[to bob]", "[to bob, with smell]", "`with smell` changes nothing that one can send"),
        ("2.5  media < heard", "2.5  media > played alice  2.5  media < heard", "media cannot `played alice`"),
    ],
)
def test_what_asks_nothing_of_media_says_so(right: str, wrong: str, said: str, tmp_path: Path) -> None:
    assert right in HELD
    with pytest.raises(FlowError) as caught:
        performed(HELD.replace(right, wrong, 1), tmp_path)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("talk", "due"),
    [
        (
            "2.0  alice > UPDATE [sdp sendonly]     2.0  alice < 200 UPDATE\n"
            "2.1  alice > UPDATE [sdp inactive]     2.1  alice < 200 UPDATE\n"
            "2.2  bob   > UPDATE [sdp at 0.0.0.0]   2.2  bob   < 200 UPDATE\n"
            "2.3  bob   > UPDATE [sdp at 0.0.0.0]   2.3  bob   < 200 UPDATE\n",
            ["caller holds", "called party holds"],
        ),
        (
            "2.0  alice > UPDATE [sdp sendonly]     2.0  alice < 200 UPDATE\n"
            "2.1  alice > UPDATE                    2.1  alice < 200 UPDATE\n"
            "2.2  alice > UPDATE [sdp]              2.2  alice < 200 UPDATE\n"
            "2.4  alice > UPDATE [sdp inactive]     2.4  alice < 200 UPDATE\n",
            ["caller holds", "resumed", "caller holds"],
        ),
        # Whoever is told that the other sends nothing has no choice but not to receive: that is no hold.
        (
            "2.0  bob   > UPDATE [sdp sendonly]     2.0  bob   < 200 UPDATE\n"
            "2.1  alice > reINVITE [no sdp]         2.1  bob   < reINVITE\n"
            "2.2  bob   > 200 [sdp inactive]        2.2  alice < 200 INVITE\n"
            "2.3  alice > ACK [sdp inactive]        2.3  bob   < ACK\n",
            ["called party holds"],
        ),
        # A hold that is refused is none.
        (
            "2.0  alice > reINVITE [no sdp]         2.0  bob   < reINVITE\n"
            "2.1  bob   > 488                       2.1  alice < 488 INVITE\n",
            [],
        ),
    ],
)
def test_the_policy_is_asked_once_for_each_hold_and_resume(talk: str, due: list[str], tmp_path: Path) -> None:
    performance = performed(BEGINNING + talk + END, tmp_path)
    assert performance.failures == []
    assert asked(performance) == due


@pytest.mark.parametrize(
    ("talk", "due"),
    [
        # Refreshes, a change of codecs, a media process that comes back: the music goes on.
        (
            "2.0  alice > UPDATE [sdp sendonly]     2.0  alice < 200 UPDATE\n"
            "2.1  alice > UPDATE [sdp inactive]     2.1  alice < 200 UPDATE\n"
            "2.2  bob   > UPDATE [codecs PCMA keys]  2.2  alice < UPDATE\n"
            "2.3  alice > 200 UPDATE [sdp inactive]  2.3  bob   < 200 UPDATE\n"
            "2.4  media < heard [bob = jazz in PCMA]\n"
            "2.5  media > down\n"
            "2.6  media > up\n",
            ["jazz"],
        ),
        # Each hold begins its own.
        (
            "2.0  alice > UPDATE [sdp sendonly]     2.0  alice < 200 UPDATE\n"
            "2.1  alice > UPDATE                    2.1  alice < 200 UPDATE\n"
            "2.2  alice > UPDATE [sdp sendonly]     2.2  alice < 200 UPDATE\n"
            "2.3  alice > UPDATE                    2.3  alice < 200 UPDATE\n"
            "2.4  bob   > UPDATE [sdp sendonly]     2.4  bob   < 200 UPDATE\n",
            ["jazz", "jazz", "blues"],
        ),
    ],
)
def test_a_sound_begins_once_for_each_hold(talk: str, due: list[str], tmp_path: Path) -> None:
    performance = performed(BEGINNING + talk + END, tmp_path)
    assert performance.failures == []
    hearing = performance.stage.hearing
    assert [hearing.sounds[sound] for sound in hearing.begun.values()] == due
