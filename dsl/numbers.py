"""Telephone numbers: what a text means under the policy's `country`, and the form that a trunk wants
(ITU-T E.164).

Owns separators, national and international prefixes and formats. Which country has which prefixes is in
`countries`; which numbers a trunk takes is its `allow` list (`patterns`).
"""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

from dsl.countries import COUNTRIES
from dsl.values import Frozen

Format: TypeAlias = Literal["e164", "plain", "national", "as-dialed"]

_SEPARATORS = str.maketrans("", "", " -.()")
_WRITTEN = re.compile(r"[0-9+*#][0-9*# .()-]*|\([0-9*# .()-]*").fullmatch
_DIGITS = re.compile(r"[0-9]+").fullmatch
_E164 = re.compile(r"\+[1-9][0-9]{6,14}").fullmatch
_PREFIX = re.compile(r"\+?[0-9]+").fullmatch


class UnknownCountryError(ValueError):
    """No prefixes are known for this country code, and the policy gives none."""


def without_separators(text: str) -> str:
    """Remove what is only there for the eye (RFC 3966 5.1.1, and spaces) from a number; leave other text
    as it is.
    """
    if _PREFIX(text) or not _WRITTEN(text):
        return text
    return text.translate(_SEPARATORS)


class NumberPlan(Frozen):
    """How numbers are written where the policy is at home. Without a country only `+` forms are numbers.

    `country` holds digits alone; `bare` the least and most digits of a number dialled in full without a
    prefix.
    """

    country: str | None = None
    national: str = ""
    international: str = ""
    bare: tuple[int, int] | None = None

    def e164(self, text: str | None) -> str | None:
        """The number as `+` and 7 to 15 digits (E.164 section 6), or None when the text is no number here."""
        if text is None or _E164(text):
            return text
        if not _DIGITS(text):
            text = without_separators(text)
            if not _DIGITS(text):
                return text if _E164(text) else None
        number = self._international(text)
        return number if number is not None and 8 <= len(number) <= 16 and number[1] != "0" else None

    def _international(self, digits: str) -> str | None:
        if self.international and digits.startswith(self.international):
            return "+" + digits[len(self.international) :]
        if self.country is None:
            return None
        if self.national and digits.startswith(self.national):
            return f"+{self.country}{digits[len(self.national) :]}"
        if self.bare is not None and self.bare[0] <= len(digits) <= self.bare[1]:
            return f"+{self.country}{digits}"
        return None

    def key(self, text: str) -> str:
        """The form under which a number is looked up: E.164 where it has one, else without separators."""
        return self.e164(text) or without_separators(text)

    def prefix_key(self, text: str) -> str:
        """The form of the beginning of a number, as `key` would begin for the numbers that it begins."""
        if not _DIGITS(text):
            text = without_separators(text)
            if not _DIGITS(text):
                return text
        if self.national or self.country is None or text.startswith(self.international):
            return self._international(text) or text
        return text

    def formatted(self, text: str, form: Format) -> str | None:
        """The number as a trunk wants it; None when that needs an E.164 number and the text is none."""
        if form == "as-dialed":
            return without_separators(text)
        number = self.e164(text)
        if number is None or form == "e164":
            return number
        if form == "plain":
            return number[1:]
        if self.country is not None and number.startswith(self.country, 1):
            return self.national + number[1 + len(self.country) :]
        return (self.international or "+") + number[1:]


def plan_for(country: str | None, national: str | None = None, international: str | None = None) -> NumberPlan:
    """The plan of a country (`+49` or `49`) whose prefixes may be given, `none` included as an empty text.

    Raises UnknownCountryError when a prefix is neither given nor known.
    """
    if country is None:
        return NumberPlan(None, "", international or "")
    digits = country.lstrip("+")
    known = COUNTRIES.get(digits)
    if known is None and (national is None or international is None):
        raise UnknownCountryError(digits)
    if national is None and known is not None:
        national = known.national
    if international is None and known is not None:
        international = known.international
    bare = known.bare if known is not None and national == known.national else None
    return NumberPlan(digits, national or "", international or "", bare)
