"""Values, expressions and whole specs from the grammar of the language, tame or hostile, for `tools/fuzz.py`."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from resspec.language.slots import slots_of
from resspec.language.syntax import FUNCTIONS
from resspec.ops import OPS

NUMBERS = (0, 1, 2, 3, 4, 7, 8, 16, 64, -1, 2**31 - 1, 2**31, 2**53, 10**18 - 1, 10**9, 0.5, 1e-3, 1e308, -0.0, 1e-320)
WORDS = (
    *("", "same", "valid", "relu", "x", "in", "prev", "image", "a", "a.b", "H", "H/2", "null", "<script>", "a\"b'c]]>"),
    *("$", "$x", "$(1)", "${x}", "$$", "x$i", "as", "conv", "/etc/passwd", "../x.yaml", "resspec:blocks/residual.yaml"),
    *("[/]", "[red]x", "%s", "{0}", "\xad", "é" * 200, "n" * 5000, "keras.Lambda", "keras.Dense", "int = 4"),
    "list[int]?",
)  # fmt: skip
PIECES = (
    "a",
    "b",
    "n",
    "i",
    "H",
    "W",
    "x",
    "in",
    "prev",
    "width",
    "1",
    "2",
    "0",
    "3.5",
    "1e308",
    "9007199254740992",
    "'s'",
)


class Grammar:
    """Everything that can be written, by the rules of the language or nearly so."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def value(self) -> Any:
        """Any value, mostly hostile."""
        random = self.random
        makers: tuple[Callable[[], Any], ...] = (
            lambda: random.choice(NUMBERS), lambda: random.choice(WORDS), self.expression,
            lambda: random.choice((None, True, False, [], {})),
            lambda: [random.choice(NUMBERS) for _ in range(random.randrange(5))],
            lambda: {"match": self.expression(), 1: random.choice(NUMBERS), "else": random.choice(WORDS)},
            lambda: {"name": random.choice(("he_normal", "l2", "constant", "zeros")), "value": random.choice(NUMBERS)},
        )  # fmt: skip
        return random.choice(makers)()

    def expression(self, depth: int = 0) -> str:
        """An expression, right or not, of moderate depth."""
        random = self.random
        if depth > 4 or random.random() < 0.3:
            return random.choice(PIECES)
        left, right = self.expression(depth + 1), self.expression(depth + 1)
        operator = random.choice(("+", "-", "*", "/", "//", "%", "**", "<", "==", "!=", " and ", " or ", ", ", "."))
        forms = (
            f"{left}{operator}{right}", f"({left}{operator}{right})", f"-{left}", f"not {left}", f"[{left}, {right}]",
            f"{left}[{right}]", f"{random.choice(FUNCTIONS)}({left}, {right})",
            f"{left} if {right} else {left}", f"$({left})", f"{left}.{random.choice(('channels', 'shape', 'rank'))}",
        )  # fmt: skip
        return random.choice(forms)

    # -- grammar ---------------------------------------------------------------------------------

    def made(self, tame: bool = False) -> dict[str, Any]:
        """A spec from the grammar: blocks, loops, taps, ops with arguments that are `tame` or not."""
        random = self.random
        shape: list[Any] = random.choice(([8, 8, 3], ["H", "W", 3], ["T", 4], [5], [4, 4, 4, 2], ["H", 8, 4]))
        found: dict[str, Any] = {
            "resspec": 1,
            "name": random.choice(WORDS).replace("$", "$$") or "n",
            "params": {"width": "int = 4", "n": {"type": "int", "default": 2}},
            "inputs": {"image": shape},
            "graph": self.steps(3, tame, ["block"]),
        }
        if random.random() < 0.5:
            found["blocks"] = {"block": {"params": {"n": "int = 1"}, "graph": self.steps(2, tame, ["block"])}}
            found["blocks"]["block"]["graph"].append({"block": "n - 1", "when": "n > 0"})
        if random.random() < 0.2:
            found["let"] = {"a": self.expression(), "b": random.choice(NUMBERS)}
        if random.random() < 0.2:
            found["checks"] = [{random.choice(("params", "macs", "layers", "depth", "output")): self.value()}]
        if random.random() < 0.2:
            found["variants"] = {random.choice(WORDS) or "v": {"n": 3}, "w": {"width": 8}}
        return found

    def steps(self, depth: int, tame: bool, blocks: list[str]) -> list[Any]:
        return [self.step(depth, tame, blocks) for _ in range(self.random.choice((1, 1, 2, 3, 5)))]

    def step(self, depth: int, tame: bool, blocks: list[str]) -> Any:
        random = self.random
        kind = random.random()
        if kind < 0.12 and depth:
            turns = random.choice((0, 1, 2, 3, "n", *(() if tame else (10**9, 300, "in.channels"))))
            return {"repeat": turns, "do": self.steps(depth - 1, tame, blocks), "as": random.choice(("a$i", "b", "$x"))}
        if kind < 0.18 and depth:
            lists = {"w": [4, 8], "k": random.choice(([1, 3], "[3, 1]", [1, 2, 3]))}
            return {"for": lists, "do": self.steps(depth - 1, tame, blocks)}
        if kind < 0.24:
            return {random.choice(blocks): random.choice((1, 2, "n", None))}
        if kind < 0.34:
            merge = random.choice(("add", "concat", "multiply", "maximum", "average", "dot"))
            options = random.choice(({}, {"align": "crop"}, {"align": "pad"}, {"project": "auto"}, {"project": "pad"}))
            return {merge: {"of": random.choice((["prev", "in"], ["a", "prev"], "in", ["image", "prev"])), **options}}
        if kind < 0.4:
            return random.choice(({"tap": "in"}, {"tap": "a"}, {"expect": ["H", "W", None]}, {"expect": [None, 4]}, []))
        op = random.choice(OPS)
        step: dict[str, Any] = {op.kind: self.arguments(op, tame) or None}
        if random.random() < 0.3:
            step["as"] = random.choice("abcd")
        if random.random() < 0.1:
            step["from"] = random.choice(("image", "in", "a", ["a", "b"], ["image", "prev"]))
        if random.random() < 0.1:
            step["when"] = random.choice(("n > 1", "n == 2", "true", False))
        if random.random() < 0.1:
            step |= {"output": True, "as": random.choice(("out", "e", "f"))}
        return step

    def arguments(self, op: Any, tame: bool) -> dict[str, Any]:
        """Values for some of the fields of an op, the required ones mostly among them."""
        random = self.random
        found: dict[str, Any] = {}
        for name, slot in slots_of(op).items():
            needed = op.model_fields[name].is_required()
            if random.random() > (0.97 if needed else 0.15):
                continue
            if slot.words and (tame or random.random() < 0.6):
                found[name] = random.choice(sorted(slot.words))
            elif tame or random.random() < 0.6:
                found[name] = random.choice(
                    (1, 2, 3, 4, "width", "n", True, 0.5) if slot.numbers else ("relu", "zeros")
                )
            else:
                found[name] = self.value()
        return found
