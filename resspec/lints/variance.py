"""`growing-variance`: residual branches in a row that nothing keeps small."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from resspec.diagnostics import Diagnostic
from resspec.lints.residual import Unit
from resspec.lints.view import WAY, View
from resspec.ops.activation import Elu, Gelu, LeakyRelu, Mish, Prelu, Relu, Silu
from resspec.ops.base import Op
from resspec.ops.conv import Convolution
from resspec.ops.dense import Dense
from resspec.ops.merge import Concat
from resspec.ops.pool import Pooling
from resspec.ops.regularization import Regularization
from resspec.ops.resample import Crop, Pad, PadChannels
from resspec.ops.reshape import Movement

CHAIN = 8
"""units in a row from which on it matters: the variance has grown 256 times"""

GROWING = (None, "linear", "relu", "leaky_relu", "elu", "gelu", "silu", "mish")
"""activations without an upper bound, as arguments"""

TRANSPARENT = (
    *(Relu, LeakyRelu, Prelu, Elu, Gelu, Silu, Mish),
    *(Regularization, Pooling, Movement, Concat, Pad, PadChannels, Crop),
)
"""ops that leave the size of the numbers about as it is"""


def growing_variance(view: View, units: Sequence[Unit]) -> Iterator[Diagnostic]:
    """Chains of eight or more residual units without normalization and without small factors."""
    begins: dict[int, int] = {}
    """sum of a unit -> sum of the first unit of its chain"""
    chains: dict[int, list[int]] = {}
    for unit in units:
        if not all(_keeps(view.nodes[i].op) for i in (*unit.inside, *unit.shortcut)):
            continue
        before = _sum_before(view, unit.entry, begins)
        begins[unit.add] = begins[before] if before is not None else unit.add
        chains.setdefault(begins[unit.add], []).append(unit.add)
    told: set[object] = set()
    for chain in chains.values():
        span = view.nodes[chain[0]].origin.span
        if len(chain) < CHAIN or span in told:
            continue
        told.add(span)
        yield view.warning(
            "growing-variance",
            f"{len(chain)} residual units in a row have neither normalization nor a small factor in their branches: "
            "the variance about doubles at each",
            chain,
            why='De and Smith 2020, "Batch Normalization Biases Residual Blocks Towards the Identity Function in Deep '
            'Networks"; Balduzzi et al. 2017, "The Shattered Gradients Problem"',
            help="put `batch_norm` before the convolutions of the branch, end the branch with `layer_scale: 0.1`, "
            "or put `scale: 0.7071` after the `add`",
        )


def _keeps(op: Op) -> bool:
    """Whether the variance behind `op` is about that before it; of unknown ops nothing is said."""
    if isinstance(op, Convolution | Dense):
        initial = getattr(op, "kernel_initializer", None) or getattr(op, "pointwise_initializer", None)
        return op.activation in GROWING and not _small(initial)
    return isinstance(op, TRANSPARENT)


def _small(initializer: object) -> bool:
    """Whether weights start at 0 or much smaller than usual."""
    scale = getattr(initializer, "scale", None)
    value = getattr(initializer, "value", None)
    return initializer == "zeros" or (scale is not None and scale <= 0.1) or value == 0


def _sum_before(view: View, i: int, sums: dict[int, int]) -> int | None:
    """The sum of the unit before, where nothing between the two keeps the numbers small."""
    for _ in range(WAY):
        if i in sums:
            return i
        node = view.nodes[i]
        if len(node.inputs) != 1 or not _keeps(node.op):
            return None
        i = node.inputs[0].node
    return None
