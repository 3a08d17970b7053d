"""Specs with one mistake each, made by rule: what `tools/mutate.py` hands to the checker.

A spec is read as a located tree; a mistake is one edit of its text, so that the broken line is known
exactly. The same spec gives the same mutants.
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from places import OPS, Places

from resspec.diagnostics import Edit, Span
from resspec.ops.merge import Merge
from resspec.yamltree import Entry, Mapping, Scalar, Sequence

MOST = 30
"""mutants of one kind and spec; of more a seeded sample is taken"""


@dataclass(frozen=True)
class Mutant:
    """A spec with one mistake; `before` became `after` on `line`."""

    spec: str
    kind: str
    line: int
    before: str
    after: str
    text: str
    in_checks: bool
    """whether the mistake is in `checks:`, which no graph depends on"""

    def __str__(self) -> str:
        return f"{self.spec}:{self.line}: {self.before or '(nothing)'} -> {self.after or '(nothing)'}"

    @property
    def told(self) -> str:
        """For a page: the spec, and what became what."""
        before, after = self.before.strip(", "), self.after.strip(", ")
        return f"{self.spec}: `{before}` " + (f"became `{after}`" if after else "taken out") + f", line {self.line}"


Edits = Iterator[Edit]
BESIDE_LETTER = dict(zip("qwertyuiopasdfghjklzxcvbnm", "wertyuioiosdfghjkjkxcvbnbn"))


def slips(word: str, rng: random.Random) -> list[str]:
    """Four ways to mistype a word: two letters exchanged, one left out, one doubled, one beside it on the keyboard."""
    at = rng.randrange(len(word))
    two = rng.randrange(max(1, len(word) - 1))
    found = [
        word[:two] + word[two : two + 2][::-1] + word[two + 2 :],
        word[:at] + word[at + 1 :],
        word[: at + 1] + word[at:],
        word[:at] + BESIDE_LETTER.get(word[at], "x") + word[at + 1 :],
    ]
    return [slip for slip in dict.fromkeys(found) if slip and slip != word and slip[0].isalpha()]


def typos(scalars: Iterable[Scalar], rng: random.Random) -> Edits:
    for scalar in scalars:
        for slip in slips(scalar.text, rng):
            yield Edit(scalar.span, slip)


def typo_in_key(places: Places, rng: random.Random) -> Edits:
    """A key of the language, the name of an argument, or a parameter's name in a variant or check is mistyped: two
    letters exchanged, one left out, one doubled, or one struck for its neighbour on the keyboard."""
    return typos(places.keys, rng)


def typo_in_op(places: Places, rng: random.Random) -> Edits:
    """The name of an op or block is mistyped where it is called or given defaults; so are `repeat`, `for` and `tap`."""
    return typos(places.ops, rng)


def typo_in_tap(places: Places, rng: random.Random) -> Edits:
    """The name of a tensor is mistyped where it is used: in `from`, `tap` and merges, and before `.channels` and the
    like in expressions."""
    for scalar in places.taps:
        raw = places.text(scalar.span)
        pattern = r"'(\w+)'" if "$(" in raw else r"^([A-Za-z]\w*)"
        yield from _within(places, scalar, pattern, rng)
    for scalar in [*places.values, *places.named]:
        yield from _within(places, scalar, r"\b([A-Za-z]\w*)\.(?=[a-z])", rng)


def typo_in_name(places: Places, rng: random.Random) -> Edits:
    """A parameter, `let` or loop variable is mistyped where an expression or a text with `$` uses it."""
    wanted = "|".join(sorted({*places.names, "i"}, key=len, reverse=True))
    for scalar in [*places.values, *places.named, *places.taps]:
        raw = places.text(scalar.span)
        if "$" in raw:
            holes = r"(?:(?<=\$)|\$\([^()]*?\b)"
            yield from _within(places, scalar, rf"{holes}({wanted})\b", rng)
        elif scalar not in places.named and scalar not in places.taps:
            yield from _within(places, scalar, rf"(?<![\w'])({wanted})(?![\w'(])", rng)


def _within(places: Places, scalar: Scalar, pattern: str, rng: random.Random) -> Edits:
    """Typos in what the first group of a pattern finds inside a scalar."""
    raw, base = places.text(scalar.span), places.index(scalar.span.line, scalar.span.column)
    for match in re.finditer(pattern, raw):
        for slip in slips(match[1], rng):
            yield Edit(places.place(base + match.start(1), base + match.end(1)), slip)


def wrong_type(places: Places, rng: random.Random) -> Edits:
    """A value gives way to one of another type: a number to `true`, a word, a list or a mapping; `true` and `false` to
    a number, a word or a list; a word or an expression to a list or a mapping."""
    for scalar in [*places.values, *places.named, *places.taps]:
        if isinstance(scalar.value, bool):
            others = ["3", "many", "[true]"]
        elif isinstance(scalar.value, int | float):
            others = ["true", "many", "[1, 2, 3, 4]", "{a: 1}"]
        else:
            others = ["[1, 2, 3, 4]", "{a: 1}"]
        for other in others:
            yield Edit(scalar.span, other)


def missing_stride(places: Places, rng: random.Random) -> Edits:
    """The argument `strides` is taken out of a call or of `defaults`."""
    for entry in places.settings:
        if entry.key.text == "strides":
            yield from _without(places, entry)


def lost_when(places: Places, rng: random.Random) -> Edits:
    """The `when` of a step is taken out."""
    for step in places.steps:
        if (entry := step.get("when")) and places.is_flow(step):
            yield from _without(places, entry)


def _without(places: Places, entry: Entry) -> Edits:
    """An entry of a mapping in braces is taken out with its comma."""
    start = places.index(entry.key.span.line, entry.key.span.column)
    end = places.index(entry.value.span.end_line, entry.value.span.end_column)
    if before := re.search(r",\s*$", places.source[:start]):
        start = before.start()
    elif after := re.match(r",\s*", places.source[end:]):
        end += after.end()
    yield Edit(places.place(start, end), "")


def swapped_partners(places: Places, rng: random.Random) -> Edits:
    """Two operands of a merge change places where their order matters (in `concat` and the like, and with `align` or
    `project`), or one gives way to another tensor of its body. Sums in another order are left out."""
    for call, taps in places.calls:
        kind = OPS.get(call.name.text)
        if kind is None or not issubclass(kind, Merge):
            continue
        operands = call.operands
        ordered = kind.kind in ("concat", "subtract", "dot", "matmul") or len(call.entries) > 1
        for one, other in itertools.pairwise(operands if ordered else ()):
            between = places.text(Span("", one.span.end_line, one.span.end_column, other.span.line, other.span.column))
            whole = Span("", one.span.line, one.span.column, other.span.end_line, other.span.end_column)
            yield Edit(whole, places.text(other.span) + between + places.text(one.span))
        used = {operand.text for operand in operands} | {_name(call.step)}
        for operand in operands:
            for tap in taps:
                if tap not in used:
                    yield Edit(operand.span, tap)


def _name(step: Mapping) -> str:
    entry = step.get("as")
    return entry.value.text if entry and isinstance(entry.value, Scalar) else ""


COUNTS = ("filters", "units", "width")


def wrong_filters(places: Places, rng: random.Random) -> Edits:
    """A number of filters or units is one too many or one too few: an argument, or an item of a list that a loop walks
    over widths."""
    for entry in places.settings:
        if entry.key.text in COUNTS and isinstance(entry.value, Scalar):
            yield from _off_by_one(entry.value)
    for call, _ in places.calls:
        kind = OPS.get(call.name.text)
        if isinstance(call.value, Scalar) and call.value.text and kind and kind.primary in COUNTS:
            yield from _off_by_one(call.value)
    for loop in places.loops:
        for item in loop.value.items if isinstance(loop.value, Sequence) else ():
            if isinstance(item, Scalar) and type(item.value) is int and item.value >= 8:
                yield from _off_by_one(item)


def _off_by_one(scalar: Scalar) -> Edits:
    if type(scalar.value) is int:
        yield Edit(scalar.span, str(scalar.value + 1))
        if scalar.value > 0:
            yield Edit(scalar.span, str(scalar.value - 1))
    elif scalar.plain and "$" not in scalar.text:
        text = f"({scalar.text})" if " " in scalar.text else scalar.text
        yield Edit(scalar.span, f"{text} + 1")
        yield Edit(scalar.span, f"{text} - 1")


SPATIAL = ("padding", "pool_size", "size")
WORDS = {"same": ["valid"], "valid": ["same"], "crop": ["pad", "resize", "error"]}


def wrong_size(places: Places, rng: random.Random) -> Edits:
    """`padding`, the size of a pooling window or the factor of an upsampling is one more or one less, `same` stands for
    `valid`, or `align` bears another of its words: sizes come out that do not fit, or not those of the paper."""
    found = [entry.value for entry in places.settings if entry.key.text in (*SPATIAL, "align")]
    for call, _ in places.calls:
        kind = OPS.get(call.name.text)
        if kind and kind.primary in SPATIAL and call.name.text != "pad":
            found.append(call.value)
    for value in found:
        if isinstance(value, Scalar) and value.text:
            for word in WORDS.get(value.text, ()):
                yield Edit(value.span, word)
            if value.text not in WORDS:
                yield from _off_by_one(value)


KINDS: dict[str, Callable[[Places, random.Random], Edits]] = {
    "typo in a key": typo_in_key,
    "typo in an op": typo_in_op,
    "typo in a tap": typo_in_tap,
    "typo in a name": typo_in_name,
    "wrong type": wrong_type,
    "missing stride": missing_stride,
    "lost `when`": lost_when,
    "swapped partners": swapped_partners,
    "wrong filters": wrong_filters,
    "wrong size": wrong_size,
}
"""kind -> the edits of it; the docstrings stand in docs/mutations.md"""


def mutants(spec: str, source: str, most: int = MOST) -> Iterator[Mutant]:
    """All mutants of one spec, at most `most` of a kind."""
    places = Places(source)
    for kind, edits in KINDS.items():
        rng = random.Random(f"{spec} {kind}")
        found = list(dict.fromkeys(edits(places, rng)))
        if len(found) > most:
            found = sorted(rng.sample(found, most), key=lambda edit: edit.span)
        for edit in found:
            start = places.index(edit.span.line, edit.span.column)
            end = places.index(edit.span.end_line, edit.span.end_column)
            text = source[:start] + edit.text + source[end:]
            if text != source:
                in_checks = 0 < places.checks <= edit.span.line
                yield Mutant(spec, kind, edit.span.line, source[start:end], edit.text, text, in_checks)
