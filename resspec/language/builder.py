"""Collects the nodes of a graph: infers shapes, follows which sizes stay legal, keeps the limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any

from resspec import limits
from resspec.diagnostics import Label, Span
from resspec.domain import AtLeast, AtMost, Domain, Equal, Multiple, Requirement
from resspec.graph import Graph, Group, Node, Origin, Ref, Restriction
from resspec.language.live import live, renumbered
from resspec.language.relations import Related, solved
from resspec.language.scope import Problem, Result
from resspec.ops.base import Op, OpError, Weight
from resspec.ops.source import Input
from resspec.sizes import Periodic, Size, SizeError
from resspec.tensor import TensorSpec

Inferred = tuple[tuple[TensorSpec, ...], tuple[Weight, ...], tuple[Requirement, ...]]


@dataclass(slots=True)
class GraphBuilder:
    """A graph in the making. `add` refuses what does not fit with a `Problem`."""

    nodes: list[Node] = field(default_factory=list)
    inputs: dict[str, int] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    results: dict[str, Ref] = field(default_factory=dict)
    domains: dict[str, Domain] = field(default_factory=dict)
    restrictions: list[Restriction] = field(default_factory=list)
    index: dict[str, int] = field(default_factory=dict)
    """path -> node index"""
    _legal: frozenset[tuple[str, Domain]] | None = None
    _positive: set[Periodic] = field(default_factory=set)
    _known: dict[tuple[int, tuple[TensorSpec, ...]], Inferred] = field(default_factory=dict)
    _specs: dict[TensorSpec, TensorSpec] = field(default_factory=dict)
    _kept: list[Op] = field(default_factory=list)

    def add_input(self, name: str, spec: TensorSpec, span: Span | None) -> Result:
        self.inputs[name] = len(self.nodes)
        for size in spec.shape:
            if isinstance(size, Periodic):
                self.domains.setdefault(size.unknown, Domain(size.unknown))
                self._legal = None
                self._positive.add(size)
                if size.period > 1 or size.values != (0,):
                    self.require(AtLeast(size, 1), span, f"`{name}`")
        return self._append(Node(name, Input(), (), (self._one(spec),), Origin(span)))

    def add(
        self,
        op: Op,
        operands: Sequence[Result],
        path: str,
        origin: Origin,
        *,
        trainable: bool = True,
        owner: str | None = None,
    ) -> Result:
        """A node for `op` on the first tensor of each operand."""
        specs = tuple(operand.specs[0] for operand in operands)
        low, high = op.arity
        if len(specs) < low or (high is not None and len(specs) > high):
            wanted = str(low) if low == high else f"at least {low}" if high is None else f"{low} to {high}"
            raise Problem(
                "wrong-inputs",
                f"`{op.kind}` takes {wanted} input{'' if wanted == '1' else 's'}, got {len(specs)}",
                origin.span,
                "give them with `from: [a, b]`" if len(specs) < low else "leave some out, or merge them step by step",
            )
        if len(self.nodes) >= limits.NODES:
            raise Problem("too-many-nodes", f"the graph would have more than {limits.NODES} ops", origin.span)
        refs = tuple(operand.refs[0] for operand in operands)
        try:
            outputs, weights, requirements = self._inferred(op, specs)
        except OpError as error:
            raise self._refused(error, refs, origin) from None
        except SizeError as error:
            if not all(spec.shape for spec in specs):
                raise Problem("rank-mismatch", f"`{op.kind}`: {error}", origin.span) from None
            raise Problem("unknown-size", str(error), origin.span, "give the input numbers along this axis") from None
        for requirement in requirements:
            self.require(requirement, origin.span, f"`{op.kind}`")
        for spec in outputs:
            self._check(spec, op, origin)
        node = Node(path, op, refs, outputs, origin, owner if weights else None, trainable)
        return self._append(node)

    def _inferred(self, op: Op, specs: tuple[TensorSpec, ...]) -> Inferred:
        """What an op makes of its inputs; repeated blocks ask for the same again and again."""
        key = (id(op), specs)
        found = self._known.get(key)
        if found is None:
            outputs = op.infer(*specs)
            several = tuple(map(self._one, outputs if isinstance(outputs, tuple) else (outputs,)))
            found = (several, op.weights(*specs), tuple(op.requires(*specs)))
            self._known[key] = found
            self._kept.append(op)  # an id is taken again once its op is gone
        return found

    def _one(self, spec: TensorSpec) -> TensorSpec:
        """The same object for equal tensors, so that they need not be compared again."""
        return self._specs.setdefault(spec, spec)

    def _append(self, node: Node) -> Result:
        i = len(self.nodes)
        self.index[node.path] = i
        self.nodes.append(node)
        names = node.op.result_names()
        return Result(tuple(Ref(i, k) for k in range(len(node.outputs))), node.outputs, names)

    def _check(self, spec: TensorSpec, op: Op, origin: Origin) -> None:
        if len(spec.shape) > limits.RANK:
            raise Problem("rank-mismatch", f"a tensor has at most {limits.RANK} axes, got {spec}", origin.span)
        for size in spec.shape:
            if isinstance(size, Periodic):
                if size.slope > limits.DIMENSION * size.period or (size.slope >= 0 and size(1) > limits.DIMENSION):
                    reason = f"has an axis beyond {limits.DIMENSION}"
                    raise Problem("too-large", f"the result of `{op.kind}` {reason}: {spec}", origin.span)
                if size not in self._positive:
                    self._positive.add(size)
                    self.require(AtLeast(size, 1), origin.span, f"`{op.kind}`")
            elif isinstance(size, int) and not 0 < size <= limits.DIMENSION:
                reason = "is empty" if size < 1 else f"has an axis beyond {limits.DIMENSION}"
                raise Problem(
                    "empty-tensor" if size < 1 else "too-large",
                    f"the result of `{op.kind}` {reason}: {spec}",
                    origin.span,
                    "use a larger input or fewer reductions" if size < 1 else "pool, crop or split the tensor before",
                )

    def _refused(self, error: OpError, refs: Sequence[Ref], origin: Origin) -> Problem:
        """An op's refusal as a finding, with the places where its inputs were made."""
        labels = []
        for ref in refs if error.operand is not None else ():
            node = self.nodes[ref.node]
            if node.origin.span is not None and node.origin.span != origin.span:
                labels.append(Label(node.origin.span, f"`{node.path}` is {node.outputs[ref.output]}"))
        return Problem(
            error.code,
            error.message,
            origin.span,
            error.help,
            labels=tuple(labels[:4]),
            argument=error.argument,
            operand=error.operand,
        )

    def require(self, requirement: Requirement, span: Span | None, what: str) -> None:
        """Restrict the legal input sizes to those for which `requirement` holds."""
        sizes = (requirement.left, requirement.right) if isinstance(requirement, Equal) else (requirement.size,)
        unknowns = {size.unknown for size in sizes if isinstance(size, Periodic)}
        if not unknowns and all(isinstance(size, int) for size in sizes):
            if not _holds(requirement):
                raise Problem("shape-mismatch", f"{what} {_wants(requirement)}", span)
            return
        if isinstance(requirement, Equal) and requirement.left == requirement.right:
            return
        if len(unknowns) == 2 and isinstance(requirement, Equal):
            relation = solved(requirement, list(self.domains), span)
            if relation is not None:
                raise Related(relation)
        if len(unknowns) != 1:
            names = " and ".join(f"`{name}`" for name in sorted(unknowns)) or "its sizes"
            raise Problem(
                "unknown-size",
                f"{what} {_wants(requirement)}, which cannot be followed for {names} together",
                span,
                "give the inputs numbers, or the same name where they are equal",
            )
        (name,) = unknowns
        before = self.domains[name]
        try:
            after = before.require(requirement)
        except SizeError as error:
            raise Problem("unknown-size", f"{what}: {error}", span, "give the input numbers along this axis") from None
        if after.empty:
            raise Problem(
                "size-mismatch",
                f"{what} {_wants(requirement)}, which holds for no legal `{name}`",
                span,
                _remedy(requirement),
                notes=(f"legal up to here: {before}",),
            )
        if isinstance(requirement, Equal) and after != before:
            self.restrictions.append(Restriction(span, before, after))
        if after != before:
            self.domains[name] = after
            self._legal = None

    @property
    def legal(self) -> frozenset[tuple[str, Domain]]:
        """Which sizes are legal so far."""
        if self._legal is None:
            self._legal = frozenset(self.domains.items())
        return self._legal

    def constant(self, size: Size) -> int | None:
        """`size` if it is one number for all sizes that are legal so far."""
        if isinstance(size, int):
            return size
        if isinstance(size, Periodic) and size.slope == 0:
            values = self.domains[size.unknown].values(size)
            return values.pop() if values is not None and len(values) == 1 else None
        return None

    def equal(self, left: Size, right: Size) -> bool:
        """Whether two sizes are the same for all inputs that are legal so far."""
        if left == right:
            return True
        try:
            return self.constant(left - right) == 0
        except (SizeError, TypeError):
            return False

    def finish(
        self,
        name: str,
        outputs: Mapping[str, Ref],
        params: Mapping[str, Any],
        relations: Mapping[str, Size],
        numbered: Set[str],
    ) -> Graph:
        """The graph of what the outputs depend on, its sizes as simple as the legal inputs allow."""
        simple: dict[TensorSpec, TensorSpec] = {}

        def simplified(spec: TensorSpec) -> TensorSpec:
            if spec not in simple:
                sizes = (self.domains[s.unknown].simplified(s) if isinstance(s, Periodic) else s for s in spec.shape)
                simple[spec] = TensorSpec(tuple(sizes), spec.dtype)
            return simple[spec]

        nodes, index = renumbered(self.nodes, live(self.nodes, outputs.values()))
        if self.domains:
            nodes = [replace(node, outputs=tuple(map(simplified, node.outputs))) for node in nodes]
        results = {path: Ref(index[ref.node], ref.output) for path, ref in self.results.items() if ref.node in index}
        levels: set[str] = set()
        for node in nodes:
            level = node.path.rpartition("/")[0]
            while level and level not in levels:
                levels.add(level)
                level = level.rpartition("/")[0]
        groups = {path: group for path, group in self.groups.items() if path in levels or path in results}
        return Graph(
            name,
            tuple(nodes),
            dict(self.inputs),
            {name: Ref(index[ref.node], ref.output) for name, ref in outputs.items()},
            groups,
            {path: ref for path, ref in results.items() if path in groups},
            dict(self.domains),
            {
                unknown: self.domains[size.unknown].simplified(size) if isinstance(size, Periodic) else size
                for unknown, size in relations.items()
            },
            dict(params),
            tuple(self.restrictions),
            frozenset(numbered),
        )


def _holds(requirement: Requirement) -> bool:
    if isinstance(requirement, Equal):
        return requirement.left == requirement.right
    assert isinstance(requirement.size, int)
    if isinstance(requirement, Multiple):
        return requirement.size % requirement.of == 0
    if isinstance(requirement, AtMost):
        return requirement.size <= requirement.most
    return requirement.size >= requirement.least


def _wants(requirement: Requirement) -> str:
    if isinstance(requirement, Equal):
        return f"needs equal sizes, got `{requirement.left}` and `{requirement.right}`"
    if isinstance(requirement, Multiple):
        return f"needs a multiple of {requirement.of}, got `{requirement.size}`"
    if isinstance(requirement, AtMost):
        return f"needs a size of at most {requirement.most}, got `{requirement.size}`"
    return f"needs a size of at least {requirement.least}, got `{requirement.size}`"


def _remedy(requirement: Requirement) -> str | None:
    if isinstance(requirement, Equal):
        return "write `align: crop`, `align: pad` or `align: resize`, or change padding or strides before"
    if isinstance(requirement, Multiple):
        return "change the padding before, or pool with `padding: same`"
    return None
