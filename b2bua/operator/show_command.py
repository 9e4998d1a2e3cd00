"""`b2bua show`: what the server has now.

Owns which requests it asks, and their options. Leaves the form to `show`.
"""

from __future__ import annotations

import time
from pathlib import Path

import click

from b2bua.io.requests import ShowCalls, ShowPolicies, ShowRegistrations, ShowSecurity, ShowStatus, ShowTrunks
from b2bua.operator import security as door
from b2bua.operator import show as form
from b2bua.operator.call_command import call
from b2bua.operator.options import JSON, STATE, show_answer


@click.group()
def show() -> None:
    """Show what the server has now, and what happened to a call."""


show.add_command(call)


@show.command()
@STATE
@JSON
def calls(state: Path, as_json: bool) -> None:
    """The calls, with where each leg stands and the rules that decided."""
    now = time.time()
    show_answer(state, ShowCalls(), as_json, lambda shown: form.calls(shown, now))


@show.command()
@STATE
@JSON
def registrations(state: Path, as_json: bool) -> None:
    """The phones that are registered."""
    show_answer(state, ShowRegistrations(), as_json, form.registrations)


@show.command()
@STATE
@JSON
def trunks(state: Path, as_json: bool) -> None:
    """The trunks: whether each takes calls, and why not."""
    now = time.time()
    show_answer(state, ShowTrunks(), as_json, lambda shown: form.trunks(shown, now))


@show.command()
@STATE
@JSON
def policies(state: Path, as_json: bool) -> None:
    """The versions of the policy that calls follow, or could again."""
    now = time.time()
    show_answer(state, ShowPolicies(), as_json, lambda shown: form.policies(shown, now))


@show.command()
@STATE
@JSON
def security(state: Path, as_json: bool) -> None:
    """Who is shut out after wrong passwords, and who has failed."""
    now = time.time()
    show_answer(state, ShowSecurity(), as_json, lambda shown: door.security(shown, now))


@show.command()
@STATE
@JSON
def status(state: Path, as_json: bool) -> None:
    """The server itself: its addresses, sizes and counters."""
    now = time.time()
    show_answer(state, ShowStatus(), as_json, lambda shown: form.status(shown, now))
