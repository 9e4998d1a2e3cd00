"""Everything that waits: sockets, names, the store, the clock, signals. Deciding is the core's."""
