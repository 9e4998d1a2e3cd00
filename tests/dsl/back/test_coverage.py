"""Which rules tests came to: rules with conditions, outcomes where a dial stands, decisions that stand alone."""

from dsl import tester
from dsl.coverage import coverage

from .office import office

SCRIPT = """\
policy "covered"
domain acme.example
users staff from "users.yaml"
on register { reject 403 }
on call {
  log "a call"
  also when anonymous -> tag team "x"
  when callee in staff -> dial callee {
    busy -> reject 486
    failure { when code == 404 -> reject 404 otherwise -> do gone() }
  }
  do gone()
}
sub gone() { reject 410 }
"""


def covered(folder, *tests):
    written = "".join(f'test "{number}" {{ {text} }}\n' for number, text in enumerate(tests))
    policy = office(folder, SCRIPT + written)
    found = coverage(policy, tester.run(policy))
    return found, [f"{rule.place} {rule.rule}" for rule in found.missed]


def test_each_rule_is_missed_until_a_test_comes_to_it(tmp_path):
    found, missed = covered(tmp_path, "call from alice to bob expect dial bob")
    assert missed == [
        "4:15 reject",
        "7:3 also when anonymous",
        "9:5 busy",
        "10:5 failure",
        "10:15 when code == 404",
        "10:46 otherwise",
        "12:3 do",
        "14:14 reject",
    ]
    assert (len(found.rules), found.fired, found.percent) == (9, 1, 11)


def test_several_tests_together_come_to_all_rules(tmp_path):
    found, missed = covered(
        tmp_path,
        "register alice expect reject 403",
        "given bob answers 486 call from alice to bob anonymous expect dial bob expect reject 486",
        "given bob answers 404 call from alice to bob expect dial bob expect reject 404",
        "given bob answers 405 call from alice to bob expect dial bob expect reject 410",
        'call from alice to "zoe" expect reject 410',
    )
    assert (missed, found.percent) == ([], 100)


def test_what_a_failed_test_came_to_counts_too(tmp_path):
    _, missed = covered(tmp_path, 'call from alice to "zoe" expect reject 404')
    assert "12:3 do" not in missed
