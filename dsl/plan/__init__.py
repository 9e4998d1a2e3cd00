"""What a changed policy would have done with calls that were: recorded facts, decided again."""
