"""Compiled policies decide what a plain walk of their tree decides, whatever they say and whatever happens."""

import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsl import compile_index
from dsl import decision as d
from dsl.compile_files import load_setup
from dsl.parser import parse
from dsl.policy import DEFAULTS, Policy

from .reference import Walk

HEAD = """\
policy "generated" domain acme.example timezone "Europe/Berlin" country +49
emergency 110
users staff from "users.yaml"
group desk = alice, bob
net office = 10.0.0.0/8, 2001:db8::/32
net lab = 10.1.0.0/16
hours open = mon-fri 08:00-18:00
limit toll = 4 per 1h for each caller
limit all = 9 at once
table dids from "dids.csv" key number
table routes from "routes.csv" key prefix
trunk t1 { uri "sip:t1.example" }
trunk t2 { uri "sip:t2.example" }
"""
USERS = """\
alice: {password: a, extension: 201, mobile: "015112345678"}
bob: {password: b, number: "+4930222222"}
carol: {password: c, extension: 203, mobile: sip:carol@home.example}
"""

NAMES = st.sampled_from(["alice", "bob", "carol"])
WHO = st.sampled_from(["caller", "callee"])
DIALED = ["201", "203", "110", "100", "101", "1012", "0301234567", "+4930222222", "*43", "alice"]
PATTERNS = ["1X(2)", "10X", "X(3-4)", "0X(6-14)", "+49X(6-12)", "*X(2)", "20[1-2]", "1{n:X(2)}", "0{n:X(6-14)}"]
SOURCES = ["10.1.0.9", "10.2.0.9", "192.0.2.1", "2001:db8::9", "2001:db9::9"]

PURE = st.one_of(
    st.builds("{} {} {}".format, WHO, st.sampled_from(["==", "!="]), NAMES),
    st.builds('dialed == "{}"'.format, st.sampled_from(DIALED)),
    st.builds("dialed {} `{}`".format, st.sampled_from(["matches", "not matches"]), st.sampled_from(PATTERNS)),
    st.builds("source {} {}".format, st.sampled_from(["in", "not in"]), st.sampled_from(["office", "lab"])),
    st.builds("source in {}".format, st.sampled_from(["10.1.0.0/24", "192.0.2.1", "10.0.0.0/7"])),
    st.builds("{} in {}".format, WHO, st.sampled_from(["desk", "staff"])),
    st.builds("from trunk {}".format, st.sampled_from(["t1", "t2"])),
    st.builds("lookup {} dialed as {}".format, st.sampled_from(["dids", "routes"]), st.sampled_from("de")),
    st.sampled_from(
        [
            "authenticated",
            "anonymous",
            "within open",
            "dialed is emergency",
            "callee is absent",
            'header "X-A" == "1"',
            'e164(dialed) == "+4930222222"',
            "diverted by == bob",
            "diverted by in desk",
            "caller == callee",
        ]
    ),
)
ASKING = st.one_of(
    st.sampled_from(["over toll", "over all", "t1 is up", "t2 is full", "callee is busy"]),
    st.builds("{} is registered".format, NAMES),
)
CONDITIONS = st.recursive(
    PURE | PURE | ASKING,
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} and {} and {})".format, inner, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("({} or {} or {})".format, PURE, PURE, PURE),
        st.builds("not {}".format, inner),
    ),
    max_leaves=5,
)
VALUES = st.sampled_from(['"x"', "dialed", "caller", "bob.mobile", "caller.number", "alice.fax", 'header "X-A"'])
PARTIES = st.one_of(
    NAMES,
    st.sampled_from(["callee", "caller", '"sip:x@y.example"', "carol.mobile", "dialed", "alice.mobile", "diverted by"]),
    st.builds(
        "{} via {}".format, st.sampled_from(["dialed", "e164(dialed)", "bob.mobile", "callee", '"112"']), st.just("t1")
    ),
)
STEPS = st.builds(
    "{}{}".format, st.lists(PARTIES, min_size=1, max_size=3).map(" and ".join), st.sampled_from(["", " for 9s"])
)
DIALS = st.builds(
    "{}{}{}".format,
    STEPS,
    st.sampled_from(["", " then bob", " else carol for 1h"]),
    st.sampled_from(["", " then alice and bob"]),
)
ENDS = st.one_of(
    st.builds("reject {}".format, st.integers(400, 699)),
    st.builds("dial {}".format, DIALS),
    st.builds("forward {}{}".format, DIALS, st.sampled_from(["", " notify 181"])),
    st.builds("redirect 302 {}".format, st.sampled_from(['"sip:a@b.example"', "bob", "dialed", "bob.mobile"])),
    st.builds(
        "do ring({}, {})".format, st.sampled_from(["callee", "alice", "dialed"]), st.sampled_from(["dialed", '"7"'])
    ),
    st.sampled_from(["challenge", "answer echo", "answer tone", "answer play jazz", "answer play blues loop"]),
)
EDITS = st.one_of(
    st.builds("tag kind {}".format, VALUES),
    st.builds("log {}".format, VALUES),
    st.builds('set header "X-B" to {}'.format, VALUES),
    st.sampled_from(['strip header "X-C"', "media direct", "media relay", "media auto"]),
)


