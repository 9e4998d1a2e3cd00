"""Groups of users and of trunks: who is called, in which order, and how tests speak of it."""

from collections import Counter
from random import Random

import pytest

from dsl import tester
from dsl.hunt_groups import HuntGroup
from dsl.policy import load

USERS = """\
alice: {password: a, extension: "201"}
bob: {password: b, extension: "202"}
carol: {password: c, extension: "203"}
"""

SCRIPT = """
policy "groups"
domain office.example
country +49
users staff from "users.yaml"
group desk = alice, bob
group first in order = alice, bob
group hotline in turn = alice, bob, carol
group sales by weight = alice 3, bob 1
trunk one { uri "sip:1.example" allow `+49X(3-12)` }
trunk two { uri "sip:2.example" number national }
trunks out in order = one, two
trunks even in turn = one, two
trunks shared by weight = one 9, two 1
table routes from "routes.csv" key prefix
on register { otherwise -> reject 403 }
on call {
  when not authenticated         -> challenge
  when dialed == "desk"          -> dial desk
  when dialed == "first"         -> dial first for 20s then carol
  when dialed == "hotline"       -> dial hotline for 15s
  when dialed == "twice"         -> dial hotline for 15s then hotline for 10s
  when dialed == "sales"         -> dial sales
  when dialed == "even"          -> dial "+4930123" via even progress 4s
  when dialed == "shared"        -> dial "+4930123" via shared
  when lookup routes dialed as r -> dial e164(dialed) via r.way for 30s else "+4930999" via two
  otherwise                      -> dial e164(dialed) via out
}
"""

ROUTES = "prefix,way\n+4989,two\n+4969,even\n+4940,\n"


def run(tmp_path, sentences):
    (tmp_path / "users.yaml").write_text(USERS)
    (tmp_path / "routes.csv").write_text(ROUTES)
    path = tmp_path / "groups.route"
    path.write_text(f'{SCRIPT}test "it" {{\n{sentences}\n}}\n')
    (result,) = tester.run(load(path))
    return result


COME_TRUE = {
    "all of a plain group ring together": 'call from carol to "desk" expect dial desk expect rings alice and bob',
    "one after the other, then who is named": """
        given alice answers 486
        given bob answers 486
        call from carol to "first"
        expect dial first for 20s then carol
        expect rings alice
        expect rings bob
        expect answered by carol""",
    "each call begins with the next": """
        given alice answers 600
        given bob answers 600
        given carol answers 600
        call from alice to "hotline" expect rings alice
        call from alice to "hotline" expect rings bob
        call from alice to "hotline" expect rings carol
        call from alice to "hotline" expect rings alice""",
    "one call takes one turn, though it calls the group twice": """
        given alice answers 486
        given bob answers 486
        given carol answers 486
        call from alice to "twice"
        expect rings alice expect rings bob expect rings carol expect rings alice
        call from alice to "twice"
        expect rings bob""",
    "a group begins with whom a test says": """
        given hotline begins with carol
        given sales begins with bob
        given even begins with two
        given shared begins with two
        call from alice to "hotline" expect dial hotline expect rings carol
        call from alice to "sales" expect dial sales expect rings bob
        call from alice to "even" expect rings "+4930123" via two
        call from alice to "shared" expect rings "+4930123" via two""",
    "a number goes to each trunk in its own form": """
        given one answers 503
        call from alice to "030 1234"
        expect dial "+49301234" via out
        expect trunk one gets "+49301234"
        expect trunk two gets "0301234\"""",
    "what the called party says ends it": """
        given one answers 486
        call from alice to "030 1234"
        expect rings "+49301234" via one
        expect response 486""",
    "a number that the first trunk does not allow goes nowhere": """
        call from alice to "0033 1234567"
        expect response 480""",
    "a trunk that is down or full is passed over": """
        given one is not up
        call from alice to "030 1234" expect rings "+49301234" via two
        given one is up
        given one is full
        call from alice to "030 1234" expect rings "+49301234" via two""",
    "a row names a trunk": 'call from alice to "089 1234" expect rings "+49891234" via two',
    "a row names a group, which has its turns": """
        given one answers 503
        call from alice to "069 1234"
        expect rings "+49691234" via one
        expect rings "+49691234" via two
        call from alice to "069 1234"
        expect rings "+49691234" via two""",
    "a row that names nothing is a failure, and no way to the next": """
        call from alice to "040 1234" expect response 480""",
}


