"""Dialogs: what two user agents know of each other between requests (RFC 3261 section 12)."""
