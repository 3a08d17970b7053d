"""Which values of an unknown size are legal: what ops require of sizes, and the sets that remain.

A requirement on a periodic function is decided for every value at once by looking at one period.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Union

from resspec import limits
from resspec.sizes import Periodic, Size, SizeError


@dataclass(frozen=True, slots=True)
class Equal:
    """A requirement: two sizes are the same."""

    left: Size
    right: Size


@dataclass(frozen=True, slots=True)
class Multiple:
    """A requirement: a size is a multiple of `of`."""

    size: Size
    of: int


@dataclass(frozen=True, slots=True)
class AtLeast:
    """A requirement: a size is no smaller than `least`."""

    size: Size
    least: int = 1


Requirement = Union[Equal, Multiple, AtLeast]


@dataclass(frozen=True, slots=True)
class Domain:
    """The legal values of one unknown: per residue of the period the least legal value, None for never."""

    unknown: str
    least: tuple[int | None, ...] = (1,)

    @property
    def period(self) -> int:
        return len(self.least)

    @property
    def empty(self) -> bool:
        return all(value is None for value in self.least)

    def residues(self, period: int) -> Iterator[tuple[int, int]]:
        """(residue, least legal value) of the legal classes, seen with a multiple of the period."""
        for r in range(period):
            least = self.least[r % len(self.least)]
            if least is not None:
                yield r, least + (r - least) % period

    def _restricted(self, period: int, keep: Callable[[int, int], int | None]) -> Domain:
        if period > limits.PERIOD:
            raise SizeError(f"the total stride along `{self.unknown}` exceeds {limits.PERIOD}")
        found: list[int | None] = [None] * period
        for r, least in self.residues(period):
            found[r] = keep(r, least)
        for shorter in range(1, period + 1):
            if period % shorter == 0:
                groups = [found[r::shorter] for r in range(shorter)]
                if all(_one_class(group, shorter) for group in groups):
                    return Domain(self.unknown, tuple(min(group, default=None, key=_order) for group in groups))
        raise AssertionError("the full period always fits")

    def require(self, requirement: Requirement) -> Domain:
        """The part of this domain on which `requirement` holds too; sizes of other unknowns raise SizeError."""
        if isinstance(requirement, AtLeast):
            size = requirement.size
            if not isinstance(size, Periodic):
                raise SizeError(f"`{size}` cannot be bounded")
            period = math.lcm(self.period, size.period)
            slope, values = size._stretched(period)

            def raise_least(r: int, least: int) -> int | None:
                missing = requirement.least - (slope * (least // period) + values[r])
                if missing <= 0:
                    return least
                return None if slope <= 0 else least + period * -(-missing // slope)

            return self._restricted(period, raise_least)
        if isinstance(requirement, Multiple):
            size = requirement.size
            if not isinstance(size, Periodic):
                raise SizeError(f"whether `{size}` is a multiple of {requirement.of} cannot be followed")
            times = requirement.of // math.gcd(size.slope, requirement.of)
            period = math.lcm(self.period, size.period * times)
            return self._restricted(period, lambda r, least: least if size(r) % requirement.of == 0 else None)
        left, right = requirement.left, requirement.right
        if left == right:
            return self
        difference = left - right
        if isinstance(difference, int):
            return self if difference == 0 else Domain(self.unknown, (None,))
        if not isinstance(difference, Periodic) or difference.slope:
            raise SizeError(f"`{left}` and `{right}` agree for single sizes only")
        period = math.lcm(self.period, difference.period)
        return self._restricted(period, lambda r, least: least if difference(r) == 0 else None)

    def values(self, size: Periodic) -> set[int] | None:
        """All values of `size` on this domain if they are finitely many (slope 0), else None."""
        if size.slope:
            return None
        period = math.lcm(self.period, size.period)
        return {size(r) for r, _ in self.residues(period)}

    def smallest(self) -> int | None:
        """The least legal value."""
        return min((value for value in self.least if value is not None), default=None)

    def simplified(self, size: Size) -> Size:
        """The simplest size that equals `size` on the legal values: `H - 184` for `16*((H - 188)//16) + 4`."""
        if not isinstance(size, Periodic) or size.unknown != self.unknown:
            return size
        period = math.lcm(self.period, size.period)
        slope, values = size._stretched(period)
        # f(x) = (slope * x + rest) / period on a class; a line through all of them if they have one rest
        rests = {values[r] * period - slope * r for r, _ in self.residues(period)}
        if len(rests) != 1:
            return size
        rest = rests.pop()
        return Periodic.of(self.unknown, slope, tuple((slope * r + rest) // period for r in range(period)))

    def near(self, value: int) -> tuple[int | None, int | None]:
        """The nearest legal values: at most `value`, at least `value`."""
        below = above = None
        for r, least in self.residues(self.period):
            down = value - (value - r) % self.period
            if down >= least and (below is None or down > below):
                below = down
            up = max(value + (r - value) % self.period, least)
            if above is None or up < above:
                above = up
        return below, above

    def contains(self, value: int) -> bool:
        least = self.least[value % self.period]
        return least is not None and value >= least

    def __str__(self) -> str:
        """`H = 12 (mod 16), H >= 188`, or `any H >= 1`."""
        legal = [(r, least) for r, least in enumerate(self.least) if least is not None]
        if not legal:
            return f"no {self.unknown}"
        smallest = min(least for _, least in legal)
        if self.period == 1:
            return f"{self.unknown} >= {smallest}"
        residues = ", ".join(str(r) for r, _ in legal[:8]) + (", ..." if len(legal) > 8 else "")
        return f"{self.unknown} = {residues} (mod {self.period}), {self.unknown} >= {smallest}"


def _order(value: int | None) -> int:
    return -1 if value is None else value


def _one_class(leasts: list[int | None], step: int) -> bool:
    """Whether the least values of residues that a shorter period would merge follow each other without a gap."""
    numbers = sorted(value for value in leasts if value is not None)
    if not numbers:
        return True
    return len(numbers) == len(leasts) and numbers == list(range(numbers[0], numbers[0] + step * len(numbers), step))
