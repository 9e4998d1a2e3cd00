"""How a binding is reached: NAT, streams, Path (RFC 3327), instances and flows (RFC 5626)."""

from __future__ import annotations

import pytest

from b2bua.effects import Flow
from b2bua.registrar.asked import Bounds
from b2bua.sip.errors import PeerError

from .phone import AOR, CONTACT, TCP, UDP, Home, contacts, message

INSTANCE = '+sip.instance="<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>"'


def udp(address: str, port: int) -> Flow:
    return Flow("UDP", "192.0.2.1", 5060, address, port)


@pytest.mark.parametrize(
    ("contact", "via", "flow", "nat"),
    [
        # The contact is where it came from.
        ("sip:a@192.0.2.7:5060", "192.0.2.7:5060;rport", udp("192.0.2.7", 5060), False),
        ("sip:a@192.0.2.7", "192.0.2.7", udp("192.0.2.7", 5060), False),
        ("sip:a@192.0.2.7", "10.0.0.2", udp("192.0.2.7", 5060), False),
        ("sip:a@[2001:db8::7]:5060", "[2001:db8::7]", udp("2001:db8:0:0::7", 5060), False),
        # A home router: address and port are others than the phone knows.
        ("sip:a@192.168.1.5:5060", "192.168.1.5:5060;rport", udp("203.0.113.9", 41000), True),
        ("sip:a@192.168.1.5:5060", "192.168.1.5:5060", udp("203.0.113.9", 41000), True),
        ("sip:a@laptop.local", "laptop.local:5060", udp("203.0.113.9", 5060), True),
        # Only the port was changed; the phone answers where it sends from, or else it listens elsewhere.
        ("sip:a@192.0.2.7:5060", "192.0.2.7:5060;rport", udp("192.0.2.7", 41000), True),
        ("sip:a@192.0.2.7:5060", "192.0.2.7:5060", udp("192.0.2.7", 41000), False),
        # Another port of the same machine: the Via is right, the contact is meant.
        ("sip:a@192.0.2.7:5999", "192.0.2.7:5060;rport", udp("192.0.2.7", 5060), False),
        # A third party's contact, where it may be registered, is believed if it can be reached.
        ("sip:a@8.8.4.4:5060", "192.0.2.7:5060;rport", udp("192.0.2.7", 5060), False),
        ("sip:a@gateway.example.net", "192.0.2.7:5060;rport", udp("192.0.2.7", 5060), False),
        ("sip:a@10.9.9.9:5060", "192.0.2.7:5060;rport", udp("192.0.2.7", 5060), True),
        # The first proxy is not the phone.
        ("sip:a@10.9.9.9:5060", "192.0.2.7:5060, SIP/2.0/UDP 10.9.9.9", udp("192.0.2.7", 5060), False),
        # A stream is the only way to who opened it.
        ("sip:a@192.0.2.7:40312;transport=tcp", "192.0.2.7:40312", TCP, True),
        ("sips:a@192.0.2.7", "192.0.2.7:5061", TCP, True),
    ],
)
def test_requests_go_by_the_flow_where_the_contact_means_nothing_to_us(
    contact: str, via: str, flow: Flow, nat: bool
) -> None:
    home = Home(taken=contacts("any"))
    [binding] = home.register(f"Contact: <{contact}>", flow=flow, via=f"SIP/2.0/UDP {via};branch=z9hG4bK1").after
    assert binding.nat is nat
    assert binding.flow == flow


def test_a_closed_stream_makes_its_bindings_unreachable_until_they_are_refreshed() -> None:
    home = Home()
    home.register("Contact: <sip:a@192.0.2.7:40312;transport=tcp>", flow=TCP)
    home.register("Contact: <sip:b@192.0.2.7>", cseq=2)
    assert len(home.rung()) == 2
    assert home.registrar.flow_closed(TCP, home.wall) == [AOR]
    assert home.registrar.flow_closed(TCP, home.wall) == []
    assert home.rung() == ["sip:b@192.0.2.7"]
    assert len(home.contacts()) == 2
    again = Flow("TCP", "192.0.2.1", 5060, "192.0.2.7", 40999, 10)
    home.register("Contact: <sip:a@192.0.2.7:40312;transport=tcp>", flow=again, cseq=3)
    assert len(home.rung()) == 2
    assert home.registrar.flow_closed(TCP, home.wall) == []
    assert home.registrar.flow_closed(again, home.wall) == [AOR]


