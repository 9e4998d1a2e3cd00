"""The base of values that stand beside code which can be compiled (scripts/compile).

Owns what msgspec is to know of them. A class inherits it from here, because mypyc, which compiles such a class like any
other, drops the keywords after its bases; this module itself is never compiled. What has more to say to msgspec (a tag,
keyword-only fields, types to decode) belongs into a module that is not compiled either.
"""

from __future__ import annotations

from typing import dataclass_transform

import msgspec


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Frozen(msgspec.Struct, frozen=True):
    """A value: equal and hashed by its fields, never changed."""
