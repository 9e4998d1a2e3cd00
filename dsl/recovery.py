"""Where statements begin and end in a file that cannot be parsed, so that one mistake does not hide the next.

Owns a reading of the text by lines and braces alone, which holds for any damage. Columns and lines never
move: what is unreadable is overwritten with blanks.
"""

from __future__ import annotations

import re

from dsl.language import first_words, words

_PIECE = re.compile(r'"[^"\n]*"?|`[^`\n]*`?|#[^\n]*|[{}]')
_PIECE_OR_LINE = re.compile(rf"{_PIECE.pattern}|^(?P<indent>[ \t]*)(?=[A-Za-z])", re.MULTILINE)
_WORD = re.compile(r"[A-Za-z][A-Za-z-]*")
_FIRST_WORD = re.compile(r"[ \t]*([A-Za-z][A-Za-z-]*|\}?)")


def _statements() -> frozenset[str]:
    return first_words("_declaration", "_statement", "outcome", "_setting", "_step")


def open_braces(text: str, at: int) -> list[int]:
    """Where the blocks begin that are still open at this offset, the outermost first."""
    opened: list[int] = []
    for piece in _PIECE.finditer(text, 0, at):
        if piece[0] == "{":
            opened.append(piece.start())
        elif piece[0] == "}" and opened:
            opened.pop()
    return opened


def unclosed_brace(text: str, at: int) -> int | None:
    """Of blocks that are still open at this offset the one whose end was forgotten, if there is one.

    It is the first below which something stands no further right than the line that begins it, since nobody writes so
    on purpose; else the innermost.
    """
    still_open = open_braces(text, at)
    opened: list[int] = []
    for piece in _PIECE_OR_LINE.finditer(text, line_start(text, still_open[0]) if still_open else at, at):
        if piece[0] == "{":
            opened.append(piece.start())
        elif piece[0] == "}" and opened:
            opened.pop()
        elif piece["indent"] is not None and opened and len(piece["indent"]) <= _indent(text, opened[-1]):
            return opened[-1]
    return still_open[-1] if still_open else None


def _indent(text: str, at: int) -> int:
    """How far right the line of this offset begins."""
    line = text[line_start(text, at) : line_end(text, at)]
    return len(line) - len(line.lstrip())


def line_start(text: str, at: int) -> int:
    """The offset of the first character of this line."""
    return text.rfind("\n", 0, at) + 1


def line_end(text: str, at: int) -> int:
    """The offset of this line's end."""
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def first_word(text: str, at: int) -> str:
    """The word, or the closing brace, with which this line begins."""
    found = _FIRST_WORD.match(text, line_start(text, at))
    return found[1] if found else ""


def begins_declaration(text: str, at: int) -> bool:
    """Whether a declaration's word stands at the very left of this line."""
    word = _WORD.match(text, line_start(text, at))
    return word is not None and word[0] in first_words("_declaration")


def next_declaration(text: str, at: int) -> int:
    """The offset of the next line at whose left a declaration begins, or the end."""
    here = line_end(text, at)
    while here < len(text) and not begins_declaration(text, here + 1):
        here = line_end(text, here + 1)
    return here


def begins_statement(text: str, at: int) -> bool:
    """Whether the word at this offset is the first on its line, and one with which a statement begins."""
    found = _FIRST_WORD.match(text, line_start(text, at))
    return found is not None and found.start(1) == at and found[1] in _statements()


def statement_around(text: str, at: int, new: bool) -> tuple[int, int]:
    """From where to where the statement goes that this offset is in, with its block, by lines.

    `new`: it begins on this line, whatever its first word is.
    """
    start = line_start(text, at)
    while not new and start > 0 and first_word(text, start) not in _statements():
        before = line_start(text, start - 1)
        if first_word(text, before) == "}":
            break
        start = before
    return start, _statement_end(text, start, at)


def _statement_end(text: str, start: int, at: int) -> int:
    depth = 0
    here = start
    while here < len(text):
        end = line_end(text, here)
        for piece in _PIECE.finditer(text, here, end):
            if piece[0] == "{":
                depth += 1
            elif piece[0] == "}":
                if depth == 0:
                    return piece.start()
                depth -= 1
        here = min(end + 1, len(text))
        word = first_word(text, here)
        if here > at and (begins_declaration(text, here) or (depth == 0 and (word in _statements() or word == "}"))):
            break
        if here > at and depth == 0 and _seems_to_begin(text, here, start):
            break
    return here


def _seems_to_begin(text: str, at: int, start: int) -> bool:
    """Whether this line, of a word that is none of the language, stands no further right than the statement's first."""
    word = first_word(text, at)
    return word != "" and word not in words().values() and _indent(text, at) <= _indent(text, start)


def blanked(text: str, start: int, end: int) -> str:
    """The text with blanks from here to there; lines stay."""
    return text[:start] + re.sub(r"[^\n]", " ", text[start:end]) + text[end:]
