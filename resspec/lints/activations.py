"""`relu-before-add` and `relu-first`: one-sided activations where they take away what should stay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from resspec.diagnostics import Diagnostic
from resspec.lints.residual import Unit
from resspec.lints.view import View
from resspec.ops.activation import Relu, Relu6, Softplus
from resspec.ops.base import Op
from resspec.ops.conv import Convolution
from resspec.ops.dense import Dense
from resspec.ops.regularization import Regularization
from resspec.ops.reshape import Identity
from resspec.ops.source import Input

MEASURED = 'He et al. 2016, "Identity Mappings in Deep Residual Networks", figure 4c: such networks err more'
CENTRED = 'inputs have a mean near 0 (LeCun et al. 1998, "Efficient BackProp", section 4.3), so half of them would go'

ONE_SIDED = ("relu", "relu6", "softplus")
"""the same as an argument of another op: `activation: relu`"""


def one_sided(op: Op) -> bool:
    """Whether the result of `op` is never below 0 because of a ReLU or its like."""
    if isinstance(op, Relu):
        return op.negative_slope == 0
    return isinstance(op, Relu6 | Softplus) or getattr(op, "activation", None) in ONE_SIDED


def relu_before_add(view: View, units: Sequence[Unit]) -> Iterator[Diagnostic]:
    """Residual branches that end in a ReLU."""
    sums: dict[int, int] = {}
    for unit in units:
        for end in unit.branches:
            last = end
            while last != unit.entry and isinstance(view.nodes[last].op, Identity | Regularization):
                last = view.nodes[last].inputs[0].node
            if last in unit.inside and one_sided(view.nodes[last].op):
                sums[last] = unit.add
    for group in view.together(list(sums)).values():
        node = view.nodes[group[0]]
        inside = node.op.family != "activation"
        yield view.warning(
            "relu-before-add",
            f"the residual branch ends in {_named(node.op)}, so the sum can only grow",
            group,
            ("activation",),
            why=MEASURED,
            help=("leave it out" if inside else "remove this step")
            + " and activate after the `add`, or before the first convolution of the branch",
            label=(sums[group[0]], "is added here"),
        )


def relu_first(view: View) -> Iterator[Diagnostic]:
    """Inputs of the network that go through a ReLU on their way to the first layer with weights."""
    found = [
        i
        for i in view.of(Relu, Relu6, Softplus)
        if one_sided(view.nodes[i].op)
        and any(isinstance(view.nodes[reader].op, Convolution | Dense) for reader in view.readers[i])
        and isinstance(view.nodes[view.source(view.nodes[i].inputs[0], Identity, Regularization)].op, Input)
    ]
    for group in view.together(found).values():
        yield view.warning(
            "relu-first",
            f"{_named(view.nodes[group[0]].op)} on an input of the network cuts off all that is negative",
            group,
            why=CENTRED,
            help="remove this step, or put a convolution before it",
        )


def _named(op: Op) -> str:
    name = op.kind if op.family == "activation" else str(getattr(op, "activation", op.kind))
    return {"relu": "a ReLU", "relu6": "a ReLU"}.get(name, f"`{name}`")
