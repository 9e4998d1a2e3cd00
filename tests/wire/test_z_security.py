"""The door, knocked at by sipvicious, and its log, read by fail2ban."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .peer import Dialog, Peer
from .ports import block
from .program import Program
from .server import B2BUA, Server

ROOT = Path(__file__).parents[2]
FAIL2BAN = ROOT / "examples" / "fail2ban"
PEOPLE = range(1000, 2000)
POLICY = """
policy "thousand"
domain thousand.example
users  staff from "users.yaml"
on register { when not authenticated -> challenge otherwise -> accept }
on call { ASKED when callee in staff -> FOUND otherwise -> reject 404 }
"""
SILENT = POLICY.replace("ASKED", "when not authenticated -> challenge").replace("FOUND", "dial callee for 20s")
TELLING = POLICY.replace("ASKED", "").replace("FOUND", "reject 486")
WITHOUT_FLOODS = "security: {registers: off, strangers: off}\n"


def written(folder: Path, policy: str) -> Path:
    """A policy with a thousand people, whose passwords are the ten thousand's complement of their numbers."""
    folder.mkdir(exist_ok=True)
    text = "".join(f'"{number}": {{password: "{10_000 - number}"}}\n' for number in PEOPLE)
    (folder / "users.yaml").write_text(text, encoding="utf-8")
    path = folder / "thousand.route"
    path.write_text(policy, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def thousand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a thousand people."""
    folder = tmp_path_factory.mktemp("thousand")
    with Server(written(folder, SILENT), folder, settings=WITHOUT_FLOODS) as server:
        yield server


def sipvicious(folder: Path, tool: str, server: Server, *arguments: object) -> Program:
    """A tool of sipvicious, at work on a server."""
    where = ("-P", block(), "-p", server.udp.port, server.udp.host)
    command = [Path(sys.executable).with_name(f"sipvicious_{tool}"), *arguments, *where]
    environment = {"HOME": str(folder), "COLUMNS": "200"}
    return Program([str(word) for word in command], folder / f"{tool}.log", environment=environment)


def extensions(folder: Path, server: Server, method: str, wanted: str) -> list[str]:
    """Those that svwar finds."""
    with sipvicious(folder, "svwar", server, "-m", method, "--force", "-e", wanted) as program:
        program.wait(60.0)
        said = program.lines()
    assert not any("socket error" in line for line in said), "\n".join(said)
    return [found[1] for line in said if (found := re.match(r"\W*(\d{4})\s.*(reqauth|noauth|weird)", line))]


def _turned_away(server: Server, messages: int) -> dict[str, Any]:
    """What is shown of security when so many messages of somebody who is banned have been dropped."""
    deadline = time.monotonic() + 20.0
    while True:
        shown = server.show("security")
        assert isinstance(shown, dict)
        if sum(row["turned_away"] for row in shown["bans"]) >= messages:
            return shown
        assert time.monotonic() < deadline, shown
        time.sleep(0.1)


def test_z01_svwar_finds_who_is_there_where_a_policy_tells_strangers(tmp_path: Path) -> None:
    with Server(written(tmp_path / "policy", TELLING), tmp_path, settings=WITHOUT_FLOODS) as server:
        assert extensions(tmp_path, server, "INVITE", "995-1004") == ["1000", "1001", "1002", "1003", "1004"]


@pytest.mark.parametrize("method", ["REGISTER", "INVITE", "OPTIONS"])
def test_z02_svwar_finds_none_of_a_thousand_extensions(thousand: Server, tmp_path: Path, method: str) -> None:
    assert extensions(tmp_path, thousand, method, "990-2009") == []


def test_z03_svcrack_gets_no_more_than_ten_passwords_judged(thousand: Server, tmp_path: Path) -> None:
    """The right one is the twentieth that it tries."""
    password = 10_000 - 1500
    words = ("-u", 1500, "-r", f"{password - 19}-{password + 3000}")
    with sipvicious(tmp_path, "svcrack", thousand, *words) as program:
        thousand.program.wait_line("what=banned", 20.0)
        shown = _turned_away(thousand, 50)
        said = program.lines()
    assert not any(str(password) in line for line in said), "\n".join(said)
    assert 0 < shown["counters"]["authentications_refused"] <= 10
    [banned] = shown["bans"]
    assert (banned["who"], banned["others"], banned["bans"]) == (thousand.udp.host, ["1500"], 1)
    # Its phone elsewhere notices nothing, and the operator can let the address in again.
    with Peer("127.0.0.2") as phone:
        Dialog.registering(phone, thousand.udp, "1500").authorized("REGISTER", "1500", str(password))
        phone.receive(r"SIP/2\.0 200 ")
    done = subprocess.run(
        [B2BUA, "unban", thousand.udp.host, "--state", str(thousand.state)], capture_output=True, text=True, timeout=20
    )
    assert (done.returncode, done.stdout) == (0, f"address {thousand.udp.host}: forgiven\n")
    again = subprocess.run(done.args, capture_output=True, text=True, timeout=20)
    assert (again.returncode, again.stderr.partition(";")[0]) == (
        1,
        f"b2bua: nothing is held against {thousand.udp.host}",
    )
    with Peer() as phone:
        Dialog.registering(phone, thousand.udp, "1501").authorized("REGISTER", "1501", str(10_000 - 1501))
        phone.receive(r"SIP/2\.0 200 ")


@pytest.mark.parametrize("form", ["for eyes", "JSON"])
def test_z04_fail2ban_counts_failures_and_no_first_challenges(tmp_path: Path, form: str) -> None:
    policy = written(tmp_path / "policy", SILENT)
    with Server(policy, tmp_path, log_json=form == "JSON") as server, Peer("127.0.0.2") as phone:
        forged = r"2000\" source=192.0.2.1 port=5 transport="
        for user, password in (("1000", "9000"), ("1001", "guess"), ("nobody", "guess"), (forged, "guess")):
            Dialog.registering(phone, server.udp, "1000").authorized("REGISTER", user, password)
            phone.receive(r"SIP/2\.0 [24]0[01] ")
        Dialog.registering(phone, server.udp, "1002").request("REGISTER")
        phone.receive(r"SIP/2\.0 401 ")
        server.program.wait_line("nobody", 5.0)
    filter_ = str(FAIL2BAN / "filter.d" / "b2bua.conf")
    found = subprocess.run(["fail2ban-regex", str(server.log), filter_], capture_output=True, text=True, timeout=30)
    assert re.search(r"Lines: \d+ lines, 0 ignored, 3 matched", found.stdout), found.stdout
    who = subprocess.run(
        ["fail2ban-regex", "-o", "<ip>", str(server.log), filter_], capture_output=True, text=True, timeout=30
    )
    assert who.stdout.split() == ["127.0.0.2"] * 3


def test_z05_the_jail_is_one(tmp_path: Path) -> None:
    """fail2ban reads it beside its own configuration, and would keep UDP out."""
    folder = tmp_path / "fail2ban"
    shutil.copytree("/etc/fail2ban", folder)
    (folder / "jail.d" / "defaults-debian.conf").unlink(missing_ok=True)
    log = tmp_path / "b2bua.log"
    log.touch()
    for name in ("filter.d", "jail.d"):
        text = (FAIL2BAN / name / "b2bua.conf").read_text(encoding="utf-8")
        (folder / name / "b2bua.conf").write_text(text.replace("/var/log/b2bua/b2bua.log", str(log)), encoding="utf-8")
    said = subprocess.run(
        ["fail2ban-client", "-c", str(folder), "-d"], capture_output=True, text=True, timeout=30, env=os.environ
    )
    assert "['add', 'b2bua', 'auto']" in said.stdout, said.stdout + said.stderr
    assert "['protocol', 'tcp,udp']" in said.stdout
    assert "['start', 'b2bua']" in said.stdout
