"""Our ports as the core knows them: whom they are lent to, on which address, and what they were told last."""

from __future__ import annotations

from b2bua.effects import MediaPlan, MediaPort, SetMedia
from b2bua.media.ports import Ports
from b2bua.settings import Listener, Settings
from b2bua.transaction.turn import Turn

FOUR = (MediaPort(0, "192.0.2.9", 20000), MediaPort(1, "192.0.2.9", 20002))
SIX = (MediaPort(2, "2001:db8::9", 20000),)
PLAN = MediaPlan(("198.51.100.1", 4000), None)


class Borrower:
    """Somebody with a port, who notes that the process is back."""

    def __init__(self) -> None:
        self.times_back = 0

    def played(self, playing: int) -> None:
        raise AssertionError(playing)

    def silent(self, playing: int) -> None:
        raise AssertionError(playing)

    def back(self) -> None:
        self.times_back += 1


def ports_on(*ports: MediaPort) -> tuple[Ports, Turn]:
    turn = Turn(Settings(listen=(Listener("UDP", "192.0.2.1", 5060),)), lambda: "0" * 16, 0.0, 0.0)
    lent = Ports(turn)
    lent.ready(ports, ("PCMU",))
    return lent, turn


def test_a_port_is_on_the_address_that_we_signal_with_where_there_is_one() -> None:
    ports, _ = ports_on(MediaPort(7, "192.0.2.1", 20000), *FOUR)
    assert ports.host("192.0.2.1") == "192.0.2.1"
    assert ports.take("192.0.2.1", Borrower()) == MediaPort(7, "192.0.2.1", 20000)
    assert ports.take("192.0.2.1", Borrower()) is None


def test_ports_on_addresses_of_their_own_are_lent_by_family() -> None:
    ports, _ = ports_on(*FOUR, *SIX)
    assert ports.take("192.0.2.1", Borrower()) == FOUR[0]
    assert ports.take("2001:db8::1", Borrower()) == SIX[0]
    assert (ports.free("192.0.2.1"), ports.free("2001:db8::1")) == (1, 0)


def test_a_port_is_told_what_is_new_and_forgotten_when_it_comes_back() -> None:
    ports, turn = ports_on(*FOUR)
    port = ports.take("192.0.2.9", Borrower())
    assert port is not None
    for _ in range(2):
        ports.set(port, PLAN)
    ports.give_back(port)
    ports.give_back(port)
    assert turn.effects == [SetMedia(0, PLAN), SetMedia(0, None)]
    # Whoever comes next gets another one first: what its peer still sends meets nobody.
    assert [ports.take("192.0.2.9", Borrower()) for _ in range(2)] == [FOUR[1], FOUR[0]]


def test_a_process_that_is_back_is_told_everything_again() -> None:
    ports, turn = ports_on(*FOUR)
    borrower = Borrower()
    port = ports.take("192.0.2.9", borrower)
    assert port is not None
    ports.set(port, PLAN)
    ports.lost()
    assert ports.take("192.0.2.9", Borrower()) is None
    turn.begin(1.0, 1.0)
    ports.ready(FOUR, ("PCMU",))
    assert turn.effects == [SetMedia(0, PLAN)]
    assert borrower.times_back == 1
    assert ports.free("192.0.2.9") == 1
