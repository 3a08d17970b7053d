"""Merges that fail, explained: both shapes where they are named, who made them so, and what mends it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from resspec import edits
from resspec.diagnostics import Fix, Label, Span
from resspec.domain import Domain
from resspec.graph import Frame, Node, Ref
from resspec.language.schema import Step
from resspec.language.scope import Problem, Result, Scope
from resspec.ops.merge import Concat, Elementwise, Merge
from resspec.sizes import Periodic, Product, Shape, Size, SizeError
from resspec.tensor import TensorSpec, shape_text

if TYPE_CHECKING:
    from resspec.language.expand import Expander

CODES = ("shape-mismatch", "size-mismatch")


def explained(
    expander: Expander, problem: Problem, step: Step, scope: Scope, op: Merge, tensors: Sequence[Result]
) -> Problem:
    """The problem of a merge with the shapes of its operands, their makers, and a remedy that applies."""
    specs = [tensor.specs[0] for tensor in tensors]
    free = op.axis % specs[0].rank if isinstance(op, Concat) and specs and specs[0].rank else None
    odd = problem.operand if problem.operand else _odd(specs, free)
    if problem.diagnostic.code not in CODES or not isinstance(op, Elementwise | Concat) or odd is None:
        return problem
    first, other = specs[0], specs[odd]
    what = "equal shapes" if free is None else f"equal sizes besides axis {op.axis if isinstance(op, Concat) else free}"
    alike = first.rank == other.rank
    axes = [k for k in _differing(first.shape, other.shape) if k != free] if alike else []
    places = [_operand(expander, step, k) for k in (0, odd)]
    labels = [Label(span, str(spec)) for span, spec in zip(places, (first, other), strict=True) if span is not None]
    nodes, pair = expander.builder.nodes, (tensors[0].refs[0], tensors[odd].refs[0])
    axis = axes[-1] if axes else 0
    makers = [_maker(nodes, one, axis, two) for one, two in (pair, reversed(pair))] if alike else []
    told = [label for maker in makers for label in maker.labels(axis, scope.frames)]
    labels += [label for label in told if label.span not in places]
    mend = _mend(op, first, other, axes, makers)
    problem.diagnostic = replace(
        problem.diagnostic,
        code="shape-mismatch",
        message=f"`{op.kind}` needs {what}, got {first} and {other}",
        span=places[1] or problem.diagnostic.span,
        labels=tuple(labels),
        notes=(*_smallest(first, other, expander.builder.domains), *problem.diagnostic.notes),
        help=mend.help,
        fix=_fix(expander, step, mend),
    )
    return problem


def _fix(expander: Expander, step: Step, mend: Mend) -> Fix | None:
    """`padding: same` at the maker, or the option beside the operands: `add: {of: [a, b], project: auto}`."""
    if mend.option is not None and mend.maker is not None:
        span, kind = mend.maker.node.origin.span, mend.maker.node.op.kind
        if span is not None and span.file == step.tree.span.file:
            fix = edits.argument(expander.sources.get(span.file, ""), span, kind, "padding: same")
            if fix is not None:
                return fix
    if mend.option is None or not isinstance(step.arguments, list):
        return None
    span = expander.place(step, str(step.op))
    return edits.wrapped(span, "{of: ", f", {mend.option}}}") if span.line == span.end_line else None


def _odd(specs: Sequence[TensorSpec], free: int | None) -> int | None:
    """The first operand whose shape is not the first one's."""
    for k, spec in enumerate(specs):
        if spec.rank != specs[0].rank or any(axis != free for axis in _differing(spec.shape, specs[0].shape)):
            return k
    return None


def _differing(left: Shape, right: Shape) -> list[int]:
    return [k for k, (a, b) in enumerate(zip(left, right)) if a != b]


def _operand(expander: Expander, step: Step, k: int) -> Span | None:
    """Where the k-th operand of a merge is named; None where it is the previous step's result."""
    op = str(step.op)
    if isinstance(step.arguments, dict) and isinstance(step.arguments.get("of"), list):
        return expander.place(step, op, "of", k)
    if isinstance(step.arguments, list):
        return expander.place(step, op, k)
    if isinstance(step.source, list):
        return expander.place(step, "from", k)
    if isinstance(step.arguments, str) and k == 1:
        return expander.place(step, op)
    return None


