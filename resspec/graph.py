"""The canonical form of a network: a flat, typed graph in topological order.

Analysis, rendering and the Keras compiler see this and nothing else.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from resspec.diagnostics import Span
from resspec.domain import Domain
from resspec.ops.base import Op, Weight
from resspec.ops.source import Input
from resspec.sizes import Size
from resspec.tensor import TensorSpec


class Ref(NamedTuple):
    """One output of one node, by the node's index."""

    node: int
    output: int = 0


@dataclass(frozen=True, slots=True)
class Frame:
    """One level of the chain that led to a node: a block call or a loop turn."""

    label: str
    """what was entered: "block `unit`" or "loop turn i = 2" """
    path: str
    span: Span | None


@dataclass(frozen=True, slots=True)
class Origin:
    """The step a node came from, and the calls around it, outermost first."""

    span: Span | None = None
    chain: tuple[Frame, ...] = ()


@dataclass(frozen=True, slots=True)
class Restriction:
    """A step that needs equal sizes, and what it leaves of the legal values of an unknown."""

    span: Span | None
    before: Domain
    after: Domain


@dataclass(frozen=True, slots=True)
class Group:
    """A level of the path tree: a call of a block, a named loop turn, or a named body."""

    path: str
    kind: str
    """the block's name, `repeat`, `for`, or `do`"""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """the block's parameters at this call"""
    origin: Origin = Origin()


@dataclass(frozen=True, slots=True)
class Node:
    """One op at one place. `outputs` are its tensors, the batch axis left out."""

    path: str
    op: Op
    inputs: tuple[Ref, ...]
    outputs: tuple[TensorSpec, ...]
    origin: Origin = Origin()
    owner: str | None = None
    """path of the node whose weights this one uses (`share`), None if its own"""
    trainable: bool = True


