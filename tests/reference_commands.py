"""What commands print that docs/language.md shows, in a folder with the files that it shows.

`calls.jsonl` has calls that `first.route` decided, and a server that is asked serves it; while it does, the file
becomes `new.route`. Times of day and how long something lasts are always the same. As a program (`python -m
tests.reference_commands`) it writes what they print into the document.
"""

from __future__ import annotations

import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import chdir, contextmanager, nullcontext
from pathlib import Path

from click.testing import CliRunner

from b2bua.operator.main import main
from dsl.decision import Facts
from dsl.plan.recorded import Happened, Recorded, known_of, version_of, without_frames, written
from dsl.policy import load
from dsl.rehearsal import World
from tests.reference import PAGE, Page, page

_CALLS = (("alice", "bob"), ("alice", "203"), ("bob", "carol"), ("bob", "030123456"))
_FIRST = 1_795_600_000.0
"""When the first of them was (wall seconds)."""

_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_VERSION = re.compile(r"\b[0-9a-f]{16}\b")
_AGE = re.compile(r"\b\d:\d\d\b(?=  )")


def said(block: str) -> str:
    """The commands of a block, each with what it prints."""
    _write_calls("first.route")
    served = "b2bua reload" in block
    with _serving("first.route", "new.route") if served else nullcontext():
        printed = "".join(_answered(command) for command in re.findall(r"^\$ b2bua (.+)$", block, re.MULTILINE))
    return _AGE.sub("0:04", _TIME.sub("2026-11-25 10:30:00", printed))


def but_for_versions(text: str) -> str:
    """What was printed, with versions by the order in which they come: which they are is different again whenever more
    of a policy is taken into them.
    """
    known = dict.fromkeys(_VERSION.findall(text))
    names = {version: f"{number:016x}" for number, version in enumerate(known)}
    return _VERSION.sub(lambda found: names[found[0]], text)


def renew() -> None:
    """Write into the document what its commands print now."""
    shown = page()
    text = PAGE.read_text(encoding="utf-8")
    for block in shown.console():
        with tempfile.TemporaryDirectory() as made, chdir(folder(shown, Path(made))):
            text = text.replace(f"```console\n{block.text}```", f"```console\n{said(block.text)}```")
    PAGE.write_text(text, encoding="utf-8")


def folder(shown: Page, made: Path) -> Path:
    """A folder with all files that are shown, and the sound that they name."""
    for name, text in shown.files().items():
        (made / name).write_text(text, encoding="utf-8")
    (made / "secrets.yaml").chmod(0o600)
    (made / "sounds").mkdir()
    shutil.copy(PAGE.parents[1] / "examples" / "office" / "sounds" / "jazz.wav", made / "sounds")
    return made


def ends_with(command: str) -> int:
    """The exit code of a command, in the folder with the files that are shown."""
    _write_calls("first.route")
    return CliRunner().invoke(main, shlex.split(command)).exit_code


def _answered(command: str) -> str:
    done = CliRunner().invoke(main, shlex.split(command))
    return f"$ b2bua {command}\n{done.stderr}{done.stdout}"


def _write_calls(script: str) -> None:
    """What `b2bua history export` writes of the calls."""
    policy = load(script)
    lines = [written(version_of(policy, _FIRST))]
    for number, (caller, dialed) in enumerate(_CALLS):
        facts = Facts(time=_FIRST + 60 * number, source="10.20.0.1", transport="udp", ambient=World(policy))
        facts.authenticated, facts.caller, facts.dialed, facts.callee = True, caller, dialed, policy.callee(dialed)
        happened = Happened("call", facts.time, policy.decide("call", facts))
        lines.append(
            written(Recorded(f"c{number}", known_of(facts, policy, None, {}, None), without_frames([happened])))
        )
    Path("calls.jsonl").write_bytes(b"\n".join(lines))


@contextmanager
def _serving(script: str, changed: str) -> Iterator[None]:
    """A server by one policy, whose file then becomes that of another."""
    command = [sys.executable, "-c", "from b2bua.operator.main import main; main()", "run", script, "--log-json"]
    Path("settings.yaml").write_text("reload: {watch: off}\n", encoding="utf-8")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--settings", "settings.yaml", "--listen", f"udp:127.0.0.1:{port}"]
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        assert server.stdout is not None
        said = ""
        for line in server.stdout:
            said += line
            if '"ready"' in line:
                break
        assert '"ready"' in said, said
        shutil.copy(changed, script)
        try:
            yield
        finally:
            server.terminate()
            server.stdout.read()


if __name__ == "__main__":
    renew()
