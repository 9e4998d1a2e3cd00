"""Texts with values in them, and what a script does to headers."""

from dsl.decision import Facts, HeaderEdit
from dsl.policy import load
from dsl.rehearsal import World


def decided(folder, rules, **given):
    (folder / "users.yaml").write_text(
        'alice: {password: a, team: sales, number: "+4930111"}\nbob: {password: b, team: sales, away: yes}\n'
    )
    (folder / "rows.csv").write_text("key,account\n0301234,77\n")
    (folder / "x.route").write_text(
        f"""policy "x" domain office.example country +49
users staff from "users.yaml"
table rows from "rows.csv" key text
on register {{ otherwise -> reject 403 }}
on call {{
{rules}
  otherwise -> reject 404
}}
"""
    )
    policy = load(folder / "x.route")
    facts = Facts(**{"time": 0.0, "source": "192.0.2.1", "transport": "udp", "ambient": World(policy)} | given)
    return policy.decide("call", facts)


def test_values_stand_in_headers_tags_and_log_lines(tmp_path):
    made = decided(
        tmp_path,
        "also when lookup rows dialed as row and dialed matches `030{rest:X(4)}`"
        ' -> set header "X-A" to "a={row.account}",'
        ' tag to "{rest} {{{e164(dialed)}}}", log "{caller} of {caller.team} from {source}"',
        caller="alice",
        authenticated=True,
        dialed="0301234",
    )
    assert made.headers == (HeaderEdit("X-A", "a=77"),)
    assert made.tags == {"to": "1234 {+49301234}"}
    assert made.logs == ("alice of sales from 192.0.2.1",)


def test_what_is_absent_leaves_headers_and_tags_out_and_is_a_dash_in_a_log_line(tmp_path):
    rules = 'set header "X-A" to "a {caller.team}"\ntag a "a {caller.team}"\nlog "{caller.team} calls {dialed}"'
    made = decided(tmp_path, rules, dialed="1")
    assert (made.headers, made.tags, made.logs) == ((), {}, ("- calls 1",))


def test_no_value_brings_a_line_end_into_a_header(tmp_path):
    made = decided(tmp_path, 'set header "X-A" to "of {claimed}"', claimed="a\r\nX-B: c")
    assert made.headers == (HeaderEdit("X-A", "of a  X-B: c"),)


def test_headers_are_edited_in_the_order_of_the_rules(tmp_path):
    made = decided(
        tmp_path,
        'strip header "Subject" set header "X-A" to "1" set header "X-A" to header "X-B"',
        headers={"x-b": "2"},
    )
    assert [(edit.name, edit.value) for edit in made.headers] == [("Subject", None), ("X-A", "1"), ("X-A", "2")]


def codes(folder, condition, *calls):
    return [decided(folder, f"  when {condition} -> reject 486", **call).action.code for call in calls]


def test_headers_are_asked_by_their_first_value(tmp_path):
    calls = [{"headers": {"x-a": value}} for value in ("7", "8", "123")] + [{}]
    assert codes(tmp_path, 'header "X-A" == "7"', *calls) == [486, 404, 404, 404]
    assert codes(tmp_path, 'header "x-a" in ("7", `1X(2)`)', *calls) == [486, 404, 486, 404]
    assert codes(tmp_path, 'header "X-A" not in ("7", "8")', *calls) == [404, 404, 486, 486]
    assert codes(tmp_path, 'header "X-A" matches `1{n:X(2)}`', *calls) == [404, 404, 486, 404]
    assert codes(tmp_path, 'header "X-A" is absent', *calls) == [404, 404, 404, 486]


def test_attributes_are_asked_of_users_whoever_they_are(tmp_path):
    both = {"caller": "alice", "authenticated": True, "callee": "bob"}
    one = {"callee": "bob"}
    assert codes(tmp_path, "callee.team == caller.team", both, one) == [486, 404]
    assert codes(tmp_path, 'callee.team in ("sales", "support")', both, one) == [486, 486]
    assert codes(tmp_path, 'callee.away == "yes"', one, {"callee": "alice"}) == [486, 404]
    assert codes(tmp_path, "caller.team is absent", both, one) == [404, 486]
