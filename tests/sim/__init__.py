"""The seeded simulator: a core, ten phones and a carrier's gateway on a bad network, under a clock that is a number.

Owns the virtual clock, the link between the parties, user agents with transactions and dialogs of their own (so
that they check the core's instead of sharing its mistakes), and the rules that must hold whatever happens. One seed
is one run, always the same. `python -m tests.sim SEED` prints it as a ladder.
"""
