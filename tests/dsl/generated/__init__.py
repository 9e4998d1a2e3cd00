"""Random policies and what can happen to them, for properties that must hold of every policy.

`policy(seed, folder)` is a whole policy with its files, written into the folder: the same seed gives the same text. It
can always be read, resolved and compiled, and every type fits; whether the checker's proofs accept it is another
matter, for which `accepted=True` asks: then what they refuse is taken out, rule by rule, until nothing is left to
refuse. `tests=True` adds test blocks, which need not pass, and `comments=True` comments.

`GeneratedPolicy.compiled(folder)` is the policy ready to decide, refused or not. `facts(event, random)` and
`outcome(kind, random)` make what may come to it: values are drawn from those that the policy names, so that conditions
hold often, and all that could be absent sometimes is. `Answers` is an ambient whose answers depend on its seed and the
question alone.

A word that is new in the language belongs in here: `test_generated` names every rule and word of the grammar that no
seed makes.
"""

from .happenings import Answers as Answers
from .policies import GeneratedPolicy as GeneratedPolicy
from .policies import policy as policy
