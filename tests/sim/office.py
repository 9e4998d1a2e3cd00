"""The simulated office's policy, loaded as the server loads one: from files, its secrets readable by nobody else."""

from __future__ import annotations

import shutil
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from dsl import policy
from dsl.policy import Policy

HERE = Path(__file__).parent
DOMAIN = "acme.example"
USERS = ("alice", "bob", "carol", "dave", "erin", "frank", "grace")
TRUNK_ACCOUNT = ("acme", "trunk-secret")


def password_of(user: str) -> str:
    """What users.yaml says."""
    return f"{user}-secret"


@lru_cache(maxsize=2)
def office(comment: str = "") -> Policy:
    """The policy; with a comment its text differs, and so does its version."""
    with TemporaryDirectory() as folder:
        path = Path(folder)
        shutil.copy(HERE / "users.yaml", path)
        secrets = path / "secrets.yaml"
        secrets.touch(mode=0o600)
        secrets.write_text(f"pstn: {{password: {TRUNK_ACCOUNT[1]}}}\n")
        route = path / "sim.route"
        text = (HERE / "sim.route").read_text()
        route.write_text(f"{text}\n# {comment}\n" if comment else text)
        return policy.load(route)
