"""Ports that nobody has."""

from __future__ import annotations

import socket


def free_port() -> int:
    """One of loopback, for UDP and TCP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        datagrams.bind(("127.0.0.1", 0))
        port: int = datagrams.getsockname()[1]
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as stream:
            stream.bind(("127.0.0.1", port))
        return port
