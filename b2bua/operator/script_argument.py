"""The script that a command is given: a file that can be read, else one sentence says what it is instead.

Owns the type of the command line's arguments. What is wrong inside the file is `dsl`'s.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, Any, NoReturn

import click


class NotUnderstoodError(click.ClickException):
    """Something on the command line that cannot be meant; told in one sentence, with 2 for an exit code."""

    exit_code = 2

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the sentence."""
        click.echo(f"b2bua: {self.message}", err=True)


class Script(click.Path):
    """The path of a script that can be read."""

    name = "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path. Raises NotUnderstoodError for what is no file, or one that must not be read."""
        from dsl.diagnostics import joined, nearest

        path = Path(value)
        if path.is_dir():
            scripts = sorted(script.name for script in path.glob("*.route"))
            there = f"; it has {joined(scripts[:5], 'and')}" if scripts else ""
            _refuse(f"{path} is a folder: name the script in it{there}")
        if not path.exists():
            meant = nearest(path.name, [item.name for item in path.parent.glob("*.route")])
            there = f": did you mean {path.with_name(meant)}?" if meant else ""
            _refuse(f"there is no file {path}{there}")
        if not path.is_file():
            _refuse(f"{path} is no file that holds a script")
        if not os.access(path, os.R_OK):
            _refuse(f"{path} cannot be read: its mode does not let you")
        return path


def _refuse(sentence: str) -> NoReturn:
    raise NotUnderstoodError(sentence)


POLICY = click.argument("policy", type=Script())
