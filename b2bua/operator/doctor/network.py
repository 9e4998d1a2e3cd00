"""Whether a server can listen where it is to, and be found under the addresses that it tells.

Owns looking at addresses and ports. A port is bound for a moment, where nobody has it.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping
from contextlib import closing
from typing import Any

from b2bua.io.failure import ServerError
from b2bua.io.listening import address_text, listener_text, open_listener
from b2bua.operator.doctor.findings import Finding, failure, ok, refused, warning
from b2bua.settings import Listener, Settings
from dsl.policy import Policy

_NOBODY = "end what has them, or choose others in `media` of the settings"


def listening(settings: Settings, status: Mapping[str, Any] | None) -> list[Finding]:
    """Each listen address: ours already, or free."""
    return [_listening(listener, status) for listener in settings.listen]


def _listening(listener: Listener, status: Mapping[str, Any] | None) -> Finding:
    name = listener_text(listener)
    if status is not None and name in status["listen"]:
        return ok("listen", f"{name} is the server's")
    try:
        open_listener(listener).close()
    except ServerError as error:
        return refused("listen", error, "see `listen` in the settings")
    where = ", for this machine alone" if ipaddress.ip_address(listener.host).is_loopback else ""
    if status is None:
        return ok("listen", f"{name} is free{where}")
    told = f"{name} is in the settings, and the server that runs does not listen there"
    return warning("listen", told, "restart it: addresses are taken when it starts")


def known_as(settings: Settings, policy: Policy | None) -> list[Finding]:
    """What peers are told of where we are."""
    told = dict.fromkeys(address for _, address in settings.advertise_in)
    if settings.advertise is not None:
        told = {settings.advertise: None} | told
    found = [_advertised(address) for address in told]
    private = next((listener.host for listener in settings.listen if _is_private(listener.host)), None)
    everywhere = any(network.endswith("/0") for network, _ in settings.advertise_in)
    outside = _outside(policy)
    if private is None or everywhere or (settings.advertise is not None and not _is_private(settings.advertise)):
        return found
    if outside:
        sentence = f"{private} is a private address, and trunk {outside} is out on the Internet"
        advice = "set `advertise_in: {0.0.0.0/0: YOUR PUBLIC ADDRESS}`, and have the router forward the ports"
        return [*found, warning("address", sentence, advice)]
    return [*found, ok("address", f"{private} is a private address: for phones of its network")]


def _advertised(address: str) -> Finding:
    parsed = ipaddress.ip_address(address)
    if parsed.is_unspecified or parsed.is_multicast:
        advice = "write the address that phones send to"
        return failure("address", f"{address} is told to peers, and nobody can send to it", advice)
    here = "an address of this machine" if _is_here(address) else "no address of this machine: somebody forwards it"
    return ok("address", f"{address} is told to peers; it is {here}")


def media_ports(settings: Settings, status: Mapping[str, Any] | None) -> list[Finding]:
    """The ports of voice: those that the server has, or how many are free."""
    media = settings.media
    if not media.last_port:
        return [ok("media ports", "none: media is neither relayed nor played")]
    if status is not None:
        return [_served(status)]
    found = []
    for host in media.hosts or dict.fromkeys(listener.host for listener in settings.listen):
        ports = range(media.first_port, media.last_port + 1)
        taken = [port for port in ports if not _is_free(host, port)]
        span = f"{media.first_port} to {media.last_port} of {host}"
        if not taken:
            found.append(ok("media ports", f"{span} are free"))
        elif len(taken) == len(ports):
            found.append(failure("media ports", f"none of {span} can be had", _NOBODY))
        else:
            told = f"{len(taken):,} of {span} cannot be had, {address_text(host, taken[0])} the first of them"
            found.append(warning("media ports", told, _NOBODY))
    return found


def _served(status: Mapping[str, Any]) -> Finding:
    media = status["media"]
    if not media.get("ports"):
        return failure("media ports", "the server's media process is not there", "its log says why: `media process`")
    return ok("media ports", f"the server has room for {media['ports']:,} streams")


def _outside(policy: Policy | None) -> str:
    """The first trunk whose URI holds a public address or a name that is no name of a local network; or none."""
    from b2bua.routing.gateways import gateways_of

    for name, gateway in gateways_of(policy).items() if policy is not None else ():
        host = gateway.hop.uri.host
        try:
            if ipaddress.ip_address(host.strip("[]")).is_global:
                return name
        except ValueError:
            if "." in host and not host.endswith((".local", ".lan", ".home.arpa", ".internal", ".localhost")):
                return name
    return ""


def _is_private(host: str) -> bool:
    address = ipaddress.ip_address(host)
    return address.is_private and not (address.is_loopback or address.is_unspecified)


def _is_here(host: str) -> bool:
    return _is_free(host, 0)


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(socket.socket(family, socket.SOCK_DGRAM)) as sock:
        try:
            sock.bind((host, port))
        except OSError:
            return False
    return True
