"""The rules of a generated policy as they are nested: written out, and taken out where the checker refuses them."""

from dataclasses import dataclass, field


@dataclass
class Item:
    """A statement. `body` is what stands in its braces, or after its arrow where it is `inline`; None without any.

    `kind`: when, also, otherwise, action, decision or outcome.
    """

    kind: str
    head: str
    body: list["Item"] | None = None
    inline: bool = False


@dataclass(eq=False)
class Block:
    """A block at the top: an event or a sub, and the decision that fits wherever it is done.

    `rescue` is the rule with which it begins where the checker misses one that lets emergency calls out.
    """

    head: str
    body: list[Item]
    fallback: str
    rescue: Item | None = None

    def does(self):
        """The names of the subs that are done in it."""
        waiting, found = list(self.body), set()
        while waiting:
            item = waiting.pop()
            waiting += item.body or []
            if item.head.startswith("do "):
                found.add(item.head[3:].partition("(")[0])
        return found


def done(blocks):
    """These blocks without the subs that no event comes to."""
    by_name = {
        block.head.split(" ", 1)[1].partition("(")[0]: block for block in blocks if block.head.startswith("sub ")
    }
    waiting = [block for block in blocks if block.head.startswith("on ")]
    kept = list(waiting)
    while waiting:
        for name in sorted(waiting.pop().does()):
            if by_name[name] not in kept:
                kept.append(by_name[name])
                waiting.append(by_name[name])
    return [block for block in blocks if block in kept]


@dataclass
class Page:
    """A text on its way out, and which statements begin in which line."""

    comments: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=lambda: [""])
    owners: dict[int, tuple[Item, list[Item], Block]] = field(default_factory=dict)
    heads: dict[int, Block] = field(default_factory=dict)

    def write(self, text):
        first, *others = text.split("\n")
        self.lines[-1] += first
        self.lines += others

    def block(self, block):
        self.heads[len(self.lines)] = block
        self.write(f"{block.head} {{")
        self._items(block.body, block, 1)
        self.write("\n}\n")

    def _items(self, items, block, depth):
        for item in items:
            if self.comments and len(self.lines) % 3 == 0:
                self.write(f"  # {self.comments[len(self.lines) % len(self.comments)]}")
            self.write("\n" + "  " * depth)
            self.owners[len(self.lines)] = (item, items, block)
            self._item(item, block, depth)

    def _item(self, item, block, depth):
        self.write(item.head)
        if item.body is None:
            return
        if item.inline:
            self.write(" -> ")
            for number, inner in enumerate(item.body):
                self.write(", " if number else "")
                self._item(inner, block, depth)
        else:
            self.write(" {")
            self._items(item.body, block, depth + 1)
            self.write("\n" + "  " * depth + "}")

    def repair(self, line):
        """Take out a line's statement, or have it decide something harmless. False if none is there."""
        begun = self.heads.get(line)
        if begun is not None and begun.rescue is not None:
            begun.body.insert(0, begun.rescue)
            begun.rescue = None
            return True
        while line > 0 and line not in self.owners:
            line -= 1
        if line == 0:
            return False
        item, siblings, block = self.owners[line]
        position = next((index for index, sibling in enumerate(siblings) if sibling is item), None)
        if position is None:
            return True
        last = position == len(siblings) - 1
        if item.kind in ("when", "also", "action") or not last:
            del siblings[position]
        elif item.kind == "outcome":
            item.body, item.inline = [Item("decision", "reject 480")], True
        elif item.kind == "otherwise" and item.body != [Item("decision", block.fallback)]:
            item.body, item.inline = [Item("decision", block.fallback)], True
        else:
            siblings[position] = Item("decision", block.fallback)
        return True
