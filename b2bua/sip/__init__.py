"""What the wire says: the messages of RFC 3261, read tolerantly and written strictly."""
