"""What a script declares, as a list to jump by, and the script in the one style."""

from __future__ import annotations

import msgspec

from dsl import tree
from dsl.editor.view import View
from dsl.tree import Span


class Entry(msgspec.Struct, frozen=True):
    """A declaration: the word that it begins with, its name, all of it, and where its name stands."""

    kind: str
    name: str
    span: Span
    selected: Span


def outline(view: View, file: str) -> list[Entry]:
    """The declarations of one of a policy's scripts that have names."""
    found: list[Entry] = []
    for declaration in view.script.declarations:
        if declaration.span.file != file:
            continue
        kind = view.written(declaration.span).split()[0]
        match declaration:
            case tree.On(events=events, names=names):
                found.append(Entry(kind, f"on {', '.join(names)}", declaration.span, events[0].span))
            case tree.Test(title=title):
                found.append(Entry(kind, f"test {title.value}", declaration.span, title.span))
            case _:
                named = getattr(declaration, "name", None)
                if isinstance(named, tree.Name):
                    found.append(Entry(kind, f"{kind} {named.text}", declaration.span, named.span))
    return found
