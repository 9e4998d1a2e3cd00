"""What an operator does: the command line, the settings file, and what a running server shows."""
