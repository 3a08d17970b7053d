"""The op that stands for an input of the network."""

from __future__ import annotations

from resspec.ops.base import Op
from resspec.sizes import Size
from resspec.tensor import TensorSpec


class Input(Op):
    """An input; its shape and dtype stand in the node, since they may hold unknown sizes."""

    kind = "input"
    family = "input"
    arity = (0, 0)

    def flops(self, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> Size:
        return 0
