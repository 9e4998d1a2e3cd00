"""What a running server is told: `b2bua reload`, `rollback`, `hangup`, `trunk`.

Owns arguments and what is said of the answer.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from b2bua.io.requests import HangUp, Reload, RollBack, SwitchTrunk
from b2bua.operator.known_names import call_ids, trunk_names
from b2bua.operator.options import JSON, STATE, show_answer


@click.command()
@click.option(
    "--percent",
    type=click.IntRange(1, 100),
    default=100,
    show_default=True,
    help="Let the new version have so many of new calls; again with more, it has more.",
)
@STATE
@JSON
def reload(percent: int, state: Path, as_json: bool) -> None:
    """Let the server read its policy again; calls in progress keep theirs."""

    def text(shown: Any) -> str:
        if shown["before"] == shown["hash"]:
            return f"policy {shown['policy']}: nothing has changed, version {shown['hash']}"
        if shown["percent"] < 100:
            share = f"{shown['percent']} % of new calls follow version {shown['hash']}"
            return f"policy {shown['policy']}: {share}, the others {shown['before']}"
        return f"policy {shown['policy']}: version {shown['hash']} in place of {shown['before']}"

    show_answer(state, Reload(percent), as_json, text)


@click.command()
@STATE
@JSON
def rollback(state: Path, as_json: bool) -> None:
    """Take the last version of the policy back, as it was loaded; what is on trial first.

    The files stay as they are: they are read again when one of them changes, or by `reload`.
    """

    def text(shown: Any) -> str:
        if shown["before"] == shown["hash"]:
            return f"policy {shown['policy']}: the trial is over, all new calls follow version {shown['hash']}"
        return f"policy {shown['policy']}: version {shown['hash']} again, in place of {shown['before']}"

    show_answer(state, RollBack(), as_json, text)


@click.command()
@click.argument("call", shell_complete=call_ids)
@STATE
@JSON
def hangup(call: str, state: Path, as_json: bool) -> None:
    """End the call with the id CALL, as `show calls` names it."""
    show_answer(state, HangUp(call), as_json, lambda shown: f"hung up {shown['call']}")


@click.command()
@click.argument("name", shell_complete=trunk_names)
@click.argument("what", type=click.Choice(["disable", "enable"]))
@STATE
@JSON
def trunk(name: str, what: str, state: Path, as_json: bool) -> None:
    """Let no new calls use the trunk NAME, or let them again; it stays so after a restart.

    Calls in progress go on. While it is disabled, we are not registered there, and its calls get 503.
    """

    def text(shown: Any) -> str:
        return f"trunk {shown['trunk']} is {'disabled' if shown['disabled'] else 'enabled'}"

    show_answer(state, SwitchTrunk(name, what == "disable"), as_json, text)
