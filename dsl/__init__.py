"""The routing language: what a policy says, whether it holds together, and what it decides."""
