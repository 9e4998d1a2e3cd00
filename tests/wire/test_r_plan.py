"""A changed policy is tried on the calls that were: with the server running, ended, and killed."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

from .lab import Lab
from .server import B2BUA, Server


def plan(policy: Path, *arguments: str | Path) -> tuple[int, dict[str, Any]]:
    """What `b2bua plan` exits with, and says."""
    command = [B2BUA, "plan", str(policy), "--json", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert not done.stderr, done.stderr
    shown: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, shown


def until(server: Server, calls: int) -> dict[str, Any]:
    """What the server's own policy would do otherwise, once so many decisions are recorded."""
    deadline = time.monotonic() + 5.0
    while True:
        code, shown = plan(server.policy, "--state", server.state)
        if shown["calls"] >= calls or time.monotonic() > deadline:
            assert (code, shown["same"]) == (0, shown["calls"])
            return shown
        time.sleep(0.1)


def test_r03_what_would_change_is_said_of_exactly_those_calls(lab_policy: Path, tmp_path: Path) -> None:
    with Server(lab_policy, tmp_path) as server, Lab(server, tmp_path) as lab:
        line = lab.register("bob")
        phone = lab.answerer("answer", line)
        lab.caller("call", "alice", "bob").wait()
        phone.wait()
        lab.caller("call-refused", "alice", "moved", status=301).wait()
        lab.caller("call-refused", "alice", "nobody-here", status=404).wait()
        # Three calls, and bob's registration.
        until(server, 4)
        changed = lab_policy.with_name("changed.route")
        text = lab_policy.read_text(encoding="utf-8")
        changed.write_text("# Moved down by a line.\n" + text.replace("redirect 301", "redirect 302"), encoding="utf-8")
        code, shown = plan(changed, "--state", server.state)
        assert (code, shown["calls"], shown["different"], shown["unknown"]) == (1, 4, 1, 0)
        [group] = shown["groups"]
        assert group["change"] == "redirected 301, would be redirected 302"
        assert [(each["caller"], each["dialed"]) for each in group["examples"]] == [("alice", "moved")]
        assert (
            group["before"]["text"] == 'when dialed == "moved"            -> redirect 301 "sip:carol@partner.example"'
        )
        server.kill()
        assert plan(changed, "--state", server.state) == (code, shown)
        exported = tmp_path / "calls.jsonl"
        subprocess.run([B2BUA, "history", "export", exported, "--state", server.state], check=True, timeout=20)
        assert plan(changed, "--against", exported) == (code, shown)
        kept = exported.read_text(encoding="utf-8")
        assert lab.password("alice") not in kept
        assert "Digest" not in kept
        server.restart()
        until(server, 4)
