"""`unused-tap`: a `tap` step that fetches a value which nobody takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from resspec import yamltree
from resspec.diagnostics import Diagnostic
from resspec.language.document import Document
from resspec.language.schema import Step
from resspec.lints.view import every_step
from resspec.lints.words import Words, union, words
from resspec.ops.merge import MERGE_OPS

MERGES = frozenset(op.kind for op in MERGE_OPS)


def unused_taps(document: Document) -> Iterator[Diagnostic]:
    """Taps whose name nobody uses, before a step that takes its input from elsewhere.

    Only a step without `when` is sure to do that: one that is passed over hands the value on.
    """
    spec = document.spec
    blocks = spec.blocks.values()
    bodies = [spec.graph, *(block.graph for block in blocks)]
    steps = [step for body in bodies for step in every_step(body)]
    bodies += [step.do for step in steps if step.do is not None]
    used = union(map(_reads, steps)) | words([block.outputs for block in blocks])
    merges = MERGES - {*document.block_names}
    for body in bodies:
        flat = list(_flat(body))
        for step, behind in pairwise(flat):
            if step.op != "tap" or step.output or not _elsewhere(behind, merges):
                continue
            if step.name is None or not ("$" in step.name or step.name in used):
                yield Diagnostic(
                    "unused-tap",
                    f"`tap` fetches `{step.arguments}`, which nobody takes",
                    yamltree.locate(step.tree, ("tap",), key=True),
                    "warning",
                    notes=("the next step takes its input from elsewhere",),
                    help="remove the step, or the `from` of the next one",
                )


def _flat(steps: Sequence[Step]) -> Iterator[Step]:
    for step in steps:
        if step.inline is not None:
            yield from _flat(step.inline)
        else:
            yield step


def _reads(step: Step) -> Words:
    """Words of a step by which it may take something, its name left out."""
    return words([step.arguments, step.source, step.when, step.let])


def _elsewhere(step: Step, merges: frozenset[str]) -> bool:
    """Whether a step is sure not to take the previous result."""
    if step.when is not None or "prev" in _reads(step):
        return False
    of = step.arguments.get("of") if isinstance(step.arguments, dict) else step.arguments
    return step.source is not None or step.op == "tap" or (step.op in merges and isinstance(of, list))
