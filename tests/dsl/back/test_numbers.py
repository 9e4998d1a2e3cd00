"""Numbers as they are written in one country and wanted in another form by a trunk."""

import pytest

from dsl.countries import COUNTRIES
from dsl.numbers import NumberPlan, UnknownCountryError, plan_for, without_separators

GERMANY = plan_for("+49")
ITALY = plan_for("+39")
AMERICA = plan_for("+1")


@pytest.mark.parametrize(
    ("plan", "text", "number"),
    [
        (GERMANY, "+4930123456", "+4930123456"),
        (GERMANY, "004930123456", "+4930123456"),
        (GERMANY, "030123456", "+4930123456"),
        (GERMANY, "(030) 123-456", "+4930123456"),
        (GERMANY, "+49 30/1", None),
        (GERMANY, "4930123456", None),
        (GERMANY, "110", None),
        (GERMANY, "0", None),
        (GERMANY, "00012345678", None),
        (GERMANY, "*43", None),
        (GERMANY, "bob", None),
        (GERMANY, "", None),
        (GERMANY, "+", None),
        (GERMANY, "+49123", None),
        (GERMANY, "+4912345678901234", None),
        (GERMANY, "٠٣٠١٢٣٤٥٦", None),
        (ITALY, "06123456", "+3906123456"),
        (ITALY, "004930123456", "+4930123456"),
        (ITALY, "112", None),
        (AMERICA, "12125551234", "+12125551234"),
        (AMERICA, "2125551234", "+12125551234"),
        (AMERICA, "22125551234", None),
        (AMERICA, "0114930123456", "+4930123456"),
        (NumberPlan(), "+4930123456", "+4930123456"),
        (NumberPlan(), "030123456", None),
        (GERMANY, None, None),
    ],
)
def test_a_text_is_a_number_or_absent(plan, text, number):
    assert plan.e164(text) == number


def test_separators_leave_numbers_and_stay_in_names():
    assert without_separators("+49 (30) 12-34.5") == "+493012345"
    assert without_separators("bob.smith-2") == "bob.smith-2"
    assert without_separators("12-bob") == "12-bob"


@pytest.mark.parametrize(
    ("form", "home", "abroad"),
    [
        ("e164", "+4930123456", "+442071234567"),
        ("plain", "4930123456", "442071234567"),
        ("national", "030123456", "00442071234567"),
        ("as-dialed", "030123456", "00442071234567"),
    ],
)
def test_each_trunk_format(form, home, abroad):
    assert GERMANY.formatted("030 123456", form) == home
    assert GERMANY.formatted("0044 2071234567", form) == abroad


def test_what_is_no_number_is_dialled_only_as_it_was_written():
    assert GERMANY.formatted("*43", "as-dialed") == "*43"
    assert GERMANY.formatted("*43", "e164") is None


def test_national_form_without_an_international_prefix_keeps_the_plus():
    assert NumberPlan().formatted("+442071234567", "national") == "+442071234567"


def test_a_policy_may_give_prefixes_of_its_own():
    plan = plan_for("+55", national="0", international="0021")
    assert plan.e164("00214930123456") == "+4930123456"
    assert plan_for("+999", national="", international="00").e164("004930123456") == "+4930123456"
    with pytest.raises(UnknownCountryError):
        plan_for("+999")


def test_keys_and_prefix_keys_take_the_same_form():
    assert GERMANY.key("030 123456") == "+4930123456"
    assert GERMANY.key("*43") == "*43"
    for written in ("0049", "+49"):
        assert GERMANY.prefix_key(written) == "+49"
    assert GERMANY.prefix_key("030") == GERMANY.prefix_key("0 30") == "+4930"
    assert GERMANY.prefix_key("9") == "9"


def test_the_country_table_is_sound():
    assert len(COUNTRIES) > 200
    for code, country in COUNTRIES.items():
        assert code.isdigit() and country.international.isdigit()
        assert country.national == "" or country.national.isdigit()
        assert (country.bare is None) == (country.national != "") or code == "1"
    assert not any(a != b and b.startswith(a) for a in COUNTRIES for b in COUNTRIES)
