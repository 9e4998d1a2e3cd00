"""What is known of names, for how long, and whom it is told; which targets come first; which are passed over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2bua.core.ids import Pending
from b2bua.dialog.hops import hop_of
from b2bua.effects import Address, Answer, Failed, Found, Log, Resolve, Resolved, Target
from b2bua.names import failures, known, names
from b2bua.names.names import Names
from b2bua.names.targets import MOST_ADDRESSES, ordered
from b2bua.settings import Settings
from b2bua.sip.uri import Uri
from b2bua.transaction.turn import Turn

A, B, C = (Address("UDP", f"192.0.2.{number}", 5060) for number in (1, 2, 3))


def servers(*addresses: Address, weight: int = 0) -> tuple[Target, ...]:
    return tuple(Target(0, 1 if weight else number, weight, (address,)) for number, address in enumerate(addresses))


class Asker:
    def __init__(self) -> None:
        self.heard: list[Answer] = []

    def resolved(self, answer: Answer) -> None:
        self.heard.append(answer)

    @property
    def addresses(self) -> tuple[Address, ...]:
        (answer,) = self.heard
        assert isinstance(answer, Resolved)
        return answer.addresses


class Bench:
    """Names under a clock of the test's."""

    def __init__(self) -> None:
        draw = Random(1)
        self.turn = Turn(Settings(listen=()), lambda: f"{draw.getrandbits(64):016x}", 0.0, 0.0)
        self.pending = Pending()
        self.names = Names(self.turn, self.pending)

    def ask(self, uri: str = "sip:gw.example") -> Asker:
        asker = Asker()
        self.names.resolve(hop_of(Uri.parse(uri)), asker)
        return asker

    def at(self, now: float) -> None:
        """Let time pass."""
        while (due := self.turn.timers.wake_at) is not None and due <= now:
            self._begin(due)
            self.turn.timers.fire(due, 100)
        self._begin(now)

    def _begin(self, now: float) -> None:
        asked = self.questions
        self.turn.begin(now, now)
        self.turn.effects.extend(asked)

    @property
    def questions(self) -> list[Resolve]:
        return [effect for effect in self.turn.effects if isinstance(effect, Resolve)]

    def answer(self, answer: Answer) -> None:
        """The one question that is open is answered."""
        question = self.questions[-1]
        self.turn.effects.clear()
        self.pending.answered(question.id, answer)

    def learn(self, *targets: Target, life: float = 60.0) -> None:
        self.ask()
        self.answer(Found(targets, life))


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_what_is_known_is_told_at_once(bench: Bench) -> None:
    asker = bench.ask()
    assert asker.heard == []
    bench.answer(Found(servers(A, B), 60.0))
    assert asker.addresses == (A, B)
    bench.at(50.0)
    assert bench.ask().addresses == (A, B)
    assert bench.questions == []
    assert len(bench.pending) == bench.turn.timers.live == 0


def test_addresses_and_what_we_do_not_speak_need_no_dns(bench: Bench) -> None:
    assert bench.ask("sip:192.0.2.1").addresses == (A,)
    assert bench.ask("sip:gw.example;transport=sctp").heard == [
        Failed("no way to sip:gw.example;transport=sctp: its transport is not available here")
    ]
    assert bench.questions == []


@pytest.mark.parametrize(
    ("uri", "asked"),
    [
        ("sip:gw.example", ("gw.example", None, None, False)),
        ("sip:gw.example:5080", ("gw.example", 5080, None, False)),
        ("sip:gw.example;transport=tcp", ("gw.example", None, "TCP", False)),
        ("sip:gw.example;transport=tls", ("gw.example", None, "TLS", False)),
        ("sips:gw.example", ("gw.example", None, None, True)),
        ("sips:gw.example;transport=tcp", ("gw.example", None, "TLS", True)),
    ],
)
def test_a_uri_asks_for_what_it_names(bench: Bench, uri: str, asked: tuple[object, ...]) -> None:
    bench.ask(uri)
    (question,) = bench.questions
    assert (question.host, question.port, question.transport, question.secure) == asked


