"""Checks that do not hold: one finding for each place, of however many networks it is untrue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from resspec import edits
from resspec.diagnostics import Findings, Fix, Span

MOST_NETWORKS = 2
"""further networks for which a check fails that are told with their values"""


@dataclass(frozen=True, slots=True)
class Failure:
    """What a check expected of one network, and what that has; `fix` writes down what it has."""

    expected: str
    network: str
    found: str
    fix: Fix | None


@dataclass(slots=True)
class Failures:
    """Collects the failures of one run by the place of their checks."""

    by_place: dict[Span, list[Failure]] = field(default_factory=dict)

    def add(self, where: Span, expected: str, network: str, found: str, raw: Any, meant: str) -> None:
        """`raw` is what the file expects; `meant` what it would have to say for this network."""
        numbers = raw if isinstance(raw, list) else [raw]
        plain = all(isinstance(size, int) for size in numbers) and not any(c.isalpha() for c in meant)
        fix = edits.replaced(where, meant) if plain else None
        self.by_place.setdefault(where, []).append(Failure(expected, network, found, fix))

    def tell(self, findings: Findings) -> None:
        """One finding for each place: the first failure, and how many more networks there are."""
        for where, (first, *more) in self.by_place.items():
            findings.error(
                "check-failed",
                f"{first.expected}{first.network}, found {first.found}",
                where,
                notes=_told(more),
                help="correct the network, or the check",
                fix=None if more else first.fix,
            )


def _told(more: Sequence[Failure]) -> tuple[str, ...]:
    parts = [f"{one.found}{one.network}".replace(" of ", " for ") for one in more[:MOST_NETWORKS]]
    if len(more) > MOST_NETWORKS:
        parts.append(f"and so on for {len(more) - MOST_NETWORKS} more")
    return (f"found {', '.join(parts)}",) if parts else ()
