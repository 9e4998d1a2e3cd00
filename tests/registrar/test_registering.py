"""RFC 3261 section 10.3, step by step."""

from __future__ import annotations

import pytest

from b2bua.registrar.asked import Bounds

from .phone import AOR, CONTACT, UDP, WALL, Home, message, refused


def test_a_contact_is_bound_and_listed_with_what_is_left_of_it() -> None:
    home = Home()
    registration = home.register(f"Contact: {CONTACT}", "Expires: 600", "User-Agent: Phone 1.0")
    assert registration.changed
    assert registration.before == ()
    [binding] = registration.after
    assert (binding.contact, binding.call_id, binding.cseq) == ("sip:alice@192.0.2.7:5060", "a@home", 1)
    assert (binding.expires_at, binding.agent, binding.nat) == (WALL + 600, "Phone 1.0", False)
    home.wall += 200
    assert home.headers("Contact") == ["<sip:alice@192.0.2.7:5060>;expires=400"]
    assert home.headers("Date") == ["Thu, 09 Oct 2025 08:56:40 GMT"]


def test_nothing_is_visible_before_it_is_committed() -> None:
    home = Home()
    registration = home.registrar.register(AOR, message(f"Contact: {CONTACT}"), UDP, home.bounds, WALL)
    assert registration.after
    assert home.contacts() == []
    assert home.rung() == []
    assert home.registrar.next_expiry is None


@pytest.mark.parametrize(
    ("headers", "bounds", "granted"),
    [
        (("Contact: <sip:a@192.0.2.7>;expires=300", "Expires: 700"), Bounds(), 300),
        (("Contact: <sip:a@192.0.2.7>", "Expires: 700"), Bounds(), 700),
        (("Contact: <sip:a@192.0.2.7>",), Bounds(default_expires=900), 900),
        (("Contact: <sip:a@192.0.2.7>",), Bounds(default_expires=30), 60),
        (("Contact: <sip:a@192.0.2.7>;expires=90000",), Bounds(), 3600),
        (("Contact: <sip:a@192.0.2.7>;expires=60",), Bounds(), 60),
        (("Contact: <sip:a@192.0.2.7>;expires=3600",), Bounds(min_expires=7200, max_expires=86400), 3600),
        (("Contact: <sip:a@192.0.2.7>;expires=soon",), Bounds(), 3600),
        (("Contact: <sip:a@192.0.2.7>;expires",), Bounds(), 3600),
        (("Contact: <sip:a@192.0.2.7>;expires=-1",), Bounds(), 3600),
        (("Contact: <sip:a@192.0.2.7>;EXPIRES=120",), Bounds(), 120),
        (("Contact: <sip:a@192.0.2.7>;expires=280297596632815",), Bounds(max_expires=9000), 3600),
        (("Contact: <sip:a@192.0.2.7>", "Expires: 10000000000000000000000"), Bounds(max_expires=9000), 3600),
        (("Contact: <sip:a@192.0.2.7>;expires=4294967295",), Bounds(max_expires=9000), 9000),
        (("Contact: <sip:a@192.0.2.7>;expires=4294967296",), Bounds(max_expires=9000), 3600),
    ],
)
def test_an_interval_is_the_contacts_then_the_headers_then_ours(
    headers: tuple[str, ...], bounds: Bounds, granted: int
) -> None:
    home = Home(bounds)
    [binding] = home.register(*headers).after
    assert binding.expires_at == WALL + granted


@pytest.mark.parametrize("asked", ["1", "59"])
def test_a_brief_interval_is_refused_with_the_least_that_is_granted(asked: str) -> None:
    error = refused(Home(), f"Contact: {CONTACT};expires={asked}")
    assert (error.status, error.headers) == (423, (("Min-Expires", "60"),))


def test_one_brief_contact_refuses_them_all() -> None:
    home = Home()
    home.register("Contact: <sip:a@192.0.2.7>")
    error = refused(home, "Contact: <sip:b@192.0.2.7>, <sip:c@192.0.2.7>;expires=5", cseq=2)
    assert error.status == 423


def test_zero_is_never_too_brief_and_removes() -> None:
    home = Home()
    home.register("Contact: <sip:a@192.0.2.7>, <sip:b@192.0.2.7>")
    registration = home.register("Contact: <sip:a@192.0.2.7>;expires=0", cseq=2)
    assert registration.changed
    assert home.contacts() == ["sip:b@192.0.2.7"]
    assert home.register("Contact: <sip:b@192.0.2.7>", "Expires: 0", cseq=3).after == ()


def test_removing_what_is_not_there_changes_nothing() -> None:
    home = Home()
    registration = home.register("Contact: <sip:a@192.0.2.7>;expires=0")
    assert not registration.changed
    assert home.contacts() == []


def test_a_query_lists_and_changes_nothing() -> None:
    home = Home()
    home.register("Contact: <sip:a@192.0.2.7>, <sip:b@192.0.2.7>;q=0.5")
    registration = home.register(cseq=2)
    assert not registration.changed
    assert registration.after is registration.before
    assert home.headers("Contact") == [
        "<sip:a@192.0.2.7>;expires=3600",
        "<sip:b@192.0.2.7>;q=0.5;expires=3600",
    ]


def test_a_query_may_be_older_than_the_bindings() -> None:
    home = Home()
    home.register(f"Contact: {CONTACT}", cseq=7)
    assert not home.register(cseq=3).changed