def test_many_who_ask_the_same_wait_for_one_look_up(bench: Bench) -> None:
    askers = [bench.ask() for _ in range(3)]
    other = bench.ask("sip:gw.example;transport=tcp")
    assert len(bench.questions) == 2
    bench.pending.answered(bench.questions[0].id, Found(servers(A), 60.0))
    assert [asker.addresses for asker in askers] == [(A,)] * 3
    assert other.heard == []


def test_a_name_near_its_end_is_asked_again_by_the_way(bench: Bench) -> None:
    bench.learn(*servers(A))
    bench.at(55.0)
    assert bench.ask().addresses == (A,)
    assert bench.ask().addresses == (A,)
    assert len(bench.questions) == 1
    bench.answer(Found(servers(B), 60.0))
    assert bench.ask().addresses == (B,)


def test_a_name_that_is_over_is_asked_again(bench: Bench) -> None:
    bench.learn(*servers(A))
    bench.at(61.0)
    asker = bench.ask()
    assert asker.heard == []
    bench.answer(Found(servers(B), 60.0))
    assert asker.addresses == (B,)


def test_lives_have_bounds(bench: Bench) -> None:
    bench.learn(*servers(A), life=0.0)
    bench.at(0.5)
    assert bench.ask().addresses == (A,)
    bench.at(2.0)
    bench.learn(*servers(A), life=1e9)
    bench.at(2.0 + known.LONGEST_LIFE + 1)
    assert bench.ask().heard == []


def test_a_name_without_servers_is_not_asked_again_at_once(bench: Bench) -> None:
    bench.ask()
    bench.answer(Found((), 0.0, "gw.example: no such name"))
    bench.at(known.SHORTEST_DENIAL - 1)
    assert bench.ask().heard == [Failed("gw.example: no such name")]
    bench.at(known.SHORTEST_DENIAL + 1)
    bench.ask()
    bench.answer(Found((), 1e9))
    bench.at(known.LONGEST_DENIAL)
    assert bench.ask().heard == [Failed("gw.example has no address")]
    bench.at(known.SHORTEST_DENIAL + known.LONGEST_DENIAL + 2)
    assert bench.ask().heard == []


def test_servers_that_no_socket_reaches_are_no_answer(bench: Bench) -> None:
    asker = bench.ask()
    bench.answer(Found((Target(0, 0, 0, ()),), 60.0))
    assert asker.heard == [Failed("gw.example has no address that our listeners can reach")]


def test_calls_go_on_for_a_day_while_dns_is_down(bench: Bench) -> None:
    bench.learn(*servers(A))
    bench.at(61.0)
    asker = bench.ask()
    bench.at(62.0)
    bench.answer(Failed("gw.example: no name server answers"))
    assert asker.addresses == (A,)
    # Nobody waits a second time, and DNS is asked by the way, now and then.
    for now in (63.0, 80.0):
        bench.at(now)
        assert bench.ask().addresses == (A,)
        assert bench.questions == []
    bench.at(62.0 + known.RECHECK_SECONDS)
    assert bench.ask().addresses == (A,)
    bench.answer(Failed("gw.example: no name server answers"))
    bench.at(known.STALE_SECONDS)
    assert bench.ask().addresses == (A,)
    bench.answer(Found(servers(B), 60.0))
    assert bench.ask().addresses == (B,)


def test_half_an_answer_does_not_replace_a_whole_one(bench: Bench) -> None:
    bench.learn(*servers(A))
    bench.at(61.0)
    asker = bench.ask()
    bench.answer(Found(servers(B), 60.0, doubtful=True))
    assert asker.addresses == bench.ask().addresses == (A,)


def test_half_an_answer_is_better_than_none_for_a_while(bench: Bench) -> None:
    bench.ask()
    bench.answer(Found(servers(B), 3600.0, doubtful=True))
    assert bench.ask().addresses == (B,)
    bench.at(known.LONGEST_DOUBT - 1)
    assert bench.ask().addresses == (B,)
    bench.answer(Found(servers(C), 3600.0, doubtful=True))
    assert bench.ask().addresses == (C,)
    bench.at(2 * known.LONGEST_DOUBT)
    bench.ask()
    bench.answer(Found(servers(A), 3600.0))
    assert bench.ask().addresses == (A,)