@pytest.mark.parametrize("sentences", COME_TRUE.values(), ids=COME_TRUE)
def test_it_comes_true(tmp_path, sentences):
    result = run(tmp_path, sentences)
    assert result.passed, str(result.failure)


DO_NOT = {
    'call from carol to "desk" expect dial hotline': "instead it was: dial alice and bob",
    'given hotline begins with carol call from carol to "hotline" expect dial first': "instead it was: dial carol",
    'call from carol to "hotline" expect dial desk then carol': "instead it was: dial alice",
    'call from carol to "first" expect dial first then carol then bob': "instead it was: dial alice",
    'given sales begins with bob call from carol to "sales" expect dial first': "instead it was: dial bob",
    'given even begins with two call from carol to "even" expect dial "+4930123" via out': "instead it was: dial",
}


@pytest.mark.parametrize("sentences", DO_NOT, ids=DO_NOT)
def test_it_does_not_come_true(tmp_path, sentences):
    result = run(tmp_path, sentences)
    assert DO_NOT[sentences] in str(result.failure)


# Order


def test_a_turn_goes_round():
    group = HuntGroup("g", ("a", "b", "c"), "turn")
    assert [group.turned(turn) for turn in range(4)] == [(0, 1, 2), (1, 2, 0), (2, 0, 1), (0, 1, 2)]


def test_each_place_is_drawn_among_those_who_are_left():
    group = HuntGroup("g", ("a", "b", "c"), "weight", (5, 3, 2))
    random = Random(7)
    orders = Counter(group.drawn(random.random()) for _ in range(20_000))
    for (first, second, third), count in orders.items():
        weights = group.weights
        chance = weights[first] / 10 * weights[second] / (weights[second] + weights[third])
        assert abs(count / 20_000 - chance) < 0.015
    assert len(orders) == 6


def test_every_draw_is_an_order_of_all():
    group = HuntGroup("g", tuple("abcdefghij"), "weight", (1, 1_000_000, 1, 7, 7, 7, 3, 999_983, 2, 1))
    for draw in (0.0, 1.0 - 2.0**-53, 0.5, 2.0**-53, *(number / 997 for number in range(997))):
        assert sorted(group.drawn(draw)) == list(range(10))


def test_the_draw_of_a_member_puts_it_first():
    group = HuntGroup("g", ("a", "b", "c"), "weight", (1, 1_000_000, 3))
    assert [group.drawn(group.draw_of(member))[0] for member in group.members] == [0, 1, 2]


# Forwarding


@pytest.mark.parametrize("desk", ["carol, bob", "bob, alice"])
def test_where_somebody_in_a_group_rings_no_forwarding_goes_round(tmp_path, desk):
    (tmp_path / "users.yaml").write_text(USERS.replace('"201"', '"201", deputy: carol'))
    path = tmp_path / "forwarding.route"
    path.write_text(
        f"""
        policy "forwarding"
        domain office.example
        users staff from "users.yaml"
        group desk = {desk}
        on register {{ otherwise -> reject 403 }}
        on call {{
          when not authenticated          -> challenge
          when callee == alice            -> forward callee.deputy
          when callee == carol            -> forward desk
          when callee == bob and callee.deputy is absent -> forward callee.deputy
          otherwise                       -> reject 404
        }}
        """
    )
    assert load(path).name == "forwarding"


def test_who_calls_is_not_whose_calls_go_elsewhere(tmp_path):
    (tmp_path / "users.yaml").write_text(USERS)
    path = tmp_path / "forwarding.route"
    path.write_text(
        """
        policy "forwarding"
        domain office.example
        users staff from "users.yaml"
        on register { otherwise -> reject 403 }
        on call {
          when not authenticated -> challenge
          when caller == alice   -> forward bob
          when caller == bob     -> forward alice
          otherwise              -> reject 404
        }
        """
    )
    assert load(path).name == "forwarding"
