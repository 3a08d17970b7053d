"""What stands in a box: a title that says the op as papers do, a note, and the shape behind it."""

from __future__ import annotations

from resspec.graph import Graph, Node
from resspec.ops.resample import Crop
from resspec.ops.source import Input
from resspec.render.view.outputs import is_output
from resspec.render.view.tree import Part
from resspec.render.view.turns import TURN
from resspec.render.view.view import Cell
from resspec.sizes import Size
from resspec.tensor import TensorSpec

MULTIPLY = "\N{MULTIPLICATION SIGN}"

_WORDS = {
    "conv": "conv",
    "conv_transpose": "up-conv",
    "depthwise_conv": "depthwise conv",
    "separable_conv": "separable conv",
    "batch_norm": "batch norm",
    "max_pool": "max pool",
    "avg_pool": "avg pool",
    "global_avg_pool": "global avg pool",
    "global_max_pool": "global max pool",
    "relu": "ReLU",
    "relu6": "ReLU6",
    "gelu": "GELU",
    "silu": "SiLU",
    "elu": "ELU",
    "lstm": "LSTM",
    "gru": "GRU",
    "multi_head_attention": "multi-head attention",
}
"""op kind -> words, where they are not the kind with blanks"""


def title(graph: Graph, cell: Cell) -> str:
    """`conv 3×3, 64, /2` of a node, the last name of the path of a block, the name of an output."""
    if is_output(cell):
        return cell.part.path.removeprefix("output:")
    if cell.part.is_block:
        return activations(graph, cell) or name(cell)
    node = graph.nodes[cell.first]
    if isinstance(node.op, Input):
        return node.path
    return op_title(graph, node)


def activations(graph: Graph, cell: Cell) -> str:
    """`batch norm, ReLU` for a block of nothing but norms and activations, which needs no name; else empty."""
    if role(graph, cell) == "block":
        return ""
    return ", ".join(op_title(graph, graph.nodes[i]) for i in cell.part.nodes)


SMALL = ("norm", "activation", "regularization")
"""families of ops that change numbers one by one; a block of them looks like the first of these that it has"""


def role(graph: Graph, cell: Cell) -> str:
    """What a block looks like: the foremost family of one of few small ops, else `block`."""
    families = {graph.nodes[i].op.family for i in cell.part.nodes}
    if len(cell.part.nodes) > 3 or not families <= {*SMALL}:
        return "block"
    return next(family for family in SMALL if family in families)


def name(cell: Cell, *, whole: bool = False) -> str:
    """The last name of a block's path, or the `whole` path; of a fold the first and the last."""
    if cell.part.kind == TURN:
        return "repeated"
    first = cell.part.path if whole else cell.part.path.rpartition("/")[2]
    if cell.times == 1:
        return first
    return f"{first} .. {cell.run[-1].path.rpartition('/')[2]}"


def op_title(graph: Graph, node: Node) -> str:
    """The op in words, its window, width and strides."""
    op = node.op
    given = op.__dict__  # asking a model for what it lacks is slow
    words = [_WORDS.get(op.kind, op.kind.replace("_", " "))]
    if op.kind == "keras":
        words = [str(given.get("class_name", "keras layer"))]
    if op.kind == "concat":
        return _sum(graph, node)
    if isinstance(op, Crop):  # pixels at both sides of each axis, where they differ as `1 + 2`
        pairs = op.pairs(graph.operands(node)[0])
        words[0] += " " + ", ".join(str(a) if a == b else f"{a} + {b}" for a, b in pairs)
    size = given.get("kernel_size") or given.get("pool_size")
    rank = len(node.outputs[0].shape) - 1
    if size is not None and op.family in ("conv", "pool"):
        words[0] += f" {_times(size, rank)}"
    for argument in ("filters", "units", "rate", "size", "num_heads"):
        value = given.get(argument)
        if isinstance(value, int | float) and not isinstance(value, bool):
            if op.family not in ("conv", "attention"):  # `dense 10`, `dropout 0.5`
                words[0] += f" {value:g}"
                break
            words.append(f"{value:g}" if isinstance(value, float) else str(value))
            break
    groups = given.get("groups", 1)
    if op.family == "conv" and isinstance(groups, int) and groups > 1:
        words.append(f"{groups} groups")
    strides = _stride(given.get("strides"), given.get("pool_size"))
    if strides not in (None, 1) and op.family in ("conv", "pool"):
        words.append(f"{MULTIPLY}{strides}" if op.kind == "conv_transpose" else f"/{strides}")
    activation = given.get("activation")
    if isinstance(activation, str) and activation != "linear" and op.family != "activation":
        words.append(_WORDS.get(activation, activation))
    return ", ".join(words)


