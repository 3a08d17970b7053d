"""Unknown sizes that depend on each other: what a merge of two inputs says of their sizes.

`concat: [image, guide]` of (H, W, 3) and (h, w, 8) after an up-sampling by 2 can only be if H = 2*h.
The later unknown becomes a function of the earlier one, and the graph is expanded once more.
"""

from __future__ import annotations

from dataclasses import dataclass

from resspec.diagnostics import Span
from resspec.domain import Equal, Multiple
from resspec.sizes import Periodic, Size, SizeError


@dataclass(frozen=True, slots=True)
class Relation:
    """`unknown` is `size` of another unknown, for which `requirement` must hold."""

    unknown: str
    size: Size
    requirement: Multiple
    span: Span | None


class Related(Exception):
    """Two unknowns turned out to depend on each other; expanding begins again with that known."""

    def __init__(self, relation: Relation) -> None:
        super().__init__(relation.unknown)
        self.relation = relation


def solved(requirement: Equal, order: list[str], span: Span | None) -> Relation | None:
    """Two equal sizes of different unknowns, solved for the later one; for the other if only that can be."""
    left, right = requirement.left, requirement.right
    if not (isinstance(left, Periodic) and isinstance(right, Periodic)):
        return None
    pairs = sorted(((left, right), (right, left)), key=lambda pair: -order.index(pair[0].unknown))
    for one, other in pairs:
        if one.period == 1 and one.slope > 0:  # one = slope * unknown + values[0]
            rest = other - one.values[0]
            return Relation(one.unknown, rest // one.slope, Multiple(rest, one.slope), span)
    return None


def substituted(relations: dict[str, Relation], new: Relation) -> dict[str, Relation]:
    """All relations with the new one put into those before it."""
    inner = new.size
    found = {}
    for name, old in relations.items():
        if isinstance(old.size, Periodic) and old.size.unknown == new.unknown:
            if not isinstance(inner, Periodic):
                raise SizeError(f"`{new.unknown}` is {inner}")
            needed = old.requirement.size
            assert isinstance(needed, Periodic)
            old = Relation(name, old.size.after(inner), Multiple(needed.after(inner), old.requirement.of), old.span)
        found[name] = old
    return {**found, new.unknown: new}
