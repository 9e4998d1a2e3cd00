"""From the name of a host to the servers behind it: what is known, and which of them is tried first (RFC 3263)."""
