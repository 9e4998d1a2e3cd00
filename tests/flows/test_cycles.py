"""What is over frees itself: no call, leg, exchange or transaction waits for the garbage collector.

With thousands of calls a second a pass of the collector over all that has been stops the server for as long as T1.
"""

from __future__ import annotations

import gc
from collections import Counter

from b2bua.call.call import Call
from b2bua.call.exchange import Exchange
from b2bua.call.hunt import Hunt
from b2bua.call.leg import Leg
from b2bua.transaction.client import ClientTransaction
from b2bua.transaction.server import ServerTransaction

from .play import Performance
from .script import read_flow
from .test_flows import FLOWS

FREE_THEMSELVES = (Call, Exchange, Hunt, Leg, ClientTransaction, ServerTransaction)


def test_what_is_over_frees_itself() -> None:
    left: Counter[str] = Counter()
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        for path in FLOWS:
            performance = Performance(read_flow(path))
            performance.play()
            gc.collect()
            left.update(f"{path.stem}: {type(o).__name__}" for o in gc.garbage if isinstance(o, FREE_THEMSELVES))
            gc.garbage.clear()
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert not left
