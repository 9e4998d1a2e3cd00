"""The accounts of a policy, for whoever wants to register a phone.

Owns when a password may be shown: only to a terminal, and only while nobody but this machine can reach the server.
That is somebody trying it out, who would open the users file next; everywhere else the file's name is said instead,
since what a server prints goes into logs and over shoulders.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path

import yaml

from b2bua.operator.show import table
from b2bua.settings import Settings
from dsl import tree
from dsl.include import beside
from dsl.policy import Policy

SHOWN = 20
"""Accounts that are listed."""


def shown_accounts(policy: Policy, settings: Settings, terminal: bool) -> str:
    """The accounts, and where to register; empty when the policy has none."""
    users = list(policy.users.values())
    if not users:
        return ""
    files = [
        policy.path.parent / beside(item.file) for item in policy.script.declarations if isinstance(item, tree.Users)
    ]
    where = f"see {', '.join(str(file) for file in files)}"
    passwords = _passwords(files) if terminal and _tried_out(settings) else {}
    rows = [
        (f"sip:{user.name}@{policy.domains[0]}", user.extension or "", passwords.get(user.name, where))
        for user in users[:SHOWN]
    ]
    more = f"\nand {len(users) - SHOWN} more" if len(users) > SHOWN else ""
    return table(("ACCOUNT", "DIAL", "PASSWORD"), rows) + more


def _tried_out(settings: Settings) -> bool:
    return all(ipaddress.ip_address(listener.host).is_loopback for listener in settings.listen)


def _passwords(files: list[Path]) -> dict[str, str]:
    """The passwords that stand in the files in the clear. The files were read before, with all their checks."""
    found: dict[str, str] = {}
    for file in files:
        root = yaml.compose(file.read_text(encoding="utf-8-sig"), Loader=yaml.SafeLoader)
        for name, user in root.value if isinstance(root, yaml.MappingNode) else ():
            for key, value in user.value:
                if key.value == "password":
                    found[name.value] = value.value
    return found
