"""Messages outside of any dialog, on their way to the phones of a user (RFC 3428)."""
