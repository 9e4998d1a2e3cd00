"""`test` blocks: what is given, what happens of it, and what a failed expectation says."""

import pytest

from dsl import tester
from dsl.coverage import coverage

from .office import SCRIPT, office


def results(tmp_path, *tests):
    policy = office(
        tmp_path, SCRIPT + "\n".join(f'test "{number}" {{\n{text}\n}}' for number, text in enumerate(tests))
    )
    return policy, tester.run(policy)


def said(tmp_path, text):
    """None when the test passes, else what it says."""
    (result,) = results(tmp_path, text)[1]
    return None if result.failure is None else result.failure.message


@pytest.mark.parametrize(
    "text",
    [
        "register alice without password\nexpect challenge\nexpect response 401",
        "register alice\nexpect accept max 3 contacts expires 60s to 1h\nexpect response 200",
        "register anyone\nexpect challenge",
        "call from anyone to bob\nexpect challenge",
        'call from "alice" to bob\nexpect challenge',
        "call from bob to alice\nexpect dial alice\nexpect response 200",
        'call from bob to "201"\nexpect dial alice for 2min',
        'call from alice to bob\nexpect response 181\nexpect forward bob.mobile via pstn\nexpect tag team "desk"',
        'call from alice to "(030) 123-456"\nexpect dial "+4930123456" via pstn for 60s',
        'call from anyone to "112" source office\nexpect dial "112" via pstn',
        'call from trunk pstn to "030555001"\nexpect dial alice',
        'call from anyone to "030555001" source 198.51.100.5\nexpect dial alice',
        'call from "030 99 99 99" to "030555001" source 198.51.100.5\nexpect tag from "+4930999999"\nexpect dial alice',
        'call from "030 99 99 99" via trunk pstn to "030555001"\nexpect tag from "+4930999999"\nexpect dial alice',
        'given over toll\ncall from alice to "030123456"\nexpect reject 403 "hourly limit reached"',
        'call from alice to "away"\nexpect redirect 302 alice\nexpect response 302',
        'call from alice to "away"\nexpect redirect 302\nexpect nothing further',
        'call from alice to "away"\nexpect redirect\ncall from bob to "404"\nexpect reject',
        'call from alice to bob header "X-Says" "hi" transport tcp\nexpect forward "015112345678" via pstn notify 181',
        # outcomes
        "given carol answers 486\ngiven alice rings\ngiven bob answers 486\n"
        "call from bob to carol\nexpect dial carol then alice and bob\nexpect forward bob.mobile via pstn notify 180",
        "given carol answers 486\ngiven alice answers 486\ngiven bob answers 486\n"
        "call from bob to carol\nexpect dial carol\nexpect dial alice\nexpect reject 486",
        "call from bob to alice\nexpect dial alice\ngiven alice answers 404\nexpect forward alice.number via pstn\n"
        "given pstn answers 404\nexpect reject 404",
        "given alice is not registered\ncall from bob to alice\nexpect dial alice\nexpect reject 480",
        "given carol is not registered\ngiven alice is not registered\ngiven bob is not registered\n"
        "given pstn is not up\ncall from alice to carol\nexpect dial carol\nexpect reject 480",
        "given alice answers 302\ncall from bob to alice\nexpect dial alice\n"
        'expect redirect 302 "sip:elsewhere@redirected.invalid"',
        "given carol answers 603\ncall from bob to carol\nexpect dial carol\nexpect dial alice",
        # time
        'given time "2026-07-01 23:00"\ngiven alice is busy\ncall from bob to alice\nexpect reject 480 "we are closed"',
        "given alice is busy\ncall from bob to alice\nexpect dial alice",
    ],
)
def test_what_is_expected_and_comes_true(tmp_path, text):
    assert said(tmp_path, text) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("register alice\nexpect challenge", "instead it was: accept"),
        ("register alice\nexpect accept max 4 contacts", "instead it was: accept"),
        ("call from bob to alice\nexpect dial bob", "instead it was: dial alice by the rule at"),
        ("call from bob to alice\nexpect dial alice for 30s", "instead it was: dial alice"),
        ("call from bob to alice\nexpect dial alice and bob", "instead it was: dial alice"),
        ("call from bob to alice\nexpect dial alice then bob", "instead it was: dial alice"),
        ("call from alice to bob\nexpect dial bob.mobile via pstn", 'instead it was: forward "015112345678" via pstn'),
        ("call from bob to carol\nexpect dial alice", 'dial carol then alice and bob else "015112345678" via pstn'),
        ('call from alice to "9123"\nexpect reject 404', "instead it was: dial nothing via pstn"),
        ('call from alice to "030123456"\nexpect reject 403', 'instead it was: dial "+4930123456" via pstn'),
        ('call from bob to "404"\nexpect reject 404 "no"', "instead it was: reject 404"),
        ("given over doors\ncall from anyone to bob\nexpect challenge", "instead it was: reject 486"),
        (
            'call from bob to "away"\nexpect redirect 301 "sip:alice@acme.example"',
            'redirect 302 "sip:alice@acme.example"',
        ),
        ('call from bob to "away"\nexpect redirect 301', 'instead it was: redirect 302 "sip:alice@acme.example"'),
        ('call from bob to "away"\nexpect reject', 'instead it was: redirect 302 "sip:alice@acme.example"'),
        ("call from bob to alice\nexpect redirect", "instead it was: dial alice by the rule at"),
        ('call from bob to "404"\nexpect redirect\nexpect reject', "instead it was: reject 404 by the rule at"),
        ("call from bob to alice\nexpect dial alice\nexpect reject", "no further decision: alice answered"),
        ("call from bob to alice\nexpect dial alice\nexpect reject 486", "no further decision: alice answered"),
        (
            'call from bob to "404"\nexpect reject 404\nexpect reject 404',
            "no further decision: it was over with reject 404 by the rule at",
        ),
        ("register alice\nexpect accept\nexpect accept", "no further decision: it was over"),
        ("call from bob to alice\nexpect response 486", "the caller was sent 200"),
        ('call from bob to "404"\nexpect response 486', "the caller was sent 404"),
        ('call from bob to "404"\nexpect tag team "desk"', "`team` is not tagged"),
        ('call from alice to "404"\nexpect tag team "x"', "`team` is tagged `desk`"),
    ],
)
def test_what_does_not_come_true_is_told_with_what_did(tmp_path, text, message):
    assert message in said(tmp_path, text)


