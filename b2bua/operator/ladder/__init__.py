"""One call told: what is known of it becomes a story, and the story a ladder, a sentence, a capture, a text.

Pure. Where a call is looked up is `b2bua.operator.call_lookup`'s.
"""
