"""Names that are stored are stored in the order of their time."""

from __future__ import annotations

from itertools import pairwise

from b2bua.settings import Listener, Settings
from b2bua.transaction.turn import Turn


def test_later_names_sort_behind_earlier_ones() -> None:
    drawn = iter(("f" * 16, "0" * 16, "8" * 16))
    turn = Turn(Settings(listen=(Listener("UDP", "192.0.2.1", 5060),)), lambda: next(drawn), 0.0, 0.0)
    names = []
    for wall in (15.9, 1_767_225_599.0, 1_767_225_600.5):
        turn.begin(wall, wall)
        names.append(turn.dated(turn.draw()))
    assert names[0] == "0000000f" + "f" * 16
    assert all(earlier < later for earlier, later in pairwise(names))