def test_after_a_day_nothing_is_known(bench: Bench) -> None:
    bench.learn(*servers(A))
    bench.at(known.STALE_SECONDS + 61.0)
    asker = bench.ask()
    bench.answer(Failed("gw.example: no name server answers"))
    assert asker.heard == bench.ask().heard == [Failed("gw.example: no name server answers")]


def test_slow_dns_delays_by_its_patience_and_only_once(bench: Bench) -> None:
    bench.learn(*servers(A))
    bench.at(100.0)
    first = bench.ask()
    bench.at(100.0 + names.PATIENCE)
    assert first.addresses == (A,)
    assert bench.ask().addresses == (A,)
    assert len(bench.questions) == 1
    bench.answer(Found(servers(B), 60.0))
    assert bench.ask().addresses == (B,)


def test_an_edge_that_never_answers_is_given_up(bench: Bench) -> None:
    asker = bench.ask()
    bench.at(32.0)
    assert asker.heard == [Failed("gw.example was not looked up in time")]
    assert len(bench.pending) == 0


def test_look_ups_have_a_bound(bench: Bench) -> None:
    bench.learn(*servers(A))
    bench.at(61.0)
    for number in range(names.MOST_LOOK_UPS):
        bench.ask(f"sip:host{number}.example")
    assert bench.ask("sip:one.more.example").heard == [Failed("too many names are being looked up")]
    assert bench.ask().addresses == (A,)


def test_names_have_a_bound(bench: Bench) -> None:
    bench.learn(*servers(A))
    for number in range(known.MOST_NAMES - 1):
        bench.ask(f"sip:host{number}.example")
        bench.answer(Found(servers(B), 60.0))
    assert bench.ask().addresses == (A,)
    bench.ask("sip:one.more.example")
    bench.answer(Found(servers(B), 60.0))
    # The one that nobody asked for the longest is gone.
    assert bench.ask().addresses == (A,)
    assert bench.ask("sip:host0.example").heard == []
    assert bench.names.status()["known"] == known.MOST_NAMES


# Failed targets.


def test_a_failed_target_is_passed_over_and_tried_again(bench: Bench) -> None:
    bench.learn(*servers(A, B, C), life=3600.0)
    bench.names.failed(A, "no response")
    asker = bench.ask()
    assert asker.heard == [Resolved((B, C, A), 1)]
    assert bench.names.status()["passed over"] == {"udp:192.0.2.1:5060": 30.0}
    bench.at(29.0)
    assert bench.ask().heard == [Resolved((B, C, A), 1)]
    bench.at(30.0)
    assert bench.ask().heard == [Resolved((A, B, C))]
    assert bench.names.status()["passed over"] == {}


def test_each_failure_in_a_row_is_longer_up_to_a_bound(bench: Bench) -> None:
    bench.learn(*servers(A, B), life=3600.0)
    now, waits = 0.0, []
    for _ in range(6):
        bench.names.failed(A, "no response")
        bench.names.failed(A, "no response")
        (seconds,) = [e.fields["seconds"] for e in bench.turn.effects if isinstance(e, Log)]
        assert isinstance(seconds, float)
        waits.append(seconds)
        now += seconds
        bench.at(now)
    assert waits == [30.0, 60.0, 120.0, 240.0, 300.0, 300.0]
    bench.names.succeeded(A)
    bench.names.failed(A, "no response")
    assert bench.names.status()["passed over"] == {"udp:192.0.2.1:5060": failures.FIRST_SECONDS}


@pytest.mark.parametrize(("asked", "given"), [(0.0, 1.0), (120.0, 120.0), (1e9, failures.LONGEST_ASKED)])
def test_a_target_may_say_for_how_long(bench: Bench, asked: float, given: float) -> None:
    bench.names.failed(A, "503", asked)
    assert bench.names.status()["passed over"] == {"udp:192.0.2.1:5060": given}


def test_when_all_failed_the_one_due_soonest_is_tried(bench: Bench) -> None:
    bench.learn(*servers(A, B, C), life=3600.0)
    bench.names.failed(A, "503", 90.0)
    bench.names.failed(B, "503", 30.0)
    bench.names.failed(C, "503", 60.0)
    assert bench.ask().heard == [Resolved((B, C, A))]


