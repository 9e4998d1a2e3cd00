"""What is told of a script that cannot be read as a file at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dsl.diagnostics import PolicyError, Problem
from dsl.encoding import not_utf_8


@contextmanager
def readable(name: str) -> Iterator[None]:
    """Raise PolicyError, which calls the file `name`, where reading it fails or what it holds is not UTF-8."""
    try:
        yield
    except OSError as error:
        raise PolicyError([Problem(name, 1, 1, 1, f"this cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError as error:
        raise PolicyError([not_utf_8(name, error)]) from None
