"""What a request and its 2xx agree on (RFC 4028): table 2 row by row, and what holds whatever either side says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2bua.dialog.session_timer import (
    OFF,
    Refresher,
    SessionTimer,
    Terms,
    answered,
    check,
    offered,
    raised,
    session_timer,
)
from b2bua.sip.errors import PeerError
from b2bua.sip.message import Headers, Request, Response

TERMS = Terms(1800, 90)
OPENING = session_timer(1800, 90, "open")

seconds = st.integers(min_value=0, max_value=1 << 40)
refreshers = st.sampled_from(["", ";refresher=uac", ";refresher=uas", ";refresher=UAC", ";x=y; refresher = uas"])
terms = st.builds(lambda least, more: Terms(least + more, least), st.integers(1, 5000), st.integers(0, 5000))
befores = st.one_of(
    st.just(OFF),
    st.builds(
        session_timer,
        st.integers(90, 4000),
        st.integers(1, 90),
        st.sampled_from(["us", "peer", "late"]),
        st.booleans(),
        st.booleans(),
    ),
)


def headers(expires: str | None = None, least: str | None = None, supported: bool = False, allow: str = "") -> Headers:
    fields = {"Session-Expires": expires, "Min-SE": least, "Supported": "100rel, Timer" if supported else None}
    fields["Allow"] = allow or None
    return {name: [value] for name, value in fields.items() if value is not None}


def request(expires: str | None = None, least: str | None = None, supported: bool = False, allow: str = "") -> Request:
    return Request("INVITE", "sip:bob@acme.example", headers(expires, least, supported, allow), b"")


def response(status: int, expires: str | None = None, least: str | None = None, allow: str = "") -> Response:
    return Response(status, "", headers(expires, least, allow=allow), b"")


def said(fields: tuple[tuple[str, str], ...], name: str) -> str | None:
    return next((value for each, value in fields if each == name), None)


@pytest.mark.parametrize(
    ("supported", "parameter", "before", "refresher", "required"),
    [
        (False, "", "us", "uas", False),
        (True, "", "us", "uas", True),
        (True, "", "peer", "uac", True),
        (True, ";refresher=uac", "us", "uac", True),
        (True, ";refresher=uas", "peer", "uas", True),
        (False, "", "peer", "uas", False),
    ],
)
def test_table_2(supported: bool, parameter: str, before: Refresher, refresher: str, required: bool) -> None:
    held = session_timer(600, 90, before, True)
    timer = offered(request(f"300{parameter}", supported=supported), TERMS, held)
    assert said(timer.telling, "Session-Expires") == f"300;refresher={refresher}"
    assert said(timer.telling, "Require") == ("timer" if required else None)


@pytest.mark.parametrize(
    ("expires", "refresher", "interval", "supported"),
    [
        (None, "us", 1800, False),
        ("600;refresher=uac", "us", 600, True),
        ("600;refresher=uas", "peer", 600, True),
        ("600", "us", 600, True),
        ("60;refresher=uas", "peer", 90, True),
        ("soon;refresher=uas", "us", 1800, False),
    ],
)
def test_what_a_2xx_agrees_to(expires: str | None, refresher: str, interval: int, supported: bool) -> None:
    timer = answered(response(200, expires, allow="INVITE, UPDATE"), TERMS, OPENING)
    assert (timer.refresher, timer.interval, timer.supported) == (refresher, interval, supported)
    assert timer.by_update


def test_an_allow_is_remembered_and_can_change() -> None:
    first = answered(response(200, allow="INVITE,UPDATE"), TERMS, OPENING)
    assert answered(response(200), TERMS, first).by_update
    assert not answered(response(200, allow="INVITE, ACK"), TERMS, first).by_update


@given(terms, seconds, refreshers, st.none() | seconds, st.booleans())
def test_what_is_too_small_is_refused_if_its_sender_knows_that(
    ours: Terms, expires: int, parameter: str, least: int | None, supported: bool
) -> None:
    asked = request(f"{expires}{parameter}", None if least is None else str(least), supported)
    if supported and expires < ours.min_se:
        with pytest.raises(PeerError) as refused:
            check(asked, ours)
        assert (refused.value.status, refused.value.headers) == (422, (("Min-SE", str(ours.min_se)),))
    else:
        check(asked, ours)


@given(terms, st.none() | seconds, refreshers, st.none() | seconds, st.booleans(), befores)
def test_the_interval_of_our_2xx_lies_between_the_bounds(
    ours: Terms, expires: int | None, parameter: str, least: int | None, supported: bool, before: SessionTimer
) -> None:
    text = None if expires is None else f"{expires}{parameter}"
    timer = offered(request(text, None if least is None else str(least), supported), ours, before)
    assert timer.interval >= max(ours.min_se, before.min_se, min(least or 0, 1 << 31))
    if expires is not None and expires >= timer.min_se:
        assert timer.interval <= expires
    assert timer.refresher in ("us", "peer")
    assert timer.refresher == "us" or supported
    assert ("Require", "timer") in timer.telling or not supported
    assert timer.grace <= timer.interval / 3


@given(terms, st.none() | seconds, refreshers, befores.filter(lambda timer: timer is not OFF))
def test_the_roles_of_a_2xx_are_kept_by_the_next_request(
    ours: Terms, expires: int | None, parameter: str, before: SessionTimer
) -> None:
    timer = answered(response(200, None if expires is None else f"{expires}{parameter}"), ours, before)
    assert timer.interval >= min(ours.min_se, before.interval)
    refresher = "uac" if timer.refresher == "us" else "uas"
    assert said(timer.asking, "Session-Expires") == f"{timer.interval};refresher={refresher}"
    assert said(timer.telling, "Session-Expires") != said(timer.asking, "Session-Expires")


@given(befores.filter(lambda timer: timer is not OFF), st.none() | seconds)
def test_a_422_raises_what_we_ask_for_or_nothing(before: SessionTimer, least: int | None) -> None:
    after = raised(response(422, least=None if least is None else str(least)), before)
    if after is None:
        assert (least or 0) <= before.min_se
    else:
        assert after.min_se == min(least or 0, 1 << 31) > before.min_se
        assert after.interval >= after.min_se
        assert after.refresher == before.refresher


@pytest.mark.parametrize("text", ["", "soon", "-5", "5.5", "²", ";refresher=uac"])
def test_what_cannot_be_read_is_told(text: str) -> None:
    with pytest.raises(PeerError) as refused:
        check(request(text), TERMS)
    assert refused.value.status == 400
