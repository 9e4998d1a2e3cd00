"""The server as its users start it, against real clients over loopback.

Owns the third ring of tests and the small library under it, which `scripts/demo` uses too: programs and their
logs, free ports, SIPp with our own scenarios, baresip with its control socket, music that can be told apart.
Nothing here imports the product: it is started, called and asked, as its users do.
"""
