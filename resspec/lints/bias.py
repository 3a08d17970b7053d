"""`bias-before-norm`: a bias that the batch normalization behind it takes away again."""

from __future__ import annotations

from collections.abc import Iterator

from resspec.diagnostics import Diagnostic
from resspec.graph import Node
from resspec.lints.edits import argument_added
from resspec.lints.view import View
from resspec.ops.conv import Convolution
from resspec.ops.dense import Dense
from resspec.ops.norm import BatchNorm
from resspec.ops.pool import MaxPool
from resspec.ops.resample import Crop
from resspec.ops.reshape import Flatten, Identity

WHY = (
    'the mean that it subtracts contains the bias (Ioffe and Szegedy 2015, "Batch Normalization", section 3.2); '
    "its own `beta` does the work"
)
PASSED = (Identity, Flatten, Crop, MaxPool)
"""ops behind which a number that was added to a channel is still added to it, or to what it became"""


def bias_before_norm(view: View) -> Iterator[Diagnostic]:
    """A convolution or dense layer with a bias whose only reader is a batch normalization."""
    owners = {node.owner for node in view.nodes if node.owner}
    found: list[int] = []
    norms: dict[int, int] = {}
    for i in view.of(BatchNorm):
        node = view.nodes[i]
        if not node.trainable:
            continue  # a frozen one subtracts a fixed mean, behind which a bias does count
        source = node.inputs[0].node
        while isinstance(view.nodes[source].op, PASSED) and _only_reader(view, source):
            source = view.nodes[source].inputs[0].node
        before = view.nodes[source]
        if (
            isinstance(before.op, Convolution | Dense)
            and before.op.use_bias
            and before.op.activation in (None, "linear")
            and before.trainable
            and before.owner is None
            and before.path not in owners
            and _only_reader(view, source)
        ):
            found.append(source)
            norms[source] = i
    for span, group in view.everywhere(view.together(found)).items():
        first, norm = view.nodes[group[0]], view.nodes[norms[group[0]]]
        step = view.places.steps.get(span) if span is not None else None
        always = _unconditional(view, first, norm)
        yield view.warning(
            "bias-before-norm",
            f"the bias of `{first.op.kind}` has no effect: `batch_norm` follows",
            group,
            ("use_bias",),
            why=WHY,
            help="write `use_bias: false`" if always else "make `use_bias` false where the `batch_norm` is carried out",
            label=(norms[group[0]], "subtracts it"),
            fix=argument_added(step, first.op.primary, "use_bias", "false") if always and step is not None else None,
        )


def _unconditional(view: View, first: Node, norm: Node) -> bool:
    """Whether no `when` decides on the norm, or on a call around it, that does not decide on the first node too."""
    own = view.places.steps.get(first.origin.span) if first.origin.span is not None else None
    shared = (None, own.when if own is not None else None)
    calls = (frame.span for frame in norm.origin.chain if frame not in first.origin.chain)
    steps = (view.places.steps.get(span) for span in (norm.origin.span, *calls) if span is not None)
    return all(step is None or step.when in shared for step in steps)


def _only_reader(view: View, i: int) -> bool:
    return len(view.readers[i]) == 1 and i not in view.shown
