"""Graphs made by hand, without a spec: for tests of what comes after the language."""

from __future__ import annotations

from typing import Any

from resspec.graph import Graph, Node, Ref
from resspec.ops.activation import Relu
from resspec.ops.base import Op
from resspec.ops.conv import Conv
from resspec.ops.dense import Dense
from resspec.ops.merge import Add
from resspec.ops.norm import BatchNorm
from resspec.ops.pool import GlobalAvgPool, MaxPool
from resspec.ops.source import Input
from resspec.sizes import Size
from resspec.tensor import TensorSpec


class Sketch:
    """Adds nodes one by one: `x = sketch.input("x", 8); y = sketch(Dense(units=3), "head", x)`."""

    def __init__(self, name: str = "sketch") -> None:
        self.name = name
        self.nodes: list[Node] = []
        self.inputs: dict[str, int] = {}

    def input(self, name: str, *shape: Size, dtype: str = "float32") -> Ref:
        self.inputs[name] = len(self.nodes)
        self.nodes.append(Node(name, Input(), (), (TensorSpec(shape, dtype),)))
        return Ref(len(self.nodes) - 1)

    def __call__(self, op: Op, path: str, *inputs: Ref, **more: Any) -> Ref:
        specs = [self.nodes[ref.node].outputs[ref.output] for ref in inputs]
        outputs = op.infer(*specs)
        self.nodes.append(Node(path, op, inputs, outputs if isinstance(outputs, tuple) else (outputs,), **more))
        return Ref(len(self.nodes) - 1)

    def graph(self, **outputs: Ref) -> Graph:
        return Graph(self.name, tuple(self.nodes), self.inputs, outputs)


def chain(length: int) -> Graph:
    """A chain of `length` activations on a vector."""
    sketch = Sketch("chain")
    x = sketch.input("x", 4)
    for i in range(length):
        x = sketch(Relu(), f"relu{i}", x)
    return sketch.graph(output=x)


def resnet(blocks: tuple[int, ...] = (1, 1, 1, 1), size: int = 64, initializer: str = "glorot_uniform") -> Graph:
    """A pre-activation bottleneck network for images; (3, 24, 36, 3) blocks of size 224 are ResNet-200."""
    sketch = Sketch("resnet")

    def conv(path: str, x: Ref, filters: int, kernel: int = 1, strides: int = 1) -> Ref:
        op = Conv(
            filters=filters,
            kernel_size=kernel,
            strides=strides,
            padding="same",
            use_bias=False,
            kernel_initializer=initializer,
        )
        return sketch(op, path, x)

    def active(path: str, x: Ref) -> Ref:
        x = sketch(BatchNorm(epsilon=1e-5, momentum=0.9), f"{path}/bn", x)
        return sketch(Relu(), f"{path}/relu", x)

    x = active("stem", conv("stem/conv", sketch.input("image", size, size, 3), 64, 7, 2))
    x = sketch(MaxPool(pool_size=3, strides=2, padding="same"), "stem/pool", x)
    for stage, (width, count) in enumerate(zip((64, 128, 256, 512), blocks, strict=True)):
        for unit in range(count):
            path = f"stage{stage}/unit{unit}"
            strides = 2 if stage and not unit else 1
            h = active(f"{path}/pre", x) if stage or unit else x
            shortcut = x if unit else conv(f"{path}/shortcut", h, 4 * width, 1, strides)
            y = active(f"{path}/first", conv(f"{path}/conv0", h, width))
            y = active(f"{path}/second", conv(f"{path}/conv1", y, width, 3, strides))
            x = sketch(Add(), f"{path}/add", conv(f"{path}/conv2", y, 4 * width), shortcut)
    x = sketch(GlobalAvgPool(), "pool", active("last", x))
    return sketch.graph(output=sketch(Dense(units=1000, kernel_initializer=initializer), "head", x))