# -- who made a size ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Maker:
    """The node that gave an axis its size: a new one, or by changing the size `before`."""

    node: Node
    size: Size
    before: Size | None = None

    @property
    def lossy(self) -> bool:
        """Whether the size shrank by no whole factor, as when 45 is halved to 22."""
        before, after = self.before, self.size
        return isinstance(before, int) and isinstance(after, int) and 0 < after < before and before % after != 0

    @property
    def keeps_with_same(self) -> bool:
        """Whether `padding: same` would leave the size as it was, without a shift as of even windows."""
        op = self.node.op
        strides = getattr(op, "strides", None)  # of a pooling None stands for its size
        window = getattr(op, "kernel_size", None) or getattr(op, "pool_size", 0)
        odd = all(size % 2 for size in (window if isinstance(window, tuple) else (window,)))
        return getattr(op, "padding", None) == "valid" and strides in (1, (1,), (1, 1), (1, 1, 1)) and odd

    def labels(self, axis: int, frames: tuple[Frame, ...]) -> Iterator[Label]:
        """What the node did, and the call that leads to it from the body of the merge, whose chain is `frames`."""
        label = self._label(axis)
        if label is not None:
            yield label
        chain = self.node.origin.chain
        inner = chain[len(frames)] if len(chain) > len(frames) and chain[: len(frames)] == frames else None
        if inner is not None and inner.path and inner.span is not None:
            yield Label(inner.span, f"which is part of `{inner.path}`")

    def _label(self, axis: int) -> Label | None:
        if self.node.origin.span is None:
            return None
        what = "makes" if self.node.inputs else "has"
        if self.before is not None:
            return Label(self.node.origin.span, f"`{self.node.path}` takes {self.before} to {self.size}")
        if axis == len(self.node.outputs[0].shape) - 1:
            channels = "1 channel" if self.size == 1 else f"{self.size} channels"
            return Label(self.node.origin.span, f"`{self.node.path}` {what} {channels}")
        return Label(self.node.origin.span, f"`{self.node.path}` {what} {self.node.outputs[0]}")


def makers(expander: Expander, first: Result, other: Result, axis: int, scope: Scope) -> tuple[Label, ...]:
    """Who gave an axis of two tensors the sizes that do not fit."""
    nodes, one, two = expander.builder.nodes, first.refs[0], other.refs[0]
    found = (_maker(nodes, one, axis, two), _maker(nodes, two, axis, one))
    return tuple(label for maker in found for label in maker.labels(axis, scope.frames))


def _maker(nodes: Sequence[Node], ref: Ref, axis: int, other: Ref) -> Maker:
    """Who gave `axis` of a tensor its size: the last change, or where rows fell off since the other operand parted."""
    size = nodes[ref.node].outputs[ref.output].shape[axis]
    rank = len(nodes[ref.node].outputs[ref.output].shape)
    shared = set(_upwards(nodes, other.node))
    last: Maker | None = None
    for i in _upwards(nodes, ref.node):
        node = nodes[i]
        inputs = [nodes[one.node].outputs[one.output].shape for one in node.inputs]
        if last is not None and i in shared:
            return last
        if not inputs or len(inputs[0]) != rank or (axis == rank - 1 and node.op.family in ("conv", "dense")):
            return last or Maker(node, size)
        if inputs[0][axis] != size:
            change = Maker(node, size, inputs[0][axis])
            if change.lossy:
                return change
            last, size = last or change, inputs[0][axis]
    return last or Maker(node, size)


def _upwards(nodes: Sequence[Node], i: int) -> Iterator[int]:
    """A node, its first input, and so on up to an input of the network."""
    yield i
    while nodes[i].inputs:
        i = nodes[i].inputs[0].node
        yield i


# -- what mends it ------------------------------------------------------------------------------


class Mend(NamedTuple):
    """What mends a merge, in words, and the option of the merge that does it by itself."""

    help: str
    option: str | None = None
    maker: Maker | None = None
    """the node that `padding: same` would keep from changing the size, which is the better remedy"""


