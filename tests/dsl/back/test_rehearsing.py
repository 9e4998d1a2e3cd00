"""What a `test` block can say of calls: several at once, what they use up, how they ring, what is sent."""

import wave

import pytest

from dsl import tester

from .office import office

SCRIPT = """\
policy "lines"
domain acme.example
timezone "Europe/Berlin"
country +49
emergency 112
users staff from "users.yaml"
group desk = alice, carol
sound jazz = "jazz.wav"
hours open = mon-fri 08:00-18:00
limit toll = 2 per 1h for each caller
limit lines = 2 at once
limit noise = 1 at once
trunk pstn {
  uri "sip:gw.example"
  peers 198.51.100.0/28
  number national
  allow `+49X(6-12)`
  channels 2
  failover 480
}
trunk spare { uri "sip:spare.example" number plain progress 3s }

on register {
  when agent == "old" -> reject 403
  when agent == "new" -> accept
  when not authenticated -> challenge
  when user == carol -> accept expires 60s to 10min
  when over noise -> reject 503
  otherwise -> accept max 2 contacts
}
on call {
  when dialed is emergency and authenticated -> dial dialed via pstn
  when from trunk pstn -> forward alice.number via spare
  when not authenticated -> challenge
  when anonymous -> reject 433
  when diverted by == bob -> reject 482
  when over lines -> reject 486 "all lines are taken"
  also when caller == alice {
    tag team "desk"
    set header "X-Team" to "desk"
    log "{caller} calls {dialed}"
  }
  also when dialed == "0301234567" -> strip header "Subject", media relay
  when dialed matches `0X(6-14)` {
    when over toll -> reject 403 "hourly limit reached"
    otherwise -> dial e164(dialed) via pstn for 60s else e164(dialed) via spare
  }
  when dialed == "desk" -> dial alice and carol for 20s then bob for 10s {
    redirect -> dial redirected
  }
  when dialed == "loop" -> forward bob.number via pstn { failure -> forward bob.number via spare }
  when dialed == "spare" -> dial "0301234567" via spare
  when dialed == "out" -> dial "sip:help@partner.example" and carol progress 4s
  when dialed == "*43" -> answer echo
  when callee is busy and within open -> reject 486
  when callee in staff -> dial callee for 20s
  otherwise -> reject 404
}
on hold { otherwise -> play jazz to held }
on redirect { otherwise -> dial redirected }
on unreachable {
  when target == carol -> reject 410
  otherwise -> reject 480
}
on transfer { otherwise -> transfer to target for 15s }
"""

USERS = """\
alice: {password: wonderland, extension: 201, number: "+4930111111"}
bob: {password: builder, extension: 202, number: "+4930222222"}
carol: {password: christmas}
"""

OUT = 'call from alice to "030123456"\n'


