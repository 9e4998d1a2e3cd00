"""What an editor asks of policies while somebody writes: what is wrong, what a name or word means, where it was
declared and is used, what can stand here.

Owns the answers: text and position in, places and words out. Files come through `Files`, which has what an editor has
not saved. Speaking with editors is the caller's.
"""