def test_a_redirection_to_a_number_is_expected_however_it_is_written(tmp_path):
    script = SCRIPT.replace("redirect 302 caller.mobile", 'redirect 302 "+4940600000"')
    tests = (
        'call from bob to "gone"\nexpect redirect 302 "040 600 000"',
        'call from bob to "gone"\nexpect redirect 302 "tel:+4940600000"',
        'call from bob to "gone"\nexpect redirect 302 "+4940600001"',
    )
    policy = office(
        tmp_path, script + "\n".join(f'test "{number}" {{\n{text}\n}}' for number, text in enumerate(tests))
    )
    assert [found.came for found in tester.run(policy)] == [None, None, 'redirect 302 "tel:+4940600000"']


def test_a_failure_stands_at_its_expectation_and_other_tests_go_on(tmp_path):
    _, found = results(
        tmp_path, 'call from bob to "404"\n  expect reject 405', 'call from bob to "404"\nexpect reject 404'
    )
    failed, passed = found
    assert not failed.passed and passed.passed
    lines = (SCRIPT + 'test "0" {\n').split("\n")
    assert (failed.place, failed.failure.line, failed.failure.column) == (f"{len(lines) - 1}:1", len(lines) + 1, 10)
    assert failed.failure.text == "  expect reject 405"


def test_rules_that_no_test_came_to_are_known(tmp_path):
    policy, found = results(
        tmp_path, "register alice\nexpect accept", "register alice without password\nexpect challenge"
    )
    untested = [rule.place for rule in coverage(policy, found).missed]
    lines = SCRIPT.split("\n")
    registering = {number for number, line in enumerate(lines, 1) if "challenge" in line or "accept" in line}
    calling = next(number for number, line in enumerate(lines, 1) if "when over toll" in line)
    assert f"{calling}:5" in untested
    assert not any(place.startswith(f"{min(registering)}:") for place in untested)


def test_a_failed_test_shows_how_it_came_to_that(tmp_path):
    (failed,) = results(tmp_path, "call from alice to carol\ngiven carol answers 486\nexpect reject 404")[1]
    assert (
        failed.trace[0] == "on call"
        and failed.trace[-1] == f"  so: {failed.failure.message.split(': ')[1].split(' by ')[0]}"
    )
    assert any(line.endswith("alice is authenticated") for line in failed.trace)


def test_how_it_came_to_that_is_told_of_trunks_too(tmp_path):
    asks = "when alice is registered and pstn is up and pstn is not full -> reject 410"
    script = SCRIPT.replace(
        "  when not authenticated -> challenge\n", f"  {asks}\n  when not authenticated -> challenge\n"
    )
    written = 'test "x" { given pstn is full\ncall from alice to bob\nexpect reject 410 }'
    (failed,) = tester.run(office(tmp_path, script + written))
    assert any(line.endswith("pstn is full") for line in failed.trace)