def results(folder, *tests):
    with wave.open(str(folder / "jazz.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(800))
    written = "".join(f'test "{number}" {{\n{text}\n}}\n' for number, text in enumerate(tests))
    return tester.run(office(folder, SCRIPT + written, USERS))


def said(folder, text):
    """None when the test passes, else what it says."""
    (result,) = results(folder, text)
    return None if result.failure is None else result.failure.message


@pytest.mark.parametrize(
    "text",
    [
        OUT + 'expect trunk pstn gets "030123456"\nexpect answered by "030123456" via pstn\nexpect nothing further',
        'call from alice to "desk"\nexpect rings alice and carol\nexpect nothing further',
        # A window goes on with the clock.
        OUT + "hang up\n" + OUT + "expect takes toll\nexpect takes lines\nhang up\n" + OUT + "expect reject 403\n"
        "expect leaves toll\nwait 30min\n" + OUT + "expect reject 403\nwait 30min\n" + OUT + "expect answered by"
        ' "030123456" via pstn',
        'call from alice to "030123456" 2 times\nhang up all\ncall from bob to "030123456"\nexpect takes toll',
        OUT + "hang up\n" + OUT + "hang up\ngiven time 13:00\n" + OUT + 'expect dial "030123456" via pstn',
        # What is taken at once is given back at the call's end, whatever that is.
        "call from alice to bob as first\ncall from bob to carol as second\n"
        'call from carol to alice\nexpect reject 486 "all lines are taken"\nexpect nothing further\n'
        'hang up first\ncall from carol to "*43"\nexpect answer echo\nexpect takes lines\n'
        "call from carol to alice\nexpect reject 486\nback to second\nhold by bob\nexpect play jazz to carol",
        "call from alice to bob\ngiven bob answers 404\nexpect dial bob\nexpect reject 404\n"
        "call from alice to bob\nexpect dial bob\nexpect reject 404\ncall from alice to bob\nexpect dial bob",
        "call from carol to bob 3 times\nexpect reject 486\nhang up all\ncall from carol to bob\nexpect dial bob",
        "register bob 2 times\nexpect accept\nexpect takes noise",
        # Channels fill while it rings, and are free again.
        'given over lines\ncall from trunk pstn to "1"\nexpect forward alice.number via spare',
        OUT + 'call from bob to "030123456"\nhang up\ncall from bob to "030123456"\nexpect answered by dialed via pstn',
        'given "+4930123456" rings\n' + OUT + 'expect rings dialed via pstn\ncall from bob to "030222222" as other\n'
        'expect trunk pstn gets "030222222"\ncall from carol to "112"\nexpect trunk pstn gets "112"\n'
        "expect answered by dialed via pstn",
        'call from trunk pstn to "201" 2 times\n'
        + OUT
        + 'expect answered by "030123456" via spare\nhang up all\n'
        + OUT
        + 'expect answered by "030123456" via pstn',
        # A user is busy who is in a call.
        "call from alice to bob\ncall from carol to bob\nexpect reject 486\ngiven bob is not busy\n"
        "call from carol to bob\nexpect dial bob",
        "call from alice to bob\nwait 1min\nhang up\ncall from carol to bob\nexpect dial bob",
    ],
)
def test_what_calls_use_up_counts(tmp_path, text):
    assert (
        said(tmp_path, text.replace("call from carol to bob 3", "given bob is not busy\ncall from carol to bob 3"))
        is None
    )


@pytest.mark.parametrize(
    "text",
    [
        # Rounds, and who takes the call.
        'call from bob to "desk"\nexpect rings alice and carol\nexpect answered by alice',
        'given alice rings\ngiven carol rings\ncall from alice to "desk"\nexpect rings carol and alice\n'
        "expect rings bob\nexpect answered by bob\nexpect response 180\nexpect response 200",
        'given alice is not registered\ncall from bob to "desk"\nexpect rings carol',
        'given alice answers 486\ngiven carol answers 200 after 5s\ncall from bob to "desk"\nexpect answered by carol',
        'given alice answers 200 after 9s\ngiven carol answers 200 after 5s\ncall from bob to "desk"\n'
        "expect answered by carol",
        # Times run out: who rang gave no answer, of whom nothing was heard was not there.
        "given bob answers 200 after 30s\ncall from alice to bob\nexpect dial bob\nexpect reject 480",
        "given bob is silent\ncall from alice to bob\nexpect dial bob\nexpect reject 480\nexpect nothing further",
        "given bob is silent\ngiven bob is not silent\ncall from alice to bob\nexpect answered by bob",
        "given carol is not registered\ncall from alice to carol\nexpect dial carol\nexpect reject 410",
        'given spare is silent\ncall from alice to "spare"\nwait 2s\n'
        'expect dial "0301234567" via spare\nwait 1s\nexpect reject 480',
        'given carol rings\ngiven "sip:help@partner.example" is silent\ncall from alice to "out"\n'
        'expect rings "sip:help@partner.example" and carol\nwait 119s\n'
        "expect reject 480",
        'given carol is silent\ngiven "sip:help@partner.example" is silent\ncall from alice to "out"\nwait 4s\n'
        'expect dial carol and "sip:help@partner.example"\nexpect reject 410',
        "given bob answers 480 after 3s\ncall from alice to bob\nexpect dial bob\nexpect reject 480",
        # An outcome comes when it comes: by then the office may be closed.
        'given time "2026-07-01 17:59"\ngiven bob rings\ncall from alice to bob as first\nwait 50s\n'
        "call from carol to bob\nexpect dial bob\nhang up\nback to first\nexpect dial bob\nexpect reject 480",
        # Trunks.
        OUT + 'expect dial "030123456" via pstn else "030123456" via spare\nexpect trunk pstn gets "030123456"',
        "given pstn is not up\n" + OUT + 'expect rings dialed via spare\nexpect trunk spare gets "4930123456"',
        "given pstn is full\n" + OUT + 'expect answered by "+49 30 123456" via spare',
        "given pstn answers 480\n" + OUT + "expect rings dialed via pstn\nexpect rings dialed via spare",
        "given pstn is silent\n" + OUT + 'expect answered by dialed via spare\nexpect trunk spare gets "4930123456"',
        "given pstn answers 603\n" + OUT + "expect rings dialed via pstn\nexpect response 486",
        'given pstn is not up\ncall from alice to "112"\nexpect answered by "112" via pstn',
        'given pstn is full\ncall from alice to "112"\nexpect answered by "112" via pstn\nexpect leaves lines',
        'given pstn is not up\ngiven pstn answers 503\ncall from alice to "112"\nexpect dial "112" via pstn\n'
        "expect reject 480",
        # Redirections, which reach our own users only.
        "given bob redirects to carol\ncall from alice to bob\nexpect dial bob\nexpect dial carol\n"
        "expect answered by carol",
        'given bob redirects to "sip:carol@acme.example"\ncall from alice to bob\nexpect answered by carol',
        'given bob redirects to "sip:zoe@acme.example"\ncall from alice to bob\nexpect dial bob\n'
        'expect dial "sip:zoe@acme.example"\nexpect reject 480',
        'given bob redirects to "sip:x@elsewhere.example"\ncall from alice to bob\nexpect dial bob\n'
        'expect dial "sip:x@elsewhere.example"\nexpect reject 480',
        "given bob redirects to carol\ngiven carol redirects to bob\ncall from alice to bob\nexpect dial bob\n"
        'expect dial carol\nexpect dial "sip:bob@acme.example"\nexpect reject 480',
        'given alice answers 302\ngiven carol redirects to bob\ncall from alice to "desk"\nexpect dial alice and carol'
        " for 20s then bob for 10s\nexpect answered by bob",
        'given bob redirects to "tel:+4930123"\ncall from alice to bob\nexpect dial bob\n'
        'expect dial "tel:+4930123"\nexpect reject 480',
        # Nobody forwards twice.
        'call from alice to "loop"\nexpect forward bob.number via pstn\ngiven pstn answers 404\n'
        "expect forward bob.number via spare\n"
        "expect reject 480",
        'call from trunk pstn to "1" diverted by alice\nexpect forward alice.number via spare\nexpect reject 480',
        # Transfers ring too.
        "call from alice to bob\ntransfer by bob to carol\nexpect transfer to carol\nhold by carol\n"
        "expect play jazz to alice",
        "given carol rings\ncall from alice to bob\ntransfer by bob to carol\nhold by bob\nexpect play jazz to alice",
        OUT + "transfer by alice to bob\nhold by bob\nexpect play jazz to dialed\nhang up\n"
        'call from carol to "030123456" 2 times\nexpect answered by "030123456" via pstn',
    ],
)
def test_how_calls_ring(tmp_path, text):
    assert said(tmp_path, text) is None


@pytest.mark.parametrize(
    "text",
    [
        'call from alice to bob\nexpect header "x-team" "desk"\nexpect tag team "desk"\nexpect log "alice calls bob"',
        'call from bob to alice\nexpect no header "X-Team"\nexpect no tag team\nexpect media auto',
        'call from bob to "0301234567" header "Subject" "hi"\nexpect no header "Subject"\nexpect media relay',
        "call from alice to bob anonymous\nexpect reject 433",
        "call from alice to carol diverted by bob\nexpect reject 482",
        'call from alice to carol diverted by "bob"\nexpect reject 482',
        # Phones come and go.
        "given bob is not registered\nregister bob\nexpect accept\nexpect expires 1h\ncall from alice to bob\n"
        "expect answered by bob\nhang up\nwait 1h\ncall from alice to bob\nexpect dial bob\nexpect reject 480",
        "unregister bob\nexpect accept\nexpect response 200\ncall from alice to bob\nexpect nothing further",
        "register carol expires 1h\nexpect expires 10min\nexpect response 200",
        "register bob expires 90s contacts 2\nexpect expires 90s",
        "register bob expires 30s\nexpect reject 423\nexpect response 423",
        'given bob is not registered\nregister bob contacts 3\nexpect reject 403 "Too Many Contacts"\n'
        "expect response 403\ncall from alice to bob\nexpect dial bob\nexpect reject 480",
        "register bob contacts 2\nexpect accept max 2 contacts\nregister bob contacts 2\nexpect response 200",
        'register bob agent "old"\nexpect reject 403',
        # The clock.
        "given time fri 18:30\ncall from alice to bob\nexpect takes lines\ncall from carol to bob\nexpect dial bob",
        "given time mon 09:00\ncall from alice to bob\ncall from carol to bob\nexpect reject 486",
        "given time wed 12:00\ncall from alice to bob\ncall from carol to bob\nexpect reject 486",
        "given time dec 24 19:00\ncall from alice to bob\ncall from carol to bob\nexpect dial bob",
        "given time feb 29 12:00\ncall from alice to bob\ncall from carol to bob\nexpect reject 486",
        "given time 2026-07-03 19:00\ncall from alice to bob\ncall from carol to bob\nexpect dial bob",
        'given time fri 18:30\ngiven time "2026-07-01 12:00"\ncall from alice to bob\ncall from carol to bob\n'
        "expect reject 486",
        "given time 08:00\ncall from alice to bob\ncall from carol to bob\nexpect reject 486",
        "call from alice to bob\nhold by alice\nwait 20s\nresume by alice after 10s\nexpect continue",
    ],
)
def test_what_else_is_given_and_expected(tmp_path, text):
    assert said(tmp_path, text.replace("expect nothing further", "expect dial bob\nexpect reject 480", 1)) is None


def test_a_trunk_without_peers_brings_a_number_in_its_own_form(tmp_path):
    brought = '  when from trunk spare and caller.number == "+4930999999" -> dial alice\n  when from trunk pstn ->'
    test = (
        'call from "4930999999" via trunk spare to "201"\nexpect dial alice\n'
        'hold by "+4930999999"\nexpect play jazz to alice\nresume by trunk spare\nexpect continue\n'
        'call from trunk spare to "201"\nexpect challenge'
    )
    results(tmp_path)
    script = SCRIPT.replace("  when from trunk pstn ->", brought) + f'test "0" {{\n{test}\n}}\n'
    (result,) = tester.run(office(tmp_path, script, USERS))
    assert result.failure is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("call from alice to bob\nexpect takes toll", "it takes from `lines`"),
        ("call from alice to bob\nexpect leaves lines", "it takes from `lines`"),
        ("call from anyone to bob\nexpect takes lines", "it takes from no limit"),
        ("call from alice to bob\nexpect rings carol", "it rang at bob"),
        ("call from alice to bob\nexpect rings bob\nexpect rings bob", "it rang nowhere else: bob answered"),
        ('call from bob to "desk"\nexpect rings alice', "it rang at alice and carol"),
        ("call from alice to bob\nexpect answered by carol", "bob answered"),
        (
            "given bob answers 486\ncall from alice to bob\nexpect answered by bob",
            "nobody answered: it was over with reject 486, as where nothing is said of it",
        ),
        (
            "call from anyone to bob\nexpect rings bob",
            "it rang nowhere: it was over with challenge by the rule at",
        ),
        (
            'call from alice to bob anonymous\nexpect trunk pstn gets "030123456"',
            "`pstn` got nothing: it was over with reject 433 by the rule at",
        ),
        ('call from alice to "*43"\nexpect answered by bob', "nobody answered: we answered it ourselves"),
        (OUT + 'expect trunk pstn gets "+4930123456"', "`pstn` got `030123456`"),
        ('call from alice to bob\nexpect trunk pstn gets "030123456"', "`pstn` got nothing: bob answered"),
        (
            'call from trunk pstn to "1" source 198.51.100.5\nexpect forward alice.number via spare notify 180',
            'instead it was: forward "+4930111111" via spare',
        ),
        (
            'call from alice to "out"\nexpect dial "sip:help@partner.example" and carol progress 5s',
            'instead it was: dial "sip:help@partner.example" and carol',
        ),
        (OUT + 'expect trunk pstn gets "030123456"\nexpect nothing further', 'instead it was: dial "+4930123456" via'),
        ("call from alice to bob\nexpect nothing further", "instead it was: dial bob by the rule at"),
        ('call from alice to bob\nexpect header "X-Team" "sales"', "`X-Team` is set to `desk`"),
        ('call from alice to bob\nexpect no header "X-Team"', "`X-Team` is set to `desk`"),
        ('call from bob to alice\nexpect header "X-Team" "desk"', "`X-Team` is not set"),
        ('call from bob to "0301234567"\nexpect header "Subject" "hi"', "`Subject` is stripped"),
        (
            'call from bob to alice header "Subject" "hi"\nexpect no header "Subject"',
            "no rule sets or strips `Subject`, which the caller gave as `hi`",
        ),
        ("call from alice to bob\nexpect no tag team", "`team` is tagged `desk`"),
        ('call from alice to bob\nexpect log "hello"', "the log has `alice calls bob`"),
        ('call from bob to alice\nexpect log "hello"', "the log has nothing"),
        ("register bob\nexpect expires 10min", "the phone is registered for 1h"),
        ("register bob expires 90s\nexpect expires 10min", "the phone is registered for 90s"),
        (
            "register bob expires 30s\nexpect expires 30s",
            'instead it was: reject 423 "Interval Too Brief" by the rule at',
        ),
        ("register anyone\nexpect expires 30s", "instead it was: challenge by the rule"),
        ('register anyone agent "new"\nexpect expires 30s', "the phone is registered for 1h"),
        ("unregister bob\nexpect expires 30s", "the phone is registered no more"),
        ("call from anyone to bob\nhang up\nexpect challenge", "this call is over already"),
        ("call from alice to bob\nhang up\nhold by alice\nexpect continue", "this call was hung up"),
        ("call from alice to bob\nhang up\nexpect dial bob\nexpect reject 480", "it was hung up"),
        ("call from alice to bob\nexpect response 486", "the caller was sent 200"),
        ("given bob rings\ncall from alice to bob\nexpect response 486", "the caller was sent 480 and 180"),
    ],
)
def test_what_does_not_come_true_is_told_with_what_did(tmp_path, text, message):
    assert message in said(tmp_path, text)


def test_a_failure_says_what_came_and_by_which_rule(tmp_path):
    failed, passed = results(
        tmp_path, "call from alice to bob\nexpect reject 404", "call from alice to bob\nexpect dial bob"
    )
    rule = next(number for number, line in enumerate(SCRIPT.split("\n"), 1) if "callee in staff" in line)
    assert (failed.came, failed.rule) == ("dial bob", f"{rule}:3")
    assert (passed.came, passed.rule, passed.trace) == (None, None, ())


def test_a_call_that_goes_round_ends(tmp_path):
    """After ten dials the engine gives up; a test sees the decision and that nothing follows."""
    script = "on no-answer { otherwise -> dial bob for 5s }\n"
    text = "given bob rings\ncall from alice to bob\n" + "expect dial bob\n" * 11 + "expect nothing further"
    (result,) = tester.run(
        office(
            tmp_path,
            SCRIPT.replace('sound jazz = "jazz.wav"\n', "").replace(
                "on hold { otherwise -> play jazz to held }\n", script
            )
            + f'test "it" {{ {text} }}',
            USERS,
        )
    )
    assert result.failure is None
