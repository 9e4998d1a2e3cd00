"""The desk: a process beside the server that serves HTTP. What becomes of it costs calls nothing."""
