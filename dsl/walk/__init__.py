"""A policy walked plainly, rule after rule as it is written, with the reasons: a second evaluator, slow and talkative.

Owns what a rule means where nothing is compiled, indexed or shared, and why each one matched or did not, in operators'
words. It decides what the compiled policy decides, which a test holds for random policies; `explain` and the traces of
failed tests are made of it. What it has in common with the compiled policy is what is tested by itself: the files'
contents, hours, number plans, patterns and networks one by one.
"""

from dsl.walk.again import again as again
from dsl.walk.told import told_rules as told_rules
from dsl.walk.trace import Part as Part
from dsl.walk.trace import Tried as Tried
from dsl.walk.trace import Walked as Walked
from dsl.walk.walker import Walker as Walker
