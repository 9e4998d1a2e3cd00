"""`b2bua show`: what the server has now.

Owns which requests it asks, and their options. Leaves the form to `show` and `show_one`, and drawing it again and again
to `live`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import click

from b2bua.io.requests import (
    Request,
    ShowCalls,
    ShowLimits,
    ShowPolicies,
    ShowRegistrations,
    ShowSecurity,
    ShowStatus,
    ShowTransports,
    ShowTrunk,
    ShowTrunks,
    ShowUser,
    ShowUsers,
)
from b2bua.operator import security as door
from b2bua.operator import show as form
from b2bua.operator import show_one
from b2bua.operator.call_command import call
from b2bua.operator.columns import terminal_width
from b2bua.operator.known_names import trunk_names, user_names
from b2bua.operator.options import JSON, STATE, refusals, show_answer

Form: TypeAlias = Callable[[Any, float, int | None], str]
"""What was answered, the wall time now, and how wide a line may be: the text."""

WATCH = click.option("--watch", is_flag=True, help="Show it again each second, until Ctrl-C.")


@click.group()
def show() -> None:
    """Show what the server has now, and what happened to a call."""


show.add_command(call)


def shown(state: Path, request: Request, as_json: bool, watch: bool, text: Form) -> None:
    """Ask once and print, or ask again and again and draw."""
    if watch:
        _watched(state, request, as_json, text)
    else:
        show_answer(state, request, as_json, lambda answer: text(answer, time.time(), terminal_width()))


def _watched(state: Path, request: Request, as_json: bool, text: Form) -> None:
    from b2bua.io.failure import ServerError
    from b2bua.io.requests import Refused
    from b2bua.operator.client import ask
    from b2bua.operator.live import can_redraw, redraw

    if as_json or not can_redraw():
        raise click.UsageError("--watch draws on a terminal: leave it out, and ask as often as you like")

    def draw(width: int) -> str:
        try:
            return text(ask(state, request), time.time(), width)
        except (Refused, ServerError) as error:
            # It may be starting again.
            return str(error)

    with refusals():
        ask(state, request)
    redraw(click.get_current_context().command_path, draw)


def _subcommand(name: str, request: Request, text: Form, help: str) -> None:
    @show.command(name, help=help)
    @STATE
    @JSON
    @WATCH
    def command(state: Path, as_json: bool, watch: bool) -> None:
        shown(state, request, as_json, watch, text)


_subcommand("calls", ShowCalls(), form.calls, "The calls, with where each leg stands and the rules that decided.")
_subcommand("registrations", ShowRegistrations(), form.registrations, "The phones that are registered.")
_subcommand("users", ShowUsers(), form.users, "The accounts, with how many phones and calls each has.")
_subcommand("trunks", ShowTrunks(), form.trunks, "The trunks: whether each takes calls, and why not.")
_subcommand("policies", ShowPolicies(), form.policies, "The versions of the policy that calls follow, or could again.")
_subcommand("limits", ShowLimits(), form.limits, "The limits of the policy, and how much of each is used.")
_subcommand("transports", ShowTransports(), form.transports, "The listen addresses, and what goes by each.")
_subcommand("security", ShowSecurity(), door.security, "Who is shut out after wrong passwords, and who has failed.")
_subcommand("status", ShowStatus(), form.status, "The server itself: its addresses, sizes and counters.")


@show.command()
@click.argument("name", shell_complete=user_names)
@STATE
@JSON
@WATCH
def user(name: str, state: Path, as_json: bool, watch: bool) -> None:
    """The account NAME, or the one with this extension: its phones, its calls, what it has used of limits."""
    shown(state, ShowUser(name), as_json, watch, show_one.user)


@show.command()
@click.argument("name", shell_complete=trunk_names)
@STATE
@JSON
@WATCH
def trunk(name: str, state: Path, as_json: bool, watch: bool) -> None:
    """The trunk NAME: where it is, how it is, and the calls through it."""
    shown(state, ShowTrunk(name), as_json, watch, show_one.trunk)
