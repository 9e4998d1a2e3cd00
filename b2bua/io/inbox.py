"""What the store's thread is asked, in the order in which it comes.

The values alone: `store` puts them in, and its thread takes them out and does what they say.
"""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias

import trio

from b2bua.effects import StoreBindings
from b2bua.tape import Kept


class Sign(Enum):
    """That there are records or decisions, and that everything is to be written, and then is the end."""

    RECORDS = "records"
    STOP = "stop"


class Switch:
    """A trunk to be switched, and who waits for that: `wrong` says why it could not be remembered."""

    def __init__(self, trunk: str, disabled: bool) -> None:
        self.trunk = trunk
        self.disabled = disabled
        self.done = trio.Event()
        self.wrong: str | None = None


class Question:
    """What the messages so far are of a call whose legs have these Call-IDs, and who waits for the answer."""

    def __init__(self, call: str, call_ids: tuple[str, ...]) -> None:
        self.call = call
        self.call_ids = call_ids
        self.done = trio.Event()
        self.messages: list[Kept] = []
        self.left_out = 0


Item: TypeAlias = StoreBindings | Switch | Question | Sign
