"""What is declared: present, once, with sensible numbers, and available in this version of the server.

Owns everything outside rules, and the literals inside them that stand for a time or a SIP status. Files, networks,
secrets and zones are checked where they are read.
"""

from __future__ import annotations

import re

from dsl import tree
from dsl.check.hours import check_hours
from dsl.check.report import Report, beginning
from dsl.diagnostics import joined, line_of, suggestion
from dsl.numbers import without_separators
from dsl.spoken import spoken
from dsl.vocabulary import LIMITED_BY, LIMITED_USERS, MEDIA, SERVICES, UNTOUCHABLE_HEADERS

_ONCE: dict[type[tree.Node], str] = {
    tree.PolicyName: "policy",
    tree.Domain: "domain",
    tree.Timezone: "timezone",
    tree.Country: "country",
    tree.NationalPrefix: "national",
    tree.InternationalPrefix: "international",
    tree.Emergency: "emergency",
}
_SETTINGS: dict[type[tree.Node], str] = {
    tree.Uri: "uri",
    tree.Peers: "peers",
    tree.Login: "login",
    tree.NumberFormat: "number",
    tree.FromChoice: "from",
    tree.CallerId: "caller-id",
    tree.Allow: "allow",
    tree.Channels: "channels",
    tree.Check: "check",
    tree.Failover: "failover",
    tree.Progress: "progress",
    tree.Trusted: "trusted",
    tree.Transit: "transit",
}
_TRUNK_URI = re.compile(r"sips?:([^\s<>\"@]+@)?[^\s<>\"@]+").fullmatch
_CALLER_ID = re.compile(r"\+?[0-9]+").fullmatch
_TOKEN = re.compile(r"[A-Za-z0-9.!%*_+`'~-]+").fullmatch
_LONGEST_DIAL = 600.0
_SHORTEST_CHECK = 5.0
_LONGEST_CHECK = 3600.0


def check_declarations(script: tree.Script, report: Report) -> None:
    """Check the declarations, and every time, status and header name in the script."""
    checker = _Checker(script, report)
    checker.presence()
    for node in tree.walk(script):
        checker.node(node)


