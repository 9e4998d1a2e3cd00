"""Media without sockets: the packets that we write, who may send to us, and when a sound's next packet is due."""