def test_a_closed_stream_touches_only_what_came_by_it() -> None:
    home = Home()
    other = Flow("TCP", "192.0.2.1", 5060, "192.0.2.7", 40312, 10)
    home.register("Contact: <sip:a@192.0.2.7;transport=tcp>", flow=TCP)
    home.register("Contact: <sip:b@192.0.2.7;transport=tcp>", flow=other, cseq=2)
    assert home.registrar.flow_closed(TCP, home.wall) == [AOR]
    assert home.rung() == ["sip:b@192.0.2.7;transport=tcp"]
    assert home.registrar.flow_closed(UDP, home.wall) == []


def test_two_contacts_on_one_stream_close_together_though_one_was_removed() -> None:
    home = Home()
    home.register("Contact: <sip:a@192.0.2.7>, <sip:b@192.0.2.7>, <sip:c@192.0.2.7>", flow=TCP)
    home.register("Contact: <sip:a@192.0.2.7>;expires=0", flow=TCP, cseq=2)
    assert home.registrar.flow_closed(TCP, home.wall) == [AOR]
    assert home.rung() == []


def test_a_stream_that_closes_while_a_registration_is_stored_stays_closed() -> None:
    home = Home()
    home.register("Contact: <sip:a@192.0.2.7>", flow=TCP)
    second = message("Contact: <sip:b@192.0.2.7>", cseq=2)
    registration = home.registrar.register(AOR, second, UDP, home.bounds, home.wall)
    home.registrar.flow_closed(TCP, home.wall)
    home.registrar.commit(registration)
    assert home.rung() == ["sip:b@192.0.2.7"]
    assert home.contacts() == ["sip:a@192.0.2.7", "sip:b@192.0.2.7"]


def test_what_has_expired_on_a_stream_is_not_said_to_be_lost_but_to_be_expired() -> None:
    home = Home()
    home.register("Contact: <sip:a@192.0.2.7>;expires=60", flow=TCP)
    assert home.registrar.flow_closed(TCP, home.wall + 60) == []
    assert [change.aor for change in home.registrar.expire(home.wall + 60)] == [AOR]


def test_lost_bindings_make_room_for_the_phone_that_comes_back() -> None:
    home = Home(Bounds(max_contacts=1))
    home.register("Contact: <sip:a@192.0.2.7:40312;transport=tcp>", flow=TCP)
    home.registrar.flow_closed(TCP, home.wall)
    again = Flow("TCP", "192.0.2.1", 5060, "192.0.2.7", 40999, 10)
    home.register("Contact: <sip:a@192.0.2.7:40999;transport=tcp>", flow=again, call_id="b@home")
    assert home.contacts() == ["sip:a@192.0.2.7:40999;transport=tcp"]


def test_a_path_is_stored_and_told_to_who_knows_it() -> None:
    home = Home(taken=contacts("any"))
    path = ["<sip:p3.example.org;lr>", "<sip:p1.example.net;lr>"]
    via = "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK2, SIP/2.0/UDP 10.0.0.2;branch=z9hG4bK1"
    registration = home.register(
        "Contact: <sip:a@10.0.0.2>", f"Path: {path[0]}, {path[1]}", "Supported: gruu, Path", flow=TCP, via=via
    )
    assert registration.after[0].path == tuple(path)
    assert not registration.after[0].nat
    assert home.headers("Path", registration) == path
    assert home.headers("Path") == []
    assert home.registrar.flow_closed(TCP, home.wall) == []


def test_a_path_is_used_but_not_told_to_who_does_not_know_it() -> None:
    home = Home(taken=contacts("any"))
    registration = home.register("Contact: <sip:a@10.0.0.2>", "Path: <sip:p1.example.net;lr>")
    assert registration.after[0].path == ("<sip:p1.example.net;lr>",)
    assert not registration.after[0].nat
    assert home.headers("Path", registration) == []


@pytest.mark.parametrize("path", ["<tel:+49301>", "<sip:>", "nonsense", f"<sip:{'p' * 2100}.example.net;lr>"])
def test_a_path_that_is_no_route_is_400(path: str) -> None:
    with pytest.raises(PeerError) as error:
        Home().register(f"Contact: {CONTACT}", f"Path: {path}")
    assert error.value.status == 400


