"""Why a call goes as it goes: each rule that was looked at, with its values, and what was decided.

Owns what `b2bua explain` tells. The sentences are read by `sentences` and brought about by `scene`; the rules are
walked again by `walk`.
"""

from dsl.explain.explaining import explain as explain
from dsl.explain.explanation import Explanation as Explanation
from dsl.explain.telling import explanation_text as explanation_text
from dsl.sentences import Sentence as Sentence