def test_one_that_succeeds_is_as_good_as_any(bench: Bench) -> None:
    bench.learn(*servers(A, B))
    bench.names.failed(A, "no response")
    bench.names.succeeded(A)
    assert bench.ask().heard == [Resolved((A, B))]


def test_failures_have_a_bound(bench: Bench) -> None:
    for number in range(failures.MOST_FAILED + 1):
        bench.names.failed(Address("UDP", "192.0.2.1", number), "no response")
    passed_over = bench.names.status()["passed over"]
    assert isinstance(passed_over, dict)
    assert len(passed_over) == failures.MOST_FAILED
    assert "udp:192.0.2.1:0" not in passed_over


# The order of targets.


def test_the_choice_is_drawn_anew_for_each_use(bench: Bench) -> None:
    bench.learn(*servers(A, B, weight=10), life=3600.0)
    first = Counter(bench.ask().addresses[0] for _ in range(1000))
    assert 430 < first[A] < 570


def test_no_draw_is_spent_where_there_is_nothing_to_choose() -> None:
    def draw() -> float:
        raise AssertionError("nothing is to be drawn")

    assert ordered(servers(A, B, C), draw) == (A, B, C)


def test_weights_come_true_over_many_draws() -> None:
    def server(weight: int) -> Target:
        return Target(0, 1, weight, (Address("UDP", f"192.0.2.{weight}", 5060),))

    draw = Random(7).random
    first = Counter(ordered([server(0), server(10), server(30)], draw)[0].host for _ in range(4000))
    assert 2800 < first["192.0.2.30"] < 3200
    assert first["192.0.2.0"] < 10


def test_the_second_is_drawn_by_the_weights_that_are_left() -> None:
    """RFC 2782: "Continue the ordering process until there are no unordered SRV RRs"."""
    group = [Target(0, 1, weight, (Address("UDP", f"192.0.2.{weight}", 5060),)) for weight in (10, 30, 60)]
    draw = Random(11).random
    orders = Counter(tuple(int(at.host.split(".")[3]) for at in ordered(group, draw)) for _ in range(20_000))
    for (first, second, _), count in orders.items():
        due = first / 100 * second / (100 - first)
        assert abs(count / 20_000 - due) < 0.015


def test_each_address_is_tried_once_and_not_endlessly_many() -> None:
    places = tuple(Address("UDP", f"192.0.2.{number}", 5060) for number in range(30))
    answer = ordered([Target(0, 1, 1, places), Target(0, 2, 1, places)], lambda: 0.5)
    assert answer == places[:MOST_ADDRESSES]


TARGETS = st.lists(
    st.builds(
        Target,
        st.integers(0, 2),
        st.integers(0, 2),
        st.integers(0, 65_535),
        st.integers(0, 7).map(lambda number: (Address("UDP", f"192.0.2.{number}", 5060),)),
    ),
    min_size=1,
    max_size=8,
)


@given(TARGETS, st.randoms(use_true_random=False))
def test_service_comes_before_priority_and_priority_before_weight(targets: list[Target], random: Random) -> None:
    order = ordered(targets, random.random)
    assert set(order) == {address for target in targets for address in target.addresses}

    def best(address: Address) -> tuple[int, int]:
        return min((t.service, t.priority) for t in targets if address in t.addresses)

    assert list(map(best, order)) == sorted(map(best, order))


@given(
    st.sets(st.sampled_from((A, B, C)), min_size=1),
    st.lists(st.tuples(st.sampled_from((A, B, C)), st.booleans(), st.floats(0.0, 100.0))),
)
def test_nothing_is_lost_by_failures(some: set[Address], happenings: Iterable[tuple[Address, bool, float]]) -> None:
    bench = Bench()
    bench.learn(*servers(*sorted(some, key=lambda at: at.host)), life=3600.0)
    now = 0.0
    for address, fails, later in happenings:
        (bench.names.failed if fails else bench.names.succeeded)(address, *(["why"] if fails else []))
        now += later
        bench.at(min(now, 3000.0))
    (answer,) = bench.ask().heard
    assert isinstance(answer, Resolved)
    assert set(answer.addresses) == some
    assert answer.passed_over < len(some)
