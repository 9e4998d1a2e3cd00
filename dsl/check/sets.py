"""What stands after `in`: elements that fit the value, ranges that go forwards, nothing that is there already.

Owns sets and ranges written out in conditions, and what is there twice in declared `numbers`. The files of `numbers`,
and what is no number at all, are told of where they are read.
"""

from __future__ import annotations

import msgspec

from dsl import tree
from dsl.check.report import Report
from dsl.compile_numbers import amount, written
from dsl.networks import NetworkError, parse_network
from dsl.number_sets import RangeError, check_range
from dsl.patterns import PatternError, parse_pattern
from dsl.resolve import Kind, Names
from dsl.spoken import spoken
from dsl.vocabulary import Type

_USERS = frozenset({Type.USER, Type.PARTY, Type.WRITTEN, Type.UNKNOWN})
_TEXTS = frozenset({Type.TEXT, Type.PARTY, Type.WRITTEN, Type.UNKNOWN})
_ADDRESSES = frozenset({Type.ADDRESS, Type.UNKNOWN})
_AMOUNTS = frozenset({Type.WHOLE, Type.UNKNOWN})
_TIMES = frozenset({Type.TIME, Type.UNKNOWN})


class Sets:
    """Checks what stands after `in`, given the value before it, its type and how it is written."""

    def __init__(self, names: Names, report: Report) -> None:
        self.names = names
        self.report = report

    def collection(self, item: tree.Expression, kind: Type, collection: tree.Collection) -> None:
        """Check a whole collection."""
        if not isinstance(collection, tree.Set):
            self._element(item, kind, collection, item)
            return
        for element in collection.elements:
            self._element(item, kind, element, element)
        self.repeated(collection.elements, amounts=kind in (Type.WHOLE, Type.TIME))

    def _element(self, item: tree.Expression, kind: Type, element: tree.Element, at: tree.Node) -> None:
        match element:
            case tree.Name():
                self._name(item, kind, element, at)
            case tree.Network():
                self._network(element)
                if kind not in _ADDRESSES:
                    self._misfit(at, item, kind, "a net holds addresses", "write `source in ...`")
            case tree.Range():
                self._range(item, kind, element)
            case tree.Pattern():
                self._pattern(element)
                if kind not in _TEXTS:
                    self._misfit(at, item, kind, "a pattern is of texts")
            case tree.Text(value=text):
                if kind not in _TEXTS:
                    advice = f"write {text} without quotes" if kind in (Type.USER, Type.ADDRESS) else None
                    self._misfit(at, item, kind, f"`{spoken(element)}` is {Type.TEXT}", advice)
            case tree.Integer(text=digits):
                if kind not in _TEXTS | _AMOUNTS:
                    units = f"a time needs a unit: `{digits}s`, `{digits}min` or `{digits}h`"
                    self._misfit(at, item, kind, f"`{digits}` is a number", units if kind is Type.TIME else None)
            case _:
                if kind not in _TIMES:
                    self._misfit(at, item, kind, f"`{element.text}` is {Type.TIME}")

    def _misfit(self, at: tree.Node, item: tree.Expression, kind: Type, what: str, advice: str | None = None) -> None:
        self.report.wrong(at, f"`{spoken(item)}` is {kind}, and {what}", advice)

    def _name(self, item: tree.Expression, kind: Type, name: tree.Name, at: tree.Node) -> None:
        meaning, text = self.names.of(name).kind, spoken(name)
        if meaning is Kind.NET:
            if kind not in _ADDRESSES:
                self._misfit(at, item, kind, "a net holds addresses", "write `source in ...`")
        elif meaning is Kind.NUMBERS:
            if kind not in _TEXTS:
                number = f"write `{spoken(item)}.number`" if kind is Type.USER else None
                self._misfit(at, item, kind, f"`{text}` holds numbers", number)
        elif meaning is not Kind.UNKNOWN and kind not in _USERS:
            holds = f"`{text}` is a user" if meaning is Kind.USER else f"`{text}` holds users"
            alone = text if at is item else "..."
            advice = f"write `callee in {alone}`" if spoken(item) == "dialed" else None
            self._misfit(at, item, kind, holds, advice)

    def _network(self, network: tree.Network) -> None:
        try:
            parse_network(network.text)
        except NetworkError as error:
            self.report.wrong(network, error.message, error.advice)

    def _pattern(self, pattern: tree.Pattern) -> None:
        try:
            captures = parse_pattern(pattern.text).captures
        except PatternError as error:
            place = pattern.span.on_line(pattern.span.column + 1 + error.offset, 1)
            self.report.wrong(place, error.message, error.advice)
            return
        if captures:
            advice = "write `matches` and the pattern alone"
            self.report.wrong(pattern, f"`{captures[0][0]}` would be captured by one of several only", advice)

    def _range(self, item: tree.Expression, kind: Type, interval: tree.Range) -> None:
        low, high = interval.low, interval.high
        times = isinstance(low, tree.Duration), isinstance(high, tree.Duration)
        texts = isinstance(low, tree.Text) or isinstance(high, tree.Text)
        if times[0] != times[1]:
            bare = high if times[0] else low
            self.report.wrong(bare, f"`{spoken(bare)}` is no time", "give both ends a unit, such as `60s`")
        elif times[0] or (kind in (Type.WHOLE, Type.TIME) and not texts):
            if kind not in (_TIMES if times[0] else _AMOUNTS):
                what = Type.TIME if times[0] else Type.WHOLE
                unit = "give both ends a unit, such as `60s`" if kind is Type.TIME else None
                self._misfit(interval, item, kind, f"`{written(low)}` is {what}", unit)
            elif (amount(low) or 0) >= (amount(high) or 0):
                self._backwards(interval)
        elif kind not in _TEXTS:
            self._misfit(interval, item, kind, f"`{spoken(interval)}` is a range of numbers")
        else:
            self._digits(interval)

    def _backwards(self, interval: tree.Range) -> None:
        low, high = spoken(interval.low), spoken(interval.high)
        if amount(interval.low) == amount(interval.high):
            self.report.wrong(interval, "this range is a single value", f"write `{low}` alone")
        else:
            self.report.wrong(interval, "this range goes backwards", f"write `{high} to {low}`")

    def _digits(self, interval: tree.Range) -> None:
        try:
            check_range(written(interval.low), written(interval.high))
        except RangeError as error:
            self.report.wrong(interval, error.message, error.advice)

    # What is there already

    def repeated(self, elements: tuple[tree.Element, ...], amounts: bool = False) -> None:
        """Tell of elements that others have in them. `amounts`: literals are amounts, else digits to dial."""
        widest: tuple[_Extent, tree.Element] | None = None
        extents = sorted((_extent(element, amounts), number) for number, element in enumerate(elements))
        for extent, number in extents:
            element = elements[number]
            if widest is not None and widest[0].unit == extent.unit and extent.low <= widest[0].high:
                self._twice(element, widest[1])
            if widest is None or widest[0].unit != extent.unit or extent.high > widest[0].high:
                widest = (extent, element)

    def _twice(self, one: tree.Element, other: tree.Element) -> None:
        first, later = sorted((one, other), key=lambda element: (element.span.line, element.span.column))
        ranges = [element for element in (first, later) if isinstance(element, tree.Range)]
        if len(ranges) == 2:
            message = f"`{spoken(later)}` overlaps `{spoken(first)}`"
            self.report.wrong(later, message, "write them as one, or apart", first.span)
        elif ranges:
            single = later if first is ranges[0] else first
            self.report.wrong(single, f"`{spoken(single)}` is in `{spoken(ranges[0])}` already", "leave it out")
        else:
            self.report.wrong(later, f"`{spoken(later)}` stands here twice", "leave it out", first.span)


class _Extent(msgspec.Struct, frozen=True, order=True):
    """From where to where an element goes, among those of the same unit, in the order of their values."""

    unit: str
    low: tuple[float, str]
    high: tuple[float, str]


def _extent(element: tree.Element, amounts: bool) -> _Extent:
    match element:
        case tree.Range(low=low, high=high):
            bounds = low, high
        case tree.Text() | tree.Integer() | tree.Duration():
            bounds = element, element
        case _:
            return _Extent(type(element).__name__, (0.0, spoken(element)), (0.0, spoken(element)))
    if amounts:
        return _Extent("amount", (amount(bounds[0]) or 0, ""), (amount(bounds[1]) or 0, ""))
    first, last = written(bounds[0]), written(bounds[1])
    unit = "digits" if first.removeprefix("+").isdigit() else "text"
    return _Extent(f"{unit} {len(first)}", (0.0, first), (0.0, last))
