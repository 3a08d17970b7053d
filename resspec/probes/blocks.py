"""Blocks that can be taken out of a network, the network without its shortcuts, and with a gate at every block."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from resspec.graph import Node, Ref
from resspec.network import Network
from resspec.ops.merge import Add
from resspec.ops.parameter import LayerScale
from resspec.probes.places import Map


@dataclass(frozen=True)
class Block:
    """A stretch of a network, from the node that it reads to the nodes where it ends."""

    path: str
    entry: int
    ends: tuple[int, ...]
    """the last node, or the last nodes of the branches of a residual unit"""
    inside: tuple[int, ...]
    """its nodes, in the order of the graph"""
    add: int | None = None
    """the sum in which a residual unit ends; what is no unit is taken out by going on from its entry"""


def blocks(network: Network) -> list[Block]:
    """The residual units; in a network without units what stands in one level of its paths, or else its layers.

    Such a level or layer must leave the shape as it is, or there is no going on without it.
    """
    units = Map(network).units
    if units:
        return [
            Block(_level(network, unit.add), unit.entry, unit.branches, tuple(sorted(unit.inside)), unit.add)
            for unit in units
        ]
    return _levels(network) or _layers(network)


def without_shortcuts(network: Network) -> Network:
    """The plain twin: every residual unit hands on its branch alone. Weights of projections go with the shortcuts."""
    units = {unit.add: unit for unit in Map(network).units}

    def rewired(i: int, node: Node, at: Callable[[Ref], Ref]) -> tuple[list[Node], Ref | None]:
        if i not in units:
            return [node], None
        branches = units[i].branches
        kept = [ref for ref in node.inputs if ref.node in branches]
        if len(kept) == 1 and i not in ends:
            return [], at(kept[0])
        return [replace(node, inputs=tuple(at(ref) for ref in kept))], None

    ends = {ref.node for ref in network.outputs.values()}
    return _needed(replace(_rebuilt(network, rewired), name=f"{network.name}_plain"))


def gated(network: Network, found: Sequence[Block]) -> tuple[Network, list[tuple[str, ...]]]:
    """The network with a factor of 1 for every channel at the end of each block, and the paths of these factors.

    With a factor of 0 a residual unit is its shortcut. Other blocks have a second factor, of 0, for their
    entry, which is to be 1 where the first is 0: the network then goes on from there. So the first path of
    a block takes it out with 0, and the second puts its entry in its place with 1.
    """
    gates: list[tuple[str, ...]] = []
    into: dict[int, list[int]] = {}
    after: dict[int, int] = {}
    for k, block in enumerate(found):
        if block.add is not None:
            into.setdefault(block.add, []).append(k)
            gates.append(tuple(f"gate-{k}-{j}" for j in range(len(block.ends))))
        else:
            after[block.ends[0]] = k
            gates.append((f"gate-{k}", f"pass-{k}"))

    def rewired(i: int, node: Node, at: Callable[[Ref], Ref]) -> tuple[list[Node], Ref | None]:
        if i in into:
            return _gated_sum(network, node, [(k, found[k]) for k in into[i]], at), None
        if i in after:
            k = after[i]
            spec = node.outputs[0]
            entry = at(Ref(found[k].entry))
            here = HERE
            return [
                node,
                Node(f"gate-{k}", LayerScale(init_values=1.0), (here(0),), (spec,)),
                Node(f"pass-{k}", LayerScale(init_values=0.0), (entry,), (spec,)),
                Node(f"either-{k}", Add(), (here(1), here(2)), (spec,)),
            ], here(3)
        return [node], None

    return _rebuilt(network, rewired), gates


def alike(network: Network, a: Block, b: Block) -> bool:
    """Whether two blocks are the same ops on the same shapes, so that they can take each other's place."""

    def form(block: Block) -> list[object]:
        return [(network.nodes[i].op, network.nodes[i].outputs) for i in block.inside]

    return form(a) == form(b) and network.spec(Ref(a.entry)) == network.spec(Ref(b.entry))


def HERE(offset: int) -> Ref:
    """In `rewired`: the result of the node at `offset` in the list that is returned."""
    return Ref(-1 - offset)


