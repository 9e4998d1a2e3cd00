"""Networks, and which of many of them hold an address."""

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsl.networks import NetworkError, NetworkSet, counting_unit, parse_network


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("10.20.0.0/16", "10.20.0.0/16"),
        ("198.51.100.7", "198.51.100.7/32"),
        ("2001:db8:20::/48", "2001:db8:20::/48"),
        ("2001:DB8::1", "2001:db8::1/128"),
        ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
        ("0.0.0.0/0", "0.0.0.0/0"),
    ],
)
def test_networks_are_read(text, normal):
    assert str(parse_network(text)) == normal


@pytest.mark.parametrize(
    ("text", "says"),
    [("10.20.0.1/16", "an address in a network"), ("10.20/16", "no address"), ("office", "no address")],
)
def test_what_is_no_network_is_refused(text, says):
    with pytest.raises(NetworkError, match=says):
        parse_network(text)


def test_overlap():
    office, desk = parse_network("10.20.0.0/16"), parse_network("10.20.3.0/24")
    assert office.overlaps(desk) and desk.overlaps(office)
    assert not desk.overlaps(parse_network("10.20.4.0/24"))
    assert not office.overlaps(parse_network("::/0"))


def test_an_address_that_is_none_is_in_no_network():
    everything = NetworkSet([(0, parse_network("0.0.0.0/0")), (1, parse_network("::/0"))])
    assert everything.match("192.0.2.1") == (0,)
    assert everything.match("::ffff:192.0.2.1") == (0,)
    assert everything.match("2001:db8::1") == (1,)
    assert everything.match("alice") == ()


def test_a_source_is_counted_by_address_or_by_its_64_bits():
    assert counting_unit("192.0.2.9") == "192.0.2.9"
    assert counting_unit("::ffff:192.0.2.9") == "192.0.2.9"
    assert counting_unit("2001:db8::1") == counting_unit("2001:db8:0:0:ffff::1") == "2001:db8::/64"
    assert counting_unit("no:address") == "no:address"


def test_addresses_that_were_asked_are_forgotten_above_a_bound():
    office = NetworkSet([(0, parse_network("10.0.0.0/24"))])
    for number in range(17_000):
        office.match(str(ipaddress.IPv4Address((10 << 24) + number)))
    assert (office.match("10.0.0.1"), office.match("10.0.1.0")) == ((0,), ())


NETWORKS = st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 32)).map(lambda p: ipaddress.ip_network(p, strict=False))
NEARBY = st.integers(0, 255).map(lambda n: ipaddress.ip_network((n << 24 | n, 32 - n % 10), strict=False))


@settings(max_examples=100, deadline=None)
@given(st.lists(NETWORKS | NEARBY, max_size=12), st.integers(0, 255), st.integers(0, 2**32 - 1))
def test_a_set_agrees_with_asking_each_network(networks, near, far):
    together = NetworkSet((index // 2, parse_network(str(network))) for index, network in enumerate(networks))
    for number in (near << 24 | near, far):
        address = ipaddress.ip_address(number)
        holding = {index // 2 for index, network in enumerate(networks) if address in network}
        for _ in range(2):
            assert together.match(str(address)) == tuple(sorted(holding))
