"""The media process: a child that owns the RTP ports, relays and plays; and the server's side of it."""
