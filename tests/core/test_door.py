"""Who guesses is shut out, by address and by account, and nobody else is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from b2bua.effects import CloseFlow, Flow, Send
from b2bua.settings import Security
from dsl.policy import load

from .knocking import HOME, POLICY, WALL, Door

ELSEWHERE = "203.0.113.9"


def test_five_wrong_passwords_and_nothing_is_heard_from_there(tmp_path: Path) -> None:
    door = Door(tmp_path)
    assert [door.attempt() for _ in range(5)] == [401] * 5
    assert door.attempt(password="secret") == 0
    assert door.answer(*door.request(method="OPTIONS")) is None
    assert door.attempt(password="secret", source=ELSEWHERE) == 200
    [banned] = door.said("banned")
    assert banned == {"what": "banned", "source": HOME, "seconds": 60, "failures": 5, "accounts": "u0"}
    assert door.core.counters["messages_banned"] == 2


def test_each_failure_is_a_line_of_the_log_and_no_first_challenge_is(tmp_path: Path) -> None:
    door = Door(tmp_path)
    door.attempt("u1", "secret")
    assert door.logs == []
    door.attempt("x" * 300, method="INVITE", source=ELSEWHERE)
    [said] = door.logs
    assert said | {"call_id": ""} == {
        "what": "authentication failed",
        "source": ELSEWHERE,
        "port": 5071,
        "transport": "udp",
        "method": "INVITE",
        "reason": "wrong user or password",
        "account": "x" * 100,
        "call_id": "",
    }
    assert list(said)[:2] == ["what", "source"], "a filter relies on it"


def test_bans_grow_and_a_day_of_peace_makes_the_next_a_first_one(tmp_path: Path) -> None:
    door = Door(tmp_path)
    lengths = []
    for wait in (0.0, 61.0, 301.0, 1801.0, 86_401.0, 200_000.0):
        door.now += wait
        assert [door.attempt() for _ in range(5)] == [401] * 5
        lengths.append(door.said("banned")[-1]["seconds"])
    assert lengths == [60, 300, 1800, 86_400, 86_400, 60]


def test_a_ban_ends_by_itself(tmp_path: Path) -> None:
    door = Door(tmp_path)
    for _ in range(5):
        door.attempt()
    door.now = 59.9
    assert door.attempt(password="secret") == 0
    door.now = 60.1
    assert door.attempt(password="secret") == 200


def test_failures_now_and_then_are_none_too_many(tmp_path: Path) -> None:
    door = Door(tmp_path)
    for _ in range(20):
        assert door.attempt() == 401
        door.now += 80.0
    assert door.said("banned") == []


def test_who_guesses_names_is_banned_as_well(tmp_path: Path) -> None:
    door = Door(tmp_path)
    for number in range(5):
        door.attempt(f"nobody{number}")
    assert door.attempt("nobody9") == 0
    assert door.said("banned")[0]["accounts"] == ", ".join(f"nobody{number}" for number in range(5))


def test_a_forged_source_gets_nobody_banned(tmp_path: Path) -> None:
    """The nonce was sent to whoever forges, not to the one whose address he writes."""
    door = Door(tmp_path)
    mine = door.challenge(ELSEWHERE)
    for _ in range(50):
        assert door.attempt(challenge=mine) == 401
    assert door.logs == []
    assert door.attempt(password="secret") == 200
    # Nor does he learn from it, at his own address or at theirs, whether a password is right.
    stale = door.tried(password="secret", challenge=mine)
    assert stale is not None
    assert "stale=true" in stale.headers["WWW-Authenticate"][0]


def test_who_is_known_there_is_not_shut_out_by_a_neighbour(tmp_path: Path) -> None:
    door = Door(tmp_path)
    assert door.attempt("u1", "secret") == 200
    for _ in range(30):
        assert door.attempt("u2") == 401
    assert door.said("banned") == []
    # Ten of these were judged; what came then counts as wrong, right or not.
    assert len(door.said("authentication failed")) == 10
    assert door.attempt("u2", "secret") == 401
    assert door.attempt("u1", "secret") == 200
    assert door.core.counters["authentications_held"] == 21
    door.now += 61.0
    assert door.attempt("u2", "secret") == 200


def test_who_is_registered_is_known_after_a_restart(tmp_path: Path) -> None:
    door = Door(tmp_path)
    assert door.attempt("u1", "secret") == 200
    door.restart()
    for _ in range(9):
        assert door.attempt("u2") == 401
    assert door.attempt("u1", "secret") == 200


def test_who_is_registered_without_a_password_is_known_too(tmp_path: Path) -> None:
    door = Door(tmp_path)
    script = tmp_path / "door.route"
    open_at_home = f"when source == {HOME} -> accept when not authenticated -> challenge"
    script.write_text(POLICY.replace("when not authenticated -> challenge otherwise", f"{open_at_home} otherwise", 1))
    door.core.reload(load(script), door.now, WALL)
    registered = door.answer(*door.request(user="u1"))
    assert registered is not None
    assert registered.status == 200
    for _ in range(10):
        assert door.attempt("u2", method="INVITE") == 401
    assert door.said("banned") == []


def test_an_account_that_is_guessed_at_from_everywhere_is_closed_but_to_its_phones(tmp_path: Path) -> None:
    door = Door(tmp_path)
    assert door.attempt("u0", "secret") == 200
    for number in range(40):
        assert door.attempt("u0", source=f"203.0.113.{number}") == 401
    assert len(door.said("authentication failed")) == 10
    [closed] = door.said("account closed")
    assert (closed["account"], closed["seconds"], closed["failures"]) == ("u0", 60, 10)
    # The right password counts as wrong where it is not known, and goes on where it is.
    assert door.attempt("u0", "secret", source=ELSEWHERE) == 401
    assert door.attempt("u0", "secret") == 200
    assert door.attempt("u1", "secret", source=ELSEWHERE) == 200
    door.now = 61.0
    assert door.attempt("u0", "secret", source=ELSEWHERE) == 200


def test_what_is_held_does_not_use_up_its_nonce(tmp_path: Path) -> None:
    """Else `stale` would tell the right password from a wrong one."""
    door = Door(tmp_path)
    for number in range(10):
        door.attempt("u0", source=f"203.0.113.{number}")
    challenge = door.challenge(ELSEWHERE)
    for password in ("secret", "guess", "secret", "guess"):
        response = door.tried("u0", password, ELSEWHERE, challenge=challenge)
        assert response is not None
        assert "stale=false" in response.headers["WWW-Authenticate"][0]


def test_a_known_phone_with_a_wrong_password_is_a_stranger_soon(tmp_path: Path) -> None:
    door = Door(tmp_path)
    assert door.attempt("u0", "secret") == 200
    assert [door.attempt("u0") for _ in range(5)] == [401] * 5
    assert door.attempt("u0") == 0


def test_one_guesser_gets_no_more_than_ten_judged_a_minute_whatever_he_does(tmp_path: Path) -> None:
    door = Door(tmp_path, users=200)
    assert door.attempt("u1", "secret") == 200
    judged = []
    for number in range(600):
        door.now += 0.5
        before = len(door.said("authentication failed"))
        door.attempt(f"u{2 + number % 190}")
        judged += [door.now] * (len(door.said("authentication failed")) - before)
    assert max(sum(1 for other in judged if 0 <= other - time < 60) for time in judged) <= 10


def test_a_trunk_is_not_banned(tmp_path: Path) -> None:
    door = Door(tmp_path)
    for _ in range(10):
        assert door.attempt(source="198.51.100.200") == 401
    assert door.said("banned") == []
    assert door.answer(*door.request("198.51.100.200", "INVITE")) is not None


def test_trusted_networks_and_front_proxies_are_not_banned(tmp_path: Path) -> None:
    door = Door(tmp_path, Security(trusted=("198.51.100.0/28",)), proxies=("203.0.113.0/28",))
    for source in (HOME, ELSEWHERE):
        for number in range(30):
            assert door.attempt(f"nobody{number}", source=source) == 401
    assert door.said("banned") == []
    assert len(door.said("authentication failed")) == 60


def test_behind_a_front_proxy_it_is_the_guesser_who_is_banned(tmp_path: Path) -> None:
    proxy = "203.0.113.1"
    door = Door(tmp_path, proxies=("203.0.113.0/28",))

    def status(behind: str, password: str) -> int:
        via = f"{proxy}:5060;branch=z9hG4bKp{{}}, SIP/2.0/UDP {behind}:5060"
        return door.attempt("u0", password, proxy, via=via)

    assert [status("192.0.2.66", "guess") for _ in range(6)] == [401] * 5 + [0]
    assert status("192.0.2.77", "secret") == 200
    assert door.said("authentication failed")[0]["source"] == "192.0.2.66"
    assert door.said("authentication failed")[0]["port"] == 0


def test_an_ipv6_guesser_is_banned_with_his_network(tmp_path: Path) -> None:
    door = Door(tmp_path)
    for number in range(5):
        assert door.attempt(source=f"2001:db8:0:1::{number + 1:x}") == 401
    assert door.attempt(source="2001:db8:0:1:ffff::1") == 0
    assert door.attempt("u0", "secret", source="2001:db8:0:2::1") == 200
    assert door.said("banned")[0]["source"] == "2001:db8:0:1::/64"


def test_a_banned_stream_is_closed(tmp_path: Path) -> None:
    door = Door(tmp_path)
    data, _ = door.request()
    stream = Flow("TCP", "192.0.2.100", 5060, HOME, 40_000, 7)
    assert any(isinstance(effect, Send) for effect in door.take(data, stream))
    for _ in range(5):
        door.attempt()
    assert door.take(data, stream) == [CloseFlow(stream)]


def test_without_bans_and_tries_nobody_is_shut_out(tmp_path: Path) -> None:
    door = Door(tmp_path, Security(bans=(), tries=0))
    for _ in range(50):
        assert door.attempt() == 401
    assert door.attempt(password="secret") == 200


def test_a_ban_outlives_the_policy(tmp_path: Path) -> None:
    door = Door(tmp_path)
    for _ in range(5):
        door.attempt()
    script = tmp_path / "door.route"
    script.write_text(POLICY.replace("486", "480"), encoding="utf-8")
    door.core.reload(load(script), door.now, WALL)
    assert door.attempt(password="secret") == 0


@pytest.mark.parametrize("who", [HOME, "u0"])
def test_what_was_done_can_be_forgiven(tmp_path: Path, who: str) -> None:
    door = Door(tmp_path)
    for number in range(10):
        door.attempt("u0", source=HOME if number < 5 else f"203.0.113.{number}")
    shut = door.attempt("u0", "secret", source=ELSEWHERE if who == "u0" else HOME)
    assert shut == (401 if who == "u0" else 0)
    forgiven, _ = door.core.forgive(who, door.now, WALL)
    assert forgiven == (["account"] if who == "u0" else ["address"])
    assert door.core.forgive(who, door.now, WALL)[0] == []
    source = "203.0.113.200" if who == "u0" else HOME
    assert door.attempt("u1" if who == HOME else "u0", "secret", source=source) == 200


def test_what_is_shown(tmp_path: Path) -> None:
    door = Door(tmp_path)
    for _ in range(6):
        door.attempt()
    door.attempt("u1", source=ELSEWHERE)
    for number in range(9):
        door.attempt("u0", source=f"203.0.113.{100 + number}")
    door.now = 20.0
    view = door.core.security(door.now, WALL + door.now)
    [banned] = view.bans
    assert (banned.who, banned.kind, banned.left, banned.bans, banned.failures) == (HOME, "address", 40, 1, 5)
    assert (banned.others, banned.turned_away) == (("u0",), 1)
    [closed] = view.closed
    assert (closed.who, closed.kind, closed.failures) == ("u0", "account", 10)
    assert len(closed.others) == 6
    assert view.failing[0].left == 0
    assert {row.who for row in view.failing} >= {ELSEWHERE, "203.0.113.100"}
    assert view.counters["bans"] == 1


@dataclass
class Flooded:
    answered: int
    dropped: int


def flood(door: Door, sources: list[str], seconds: float, rate: int) -> Flooded:
    found = Flooded(0, 0)
    for number in range(int(seconds * rate)):
        door.now += 1 / rate
        if door.answer(*door.request(sources[number % len(sources)])) is None:
            found.dropped += 1
        else:
            found.answered += 1
    return found


def test_a_flood_of_registers_from_one_address_is_answered_at_its_rate(tmp_path: Path) -> None:
    door = Door(tmp_path, Security(registers=10, strangers=0))
    found = flood(door, [HOME], 20.0, 100)
    assert 10 * 20 <= found.answered <= 10 * 20 + 50
    assert door.core.counters["registers_dropped"] == found.dropped
    assert len(door.said("too many REGISTERs")) == 2
    assert door.attempt("u1", "secret", source=ELSEWHERE) == 200


def test_a_flood_from_forged_addresses_keeps_nobody_out_who_is_known(tmp_path: Path) -> None:
    door = Door(tmp_path, Security(registers=10, strangers=20))
    assert door.attempt("u1", "secret") == 200
    forged = [f"203.0.{high}.{low}" for high in range(8) for low in range(250)]
    found = flood(door, forged, 10.0, 200)
    assert 20 * 10 <= found.answered <= 20 * 15
    assert door.attempt("u1", "secret") == 200
    assert door.attempt("u2", "secret", source=ELSEWHERE) == 0
    assert door.core.sizes()["transactions"] <= 2


def test_a_flood_by_a_stream_is_told_to_come_later(tmp_path: Path) -> None:
    door = Door(tmp_path, Security(registers=1))
    stream = Flow("TCP", "192.0.2.100", 5060, HOME, 40_000, 7)
    answers = [door.answer(door.request()[0], stream) for _ in range(6)]
    assert [each and each.status for each in answers] == [401] * 4 + [503] * 2
    assert answers[-1] is not None
    assert answers[-1].headers["Retry-After"] == ("10",)
