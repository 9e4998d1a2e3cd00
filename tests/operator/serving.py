"""A server that runs as its users start it, in a folder that `b2bua init` has written."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from b2bua.operator.main import main

from .ports import free_port
from .terminal import PROGRAM


def b2bua(*arguments: str | Path) -> Result:
    """What a command says, and how it ends."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


class Written:
    """A folder with its policy and settings. `accounts` are the passwords by name."""

    def __init__(self, folder: Path, media: int) -> None:
        self.folder = folder
        self.port = free_port()
        options = ("--listen", f"127.0.0.1:{self.port}", "--media", str(media), str(media + 19), "--json")
        done = b2bua("init", folder, *options)
        assert done.exit_code == 0, done.stderr
        self.accounts = {name: password for name, _, password in json.loads(done.stdout)["accounts"]}
        self.policy = folder / "office.route"
        self.settings = folder / "settings.yaml"
        self.state = folder / "state"

    def show(self, what: str) -> Any:
        """What its running server has."""
        done = b2bua("show", what, "--state", self.state, "--json")
        assert done.exit_code == 0, done.stderr
        return json.loads(done.stdout)

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Its server runs."""
        arguments = ("run", self.policy, "--settings", self.settings, "--state", self.state, "--log-json")
        with subprocess.Popen(
            [*PROGRAM, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as server:
            assert server.stdout is not None
            said = ""
            for line in server.stdout:
                said += line
                if '"ready"' in line:
                    break
            try:
                assert '"ready"' in said, said
                yield
            finally:
                server.send_signal(signal.SIGTERM)
                server.stdout.read()
