"""RFC 4475 and RFC 5118: what is read of each message, and how the others are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from b2bua.sdp import session
from b2bua.sip.errors import Malformed, PeerError
from b2bua.sip.headers import NameAddr, Via
from b2bua.sip.message import Request, Response, encode_response
from b2bua.sip.parser import StreamFramer, parse

from .torture.expected import DROPPED, EXPECTED, RFC4475, RFC5118, octets

GOOD = [name for name, expected in EXPECTED.items() if expected.refused is None]
REPEATED = ["Via", "From", "To", "Call-ID", "CSeq"]
BAD = [name for name, expected in EXPECTED.items() if expected.refused is not None]


def request(name: str) -> Request:
    message = parse(octets(name))
    assert isinstance(message, Request)
    return message


def response(name: str) -> Response:
    message = parse(octets(name))
    assert isinstance(message, Response)
    return message


def contacts(message: Request) -> list[NameAddr]:
    assert isinstance(message.contacts, list)
    return message.contacts


def test_all_messages_of_both_rfcs_are_here() -> None:
    assert len(RFC4475) == 49
    assert len(RFC5118) == 12
    assert {path.stem for path in (Path(__file__).parent / "torture").glob("*.dat")} == set(EXPECTED)


@pytest.mark.parametrize("name", GOOD)
def test_reads(name: str) -> None:
    message = parse(octets(name))
    assert message.via.host
    assert message.from_.uri.scheme
    assert message.call_id


@pytest.mark.parametrize("name", BAD)
def test_is_refused_and_can_be_answered_where_the_rfc_asks_for_an_answer(name: str) -> None:
    with pytest.raises(Malformed) as error:
        parse(octets(name))
    assert error.value.status == EXPECTED[name].refused
    found = error.value.request
    assert (found is None) == (DROPPED in EXPECTED[name].answers)
    if found is not None:
        headers = [(field, line) for field in REPEATED for line in found.all(field)]
        assert [field for field, _ in headers] == REPEATED
        assert found.via.host
        assert encode_response(error.value.status, error.value.reason, headers)
        assert found.to_tag is None or name == "lwsruri"


@pytest.mark.parametrize("name", [name for name in GOOD if name not in ("dblreq", "inv2543")])
def test_a_stream_gives_the_same_message(name: str) -> None:
    assert StreamFramer().feed(octets(name)) == [octets(name)]


@pytest.mark.parametrize("name", ["ncl", "mcl01", "inv2543"])
def test_a_stream_is_lost_when_no_one_length_is_given(name: str) -> None:
    with pytest.raises(Malformed) as error:
        StreamFramer().feed(octets(name))
    assert error.value.status == 400
    assert error.value.request is not None


def test_a_stream_waits_for_a_body_that_does_not_come() -> None:
    framer = StreamFramer()
    assert framer.feed(octets("clerr")) == []
    assert framer.pending


def test_wsinv() -> None:
    message = request("wsinv")
    assert message.request_uri.has("unknownparam")
    assert message.to.uri.username == "vivekg"
    assert message.to_tag == "1918181833n"
    assert message.from_.display == 'J Rosenberg \\"'
    assert message.from_tag == "98asjd8"
    assert message.max_forwards == 68
    assert (message.cseq.number, message.cseq.method) == (9, "INVITE")
    assert [str(Via.parse(value)) for value in message.values("Via")] == [
        "SIP/2.0/UDP 192.0.2.2;branch=390skdjuw",
        "SIP/2.0/TCP spindle.example.com;branch=z9hG4bK9ikj8",
        "SIP/2.0/UDP 192.168.255.111;branch=z9hG4bK30239",
    ]
    assert message.get("Subject") == ""
    assert message.get("Newfangledheader") == "newfangled value continued newfangled value"
    assert message.get("Unknownheaderwithunusualvalue") == ";;,,;;,;"
    assert message.get("Route") == "<sip:services.example.com;lr;unknownwith=value;unknown-no-value>"
    contact = contacts(message)[0]
    assert contact.display == 'Quoted string ""'
    assert contact.params == (("newparam", "newvalue"), ("secondparam", None), ("q", "0.33"))
    assert len(message.body) == 150


def test_intmeth() -> None:
    message = request("intmeth")
    assert message.method == message.cseq.method == "!interesting-Method0123456789_*+`.%indeed'~"
    assert message.request_uri.user == "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"
    assert message.request_uri.password == "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"
    assert message.request_uri.host == "example.com"
    assert message.via.branch == "z9hG4bK-.!%66*_+`'~"
    assert message.to.display == "BEL:\x07 NUL:\x00 DEL:\x7f"
    assert message.from_.display == "token1~` token2'+_ token3*%!.-"
    assert message.from_.params[0] == ("fromparam''~+*_!.-%", '"работающий"')
    assert message.from_tag == "_token~1'+`*%!-."
    assert message.call_id == "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{"
    assert message.get("Extensionheader-!.%*+_`'~") == "\ufeff大停電"


def test_intmeth_can_be_answered_although_its_to_quotes_a_nul() -> None:
    message = request("intmeth")
    headers = [(name, message.get(name) or "") for name in REPEATED]
    answer = parse(encode_response(501, "Not Implemented", headers))
    assert answer.to == message.to


def test_esc01() -> None:
    message = request("esc01")
    assert message.request_uri.username == "sips:user@example.com"
    assert message.request_uri.host == "example.net"
    assert message.to.uri.username == "user"
    assert message.from_.uri.username == "I have spaces"
    contact = contacts(message)[0]
    assert contact.uri.username == "caller"
    assert contact.uri.params == (("%6c%72", None), ("n%61me", "v%61lue%25%34%31"))
    assert message.content_type == "application/sdp"


def test_escnull() -> None:
    message = request("escnull")
    assert message.to.uri.username == "null-\0-null"
    assert [contact.uri.username for contact in contacts(message)] == ["\0", "\0\0"]


def test_esc02() -> None:
    message = request("esc02")
    assert message.method == "RE%47IST%45R"
    assert message.to.display == "%Z%45"
    assert [contact.uri.user for contact in contacts(message)] == ["alias1", "alias3"]
    assert message.get("C%6fntact") == "<sip:alias2@host2.example.com>"


def test_lwsdisp() -> None:
    assert request("lwsdisp").from_.display == "caller"


def test_longreq() -> None:
    message = request("longreq")
    assert message.from_tag == "12" + 50 * "982" + "424"
    assert message.to.uri.port == 6000
    assert message.to.uri.param("longparam" + 25 * "name") == "shortvalue"
    assert message.call_id == "longreq.one" + 20 * "really" + "longcallid"
    assert len(message.all("Via")) == 34
    assert message.via.host == "sip33.example.com"
    assert message.via.branch is None


def test_dblreq() -> None:
    message = request("dblreq")
    assert message.method == "REGISTER"
    assert message.body == b""


def test_semiuri() -> None:
    message = request("semiuri")
    assert message.request_uri.username == "user;par=u@example.net"
    assert message.request_uri.params == ()
    assert len(message.values("Accept")) == 6


def test_transports() -> None:
    message = request("transports")
    assert [Via.parse(line).transport for line in message.all("Via")] == ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]


def test_mpart01() -> None:
    message = request("mpart01")
    assert message.content_type == "multipart/mixed"
    assert len(message.body) == 553
    assert b"\x00" in message.body


def test_unreason() -> None:
    message = response("unreason")
    assert message.status == 200
    assert message.reason == "= 2**3 * 5**2 но сто девяносто девять - простое"


def test_noreason() -> None:
    message = response("noreason")
    assert message.status == 100
    assert message.reason == ""


def test_regbadct_is_refused_by_whoever_asks_for_its_contact() -> None:
    with pytest.raises(PeerError) as error:
        _ = request("regbadct").contacts
    assert error.value.status == 400


def test_badaspec() -> None:
    message = request("badaspec")
    assert message.to.display == "Watson, Thomas"
    assert str(message.to.uri) == "sip:t.watson@example.org"


def test_unkscm_and_novelsc() -> None:
    assert request("unkscm").request_uri.scheme == "nobodyknowsthisscheme"
    assert request("novelsc").request_uri.scheme == "soap.beep"


def test_unksm2() -> None:
    message = request("unksm2")
    assert message.to.uri.scheme == "isbn"
    assert message.from_.uri.scheme == "http"
    assert contacts(message)[0].uri.scheme == "name"


def test_cparam01_cparam02_and_regescrt() -> None:
    outside = contacts(request("cparam01"))[0]
    assert outside.params == (("unknownparam", None),)
    assert outside.uri.params == ()
    inside = contacts(request("cparam02"))[0]
    assert inside.params == ()
    assert inside.uri.has("unknownparam")
    escaped = contacts(request("regescrt"))[0]
    assert escaped.uri.headers == "Route=%3Csip:sip.example.com%3E"


def test_zeromf() -> None:
    assert request("zeromf").max_forwards == 0


def test_inv2543() -> None:
    message = request("inv2543")
    assert message.via.branch is None
    assert message.from_tag is None
    assert message.max_forwards is None
    assert message.to.params == (("user", "phone"),)
    assert message.body.endswith(b"m=audio 49217 RTP/AVP 0\r\n")


def test_ipv6_addresses_with_and_without_a_port() -> None:
    ambiguous, plain = request("port-ambiguous").request_uri, request("port-unambiguous").request_uri
    assert (ambiguous.host, ambiguous.port) == ("2001:db8::10:5070", None)
    assert (plain.host, plain.port) == ("2001:db8::10", 5070)


def test_received_with_and_without_brackets() -> None:
    for name in ("via-received-param-with-delim", "via-received-param-no-delim"):
        assert request(name).via.received == "2001:db8::9:255"


def test_a_third_colon_before_an_ipv4_address_is_not_there() -> None:
    assert request("ipv6-bug-abnf-3-colons").request_uri == request("ipv6-correct-abnf-2-colons").request_uri


def test_both_families_in_one_description() -> None:
    found = session.parse(request("mult-ip-in-sdp").body)
    assert [str(media.connection.address) for media in found.media if media.connection] == ["192.0.2.1", "2001:db8::1"]
    mapped = session.parse(request("ipv4-mapped-ipv6").body)
    assert mapped.connection is not None
    assert mapped.connection.address == "::ffff:192.0.2.2"