def _mend(op: Merge, first: TensorSpec, other: TensorSpec, axes: Sequence[int], makers: Sequence[Maker]) -> Mend:
    if first.rank != other.rank:
        return Mend("bring both to one number of axes: `global_avg_pool` or `flatten` takes some away, `reshape` adds")
    elementwise = isinstance(op, Elementwise)
    if isinstance(op, (Elementwise, Concat)) and all(1 in (first.shape[k], other.shape[k]) for k in axes):
        return Mend("write `broadcast: true` to stretch axes of size 1", "broadcast: true")
    channels = first.rank - 1
    if axes == [channels]:
        node = makers[1].node
        maker = f"give `{node.path}` {first.channels} channels, or " if node.inputs else ""
        option = "project: auto"
        return Mend(f"{maker}write `{option}`, which puts a 1x1 convolution before the others", option)
    spatial = [k for k in axes if k != channels]
    also = "; then `project: auto` for the channels" if channels in axes else ""
    times = _common(_ratio(first.shape[k], other.shape[k]) for k in spatial)
    if times is not None and elementwise:
        maker = f"; or take the strides out of `{makers[0].node.path}`" if makers[0].node.inputs else ""
        return Mend(
            f"write `project: auto`: a 1x1 convolution of strides {times} brings the second to the first{maker}",
            "project: auto",
        )
    if times is not None:
        return Mend(f"put `max_pool: {times}` behind the second, or write `align: resize`", "align: resize")
    times = _common(_ratio(other.shape[k], first.shape[k]) for k in spatial)
    if times is not None:
        help = f"put `upsample: {times}` behind the second, or write `align: resize`{also}"
        return Mend(help, None if also else "align: resize")
    shift = _common(_difference(first.shape[k], other.shape[k]) for k in spatial)
    if any(_difference(first.shape[k], other.shape[k]) is None for k in spatial):  # `align` cannot tell how far
        return Mend(f"let both ways to it have the same strides and padding, or give the input numbers{also}")
    if shift is None:
        return Mend(f"mend the sizes by `align: crop`, `align: pad` or `align: resize`{also}")
    small, large = (0, 1) if shift < 0 else (1, 0)
    help = f"write `align: crop` (cuts {abs(shift)} off the larger) or `align: pad`{also}"
    cut = None if also else "align: crop"
    by, sizes = makers[small], [spec.shape[spatial[-1]] for spec in (first, other)]
    if by.keeps_with_same and (by.size, by.before) == (sizes[small], sizes[large]):
        return Mend(f"give `{by.node.path}` `padding: same`, or {help}", cut, by)
    return Mend(help, cut)


def _common(values: Iterator[int | None]) -> int | None:
    """The one value of all axes, None if they disagree."""
    found = set(values)
    return found.pop() if len(found) == 1 else None


def _ratio(small: Size, large: Size) -> int | None:
    """How many times `small` is `large`, where that is a whole number for all inputs."""
    if isinstance(small, Product) or isinstance(large, Product):
        return None
    if isinstance(small, int) and isinstance(large, int):
        return large // small if 0 < small < large and large % small == 0 else None
    return next((times for times in range(2, 65) if small * times == large), None)


def _difference(left: Size, right: Size) -> int | None:
    try:
        found = left - right
    except (SizeError, TypeError):
        return None
    return found if isinstance(found, int) else None


def _smallest(first: TensorSpec, other: TensorSpec, domains: Mapping[str, Domain]) -> list[str]:
    """The smallest legal input that shows how the shapes differ."""
    at = {
        size.unknown: domains[size.unknown].smallest() or 1
        for spec in (first, other)
        for size in spec.shape
        if isinstance(size, Periodic)
    }
    if not at:
        return []
    told = ", ".join(f"{name} = {value}" for name, value in at.items())
    one, two = (shape_text(tuple(_at(size, at) for size in spec.shape)) for spec in (first, other))
    return [f"for the smallest legal input, {told}, these are {one} and {two}"] if one != two else []


def _at(size: Size, at: Mapping[str, int]) -> Size:
    return size(at[size.unknown]) if isinstance(size, Periodic) else size
