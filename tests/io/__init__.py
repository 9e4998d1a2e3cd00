"""The edge: real sockets on loopback where a socket is meant, memory and a mock clock where waiting is."""
