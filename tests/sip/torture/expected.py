"""What RFC 4475 and RFC 5118 ask for each of their messages, which lie beside this file as `<name>.dat`.

The octets are those of the RFCs with their markup resolved, but for this: RFC 5118 prints three Content-Lengths that
are not those of its bodies (ipv6-in-sdp, mult-ip-in-sdp, ipv4-mapped-ipv6), here counted anew, and ends two messages
(ipv6-bug-abnf-3-colons, ipv6-correct-abnf-2-colons) without the empty line, here added. In multi01 the length is two
more than the body in the RFC too.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

TAKEN = 0
"""Among the answers: taken for what it is, like any request or response in order. Anything but 400."""

DROPPED = -1
"""Among the answers: none at all."""


class Expected(NamedTuple):
    """`refused` is the status with which reading fails, None where the message reads; `answers` are the final statuses
    that the RFC gives an element which is user agent and registrar at once (see TAKEN and DROPPED)."""

    section: str
    refused: int | None
    answers: tuple[int, ...]


def octets(name: str) -> bytes:
    """The message of that name."""
    return (Path(__file__).parent / f"{name}.dat").read_bytes()


RFC4475 = {
    "wsinv": Expected("3.1.1.1", None, (TAKEN,)),
    "intmeth": Expected("3.1.1.2", None, (501,)),
    "esc01": Expected("3.1.1.3", None, (TAKEN,)),
    "escnull": Expected("3.1.1.4", None, (TAKEN,)),
    "esc02": Expected("3.1.1.5", None, (501,)),
    "lwsdisp": Expected("3.1.1.6", None, (TAKEN,)),
    "longreq": Expected("3.1.1.7", None, (TAKEN,)),
    "dblreq": Expected("3.1.1.8", None, (TAKEN,)),
    "semiuri": Expected("3.1.1.9", None, (TAKEN,)),
    "transports": Expected("3.1.1.10", None, (TAKEN,)),
    "mpart01": Expected("3.1.1.11", None, (TAKEN,)),
    "unreason": Expected("3.1.1.12", None, (DROPPED,)),
    "noreason": Expected("3.1.1.13", None, (DROPPED,)),
    "badinv01": Expected("3.1.2.1", 400, (400,)),
    "clerr": Expected("3.1.2.2", 400, (400,)),
    "ncl": Expected("3.1.2.3", 400, (400,)),
    "scalar02": Expected("3.1.2.4", 400, (400,)),
    "scalarlg": Expected("3.1.2.5", 400, (DROPPED,)),
    "quotbal": Expected("3.1.2.6", 400, (400,)),
    "ltgtruri": Expected("3.1.2.7", 400, (400, TAKEN)),
    "lwsruri": Expected("3.1.2.8", 400, (400, TAKEN)),
    "lwsstart": Expected("3.1.2.9", 400, (400, TAKEN)),
    "trws": Expected("3.1.2.10", 400, (400, TAKEN)),
    "escruri": Expected("3.1.2.11", 400, (400, TAKEN)),
    "baddate": Expected("3.1.2.12", None, (TAKEN, 400)),
    "regbadct": Expected("3.1.2.13", None, (400, TAKEN)),
    "badaspec": Expected("3.1.2.14", None, (400, TAKEN)),
    "baddn": Expected("3.1.2.15", 400, (400, TAKEN)),
    "badvers": Expected("3.1.2.16", 505, (505,)),
    "mismatch01": Expected("3.1.2.17", 400, (400,)),
    "mismatch02": Expected("3.1.2.18", 400, (501, 400)),
    "bigcode": Expected("3.1.2.19", 400, (DROPPED,)),
    "badbranch": Expected("3.2.1", None, (400, TAKEN)),
    "insuf": Expected("3.3.1", 400, (400, DROPPED)),
    "unkscm": Expected("3.3.2", None, (416,)),
    "novelsc": Expected("3.3.3", None, (416, 404)),
    "unksm2": Expected("3.3.4", None, (400,)),
    "bext01": Expected("3.3.5", None, (420,)),
    "invut": Expected("3.3.6", None, (415, TAKEN)),
    "regaut01": Expected("3.3.7", None, (401,)),
    "multi01": Expected("3.3.8", 400, (400,)),
    "mcl01": Expected("3.3.9", 400, (400,)),
    "bcast": Expected("3.3.10", None, (DROPPED,)),
    "zeromf": Expected("3.3.11", None, (TAKEN, 483)),
    "cparam01": Expected("3.3.12", None, (TAKEN,)),
    "cparam02": Expected("3.3.13", None, (TAKEN,)),
    "regescrt": Expected("3.3.14", None, (TAKEN,)),
    "sdp01": Expected("3.3.15", None, (406, 400)),
    "inv2543": Expected("3.4.1", None, (TAKEN,)),
}

RFC5118 = {
    "ipv6-good": Expected("4.1", None, (TAKEN,)),
    "ipv6-bad": Expected("4.2", 400, (400,)),
    "port-ambiguous": Expected("4.3", None, (TAKEN,)),
    "port-unambiguous": Expected("4.4", None, (TAKEN,)),
    "via-received-param-with-delim": Expected("4.5", None, (TAKEN,)),
    "via-received-param-no-delim": Expected("4.5", None, (TAKEN,)),
    "ipv6-in-sdp": Expected("4.6", None, (TAKEN,)),
    "mult-ip-in-header": Expected("4.7", None, (TAKEN,)),
    "mult-ip-in-sdp": Expected("4.8", None, (TAKEN,)),
    "ipv4-mapped-ipv6": Expected("4.9", None, (TAKEN,)),
    "ipv6-bug-abnf-3-colons": Expected("4.10", None, (TAKEN,)),
    "ipv6-correct-abnf-2-colons": Expected("4.10", None, (TAKEN,)),
}

EXPECTED = RFC4475 | RFC5118
