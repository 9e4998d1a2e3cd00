"""How long a test waits for what must come: only a defect uses that up, never a slow machine."""

from __future__ import annotations

from contextlib import AbstractContextManager

import trio


def in_time() -> AbstractContextManager[trio.CancelScope]:
    """A block that must end within a minute."""
    return trio.fail_after(60.0)