def _sum(graph: Graph, node: Node) -> str:
    """`256 + 32 = 288`, where the axis is the channels; many operands are counted."""
    axis = getattr(node.op, "axis", -1)
    sizes = [spec.shape[axis] for spec in graph.operands(node)]
    total = node.outputs[0].shape[axis]
    if len(sizes) > 4:
        return f"concat of {len(sizes)}: {total}"
    return f"{' + '.join(map(str, sizes))} = {total}"


def _times(value: object, rank: int) -> str:
    """`3` as `3×3` on an image."""
    parts = [value] * max(1, rank) if isinstance(value, int) else list(value) if isinstance(value, tuple) else [value]
    return MULTIPLY.join(map(str, parts))


def _stride(strides: object, default: object) -> int | str | None:
    value = strides if strides is not None else default
    if isinstance(value, tuple):
        return value[0] if len(set(value)) == 1 else MULTIPLY.join(map(str, value))
    return value if isinstance(value, int) else None


def note(graph: Graph, cell: Cell) -> str:
    """The second line: the block's kind and its parameters; nothing for a node."""
    if not cell.part.is_block or activations(graph, cell):
        return ""
    kind = cell.part.kind if cell.part.kind not in ("for", "repeat", "do", "network", TURN) else ""
    counts = sorted({weights(graph, part) for part in cell.run})
    each = " each" if cell.times > 1 and len(counts) == 1 else ""
    spread = " .. ".join(compact(count) for count in dict.fromkeys((counts[0], counts[-1])))
    count = f"{spread} params{each}" if counts[-1] else ""
    return ", ".join(part for part in (kind if kind not in title(graph, cell) else "", count) if part)


def weights(graph: Graph, part: Part) -> int:
    """All weights of a part."""
    return graph.weights_before[part.last + 1] - graph.weights_before[part.first]


def compact(value: int) -> str:
    """`71.2k`, `64.7M`."""
    for power, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= power:
            return f"{value / power:.3g}{unit}"
    return str(value)


def shape(spec: TensorSpec) -> str:
    """`56×56×256`."""
    return MULTIPLY.join(_size(size) for size in spec.shape) or "scalar"


def _size(size: Size) -> str:
    text = str(size)
    return text if text.isalnum() else f"({text})"


def exit_spec(graph: Graph, cell: Cell) -> TensorSpec:
    """What comes out of a cell: the tensor that others read, of the last of its run."""
    part = cell.run[-1]
    ref = graph.results.get(part.path)
    if ref is not None and ref.node in part.nodes:
        return graph.spec(ref)
    return graph.nodes[part.last].outputs[0]


def entry_spec(graph: Graph, cell: Cell) -> TensorSpec | None:
    """What goes into the first of a cell's run, None for an input."""
    for i in cell.part.nodes:
        for ref in graph.nodes[i].inputs:
            if ref.node < cell.part.first:
                return graph.spec(ref)
    return None


def spoken(graph: Graph, cell: Cell) -> str:
    """The cell in words, for a screen reader and as a tooltip."""
    if is_output(cell):
        return f"output {title(graph, cell)}"
    what = title(graph, cell)
    times = f", {cell.times} times" if cell.times > 1 else ""
    more = f", {note(graph, cell)}" if note(graph, cell) else ""
    path = cell.part.path or graph.name
    named = f"{path}: {what}" if what != path else path
    return f"{named}{times}{more}, output {exit_spec(graph, cell)}"
