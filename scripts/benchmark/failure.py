"""The one error of the benchmark: something could not run, with a sentence that says what."""

from __future__ import annotations


class BenchError(Exception):
    """A program is missing, would not start, died, or took no load: the text is for the reader."""
