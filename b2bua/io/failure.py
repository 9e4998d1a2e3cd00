"""The one error of the edge: the server cannot start, or cannot do what its operator asks."""

from __future__ import annotations


class ServerError(Exception):
    """The text is a sentence or two for the operator: what is wrong, and what to do about it."""
