"""Asking a running server by its control socket.

Owns finding it and understanding its answer. Plain and blocking: one question, one answer, and out.
"""

from __future__ import annotations

import json
import socket
from pathlib import Path

import msgspec

from b2bua.io.failure import ServerError
from b2bua.io.requests import CONTROL, Refused, Request

SECONDS = 60.0
"""For an answer: a reload reads all tables first."""


def ask(state: Path, request: Request, seconds: float = SECONDS) -> object:
    """The result, as JSON has it. Raises Refused with the server's reason, ServerError when it cannot be asked."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(seconds)
            sock.connect(str(state / CONTROL))
            sock.sendall(msgspec.json.encode(request) + b"\n")
            with sock.makefile("rb") as answers:
                line = answers.readline()
    except (FileNotFoundError, ConnectionRefusedError):
        raise ServerError(f"no server runs with the state directory {state}; say which with --state") from None
    except OSError as error:
        raise ServerError(f"the server of {state} cannot be asked: {error.strerror or error}") from None
    if not line:
        raise ServerError(f"the server of {state} gave no answer; its log says why")
    answer = json.loads(line)
    if "error" in answer:
        raise Refused(answer["error"])
    result: object = answer["result"]
    return result