def test_star_with_expires_0_removes_all() -> None:
    home = Home()
    home.register("Contact: <sip:a@192.0.2.7>", call_id="other")
    home.register("Contact: <sip:b@192.0.2.7>")
    registration = home.register("Contact: *", "Expires: 0", cseq=2)
    assert registration.changed
    assert registration.after == ()
    assert home.contacts() == []


@pytest.mark.parametrize(
    "headers",
    [
        ("Contact: *",),
        ("Contact: *", "Expires: 1"),
        ("Contact: *", "Expires: nonsense"),
        ("Contact: *, <sip:a@192.0.2.7>", "Expires: 0"),
        ("Contact: *", "Contact: <sip:a@192.0.2.7>", "Expires: 0"),
    ],
)
def test_star_stands_alone_and_only_with_expires_0(headers: tuple[str, ...]) -> None:
    home = Home()
    home.register(f"Contact: {CONTACT}")
    assert refused(home, *headers, cseq=2).status == 400


@pytest.mark.parametrize("cseq", [3, 5])
@pytest.mark.parametrize(
    "headers",
    [
        ("Contact: <sip:a@192.0.2.7>",),
        ("Contact: <sip:a@192.0.2.7>;expires=0",),
        ("Contact: <sip:new@192.0.2.7>, <sip:a@192.0.2.7>",),
        ("Contact: *", "Expires: 0"),
    ],
)
def test_an_older_request_with_the_same_call_id_fails_whole(headers: tuple[str, ...], cseq: int) -> None:
    home = Home()
    home.register("Contact: <sip:a@192.0.2.7>", cseq=5)
    assert refused(home, *headers, cseq=cseq).status == 500


def test_another_call_id_has_an_order_of_its_own() -> None:
    home = Home()
    home.register("Contact: <sip:a@192.0.2.7>", cseq=5)
    [binding] = home.register("Contact: <sip:a@192.0.2.7>", call_id="rebooted", cseq=1).after
    assert (binding.call_id, binding.cseq) == ("rebooted", 1)
    home.register("Contact: <sip:a@192.0.2.7>;expires=0", call_id="third party", cseq=1)
    assert home.contacts() == []


def test_a_refresh_replaces_the_binding() -> None:
    home = Home()
    home.register("Contact: <sip:a@192.0.2.7>", "User-Agent: Phone 1.0")
    home.wall += 1800
    [binding] = home.register("Contact: <sip:a@192.0.2.7>;q=0.2", "Expires: 120", cseq=2).after
    assert (binding.cseq, binding.q, binding.expires_at) == (2, 0.2, home.wall + 120)
    assert binding.agent is None


@pytest.mark.parametrize(
    ("stored", "given", "same"),
    [
        ("sip:a@192.0.2.7", "sip:a@192.0.2.7", True),
        ("sip:a@phone.example.net", "sip:a@PHONE.example.NET", True),
        ("sip:%61@192.0.2.7", "sip:a@192.0.2.7", True),
        ("sip:a@192.0.2.7;line=1", "sip:a@192.0.2.7", True),
        ("sip:a@192.0.2.7;line=1", "sip:a@192.0.2.7;line=2", False),
        ("sip:a@192.0.2.7", "sip:A@192.0.2.7", False),
        ("sip:a@192.0.2.7", "sip:a@192.0.2.7:5060", False),
        ("sip:a@192.0.2.7", "sip:a@192.0.2.7;transport=udp", False),
        ("sip:a@192.0.2.7", "sips:a@192.0.2.7", False),
        ("sip:%00@192.0.2.7", "sip:%00%00@192.0.2.7", False),
    ],
)
def test_contacts_are_compared_as_uris(stored: str, given: str, same: bool) -> None:
    home = Home()
    home.register(f"Contact: <{stored}>")
    home.register(f"Contact: <{given}>", cseq=2)
    assert len(home.contacts()) == (1 if same else 2)


def test_the_same_text_wins_over_an_equal_uri() -> None:
    home = Home()
    home.register("Contact: <sip:a@192.0.2.7;line=1>, <sip:a@192.0.2.7;line=2>")
    home.register("Contact: <sip:a@192.0.2.7;line=2>;expires=0", cseq=2)
    assert home.contacts() == ["sip:a@192.0.2.7;line=1"]


def test_a_contact_named_twice_counts_as_named_last() -> None:
    home = Home()
    home.register("Contact: <sip:a@192.0.2.7>;q=0.1, <sip:a@192.0.2.7>;q=0.9")
    assert home.headers("Contact") == ["<sip:a@192.0.2.7>;q=0.9;expires=3600"]
    home.register("Contact: <sip:a@192.0.2.7>, <sip:a@192.0.2.7>;expires=0", cseq=2)
    assert home.contacts() == []


def test_the_highest_q_is_rung_first_and_of_equals_the_freshest() -> None:
    home = Home()
    home.register("Contact: <sip:low@192.0.2.7>;q=0.1, <sip:high@192.0.2.7>;q=0.8, <sip:old@192.0.2.7>")
    home.wall += 1
    home.register("Contact: <sip:new@192.0.2.7>;q=1.0", cseq=2)
    assert home.rung() == [
        "sip:new@192.0.2.7",
        "sip:old@192.0.2.7",
        "sip:high@192.0.2.7",
        "sip:low@192.0.2.7",
    ]


@pytest.mark.parametrize("q", ["1.1", "-0.5", "high", "", "1e-1", "0.5.1", "nan"])
def test_a_bad_q_is_400(q: str) -> None:
    assert refused(Home(), f"Contact: {CONTACT};q={q}").status == 400
