"""Golden flows: what both sides of a call send and see, and when, one file each, the simplest first.

A `.flow` file is a script for parties around the core, under a clock that is a number. It opens with the RFC section
that it shows; then stand who is there and the policy, where the usual ones will not do; then what happens:

    0.0  alice > INVITE [to bob]      0.0  bob < INVITE [sdp = alice's]

At 0.0 s alice sends an INVITE and bob gets one, whose session description is alice's. A party sends only what its
lines say, built as an honest phone would from what it has seen; what stands in brackets changes that. What a party
gets must stand there, at its time and in its order, with nothing between; in brackets stand further checks. Four
things are understood and need no line: 100, the 200 to a CANCEL, the ACK to a 3xx to 6xx on either side, and
octets that were already seen (`retransmissions shown` makes those need one). At the end the clock runs on until the
core is empty, and the records must be those that the file lists.

`script` reads the files, `party` sends and receives, `check` compares, `stage` is the world, `play` the performance.
"""
