"""Sizes of axes, which may be unknown, and the arithmetic of windows that slide over them.

Along one axis every size in a network is a function of one unknown input size, built from
shifts, multiples and floor divisions. Such a function repeats itself: with period P,
f(x + P) = f(x) + slope. `Periodic` stores one period exactly, so that "equal for every
input" and "legal for which inputs" are decided by looking at P values, never by guessing.
"""

from __future__ import annotations

import math
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

    def stretched(self, period: int) -> tuple[int, tuple[int, ...]]:
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
        slope, values = self.stretched(period)
        slope2, values2 = other.stretched(period)
        total = tuple(a + sign * b for a, b in zip(values, values2, strict=True))
        return Periodic.of(self.unknown, slope + sign * slope2, total)

    def after(self, inner: Periodic) -> Size:
        """f(g(x)): this size where its unknown is itself a size, of another unknown."""
        times = self.period // math.gcd(inner.slope, self.period)
        period = inner.period * times
        if period > limits.PERIOD:
            raise SizeError(f"the total stride along `{inner.unknown}` exceeds {limits.PERIOD}")
        slope = self.slope * (inner.slope * times // self.period)
        return Periodic.of(inner.unknown, slope, tuple(self(inner(x)) for x in range(period)))

    def divided(self, divisor: int) -> Size:
        """floor(f / divisor)."""
        times = divisor // math.gcd(self.slope, divisor)
        slope, values = self.stretched(self.period * times)
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
        for factor in _divisors(math.gcd(self.slope, *(v - self.values[0] for v in self.values)) if self.slope else 0):
            rest = self.values[0] % factor
            for low in (rest, rest - factor) if rest else (0,):
                inner = _floor_form(self.slope // factor, tuple((v - low) // factor for v in self.values), self.unknown)
                if inner is not None:
                    text = inner if factor == 1 else f"{factor}*{inner if inner.isidentifier() else f'({inner})'}"
                    return text if low == 0 else f"{text} {'+' if low > 0 else '-'} {abs(low)}"
        return f"~{self.slope}/{self.period}*{self.unknown}"


def _divisors(number: int) -> list[int]:
    """Divisors of `number`, the largest first; of a number beyond the square of the largest period not all."""
    small = [d for d in range(1, min(math.isqrt(number), limits.PERIOD) + 1) if number % d == 0]
    return sorted({*small, *(number // d for d in small)}, reverse=True)


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