def _gated_sum(
    network: Network, node: Node, several: Sequence[tuple[int, Block]], at: Callable[[Ref], Ref]
) -> list[Node]:
    added: list[Node] = []
    inputs = [at(ref) for ref in node.inputs]
    for k, block in several:
        for j, end in enumerate(block.ends):
            place = next(p for p, ref in enumerate(node.inputs) if ref.node == end)
            added.append(
                Node(
                    f"gate-{k}-{j}", LayerScale(init_values=1.0), (inputs[place],), (network.spec(node.inputs[place]),)
                )
            )
            inputs[place] = HERE(len(added) - 1)
    return [*added, replace(node, inputs=tuple(inputs))]


def _rebuilt(
    network: Network,
    rewired: Callable[[int, Node, Callable[[Ref], Ref]], tuple[list[Node], Ref | None]],
) -> Network:
    """The network with each node replaced by others: `rewired` gives them, and the tensor that stands for the first
    result of the node from then on (None: the last of them)."""
    nodes: list[Node] = []
    read: dict[Ref, Ref] = {}

    def at(ref: Ref) -> Ref:
        return read[ref]

    for i, node in enumerate(network.nodes):
        moved = replace(node, inputs=tuple(at(ref) for ref in node.inputs))
        fresh, stands = rewired(i, node, at)
        base = len(nodes)

        def settled(ref: Ref, base: int = base) -> Ref:
            return Ref(base - 1 - ref.node, ref.output) if ref.node < 0 else ref

        for one in fresh:
            one = moved if one is node else replace(one, inputs=tuple(settled(ref) for ref in one.inputs))
            nodes.append(one)
        last = Ref(len(nodes) - 1) if stands is None else settled(stands)
        for k in range(len(node.outputs)):
            read[Ref(i, k)] = Ref(last.node, k) if stands is None else last
    return replace(
        network,
        nodes=tuple(nodes),
        inputs={name: read[Ref(i)].node for name, i in network.inputs.items()},
        outputs={name: read[ref] for name, ref in network.outputs.items()},
        results={path: read[ref] for path, ref in network.results.items()},
    )


def _needed(network: Network) -> Network:
    """The network without the nodes that no output depends on; inputs stay."""
    used = {*network.inputs.values(), *(ref.node for ref in network.outputs.values())}
    for i in range(len(network.nodes) - 1, -1, -1):
        if i in used:
            used.update(ref.node for ref in network.nodes[i].inputs)
    new = {old: k for k, old in enumerate(sorted(used))}

    def moved(refs: Mapping[str, Ref]) -> dict[str, Ref]:
        return {name: Ref(new[ref.node], ref.output) for name, ref in refs.items() if ref.node in new}

    kept = [network.nodes[i] for i in sorted(used)]
    return replace(
        network,
        nodes=tuple(replace(n, inputs=tuple(Ref(new[r.node], r.output) for r in n.inputs)) for n in kept),
        inputs={name: new[i] for name, i in network.inputs.items()},
        outputs=moved(network.outputs),
        results=moved(network.results),
    )


def _levels(network: Network) -> list[Block]:
    """Levels of the paths that read one tensor and hand on one of its shape: the innermost that hold a layer."""
    where = Map(network)
    layers = set(where.layers)
    found: list[Block] = []
    for path, result in network.results.items():
        inside = tuple(i for i in sorted(where.used) if network.nodes[i].path.startswith(f"{path}/"))
        if not layers & set(inside) or result.node not in inside:
            continue
        entries = {ref for i in inside for ref in network.nodes[i].inputs if ref.node not in inside}
        leaves = {i for i in inside if any(r not in inside for r in where.view.readers[i]) or i in where.view.shown}
        if len(entries) == 1 and leaves <= {result.node} and result.output == 0:
            (entry,) = entries
            if entry.output == 0 and network.spec(entry) == network.spec(result):
                found.append(Block(path, entry.node, (result.node,), inside))
    inner = [b for b in found if not any(set(o.inside) < set(b.inside) for o in found)]
    return sorted(inner, key=lambda block: block.inside)


def _layers(network: Network) -> list[Block]:
    """Single layers that leave the shape as it is."""
    found = []
    for i in Map(network).layers:
        node = network.nodes[i]
        if len(node.inputs) == 1 and node.inputs[0].output == 0 and node.owner is None:
            entry = node.inputs[0]
            if network.spec(entry) == node.outputs[0]:
                found.append(Block(node.path, entry.node, (i,), (i,)))
    return found


def _level(network: Network, i: int) -> str:
    path = network.nodes[i].path
    return path.rpartition("/")[0] or path
