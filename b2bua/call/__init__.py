"""Calls: two legs, and a decision of what connects them."""
