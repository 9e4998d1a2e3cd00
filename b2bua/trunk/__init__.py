"""Trunks as they live: whether they take calls, whether we are registered there, and what their calls taught us."""