def rules(depth, ends=ENDS):
    inner = ends if depth == 0 else ends | rules(depth - 1, ends).map("{{\n{}\n}}".format).map(lambda text: text)
    rule = st.one_of(
        st.builds(_when, CONDITIONS, inner),
        st.builds(_when, CONDITIONS, inner),
        st.builds(_when, PURE, inner),
        st.builds("also when {} -> {}".format, CONDITIONS, EDITS),
        EDITS,
    )
    return st.builds(
        lambda body, end: "\n".join([*body, f"otherwise {end if end.startswith('{') else '-> ' + end}"]),
        st.lists(rule, max_size=14 if depth else 3),
        inner,
    )


def _when(condition, end):
    return f"when {condition} {end if end.startswith('{') else '-> ' + end}"


USING_ROW = st.sampled_from(
    [
        "when lookup dids dialed as d and d.user == bob -> do ring(d.user, d.number)",
        'when lookup dids dialed as d { when lookup routes dialed as d and d.via == "z" -> reject 401\n'
        "dial d.user { busy -> do ring(d.user, d.user) } }",
        "when dialed matches `1{n:X(2)}` and source in lab -> dial n via t2 then n",
        'also when lookup routes dialed as r and r.via == "b" -> tag route r.via',
        "when dialed matches `{a:X}{b:X(2-3)}` { when b matches `0{a:X}` and caller == bob -> reject 402\n"
        "dial a via t1 and b via t2 { failure -> dial a via t2\nno-answer -> reject 403 } }",
    ]
)
OUTCOMES = st.sampled_from(
    ["", "\non busy { when target == bob -> forward target.mobile via t1\notherwise -> reject 487 }"]
)
SUBS = st.builds(
    "sub ring(who: user, m: text) {{\n{}\n}}".format,
    rules(
        1,
        st.sampled_from(
            [
                "dial who",
                "forward who.mobile via t1",
                "dial m via t1 { busy -> dial who\nunreachable -> reject 404 }",
                "reject 405",
            ]
        ),
    ),
)
HOLDING = st.one_of(
    PURE,
    ASKING,
    st.sampled_from(
        [
            "holder is caller",
            "holder is not caller",
            "held == bob",
            "holder in desk",
            'held == "0301234567"',
            "held is absent",
            "held is busy",
            "held for > 90s",
            "held for <= 1500ms",
            "held.mobile is absent",
        ]
    ),
)
HOLDS = st.builds(
    "{}on resume {{\n{}\notherwise -> continue\n}}".format,
    st.just(HEAD),
    st.lists(
        st.builds(
            "when {} -> {}".format,
            st.one_of(HOLDING, st.builds("({} or not {}) and {}".format, HOLDING, HOLDING, HOLDING)),
            st.sampled_from(["play jazz to held", "play blues to held loop", "continue", "tag who held, continue"]),
        ),
        max_size=12,
    ).map("\n".join),
)
POLICIES = st.builds(
    "{}on call {{\n{}\n{}\n}}\n{}{}".format,
    st.just(HEAD),
    st.lists(USING_ROW, max_size=3).map("\n".join),
    rules(1),
    SUBS,
    OUTCOMES,
)


