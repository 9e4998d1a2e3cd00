"""Routing: a request's facts go to the policy, and its decision comes back as something that a call can do."""
