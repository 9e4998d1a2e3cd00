"""What is over frees itself: no call, leg, exchange or transaction waits for the garbage collector.

With thousands of calls a second a pass of the collector over all that has been stops the server for as long as T1.
"""

from __future__ import annotations

import gc
from collections import Counter

from b2bua.call.call import Call
from b2bua.call.exchange import Exchange
from b2bua.call.hunt import Hunt
from b2bua.call.invitation import Invitation
from b2bua.call.leg import Leg
from b2bua.call.media import CallMedia
from b2bua.call.reply import Reply
from b2bua.call.side import Side
from b2bua.call.talk import Talk
from b2bua.transaction.client import ClientTransaction
from b2bua.transaction.server import ServerTransaction

from .play import Performance
from .script import read_flow
from .test_flows import FLOWS

FREE_THEMSELVES = (
    Call,
    CallMedia,
    ClientTransaction,
    Exchange,
    Hunt,
    Invitation,
    Leg,
    Reply,
    ServerTransaction,
    Side,
    Talk,
)


def test_what_is_over_frees_itself() -> None:
    left: Counter[str] = Counter()
    performances = [Performance(read_flow(path)) for path in FLOWS]
    gc.collect()
    # What is there already is none of these: the collector need not look at it each time.
    gc.freeze()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        for performance in performances:
            performance.play()
            gc.collect()
            left.update(
                f"{performance.flow.path.stem}: {type(o).__name__}"
                for o in gc.garbage
                if isinstance(o, FREE_THEMSELVES)
            )
            gc.garbage.clear()
            gc.freeze()
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
        gc.unfreeze()
    assert not left