class _Checker:
    def __init__(self, script: tree.Script, report: Report) -> None:
        self.script = script
        self.report = report

    def presence(self) -> None:
        """What must be there, and what must be there once."""
        first: dict[type[tree.Node], tree.Declaration] = {}
        for declaration in self.script.declarations:
            word = _ONCE.get(type(declaration))
            if word is not None and type(declaration) in first:
                self._twice(declaration, word, first[type(declaration)])
            first.setdefault(type(declaration), declaration)
        top = beginning(self.script)
        if not self.script.declarations:
            advice = 'a policy begins with `policy "my-office"` and `domain example.com`'
            self.report.wrong(top, "nothing is declared in this file", advice)
            return
        for kind, example in ((tree.PolicyName, '`policy "my-office"`'), (tree.Domain, "`domain example.com`")):
            if kind not in first:
                self.report.wrong(top, f"the policy has no `{_ONCE[kind]}`", f"write {example}")

    def _twice(self, node: tree.Node, word: str, first: tree.Node) -> None:
        message = f"`{word}` stands here twice"
        self.report.wrong(node, message, f"first in {line_of(first.span, node.span)}", first.span)

    def node(self, node: tree.Node) -> None:
        """Check one node by itself."""
        match node:
            case tree.Answer(service=service, sound=None) if service.text not in SERVICES:
                self._service(service)
            case tree.Media(choice=choice) | tree.ExpectMedia(choice=choice) if choice.text not in MEDIA:
                self._way(choice)
            case tree.Trunk():
                self._trunk(node)
            case tree.Hours():
                check_hours(node, self.report)
            case tree.Limit():
                self._limit(node)
            case tree.Duration(text=text, seconds=None):
                units = f"`{text}s`, `{text}min` or `{text}h`"
                self.report.wrong(node, f"`{text}` is a number, not a time", f"give it a unit: {units}")
            case tree.Duration(text=text, seconds=0):
                self.report.wrong(node, f"`{text}` is no time at all")
            case tree.Accept():
                self._accept(node)
            case tree.Reject(code=code):
                self._reject(code)
            case tree.Redirect(code=code) | tree.ExpectRedirect(code=tree.Code() as code):
                self._code(code, 300, 399, "a redirection has a status from 300 to 399, such as `302`")
            case tree.Dial():
                self._dial(node)
            case tree.Failover(codes=codes):
                for code in codes:
                    self._code(code, 400, 699, "write statuses from 400 to 699")
            case tree.SetHeader(name=name) | tree.StripHeader(name=name):
                self._header(name)
            case tree.Header(name=name) | tree.WithHeader(name=name) | tree.ExpectHeader(name=name):
                self._header_name(name)
            case _:
                pass

    # Declarations

    def _trunk(self, trunk: tree.Trunk) -> None:
        first: dict[type[tree.Node], tree.Setting] = {}
        for setting in trunk.settings:
            if type(setting) in first:
                self._twice(setting, _SETTINGS[type(setting)], first[type(setting)])
            first.setdefault(type(setting), setting)
            self._setting(setting)
        if tree.Uri not in first:
            message = f"trunk `{trunk.name.text}` does not say where it is"
            self.report.wrong(trunk.name, message, 'add `uri "sip:gateway.example"`')
        choice = first.get(tree.FromChoice)
        if isinstance(choice, tree.FromChoice) and choice.choice.text == "account" and tree.Login not in first:
            message = f"trunk `{trunk.name.text}` knows us by no account"
            self.report.wrong(choice, message, 'add `login "NAME" secret "ENTRY"`, or write `from caller`')

    def _setting(self, setting: tree.Setting) -> None:
        match setting:
            case tree.Uri(uri=uri) if not _TRUNK_URI(uri.value):
                self.report.wrong(uri, f"`{uri.value}` is no SIP address", 'one is written `"sip:gateway.example"`')
            case tree.Login(username=username) if not username.value.strip():
                self.report.wrong(username, "the account has no name", 'one is written `"acme"`')
            case tree.Login(username=username, secret=None, registers=True):
                advice = f'write `register as "{username.value}" secret "{username.value}"`, and that in `secrets.yaml`'
                self.report.wrong(setting, "nobody is let register without a secret", advice)
            case tree.CallerId(number=number) if not _CALLER_ID(without_separators(number.value)):
                self.report.wrong(number, f"`{number.value}` is no number", 'one is written `"+4930123456"`')
            case tree.Check(every=every) if every.seconds:
                self._interval(every, every.seconds)
            case tree.Channels(count=count) if count.value < 1:
                self.report.wrong(count, "a trunk without channels takes no call", "leave the trunk out instead")
            case _:
                pass

    def _interval(self, every: tree.Duration, seconds: float) -> None:
        if seconds < _SHORTEST_CHECK:
            self.report.wrong(every, f"a check every `{every.text}` is a burden to the trunk", "at least `5s`")
        elif seconds > _LONGEST_CHECK:
            self.report.wrong(every, f"a check every `{every.text}` comes too late to be of use", "at most `1h`")

    def _limit(self, limit: tree.Limit) -> None:
        if limit.count.value < 1:
            self.report.wrong(limit.count, "a limit of 0 is always passed", "write 1 or more")
        each = limit.each
        if each is not None and each.text not in LIMITED_BY:
            known = joined(f"`{name}`" for name in LIMITED_BY)
            meant = suggestion(each.text, LIMITED_BY)
            advice = f"write {known}" if meant is None else f"{meant} it counts for {known}"
            self.report.wrong(each, f"a limit cannot count for each `{each.text}`", advice)
        if limit.own is not None:
            self._own_limit(limit.own, each)

    def _own_limit(self, own: tree.Attribute, each: tree.Name | None) -> None:
        base = own.base.text
        if base not in LIMITED_USERS:
            advice = f"write {joined(f'`{name}.{own.attribute.text}`' for name in LIMITED_USERS)}"
            self.report.wrong(own.base, f"`{base}` is no user that a limit can count for", advice)
        elif each is None or each.text != base:
            counted = "all together" if each is None else f"each `{each.text}`"
            message = f"`{spoken(own)}` is of each `{base}`, and this limit counts for {counted}"
            self.report.wrong(own, message, f"write `for each {base}`")

    # Decisions

    def _accept(self, accept: tree.Accept) -> None:
        least, most = accept.min_expires, accept.max_expires
        if least is not None and most is not None and (least.seconds or 0.0) > (most.seconds or least.seconds or 0.0):
            self.report.wrong(most, f"`{most.text}` is less than `{least.text}`", "write the smaller one first")
        for bound in (least, most):
            if bound is not None and bound.seconds is not None and 0 < bound.seconds < 1:
                self.report.wrong(bound, "a registration is for whole seconds")
        if accept.max_contacts is not None and accept.max_contacts.value < 1:
            self.report.wrong(accept.max_contacts, "at least 1 contact must fit", "write `reject` to refuse")

    def _reject(self, code: tree.Code) -> None:
        if code.value in (401, 407):
            self.report.wrong(code, f"`{code.value}` asks who it is", "write `challenge`")
        else:
            self._code(code, 400, 699, "a refusal has a status from 400 to 699, such as `403` or `404`")

    def _code(self, code: tree.Code, least: int, most: int, advice: str) -> None:
        if not least <= code.value <= most:
            self.report.wrong(code, f"`{code.value}` cannot stand here", advice)

    def _dial(self, dial: tree.Dial) -> None:
        for step in dial.steps:
            duration = step.duration
            if duration is not None and duration.seconds is not None and duration.seconds > _LONGEST_DIAL:
                self.report.wrong(duration, f"`{duration.text}` is too long to ring", "at most `10min`")
            seen: set[str] = set()
            for party in step.parties:
                text = f"{spoken(party.target)} via {'' if party.trunk is None else spoken(party.trunk)}"
                if text in seen:
                    self.report.wrong(party, f"`{spoken(party.target)}` is in this step twice", "leave it out")
                seen.add(text)
        if dial.notify is not None:
            self._code(dial.notify, 180, 183, "write `181`: the call is being forwarded")

    def _service(self, service: tree.Name) -> None:
        advice = suggestion(service.text, SERVICES) or "write `echo`, `tone`, or `play` and a sound"
        self.report.wrong(service, f"nobody is answered with `{service.text}`", advice)

    def _way(self, choice: tree.Name) -> None:
        advice = suggestion(choice.text, MEDIA) or f"write {joined(f'`{way}`' for way in MEDIA)}"
        self.report.wrong(choice, f"media never flows `{choice.text}`", advice)

    # Headers

    def _header_name(self, name: tree.Text) -> bool:
        if _TOKEN(name.value):
            return True
        alone = name.value.rstrip(": ")
        advice = f'write `"{alone}"`' if _TOKEN(alone) else 'one is written `"X-Account"`'
        self.report.wrong(name, f"`{name.value}` is no name of a header", advice)
        return False

    def _header(self, name: tree.Text) -> None:
        if self._header_name(name):
            for purpose, headers in UNTOUCHABLE_HEADERS.items():
                if name.value.lower() in headers.split():
                    advice = f"headers of {purpose} are the server's own"
                    self.report.wrong(name, f"no script can change `{name.value}`", advice)
