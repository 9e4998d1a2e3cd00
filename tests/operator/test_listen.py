"""Listen addresses as text."""

from __future__ import annotations

import pytest

from b2bua.io.listening import listener_text
from b2bua.operator.listen import parse_listener
from b2bua.settings import Listener


@pytest.mark.parametrize(
    ("text", "listener"),
    [
        ("udp:127.0.0.1:5060", Listener("UDP", "127.0.0.1", 5060)),
        ("TCP:0.0.0.0:1", Listener("TCP", "0.0.0.0", 1)),
        ("tcp:[2001:DB8::1]:65535", Listener("TCP", "2001:db8::1", 65_535)),
        ("tls:127.0.0.1:5061", Listener("TLS", "127.0.0.1", 5061)),
    ],
)
def test_an_address_is_read_and_written(text: str, listener: Listener) -> None:
    assert parse_listener(text) == listener
    assert listener_text(listener) == text.lower()


@pytest.mark.parametrize(
    "text", ["", "udp", "5060", "udp:5060", "udp:host:5060", "udp:::1:5060", "udp:[1.2.3.4]:5060", "sctp:1.2.3.4:1"]
)
def test_what_is_none_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"`.*` is no (listen|IP) address"):
        parse_listener(text)


@pytest.mark.parametrize("port", ["0", "65536", "99999"])
def test_a_port_has_its_bounds(port: str) -> None:
    with pytest.raises(ValueError, match=f"`{port}` is no port: 1 to 65535"):
        parse_listener(f"udp:127.0.0.1:{port}")
