"""Shapes without the batch axis, with sizes that may be unknown, and window arithmetic.

Along one axis every size in a network is a function of one unknown input size, built from
shifts, multiples and floor divisions. Such a function repeats itself: with period P,
f(x + P) = f(x) + slope. `Periodic` stores one period exactly, so that "equal for every
input" and "legal for which inputs" are decided by looking at P values, never by guessing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Union

from resspec import limits


class SizeError(ValueError):
    """A size that cannot be followed exactly; the message says why."""


@dataclass(frozen=True, slots=True)
class Periodic:
    """f(q * period + r) = q * slope + values[r], for 0 <= r < period = len(values)."""

    unknown: str
    slope: int
    values: tuple[int, ...]

    @staticmethod
    def of(unknown: str, slope: int, values: tuple[int, ...]) -> Size:
        """The same function with its smallest period; a constant comes back as an int."""
        period = len(values)
        for prime in (2, 3, 5, 7, 11, 13):
            while period % prime == 0 and slope % prime == 0:
                shorter, step = period // prime, slope // prime
                if any(values[r + shorter] != values[r] + step for r in range(period - shorter)):
                    break
                period, slope, values = shorter, step, values[:shorter]
        if slope == 0 and len(set(values)) == 1:
            return values[0]
        return Periodic(unknown, slope, values)

    @property
    def period(self) -> int:
        return len(self.values)

    def __call__(self, value: int) -> int:
        q, r = divmod(value, len(self.values))
        return q * self.slope + self.values[r]

    def _stretched(self, period: int) -> tuple[int, tuple[int, ...]]:
        """Slope and values over a multiple of the period."""
        if period > limits.PERIOD:
            raise SizeError(f"the total stride along `{self.unknown}` exceeds {limits.PERIOD}")
        times = period // len(self.values)
        values = tuple(v + k * self.slope for k in range(times) for v in self.values)
        return self.slope * times, values

    def map_affine(self, factor: int, shift: int) -> Size:
        return Periodic.of(self.unknown, factor * self.slope, tuple(factor * v + shift for v in self.values))

    def plus(self, other: Periodic, sign: int) -> Size:
        if other.unknown != self.unknown:
            raise SizeError(f"a size would depend on both `{self.unknown}` and `{other.unknown}`")
        period = math.lcm(self.period, other.period)
        slope, values = self._stretched(period)
        slope2, values2 = other._stretched(period)
        total = tuple(a + sign * b for a, b in zip(values, values2, strict=True))
        return Periodic.of(self.unknown, slope + sign * slope2, total)

    def divided(self, divisor: int) -> Size:
        """floor(f / divisor)."""
        times = divisor // math.gcd(self.slope, divisor)
        slope, values = self._stretched(self.period * times)
        return Periodic.of(self.unknown, slope // divisor, tuple(v // divisor for v in values))

    def __add__(self, other: Size) -> Size:
        return self.map_affine(1, other) if isinstance(other, int) else self._with(other, 1)

    __radd__ = __add__

    def __sub__(self, other: Size) -> Size:
        return self.map_affine(1, -other) if isinstance(other, int) else self._with(other, -1)

    def __rsub__(self, other: int) -> Size:
        return self.map_affine(-1, other)

    def _with(self, other: Size, sign: int) -> Size:
        if not isinstance(other, Periodic):
            raise SizeError(f"the sum of `{self}` and `{other}` cannot be followed")
        return self.plus(other, sign)

    def __mul__(self, other: Size) -> Size:
        return self.map_affine(other, 0) if isinstance(other, int) else product(self, other)

    __rmul__ = __mul__

    def __floordiv__(self, divisor: int) -> Size:
        if not isinstance(divisor, int) or divisor < 1:
            raise SizeError(f"`{self}` can be divided by positive integers only")
        return self.divided(divisor)

    def __str__(self) -> str:
        """As a formula in the unknown: `H - 184`, `(H + 1)//2`, `2*(H//2)`."""
        for factor in sorted((d for d in range(1, abs(self.slope) + 1) if self.slope % d == 0), reverse=True):
            rest = self.values[0] % factor
            if any(v % factor != rest for v in self.values):
                continue
            for low in (rest, rest - factor) if rest else (0,):
                inner = _floor_form(self.slope // factor, tuple((v - low) // factor for v in self.values), self.unknown)
                if inner is not None:
                    text = inner if factor == 1 else f"{factor}*{inner if inner.isidentifier() else f'({inner})'}"
                    return text if low == 0 else f"{text} {'+' if low > 0 else '-'} {abs(low)}"
        return f"~{self.slope}/{self.period}*{self.unknown}"


def _floor_form(slope: int, values: tuple[int, ...], name: str) -> str | None:
    """`floor((slope*x + b) / period)` as text if some b fits all values, else None."""
    period = len(values)
    low = max(v * period - slope * r for r, v in enumerate(values))
    high = min(v * period + period - 1 - slope * r for r, v in enumerate(values))
    if low > high:
        return None
    # the shift with the smallest absolute value reads best
    b = 0 if low <= 0 <= high else (low if low > 0 else high)
    head = name if slope == 1 else f"{slope}*{name}"
    if b == 0:
        return head if period == 1 else f"{head}//{period}"
    shifted = f"{head} {'+' if b > 0 else '-'} {abs(b)}"
    return shifted if period == 1 else f"({shifted})//{period}"


@dataclass(frozen=True, slots=True)
class Product:
    """A size that is a product over several axes (after a flatten, say): factor * prod(of)."""

    factor: int
    of: tuple[Periodic, ...]

    def __str__(self) -> str:
        names = [text if text.isidentifier() else f"({text})" for text in map(str, self.of)]
        return "*".join(names + ([str(self.factor)] if self.factor != 1 else []))

    def __mul__(self, other: Size) -> Size:
        return product(self, other)

    __rmul__ = __mul__

    def _refuse(self, other: object) -> Size:
        raise SizeError(f"`{self}` is a product of sizes, of which sums and quotients cannot be followed")

    __add__ = __radd__ = __sub__ = __rsub__ = __floordiv__ = _refuse


Size = Union[int, Periodic, Product]
"""The size of one axis: known, a function of one unknown, or a product of such functions."""

Shape = tuple[Size, ...]


def unknown(name: str) -> Periodic:
    """The size `name` itself."""
    return Periodic(name, 1, (0,))


def product(*sizes: Size) -> Size:
    """The product of sizes, which stays exact: `H * W * 64`."""
    factor = 1
    parts: list[Periodic] = []
    for size in sizes:
        if isinstance(size, int):
            factor *= size
        elif isinstance(size, Product):
            factor *= size.factor
            parts.extend(size.of)
        else:
            parts.append(size)
    if not parts or factor == 0:
        return factor
    if len(parts) == 1:
        return parts[0] * factor
    return Product(factor, tuple(sorted(parts, key=lambda p: (p.unknown, p.slope, p.values))))


def divide_exactly(size: Size, divisor: Size) -> Size:
    """size / divisor where that leaves no rest; `SizeError` otherwise. Serves reshape with -1."""
    if isinstance(size, int) and isinstance(divisor, int):
        if divisor == 0 or size % divisor:
            raise SizeError(f"{size} is not a multiple of {divisor}")
        return size // divisor
    if isinstance(divisor, int) and divisor:
        if isinstance(size, Product) and size.factor % divisor == 0:
            return product(size.factor // divisor, *size.of)
        if isinstance(size, Periodic) and size.slope % divisor == 0 and all(v % divisor == 0 for v in size.values):
            return size // divisor
    numerator = list(size.of) if isinstance(size, Product) else [size] if isinstance(size, Periodic) else []
    denominator = list(divisor.of) if isinstance(divisor, Product) else [divisor]
    for part in denominator:
        if part not in numerator:
            raise SizeError(f"`{size}` is not a known multiple of `{divisor}`")
        numerator.remove(part)
    factor = divide_exactly(getattr(size, "factor", 1), getattr(divisor, "factor", 1))
    return product(factor, *numerator)


@lru_cache(maxsize=4096)
def window(size: Size, kernel: int, stride: int = 1, before: int = 0, after: int = 0, dilation: int = 1) -> Size:
    """Positions of a sliding window: floor((size + before + after - span) / stride) + 1.

    The window spans dilation * (kernel - 1) + 1 positions.
    """
    span = dilation * (kernel - 1) + 1
    return (size + (before + after - span)) // stride + 1


@lru_cache(maxsize=4096)
def same_window(size: Size, stride: int) -> Size:
    """Positions under `same` padding: ceil(size / stride)."""
    return (size + (stride - 1)) // stride


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """Shape `(..., channels)` of one example, the batch axis left out, and the dtype."""

    shape: Shape
    dtype: str = "float32"

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def channels(self) -> Size:
        return self.shape[-1]

    @property
    def spatial(self) -> Shape:
        return self.shape[:-1]

    @property
    def known(self) -> bool:
        return all(isinstance(size, int) for size in self.shape)

    @property
    def elements(self) -> Size:
        return product(*self.shape)

    def with_shape(self, *shape: Size) -> TensorSpec:
        return TensorSpec(shape, self.dtype)

    def __str__(self) -> str:
        return shape_text(self.shape)


def shape_text(shape: Shape) -> str:
    """`(56, 56, 64)`; one axis without the comma that Python's tuples have."""
    return f"({', '.join(map(str, shape))})"


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
