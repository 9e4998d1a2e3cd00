"""One party's offer in a dialog where another was described before, and the answer on its way back."""

from __future__ import annotations

from b2bua.sdp.introducing import introduced, returned
from b2bua.sdp.session import Direction, parse

HEAD = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"


def described(*streams: str) -> bytes:
    return (HEAD + "".join(f"m={stream}\r\n" for stream in streams)).encode()


HELD = described("audio 4000 RTP/AVP 0 97\r\na=rtpmap:97 opus/48000/2\r\na=recvonly")
OTHER = parse(described("audio 5000 RTP/AVP 0 97\r\na=rtpmap:97 GSM/8000", "video 5002 RTP/AVP 31"))


def test_whoever_was_held_may_speak_to_somebody_else() -> None:
    made = parse(introduced(HELD, True, ()) or b"")
    assert made.media[0].direction is Direction.SENDRECV
    assert parse(introduced(HELD, False, ()) or b"").media[0].direction is Direction.RECVONLY


def test_numbers_keep_their_meaning_and_streams_their_places() -> None:
    made = parse(introduced(HELD, True, (OTHER,)) or b"")
    assert [(media.kind, bool(media.port), media.formats) for media in made.media] == [
        ("audio", True, ("0",)),
        ("video", False, ("31",)),
    ]


def test_nothing_is_left_to_speak_by() -> None:
    only = described("audio 4000 RTP/AVP 97 101\r\na=rtpmap:97 opus/48000/2\r\na=rtpmap:101 telephone-event/8000")
    assert introduced(only, True, (OTHER,)) is None
    assert introduced(b"v=0\r\no=what\r\n", True, ()) is None


def test_what_has_no_speech_in_it_stays_what_it_is() -> None:
    fax = described("image 4000 udptl t38")
    assert [media.kind for media in parse(introduced(fax, True, ()) or b"").media] == ["image"]


def test_the_answer_has_the_streams_and_the_ways_of_the_offer() -> None:
    answer = described("audio 6000 RTP/AVP 0\r\na=sendrecv", "video 0 RTP/AVP 31")
    made = parse(returned(answer, parse(HELD)))
    assert [(media.port, media.direction) for media in made.media] == [(6000, Direction.SENDONLY)]
    made = parse(returned(described("audio 6000 RTP/AVP 0"), OTHER))
    assert [(media.kind, media.port) for media in made.media] == [("audio", 6000), ("video", 0)]