class Ambient:
    def __init__(self, seed):
        self.seed = seed

    def _say(self, *question):
        return zlib.crc32(repr((self.seed, question)).encode()) % 2 == 0

    def registered(self, user):
        return self._say("registered", user)

    def busy(self, user):
        return self._say("busy", user)

    def over(self, limit, key):
        return self._say("over", limit, key)

    def up(self, trunk):
        return self._say("up", trunk)

    def full(self, trunk):
        return self._say("full", trunk)


def facts(**given):
    return st.builds(
        d.Facts,
        time=st.sampled_from([1782727200.0, 1782770400.0]),
        source=st.sampled_from(SOURCES),
        transport=st.just("UDP"),
        ambient=st.integers(0, 1000).map(Ambient),
        trunk=st.sampled_from([None, "t1", "t2"]),
        authenticated=st.booleans(),
        caller=st.none() | NAMES,
        caller_number=st.none() | st.just("+4930555"),
        dialed=st.none() | st.sampled_from(DIALED),
        callee=st.none() | NAMES,
        anonymous=st.booleans(),
        diverted_by=st.none() | NAMES,
        headers=st.sampled_from([{}, {"x-a": "1"}, {"x-a": "2"}]),
        **given,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("generated")
    (folder / "users.yaml").write_text(USERS)
    (folder / "dids.csv").write_text("number,user\n030222222,bob\n100,alice\n1012,nobody\n0301234567,203\n")
    (folder / "routes.csv").write_text("prefix,via\n10,a\n101,b\n+49,c\n+4930,\n")
    return folder


def alike(made, expected):
    """A decision, and the walk that should have come to it; where a dial stands is told by what follows it."""
    walk, action = expected
    if isinstance(action, d.Dial):
        made_action = d.Dial(made.action.steps, action.frame, made.action.forwarder, made.action.notify)
    else:
        made_action = made.action
    assert made_action == action
    assert made.rules == tuple(walk.rules)
    assert made.takes == tuple(walk.takes)
    assert (made.headers, made.tags, made.logs) == (tuple(walk.headers), walk.tags, tuple(walk.logs))
    assert (made.asked, made.media) == (walk.asked, walk.media)


@pytest.mark.parametrize("fewest", [compile_index.FEWEST, 1])
@settings(max_examples=150, deadline=None)
@given(POLICIES, st.lists(facts(), min_size=1, max_size=6), st.sampled_from(list(DEFAULTS)), NAMES)
def test_a_compiled_policy_decides_what_its_tree_says(folder, fewest, text, events, kind, target):
    problems = []
    script = parse(text, "generated.route")
    loaded = load_setup(script, folder / "generated.route", problems)
    assert problems == []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compile_index, "FEWEST", fewest)
        policy = Policy(script, folder, loaded.setup, loaded.version, [])
    for event in events:
        walk = Walk(script, loaded.setup, event)
        made = policy.decide("call", event)
        alike(made, (walk, walk.event("call")))
        outcome = d.Outcome(kind, target, 404)
        if isinstance(made.action, d.Dial):
            then = Walk(script, loaded.setup, event, outcome)
            action = then.after(walk.dialled, kind)
            expected = action or d.Reject(404 if kind == "failure" else DEFAULTS[kind])
            alike(policy.resume(made.action.frame, outcome, event), (then, expected))


@pytest.mark.parametrize("fewest", [compile_index.FEWEST, 1])
@settings(max_examples=100, deadline=None)
@given(
    HOLDS,
    st.lists(
        facts(
            holder=st.none() | NAMES,
            held=st.none() | st.sampled_from(["bob", "0301234567"]),
            holder_is_caller=st.booleans(),
            held_for=st.sampled_from([0.5, 1.5, 90.0, 90.25]),
        ),
        min_size=1,
        max_size=6,
    ),
)
def test_a_hold_is_decided_as_its_tree_says(folder, fewest, text, events):
    script = parse(text, "generated.route")
    loaded = load_setup(script, folder / "generated.route", [])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compile_index, "FEWEST", fewest)
        policy = Policy(script, folder, loaded.setup, loaded.version, [])
    for event in events:
        walk = Walk(script, loaded.setup, event)
        alike(policy.decide("resume", event), (walk, walk.event("resume")))
