"""What is found without carrying a step out: unknown ops and arguments, names that would collide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from resspec import edits
from resspec.diagnostics import Findings, Label, Span
from resspec.graph import Graph
from resspec.language import merges
from resspec.language.arguments import span_in
from resspec.language.document import Document
from resspec.language.schema import STRUCTURAL, Step
from resspec.language.scope import Problem
from resspec.suggest import Remedy, nearest, renamed

if TYPE_CHECKING:
    from resspec.language.expand import Expander

LOOPS = ("repeat", "for")
"""steps that carry a body"""


def check_known(expander: Expander, step: Step, document: Document) -> None:
    """`Problem` unless the step's op or block exists and has the arguments that are written."""
    if step.op is None or step.op in STRUCTURAL:
        return
    given = step.arguments if isinstance(step.arguments, dict) else {}
    found = document.block(step.op)
    if found is not None:
        keys: Iterable[str] = found[1].params
    elif step.op.startswith("keras."):
        return
    else:
        kind = expander.ops.get(step.op)
        if kind is None:
            raise unknown_op(expander, step, document)
        keys = merges.keys(kind)
    for key in map(str, given if "match" not in given else ()):
        if key not in keys:
            where = span_in(step.tree, step.op)((key,), True)
            remedy = renamed(key, keys, where)
            raise Problem(
                "unknown-argument", f"`{step.op}` has no argument `{key}`", where, remedy.help, fix=remedy.fix
            )


def check_do(expander: Expander, step: Step, document: Document) -> None:
    """`Problem` where `do` stands beside something that has no body, or beside a loop that is mistyped."""
    if step.do is None or step.op is None or step.op in LOOPS:
        return
    if not (step.op in expander.ops or step.op in STRUCTURAL or document.block(step.op)):
        raise unknown_op(expander, step, document)
    place = expander.place(step, "do", key=True)
    raise Problem("bad-value", f"`do` belongs to `repeat`, `for` or stands alone, not beside `{step.op}`", place)


def unknown_op(expander: Expander, step: Step, document: Document) -> Problem:
    assert step.op is not None
    names = LOOPS if step.do is not None else (*expander.ops, *document.block_names, *STRUCTURAL)
    where = expander.place(step, step.op, key=True)
    first, _, rest = step.op.partition(" ")
    if rest and step.arguments is None and (near := nearest(first, names)):
        meant = f"{near}: {rest.lstrip(': ')}"
        fix = edits.replaced(edits.exactly(where, step.op), meant, certain=first in names)
        help = f"a `:` stands between an op and its value: `{meant}`"
        return Problem("unknown-op", f"there is no op or block `{step.op}`", where, help, fix=fix)
    if rest and first in LOOPS:
        help = f"write `{first}: {rest}`, and the steps under `do:` beside it"
        return Problem("unknown-op", f"there is no op or block `{step.op}`", where, help)
    remedy = renamed(step.op, names, edits.exactly(where, step.op), most=0)
    if step.op in ("if", "else", "elif"):
        remedy = Remedy(
            "a condition stands beside its step: `{relu: , when: deep}`; for other cases write another step"
        )
    if remedy.help is None:
        remedy = Remedy("define it under `blocks`, or bring it from another file by `use`")
    return Problem("unknown-op", f"there is no op or block `{step.op}`", where, remedy.help, fix=remedy.fix)


def check_blocks(expander: Expander) -> None:
    """Blocks that stand for an op, and bodies that no call reached: their ops and keys are checked all the same."""
    document = expander.document
    for name, block in document.spec.blocks.items():
        if name in expander.ops:
            expander.findings.warning(
                "shadowed-op",
                f"block `{name}` stands for the op of that name in this file",
                document.span("blocks", name, key=True),
                help="rename the block",
            )
        if (id(document), name) not in expander.called:
            check_body(expander, block.graph, document)


def check_body(expander: Expander, steps: Iterable[Step], document: Document) -> None:
    """The ops and keys of steps that are not carried out."""
    for step in steps:
        try:
            check_known(expander, step, document)
        except Problem as problem:
            expander.findings.add(problem.diagnostic)
        check_body(expander, step.inline or step.do or (), document)


def check_names(graph: Graph, output_spans: Mapping[str, Span], findings: Findings) -> None:
    """Names that Keras would see twice."""
    seen: dict[str, int] = {}
    names = list(graph.layer_names)
    bearers = set(graph.bearers.values())
    for i, name in enumerate(names):
        if name in seen:
            one, two = graph.nodes[seen[name]], graph.nodes[i]
            _collision(findings, name, one.path, two.path, one.origin.span, two.origin.span)
        seen.setdefault(name, i)
    for name in graph.outputs:
        if name not in bearers and name in seen:
            node = graph.nodes[seen[name]]
            _collision(findings, name, node.path, f"output {name}", node.origin.span, output_spans.get(name))


def _collision(findings: Findings, name: str, one: str, two: str, first: Span | None, second: Span | None) -> None:
    findings.error(
        "name-collision",
        f"`{one}` and `{two}` would both be the layer `{name}`",
        second,
        labels=[Label(first, "the other one")] if first else (),
        help="rename one of them",
    )
