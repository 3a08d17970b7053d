"""The type of a tensor: its shape without the batch axis, and its dtype."""

from __future__ import annotations

from dataclasses import dataclass

from resspec.sizes import Shape, Size, SizeError, product


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
        """The size of the last axis; `SizeError` for a scalar, which has none."""
        if not self.shape:
            raise SizeError("a scalar has no channels")
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
