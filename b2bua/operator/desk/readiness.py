"""Whether a server takes new calls, by its own measures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def reasons(measures: Mapping[str, Any]) -> list[str]:
    """Why it takes none, or would lose what it has to keep: sentences for the operator, none when all is well."""
    why = []
    if measures["draining"]:
        why.append("the server is about to end, and takes no new calls")
    if failing := measures["store"]["failing"]:
        why.append(f"the store cannot be written: {failing}")
    if not any(row["state"] == "in force" for row in measures["policies"]):
        why.append("no policy is in force")
    return why
