"""A SIP back-to-back user agent whose routing is written in a small language."""

__version__ = "0.1.0"
