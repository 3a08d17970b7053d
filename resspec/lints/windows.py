"""`even-same-kernel` and `dropped-row`: windows that do not lie on their input as one would think."""

from __future__ import annotations

from collections.abc import Iterator

from resspec.diagnostics import Diagnostic
from resspec.graph import Node
from resspec.lints.view import View
from resspec.ops.conv import Conv, Convolution, DepthwiseConv, SeparableConv
from resspec.ops.pool import Pooling
from resspec.ops.resample import Pad
from resspec.ops.windows import Pads
from resspec.tensor import TensorSpec

UNEVEN = (
    "an even window has no middle, so the zeros lie on one side and every layer shifts the picture by half a "
    'position (Wu et al. 2019, "Convolution with even-sized kernels and symmetric padding")'
)
UNSEEN = 'no window reaches them: strides round down (Dumoulin and Visin 2016, "A guide to convolution arithmetic")'


def even_same_kernel(view: View) -> Iterator[Diagnostic]:
    """Convolutions with an even window, `padding: same` and strides 1."""
    found = []
    for i in view.of(Conv, DepthwiseConv, SeparableConv):
        node, op = view.nodes[i], view.nodes[i].op
        assert isinstance(op, Convolution)
        if op.padding != "same":
            continue
        kernel, strides, dilation = op.window(view.graph.operands(node)[0])
        sizes = node.outputs[0].spatial
        if any(
            d * (k - 1) % 2 and s == 1 and n != 1 for k, s, d, n in zip(kernel, strides, dilation, sizes, strict=True)
        ):
            found.append(i)
    for group in view.together(found).values():
        node = view.nodes[group[0]]
        assert isinstance(node.op, Convolution)
        spans = [d * (k - 1) for k, _, d in zip(*node.op.window(view.graph.operands(node)[0]), strict=True)]
        sides = ", ".join(f"[{span // 2}, {span - span // 2}]" for span in spans)
        yield view.warning(
            "even-same-kernel",
            f"`{node.op.kind}` with an even window and `padding: same` shifts its input by half a position",
            group,
            ("kernel_size",),
            why=UNEVEN,
            help=f"use an odd `kernel_size`, or say on which side the zeros lie: `padding: [{sides}]`",
        )


def dropped_row(view: View) -> Iterator[Diagnostic]:
    """Strided windows that leave rows of a known size unseen at the end."""
    rows: dict[int, tuple[int, ...]] = {}
    for i in view.of(Conv, DepthwiseConv, SeparableConv, Pooling):
        node, op = view.nodes[i], view.nodes[i].op
        assert isinstance(op, Convolution | Pooling)
        if op.strides != 1:
            missing = _missing(view, node, op)
            if any(missing):
                rows[i] = missing
    for group in view.together(list(rows)).values():
        node, missing = view.nodes[group[0]], rows[group[0]]
        axis = next(axis for axis, rest in enumerate(missing) if rest)
        last = "the last one" if missing[axis] == 1 else f"the last {missing[axis]}"
        cropped = ", ".join(f"[0, {rest}]" for rest in missing)
        yield view.warning(
            "dropped-row",
            f"of the {view.graph.operands(node)[0].shape[axis]} rows or columns before it "
            f"`{node.op.kind}` never sees {last}",
            group,
            ("strides", "padding", "pool_size"),
            why=UNSEEN,
            help=f"write `padding: same`, which sees all, or cut them off on purpose: `crop: [{cropped}]` before it",
        )


def _missing(view: View, node: Node, op: Convolution | Pooling) -> tuple[int, ...]:
    """Rows of the input behind the last window, along every axis."""
    x = view.graph.operands(node)[0]
    kernel, strides, pads = _window(op, x)
    if max(strides) == 1 or pads in ("same", "causal"):
        return ()
    behind = _padding_behind(view, node)
    found = []
    for axis, (size, out) in enumerate(zip(x.spatial, node.outputs[0].spatial, strict=True)):
        span, stride = kernel[axis], strides[axis]
        # a window narrower than its stride leaves rows out everywhere, which is what it is for
        if not isinstance(size, int) or not isinstance(out, int) or span < stride:
            found.append(0)
            continue
        before = 0 if isinstance(pads, str) else pads[axis][0]
        found.append(max(0, size - behind[axis] - ((out - 1) * stride + span - before)))
    return tuple(found)


def _window(op: Convolution | Pooling, x: TensorSpec) -> tuple[tuple[int, ...], tuple[int, ...], Pads | str]:
    """The span of the window, its strides and its padding along every axis."""
    if isinstance(op, Pooling):
        return op.window(x)
    kernel, strides, dilation = op.window(x)
    return tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)), strides, op.pads(len(kernel))


def _padding_behind(view: View, node: Node) -> tuple[int, ...]:
    """Rows at the end that are padding themselves, of which nobody misses any."""
    before = view.nodes[node.inputs[0].node]
    if isinstance(before.op, Pad):
        return tuple(after for _, after in before.op.pairs(view.graph.operands(before)[0]))
    return (0,) * len(node.outputs[0].spatial)
