"""Who a trunk is told calls: never what a caller wrote, unless somebody vouches for it (RFC 3325)."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from b2bua.effects import Flow
from b2bua.routing.destination import Destination
from b2bua.routing.directory import Directory
from b2bua.routing.inquiry import Inquiry
from b2bua.routing.meters import Meters, Witness
from b2bua.routing.versions import Versions
from b2bua.sip.errors import PeerError
from b2bua.sip.headers import NameAddr
from b2bua.sip.message import Request
from b2bua.sip.parser import parse
from dsl.decision import NumberTarget
from dsl.policy import Policy, load
from tests.sim.wire import write_request

POLICY = """
policy "identity"
domain acme.example
country +49
users staff from "users.yaml"
trunk told     { uri "sip:told.example" trusted number e164 }
trunk untold   { uri "sip:untold.example" number e164 }
trunk vouching { uri "sip:vouching.example" peers 198.51.100.1 trusted number e164 }
trunk other    { uri "sip:other.example" peers 198.51.100.2 number plain }
on register { otherwise -> reject 403 }
on call { otherwise -> reject 404 }
"""
USERS = """
alice: {password: x, extension: 201, number: "+4930201", numbers: "+4930202 030203"}
bob: {password: x, extension: 205}
"""
ALICES = {"+4930201", "+4930202", "+4930203"}
SECRET = "+493066600"
WRITTEN = (
    "From",
    "P-Asserted-Identity",
    "P-Preferred-Identity",
    "Remote-Party-ID",
    "Contact",
    "Reply-To",
    "Diversion",
    "History-Info",
)


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    folder: Path = tmp_path_factory.mktemp("identity")
    (folder / "users.yaml").write_text(USERS)
    (folder / "identity.route").write_text(POLICY)
    return load(folder / "identity.route")


class AllUp:
    """Every trunk takes calls."""

    def __init__(self) -> None:
        self.barred: set[str] = set()
        self.witnesses: dict[str, Witness] = {}

    def why(self, trunk: str) -> str:
        return ""

    def witness(self, trunk: str) -> None:
        return None


def told(
    policy: Policy, headers: list[tuple[str, str]], verified: str | None, trunk: str | None, to: str
) -> Destination:
    """The INVITE's destination through a trunk."""
    from_ = next((value for name, value in headers if name == "From"), "<sip:x@y>")
    request = parse(
        write_request(
            "INVITE",
            "sip:0305550@acme.example",
            via="SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1",
            from_=f"{from_};tag=1",
            to="<sip:0305550@acme.example>",
            call_id="1",
            cseq=1,
            extra=[header for header in headers if header[0] != "From"],
        )
    )
    assert isinstance(request, Request)
    flow = Flow("UDP", "192.0.2.1", 5060, "192.0.2.9", 5060)
    directory = Directory(lambda user, wall: (), lambda uri: uri.host == "acme.example")
    meters = Meters(lambda user: False, AllUp())
    version = Versions(policy, 86_400.0, 0.0).current
    inquiry = Inquiry(version, directory, meters, request, flow, flow.remote, 0.0, verified, trunk)
    found = inquiry.destinations(NumberTarget("0305550", to))
    assert not hasattr(found, "kind")
    assert isinstance(found, tuple)
    return found[0]


ADDRESSES = st.sampled_from(
    [
        f"<sip:{SECRET}@acme.example>",
        f'"Alice" <sip:{SECRET}@told.example;user=phone>',
        f"<tel:{SECRET}>",
        f"<sip:{SECRET}@x>;party=calling;screen=yes;privacy=off",
        "<sip:+4930202@acme.example>",
        "<sip:bob@acme.example>",
        "<sip:anonymous@anonymous.invalid>",
        "broken <",
    ]
)
HEADERS = st.lists(st.tuples(st.sampled_from(WRITTEN), ADDRESSES), max_size=6)
PRIVACY = st.sampled_from([[], [("Privacy", "none")], [("Privacy", "id")], [("Privacy", "user;critical")]])


@given(HEADERS, PRIVACY, st.sampled_from([None, "alice", "bob"]), st.sampled_from([None, "other"]))
@settings(deadline=None)
def test_nothing_that_a_caller_writes_is_asserted(
    policy: Policy,
    headers: list[tuple[str, str]],
    privacy: list[tuple[str, str]],
    verified: str | None,
    trunk: str | None,
) -> None:
    for to in ("told", "untold"):
        try:
            made = told(policy, [*headers, *privacy], verified, trunk, to)
        except PeerError:
            # A From that cannot be read never gets so far.
            return
        asserted = [NameAddr.parse(value).uri.user for name, value in made.headers if name == "P-Asserted-Identity"]
        assert len(asserted) <= (1 if to == "told" and verified == "alice" else 0)
        assert ALICES.issuperset(asserted)
        if ("Privacy", "id") in made.headers or ("Privacy", "id;critical") in made.headers:
            assert NameAddr.parse(made.from_).uri.host == "anonymous.invalid"
        elif privacy and privacy[0][1] != "none":
            pytest.fail("what is to be kept is not said to the trunk")
        if verified is not None:
            assert SECRET not in made.from_


@given(HEADERS, PRIVACY)
@settings(deadline=None)
def test_what_a_trusted_trunk_asserts_goes_to_trusted_trunks_alone(
    policy: Policy, headers: list[tuple[str, str]], privacy: list[tuple[str, str]]
) -> None:
    headers = [("P-Asserted-Identity", "<sip:+4930777@x>"), *privacy, *headers]
    try:
        assert dict(told(policy, headers, None, "vouching", "told").headers)["P-Asserted-Identity"] == (
            "<sip:+4930777@acme.example>"
        )
        made = told(policy, headers, None, "vouching", "untold")
    except PeerError:
        return
    assert "P-Asserted-Identity" not in dict(made.headers)
    assert ("+4930777" in made.from_) == ("anonymous" not in made.from_)


@pytest.mark.parametrize(
    ("trunk", "written", "shown"),
    [
        ("other", "4930777888", "+4930777888"),
        ("other", "030777888", "+4930777888"),
        ("other", "+4930777888", "+4930777888"),
        ("vouching", "030777888", "+4930777888"),
        ("vouching", "bob", None),
        ("vouching", "201", None),
        (None, "0049 30 777 888", "+4930777888"),
    ],
)
def test_a_number_from_a_trunk_is_read_in_its_form(
    policy: Policy, trunk: str | None, written: str, shown: str | None
) -> None:
    from_ = told(policy, [("From", f"<sip:{written.replace(' ', '%20')}@x>")], None, trunk, "told").from_
    uri = NameAddr.parse(from_).uri
    assert uri.user == (shown or "anonymous")