def test_the_same_instance_and_reg_id_replace_the_binding_whatever_its_contact() -> None:
    home = Home()
    first = home.register(f"Contact: <sip:a@192.0.2.7:1>;{INSTANCE};reg-id=1", "Supported: outbound, path", flow=TCP)
    assert home.headers("Require", first) == ["outbound"]
    assert home.headers("Flow-Timer", first) == ["120"]
    home.register(f"Contact: <sip:a@192.0.2.7:2>;{INSTANCE.lower()};reg-id=1", "Supported: outbound", cseq=2)
    assert home.contacts() == ["sip:a@192.0.2.7:2"]
    home.register(f"Contact: <sip:a@192.0.2.7:2>;{INSTANCE};reg-id=2", call_id="other")
    assert home.contacts() == ["sip:a@192.0.2.7:2"] * 2
    home.register(f"Contact: <sip:a@192.0.2.7:9>;{INSTANCE};reg-id=1;expires=0", cseq=3)
    assert [binding.reg_id for binding in home.registrar.everything(home.wall)] == [2]


def test_another_phone_may_use_the_same_reg_id() -> None:
    home = Home()
    home.register(f"Contact: <sip:a@192.0.2.7:1>;{INSTANCE};reg-id=1")
    home.register(f"Contact: <sip:a@192.0.2.7:2>;{INSTANCE.replace('EEFF', 'EE00')};reg-id=1", cseq=2)
    assert home.rung() == ["sip:a@192.0.2.7:1", "sip:a@192.0.2.7:2"]


def test_the_order_of_requests_holds_for_an_instance_too() -> None:
    home = Home()
    home.register(f"Contact: <sip:a@192.0.2.7:1>;{INSTANCE};reg-id=1", cseq=5)
    with pytest.raises(PeerError) as error:
        home.register(f"Contact: <sip:a@192.0.2.7:2>;{INSTANCE};reg-id=1", cseq=4)
    assert error.value.status == 500


def test_one_phone_with_two_flows_rings_once_by_the_fresher_and_then_by_the_other() -> None:
    home = Home()
    other = Flow("TCP", "192.0.2.1", 5060, "192.0.2.7", 40999, 10)
    home.register(f"Contact: <sip:a@192.0.2.7:1>;{INSTANCE};reg-id=1", flow=TCP)
    home.wall += 1
    home.register(f"Contact: <sip:a@192.0.2.7:2>;{INSTANCE};reg-id=2", flow=other, call_id="b@home")
    assert home.rung() == ["sip:a@192.0.2.7:2"]
    home.registrar.flow_closed(other, home.wall)
    assert home.rung() == ["sip:a@192.0.2.7:1"]


def test_a_reg_id_without_instance_is_ignored() -> None:
    home = Home()
    registration = home.register(f"Contact: {CONTACT};reg-id=1", "Supported: outbound")
    assert registration.after[0].reg_id is None
    assert home.headers("Require", registration) == []


@pytest.mark.parametrize(
    ("contacts", "status"),
    [
        (f"<sip:a@192.0.2.7>;{INSTANCE};reg-id=1, <sip:b@192.0.2.7>", 400),
        (f"<sip:a@192.0.2.7>;{INSTANCE};reg-id=0", 400),
        (f"<sip:a@192.0.2.7>;{INSTANCE};reg-id=one", 400),
        (f"<sip:a@192.0.2.7>;{INSTANCE};reg-id=1, <sip:b@192.0.2.7>;expires=0", None),
    ],
)
def test_a_reg_id_binds_one_contact_at_a_time(contacts: str, status: int | None) -> None:
    if status is None:
        assert Home().register(f"Contact: {contacts}").changed
        return
    with pytest.raises(PeerError) as error:
        Home().register(f"Contact: {contacts}")
    assert error.value.status == status


@pytest.mark.parametrize(
    ("path", "supported", "outcome"),
    [
        ("<sip:token@ep1.example.net;lr;ob>", "outbound, path", 1),
        ("<sip:ep1.example.net;lr>", "outbound, path", 439),
        ("<sip:core.example.net;lr>, <sip:ep1.example.net;lr;ob>", "outbound, path", 1),
        ("<sip:core.example.net;lr;ob>, <sip:ep1.example.net;lr>", "outbound, path", 439),
        (None, "outbound", 439),
        (None, "path", None),
    ],
)
def test_behind_a_proxy_the_first_hop_has_to_keep_the_flow(
    path: str | None, supported: str, outcome: int | None
) -> None:
    headers = [f"Contact: <sip:a@10.0.0.2>;{INSTANCE};reg-id=1", f"Supported: {supported}"]
    if path:
        headers.append(f"Path: {path}")
    via = "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK2, SIP/2.0/UDP 10.0.0.2;branch=z9hG4bK1"
    anywhere = Home(taken=contacts("any"))
    if outcome == 439:
        with pytest.raises(PeerError) as error:
            anywhere.register(*headers, via=via)
        assert (error.value.status, error.value.reason) == (439, "First Hop Lacks Outbound Support")
        return
    assert anywhere.register(*headers, via=via).after[0].reg_id == outcome
