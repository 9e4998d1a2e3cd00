"""The shape of the code: who may import whom, and the way of an INVITE."""

from __future__ import annotations

import ast
import re
import secrets
import socket
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType

import pytest
import structlog
import trio

from b2bua.core import Core
from b2bua.io.shell import Shell
from b2bua.io.udp import UdpSocket, open_udp
from b2bua.settings import Listener, Settings
from dsl.policy import load
from tests.build import ROOT, compiled_modules
from tests.io.edge import Noted

# Each layer imports from those before it in this order, and from itself. What stands in one line are neighbours.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("values", "sip", "sdp", "effects", "settings", "tape"),
    ("transaction",),
    # Names find the hops of requests that are in no dialog yet; legs and trunks ask them.
    ("dialog", "names"),
    ("registrar", "media"),
    ("routing",),
    ("call",),
    ("trunk", "delivery"),
    ("core",),
    ("io",),
    ("operator",),
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
# What may import the language: routing asks it, the edge loads it, the core is handed what was loaded.
ASKS_THE_LANGUAGE = {"routing", "core", "io", "operator"}


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imports(path: Path) -> list[tuple[int, str]]:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: import by the full name"
            found.append((node.lineno, node.module or ""))
    return found


def layer(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


@pytest.mark.parametrize("path", modules("b2bua"), ids=lambda path: str(path.relative_to(ROOT)))
def test_each_layer_imports_only_what_stands_before_it(path: Path) -> None:
    own = path.relative_to(ROOT).with_suffix("").parts[1]
    if own == "__init__":
        return
    for line, module in imports(path):
        where = f"{path.relative_to(ROOT)}:{line}: imports {module}"
        if module.split(".")[0] == "dsl":
            assert own in ASKS_THE_LANGUAGE, where
        if module.split(".")[0] == "b2bua" and layer(module) and layer(module) != "__version__":
            assert RANK[layer(module)] <= RANK[own], where


@pytest.mark.parametrize("path", modules("dsl"), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_language_knows_nothing_of_the_engine(path: Path) -> None:
    for line, module in imports(path):
        assert module.split(".")[0] != "b2bua", f"{path.relative_to(ROOT)}:{line}"


@pytest.mark.parametrize("path", compiled_modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_compiled_leaves_out_what_mypyc_gets_wrong(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        where = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.ClassDef):
            # It drops these keywords without a word.
            assert not node.keywords, f"{where}: take them from a base that is not compiled, such as Frozen"
            assert "msgspec.Struct" not in map(ast.unparse, node.bases), f"{where}: inherit from Frozen"
        elif isinstance(node, ast.Attribute):
            # And the types of their fields.
            assert ast.unparse(node) not in ("msgspec.convert", "msgspec.json"), f"{where}: decode elsewhere"
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            # It gives a name the type of what it caught first.
            caught: dict[str, str] = {}
            for handler in ast.walk(node):
                if isinstance(handler, ast.ExceptHandler) and handler.name and handler.type:
                    kind = ast.unparse(handler.type)
                    assert caught.setdefault(handler.name, kind) == kind, f"{where}: a name for each kind of exception"


def test_nothing_compiled_lies_beside_the_sources() -> None:
    assert [path for package in ("b2bua", "dsl") for path in (ROOT / package).rglob("*.so")] == []


@pytest.mark.interpreted
def test_the_readme_names_the_six_calls_of_an_invite_in_their_order() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    steps = re.findall(r"^\d\. `([\w/.]+\.py)` `([\w.]+)`", text, flags=re.MULTILINE)
    assert len(steps) == 6
    made = trio.run(calls_of_an_invite)
    after = -1
    for file, name in steps:
        after = made.index((str(ROOT / file), name), after + 1)


INVITE = b"""\
INVITE sip:bob@example.test SIP/2.0\r
Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKsix;rport\r
From: <sip:alice@example.test>;tag=1\r
To: <sip:bob@example.test>\r
Call-ID: six\r
CSeq: 1 INVITE\r
Contact: <sip:alice@127.0.0.1>\r
Max-Forwards: 70\r
Content-Length: 0\r
\r
"""


async def calls_of_an_invite() -> list[tuple[str, str]]:
    """The functions that are entered, each with its file, from a datagram's arrival to the INVITE that it leads to."""
    made: list[tuple[str, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "six.route"
        script.write_text(SCRIPT, encoding="utf-8")
        policy = load(script)
    listener = Listener("UDP", "127.0.0.1", 0)
    now, wall = trio.current_time(), time.time()
    core = Core(Settings(listen=(listener,)), policy, lambda: secrets.token_hex(8), bytes(32), [], now, wall)
    shell = Shell(core, structlog.get_logger())
    noted = Noted()
    shell.connect(noted, noted, noted, noted)
    with open_udp(listener) as ours, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.sendto(INVITE, ours.getsockname())

        def entered(frame: FrameType, event: str, _: object) -> None:
            if event == "call":
                made.append((frame.f_code.co_filename, frame.f_code.co_qualname))

        sys.setprofile(entered)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(UdpSocket(ours, listener, shell).receive)
                await shell.until(lambda: any(data.startswith(b"INVITE") for data, _ in noted.sent))
                nursery.cancel_scope.cancel()
        finally:
            sys.setprofile(None)
    return made


SCRIPT = """
policy "six"
domain example.test
on register { otherwise -> reject 403 }
on call { otherwise -> dial "sip:gateway@127.0.0.9" }
"""
