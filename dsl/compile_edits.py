"""Actions that decide nothing into functions: tags, log lines, headers of the called side, the way of the media.

Owns keeping line ends and other control characters out of what a caller's value may carry into a header
or a log.
"""

from __future__ import annotations

from typing import assert_never

from dsl import tree
from dsl.compile_values import Compiled, Scope
from dsl.decision import HeaderEdit
from dsl.evaluate import Execute, Run
from dsl.vocabulary import MEDIA

_CONTROLS = dict.fromkeys([*range(32), *range(127, 160)], " ")


def compiled_edit(action: tree.Action, scope: Scope) -> Execute:
    """The function of an action; an absent value leaves things as they are."""
    match action:
        case tree.Tag(name=name, value=expression):
            value = scope.compiled(expression).value

            def tag(run: Run) -> None:
                text = value(run)
                if text is not None:
                    run.tags[name.text] = clean(text)

            return tag
        case tree.Log(text=expression):
            line = _line(expression, scope).value

            def log(run: Run) -> None:
                text = line(run)
                if text is not None:
                    run.logs.append(clean(text))

            return log
        case tree.SetHeader(name=header, value=expression):
            content = scope.compiled(expression).value

            def set_header(run: Run) -> None:
                text = content(run)
                if text is not None:
                    run.headers.append(HeaderEdit(header.value, clean(text)))

            return set_header
        case tree.StripHeader(name=header):
            edit = HeaderEdit(header.value, None)
            return lambda run: run.headers.append(edit)
        case tree.Media(choice=choice):
            way = next(known for known in MEDIA if known == choice.text)

            def media(run: Run) -> None:
                run.media = way

            return media
        case _:
            assert_never(action)


def _line(expression: tree.Expression, scope: Scope) -> Compiled:
    """What a log line says: an absent value in it is a dash, and no line less."""
    if isinstance(expression, tree.Composed):
        return scope.composed(expression, "-")
    return scope.compiled(expression)


def clean(value: str | float) -> str:
    """A value without control characters."""
    return str(value).translate(_CONTROLS)
