"""The command line: which commands there are, and where they are.

Owns that a command is imported when it is called, or listed: `check` runs at each save of an editor, and has no time
for the others. Exit codes are 0 done, 1 refused or failed, 2 not understood.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import ClassVar

import click

from b2bua import __version__


class _Commands(click.Group):
    """Each in a module of its own, or with those that are like it."""

    elsewhere: ClassVar[dict[str, str]] = {
        "check": "b2bua.operator.check_command",
        "completion": "b2bua.operator.completing",
        "doctor": "b2bua.operator.doctor.command",
        "explain": "b2bua.operator.script_commands",
        "fmt": "b2bua.operator.script_commands",
        "hangup": "b2bua.operator.server_commands",
        "history": "b2bua.operator.history_command",
        "init": "b2bua.operator.starting",
        "language-server": "b2bua.operator.script_commands",
        "plan": "b2bua.operator.script_commands",
        "records": "b2bua.operator.records_command",
        "reload": "b2bua.operator.server_commands",
        "rollback": "b2bua.operator.server_commands",
        "run": "b2bua.operator.run_command",
        "show": "b2bua.operator.show_command",
        "test": "b2bua.operator.script_commands",
        "trunk": "b2bua.operator.server_commands",
        "unban": "b2bua.operator.security",
        "user": "b2bua.operator.user_command",
        "watch": "b2bua.operator.watch_command",
    }
    """The module of each, where it goes by its own name, with `_` for `-`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names."""
        return sorted(self.elsewhere)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name."""
        module = self.elsewhere.get(cmd_name)
        if module is None:
            return None
        command: click.Command = getattr(import_module(module), cmd_name.replace("-", "_"))
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="b2bua")
def main() -> None:
    """A SIP back-to-back user agent whose routing is written in a small language."""
    # What peers wrote may hold characters that this terminal has not.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
