"""What a shell completes: ids of calls, names of users and of trunks, as the running server has them.

Owns asking for them without making anybody wait: where no server runs, or it does not answer at once, there is nothing
to complete.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from b2bua.io.requests import Request

SECONDS = 0.5
"""For the server's answer: somebody has pressed a key, and waits."""


def call_ids(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Calls in progress."""
    from b2bua.io.requests import ShowCalls

    return _known(ctx, ShowCalls(), incomplete, lambda row: row["id"])


def user_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Accounts."""
    from b2bua.io.requests import ShowUsers

    return _known(ctx, ShowUsers(), incomplete, lambda row: row["name"])


def trunk_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Trunks."""
    from b2bua.io.requests import ShowTrunks

    return _known(ctx, ShowTrunks(), incomplete, lambda row: row["name"])


def _known(ctx: click.Context, request: Request, begun: str, name: Callable[[Any], str]) -> list[str]:
    from b2bua.io.failure import ServerError
    from b2bua.io.requests import Refused
    from b2bua.operator.client import ask

    try:
        rows: Any = ask(Path(ctx.params.get("state") or "state"), request, SECONDS)
    except (Refused, ServerError):
        return []
    return sorted(found for row in rows if (found := name(row)).startswith(begun))
