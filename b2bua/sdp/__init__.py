"""Session descriptions (RFC 8866): what the server has to know of them, and the one line that it writes anew."""