@dataclass(frozen=True)
class Graph:
    """A network. Node i reads only from nodes before it; input nodes come first."""

    name: str
    nodes: tuple[Node, ...]
    inputs: Mapping[str, int]
    """input name -> node index"""
    outputs: Mapping[str, Ref]
    """output name -> tensor"""
    groups: Mapping[str, Group] = field(default_factory=dict)
    """path -> the block call, loop turn or body that opened it, in order of opening"""
    results: Mapping[str, Ref] = field(default_factory=dict)
    """path of a group -> its result, so that `outputs=["stage2"]` can be asked for"""
    domains: Mapping[str, Domain] = field(default_factory=dict)
    """unknown size -> its legal values"""
    relations: Mapping[str, Size] = field(default_factory=dict)
    """unknown size -> what it must be, where that is a function of another: `H = 2*h`"""
    params: Mapping[str, Any] = field(default_factory=dict)
    """the spec's parameters as they were set"""
    restrictions: tuple[Restriction, ...] = ()
    """merges that left less of the legal sizes, in the order in which they stand"""
    numbered: frozenset[str] = frozenset()
    """paths of nodes and groups whose last part was numbered, because the step has no name of its own"""

    def spec(self, ref: Ref) -> TensorSpec:
        return self.nodes[ref.node].outputs[ref.output]

    def operands(self, node: Node) -> tuple[TensorSpec, ...]:
        """The tensors that `node` reads."""
        return tuple(self.nodes[ref.node].outputs[ref.output] for ref in node.inputs)

    def path(self, ref: Ref) -> str:
        """The path of a tensor: its node's, and the name of the result where there are several."""
        node = self.nodes[ref.node]
        return node.path if len(node.outputs) == 1 else f"{node.path}.{node.op.result_names()[ref.output]}"

    @property
    def legal_sizes(self) -> dict[str, str]:
        """Unknown size -> its legal values in words: `H = 0 (mod 16), H >= 32`, or `h = H//2`."""
        found = {name: str(domain) for name, domain in self.domains.items()}
        return found | {name: f"{name} = {size}" for name, size in self.relations.items()}

    @cached_property
    def index(self) -> Mapping[str, int]:
        """path -> node index."""
        return {node.path: i for i, node in enumerate(self.nodes)}

    def find(self, path: str) -> Ref | None:
        """The tensor at a path: a node's first output, or the result of a block or loop turn."""
        if path in self.outputs:
            return self.outputs[path]
        if path in self.index:
            return Ref(self.index[path])
        return self.results.get(path)

    def is_numbered(self, path: str) -> bool:
        """Whether a path rests on the order of unnamed steps anywhere: then an edit may give it to another step."""
        while path:
            if path in self.numbered:
                return True
            path = path.rpartition("/")[0]
        return False

    @cached_property
    def alike(self) -> tuple[int, ...]:
        """For each node the first one with the same op on the same shapes: what holds of one holds of the other."""
        known: dict[tuple[int, ...], int] = {}
        found = []
        for i, node in enumerate(self.nodes):
            # equal tensors of one graph are one object; where they are not, less is shared
            specs = [id(self.nodes[ref.node].outputs[ref.output]) for ref in node.inputs]
            found.append(known.setdefault((id(node.op), *specs, *map(id, node.outputs)), i))
        return tuple(found)

    @cached_property
    def weights(self) -> tuple[tuple[Weight, ...], ...]:
        """The variables of each node; none for a node that uses another's."""
        found: list[tuple[Weight, ...]] = []
        for node, like in zip(self.nodes, self.alike, strict=True):
            first = self.nodes[like]
            if len(found) == like or first.owner:
                weights = node.op.weights(*self.operands(node))
            else:
                weights = found[like]
            found.append(() if node.owner else weights)
        return tuple(found)

    @cached_property
    def weights_before(self) -> tuple[int, ...]:
        """For every index the number of weights, trainable or not, of the nodes before it."""
        sizes = (sum(weight.size for weight in weights) for weights in self.weights)
        return tuple(itertools.accumulate(sizes, initial=0))

    @cached_property
    def bearers(self) -> Mapping[int, str]:
        """Node index -> the output name that its layer bears.

        An output whose node is an input, has several results, shares its weights or bears another
        output's name already, gets an identity layer of its name instead.
        """
        uses = Counter(ref.node for ref in self.outputs.values())
        shared = {node.owner for node in self.nodes if node.owner}
        return {
            ref.node: name
            for name, ref in self.outputs.items()
            if uses[ref.node] == 1
            and not isinstance(self.nodes[ref.node].op, Input)
            and len(self.nodes[ref.node].outputs) == 1
            and self.nodes[ref.node].owner is None
            and self.nodes[ref.node].path not in shared
        }

    @cached_property
    def layer_names(self) -> tuple[str, ...]:
        """The Keras name of each node: its output's name, or its path with `/` as `_`.

        Where an identity layer bears the output's name, a node of that name steps aside.
        """
        bearers = self.bearers
        identities = {name: ref.node for name, ref in self.outputs.items() if bearers.get(ref.node) != name}
        names = []
        for i, node in enumerate(self.nodes):
            name = bearers.get(i) or node.path.replace("/", "_")
            if identities.get(name) == i and not isinstance(node.op, Input):
                name += "-layer"
            names.append(name)
        return tuple(names)

    def to_dict(self) -> dict[str, Any]:
        """The graph as plain data, in the order of its nodes; the same spec gives the same data."""
        return {
            "name": self.name,
            "digest": self.digest,
            "paths_digest": self.paths_digest,
            "params": dict(self.params),
            "inputs": {name: _tensor(self.nodes[i].outputs[0]) for name, i in self.inputs.items()},
            "outputs": {
                name: {"from": self.path(ref), **_tensor(self.spec(ref))} for name, ref in self.outputs.items()
            },
            "nodes": [
                {
                    "path": node.path,
                    "op": node.op.kind,
                    "arguments": node.op.canonical(*self.operands(node)),
                    "inputs": [self.path(ref) for ref in node.inputs],
                    "outputs": [_tensor(spec) for spec in node.outputs],
                    "weights": [
                        {"name": w.name, "shape": list(w.shape), "trainable": w.trainable and node.trainable}
                        for w in weights
                    ],
                    **({"shares": node.owner} if node.owner else {}),
                    **({} if node.trainable else {"trainable": False}),
                    **({"at": _place(node.origin.span)} if node.origin.span else {}),
                }
                for node, weights in zip(self.nodes, self.weights, strict=True)
            ],
            "sizes": self.legal_sizes,
        }

    @cached_property
    def digest(self) -> str:
        """sha256 of what the network computes: ops with normalised arguments, edges, shapes, sharing, names."""
        index = self.index
        ops: dict[int, str] = {}
        nodes = []
        for node, like in zip(self.nodes, self.alike, strict=True):
            if like not in ops:
                outputs = [_tensor(spec) for spec in node.outputs]
                ops[like] = _canonical_json([node.op.kind, node.op.canonical(*self.operands(node)), outputs])
            owner = index[node.owner] if node.owner else None
            nodes.append([ops[like], node.inputs, owner, node.trainable])
        return _sha256(
            {
                "inputs": [[name, i, _tensor(self.nodes[i].outputs[0])] for name, i in self.inputs.items()],
                "outputs": [[name, *ref] for name, ref in self.outputs.items()],
                "nodes": nodes,
            }
        )

    @cached_property
    def paths_digest(self) -> str:
        """sha256 of the paths, by which weights are known."""
        return _sha256([node.path for node in self.nodes])


def _tensor(spec: TensorSpec) -> dict[str, Any]:
    return {"shape": [size if isinstance(size, int) else str(size) for size in spec.shape], "dtype": spec.dtype}


def _place(span: Span) -> str:
    return f"{span.file}:{span.line}:{span.column}"


def _canonical_json(data: Any) -> str:
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _sha256(data: Any) -> str:
    return hashlib.sha256(_canonical_json(data).encode()).hexdigest()
