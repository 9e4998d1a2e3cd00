"""`b2bua doctor`: whether everything is as a server needs it, and what to do where it is not."""
