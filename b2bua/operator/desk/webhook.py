"""Call records to a URL: a POST of JSON with some calls, signed, tried again until it is taken.

Owns the request. A receiver that answers 2xx has them; whatever else it does, it gets the same calls again, and knows
them by their ids. What it answers beside its status is not read.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
import trio

from b2bua import __version__
from b2bua.operator.desk.ended import EndedCall
from b2bua.operator.desk.feed import NotToldError
from b2bua.operator.desk.secret import read_secret

PATIENCE_SECONDS: Final = 15.0
"""For a delivery to be taken."""


class Webhook:
    """Whoever is at this URL. `secret` is the file with what deliveries are signed with, empty for no signature."""

    def __init__(self, url: str, secret: str) -> None:
        self._url = url
        self._secret = secret

    async def tell(self, calls: Sequence[EndedCall]) -> None:
        """Deliver these. Raises NotToldError, ServerError when the secret cannot be read."""
        told = [{"id": call.call, "legs": [_leg(leg) for leg in call.legs]} for call in calls if call.legs]
        if not told:
            return
        body = msgspec.json.encode({"calls": told})
        headers = {"Content-Type": "application/json", "User-Agent": f"b2bua/{__version__}"}
        if self._secret:
            headers["B2bua-Signature"] = signature(read_secret(Path(self._secret)), int(time.time()), body)
        try:
            with trio.fail_after(PATIENCE_SECONDS):
                async with (
                    httpx.AsyncClient(timeout=PATIENCE_SECONDS) as client,
                    client.stream("POST", self._url, content=body, headers=headers) as answer,
                ):
                    status = answer.status_code
        except trio.TooSlowError:
            raise NotToldError(f"{self._url} took no delivery within {PATIENCE_SECONDS:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NotToldError(f"{self._url} cannot be told: {error or type(error).__name__}") from None
        if not 200 <= status < 300:
            raise NotToldError(f"{self._url} answered {status}")


def _leg(leg: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in leg.items() if name != "call"}


def signature(secret: bytes, second: int, body: bytes) -> str:
    """The signature of a delivery made at this second: HMAC with SHA-256 of the second, a dot and the body."""
    proof = hmac.new(secret, f"{second}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={second},v1={proof}"
