"""An ambient whose every question goes the same way, so that a test has to say only what it answers. Groups begin with
their first member.
"""


class Asked:
    """`_say(kind, name, ...)` answers all questions."""

    def _say(self, *question):
        raise NotImplementedError

    def registered(self, user):
        return self._say("registered", user)

    def busy(self, user):
        return self._say("busy", user)

    def over(self, limit, key):
        return self._say("over", limit, key)

    def up(self, trunk):
        return self._say("up", trunk)

    def full(self, trunk):
        return self._say("full", trunk)

    def turn(self, group):
        return 0

    def draw(self, group):
        return 0.0
