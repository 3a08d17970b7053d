"""Which values of an unknown size are legal: what ops require of sizes, and the sets that remain.

A requirement on a periodic function is decided for every value at once by looking at one period:
on each residue class the function is a straight line, so what remains of the class is an interval.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Union

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


@dataclass(frozen=True, slots=True)
class AtMost:
    """A requirement: a size is no larger than `most`."""

    size: Size
    most: int


Requirement = Union[Equal, Multiple, AtLeast, AtMost]


class Interval(NamedTuple):
    """The legal values of one residue class: from `least` on, up to `most` if there is an end."""

    least: int
    most: int | None = None


Class = Interval | None
"""what is legal of one residue class; None for nothing"""


@dataclass(frozen=True, slots=True)
class Domain:
    """The legal values of one unknown: for every residue of the period an interval."""

    unknown: str
    classes: tuple[Class, ...] = (Interval(1),)

    @property
    def period(self) -> int:
        return len(self.classes)

    @property
    def empty(self) -> bool:
        return all(one is None for one in self.classes)

    def intervals(self, period: int) -> Iterator[tuple[int, Interval]]:
        """(residue, interval) of the legal classes, seen with a multiple of the period."""
        for r in range(period):
            one = self.classes[r % len(self.classes)]
            if one is not None:
                least = one.least + (r - one.least) % period
                most = None if one.most is None else one.most - (one.most - r) % period
                if most is None or least <= most:
                    yield r, Interval(least, most)

    def require(self, requirement: Requirement) -> Domain:
        """The part of this domain on which `requirement` holds too; sizes of other unknowns raise SizeError."""
        if isinstance(requirement, AtLeast):
            return self._bounded(requirement.size, requirement.least)
        if isinstance(requirement, AtMost):
            return self._bounded(requirement.size * -1, -requirement.most)
        if isinstance(requirement, Multiple):
            size = requirement.size
            if not isinstance(size, Periodic):
                raise SizeError(f"whether `{size}` is a multiple of {requirement.of} cannot be followed")
            times = requirement.of // math.gcd(size.slope, requirement.of)
            period = math.lcm(self.period, size.period * times)
            return self._restricted(period, lambda r, one: one if size(r) % requirement.of == 0 else None)
        if requirement.left == requirement.right:
            return self
        difference = requirement.left - requirement.right
        if isinstance(difference, int):
            return self if difference == 0 else Domain(self.unknown, (None,))
        if not isinstance(difference, Periodic):
            raise SizeError(f"whether `{requirement.left}` and `{requirement.right}` are equal cannot be followed")
        return self._where_zero(difference)

    def _bounded(self, size: Size, least: int) -> Domain:
        """Where `size` is at least `least`."""
        if not isinstance(size, Periodic):
            raise SizeError(f"`{size}` cannot be bounded")
        period = math.lcm(self.period, size.period)
        slope, values = size.stretched(period)

        def keep(r: int, one: Interval) -> Class:
            if slope == 0:
                return one if values[r] >= least else None
            # slope * q + values[r] >= least, where x = q * period + r
            if slope > 0:
                q = -((values[r] - least) // slope)
                return _interval(max(one.least, q * period + r), one.most)
            end = (values[r] - least) // -slope * period + r
            return _interval(one.least, end if one.most is None else min(one.most, end))

        return self._restricted(period, keep)

    def _where_zero(self, size: Periodic) -> Domain:
        period = math.lcm(self.period, size.period)
        slope, values = size.stretched(period)

        def keep(r: int, one: Interval) -> Class:
            if slope == 0:
                return one if values[r] == 0 else None
            if values[r] % slope:
                return None
            x = -values[r] // slope * period + r
            return Interval(x, x) if _inside(one, x) else None

        return self._restricted(period, keep)

    def _restricted(self, period: int, keep: Callable[[int, Interval], Class]) -> Domain:
        """What `keep` leaves of every class, with the shortest period that says so."""
        if period > limits.PERIOD:
            raise SizeError(f"the total stride along `{self.unknown}` exceeds {limits.PERIOD}")
        found: list[Class] = [None] * period
        for r, one in self.intervals(period):
            found[r] = keep(r, one)
        for shorter in range(1, period + 1):
            if period % shorter == 0:
                groups = [found[r::shorter] for r in range(shorter)]
                if all(_is_one_class(group, shorter) for group in groups):
                    return Domain(self.unknown, tuple(map(_joined, groups)))
        raise AssertionError("the full period always fits")

    def values(self, size: Periodic) -> set[int] | None:
        """All values of `size` on this domain if they are few and known, else None."""
        period = math.lcm(self.period, size.period)
        found: set[int] = set()
        for _, one in self.intervals(period):
            if size.slope == 0 or one.least == one.most:
                found.add(size(one.least))
            else:
                return None
        return found

    def smallest(self) -> int | None:
        """The least legal value."""
        return min((one.least for one in self.classes if one is not None), default=None)

    def largest(self) -> int | None:
        """The greatest legal value, None if there is none."""
        ends = [one.most for one in self.classes if one is not None]
        return None if not ends or None in ends else max(end for end in ends if end is not None)

    def simplified(self, size: Size) -> Size:
        """The simplest size that equals `size` on the legal values: `H - 184` for `16*((H - 188)//16) + 4`."""
        if not isinstance(size, Periodic) or size.unknown != self.unknown:
            return size
        period = math.lcm(self.period, size.period)
        slope, values = size.stretched(period)
        # f(x) = (slope * x + rest) / period on a class; a line through all of them if they have one rest
        rests = {values[r] * period - slope * r for r, _ in self.intervals(period)}
        if len(rests) != 1:
            return size
        rest = rests.pop()
        return Periodic.of(self.unknown, slope, tuple((slope * r + rest) // period for r in range(period)))

    def near(self, value: int) -> tuple[int | None, int | None]:
        """The nearest legal values: at most `value`, at least `value`."""
        below: list[int] = []
        above: list[int] = []
        for r, one in self.intervals(self.period):
            down = value - (value - r) % self.period
            up = value + (r - value) % self.period
            if down >= one.least:
                below.append(down if one.most is None else min(down, one.most))
            if one.most is None or up <= one.most:
                above.append(max(up, one.least))
        return max(below, default=None), min(above, default=None)

    def contains(self, value: int) -> bool:
        one = self.classes[value % self.period]
        return one is not None and _inside(one, value)

    def __str__(self) -> str:
        """`H = 12 (mod 16), H >= 188`, `H >= 1`, `2 <= H <= 64`, or `H = 224`."""
        low, high = self.smallest(), self.largest()
        if low is None:
            return f"no {self.unknown}"
        legal = [r for r, one in enumerate(self.classes) if one is not None]
        if high is not None and (high - low) // self.period * len(legal) <= _FEW:
            return f"{self.unknown} = {_listed([x for x in range(low, high + 1) if self.contains(x)])}"
        text = ""
        if len(legal) == self.period - 1 and self.period > 2:
            (never,) = set(range(self.period)) - set(legal)
            text = f"{self.unknown} != {never} (mod {self.period}), "
        elif self.period > len(legal):
            text = f"{self.unknown} = {_listed(legal)} (mod {self.period}), "
        text += f"{self.unknown} >= {low}" if high is None else f"{low} <= {self.unknown} <= {high}"
        missing = list(itertools.islice(self._late(low, high), 2 * _FEW + 1))
        return f"{text}, but not {_listed(missing, 'and')}" if missing else text

    def _late(self, low: int, high: int | None) -> Iterator[int]:
        """Values between `low` and `high` that are illegal though their residue is not: classes begin and end apart."""
        present = [one for one in self.classes if one is not None]
        begun = max(one.least for one in present)
        ended = min((one.most for one in present if one.most is not None), default=begun)
        outer = (
            range(low, begun) if high is None else itertools.chain(range(low, begun), range(max(begun, ended), high))
        )
        return (x for x in outer if self.classes[x % self.period] is not None and not self.contains(x))


_FEW = 6
"""values that are listed one by one"""


def _listed(values: Sequence[int], word: str = "or") -> str:
    """`3`, `3 or 5`, `1, 2, 3 or 9`; long lists end in `...`."""
    words = [str(value) for value in values]
    if len(words) > 2 * _FEW:
        return ", ".join(words[: 2 * _FEW]) + ", ..."
    return f" {word} ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]


def _inside(one: Interval, value: int) -> bool:
    return value >= one.least and (one.most is None or value <= one.most)


def _interval(least: int, most: int | None) -> Class:
    return Interval(least, most) if most is None or least <= most else None


def _is_one_class(group: Sequence[Class], step: int) -> bool:
    """Whether residues that a shorter period would merge follow each other without a gap, at both ends."""
    present = [one for one in group if one is not None]
    if not present:
        return True
    if len(present) == len(group):
        ends = [one.most for one in present if one.most is not None]
        return _steps([one.least for one in present], step) and (
            not ends or (len(ends) == len(present) and _steps(ends, step))
        )
    # a few single values, say, of which each is a class of its own
    return False


def _steps(values: Sequence[int], step: int) -> bool:
    low = min(values)
    return sorted(values) == list(range(low, low + step * len(values), step))


def _joined(group: Sequence[Class]) -> Class:
    present = [one for one in group if one is not None]
    if not present:
        return None
    ends = [one.most for one in present]
    return Interval(
        min(one.least for one in present), None if None in ends else max(end for end in ends if end is not None)
    )
