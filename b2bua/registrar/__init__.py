"""Who may register, and where each user can be reached (RFC 3261 section 10)."""
