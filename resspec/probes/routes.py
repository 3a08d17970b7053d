"""Counting the paths through a network, from the graph alone: exact, in big integers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import comb

from resspec.graph import Ref
from resspec.network import Network
from resspec.probes.places import Map


def by_layers(network: Network) -> list[int]:
    """How many paths from an input to an output go through 0, 1, 2, ... layers with weights."""
    where = Map(network)
    counted = set(where.layers)
    return _lengths(network, lambda i: _sources(network, i), lambda i: int(i in counted))


def by_blocks(network: Network) -> list[int]:
    """How many paths lead through the branches of 0, 1, 2, ... residual units.

    What is within a unit counts as one path for each of its branches.
    """
    units = {unit.add: unit for unit in Map(network).units}

    def sources(i: int) -> list[tuple[int, int]]:
        if i in units:
            return [(units[i].entry, 0)] + [(units[i].entry, 1)] * len(units[i].branches)
        return _sources(network, i)

    return _lengths(network, sources, lambda i: 0)


def binomial(units: int) -> list[int]:
    """The lengths of the paths through a chain of residual units."""
    return [comb(units, k) for k in range(units + 1)]


def paths(network: Network, most: int) -> Iterator[tuple[int, ...]]:
    """The first `most` paths from an input to the first output, each as the units whose branch it takes.

    In a network without units it is the layers that are told.
    """
    where = Map(network)
    units = {unit.add: (k, unit) for k, unit in enumerate(where.units)}
    layers = {i: k for k, i in enumerate(where.layers)} if not units else {}
    end = next(iter(network.outputs.values())).node
    waiting: list[tuple[int, tuple[int, ...]]] = [(end, ())]
    told = 0
    while waiting and told < most:
        i, passed = waiting.pop()
        if i in layers:
            passed = (layers[i], *passed)
        if i in units:
            k, unit = units[i]
            waiting += [(unit.entry, (k, *passed))] * len(unit.branches) + [(unit.entry, passed)]
            continue
        before = _sources(network, i)
        if not before:
            told += 1
            yield passed
        waiting += [(j, passed) for j, _ in reversed(before)]


def _sources(network: Network, i: int) -> list[tuple[int, int]]:
    """The nodes that a node reads, each once, at no length."""
    return [(j, 0) for j in dict.fromkeys(ref.node for ref in network.nodes[i].inputs)]


def _lengths(
    network: Network, sources: Callable[[int], Sequence[tuple[int, int]]], length: Callable[[int], int]
) -> list[int]:
    """Paths by their length. A polynomial is one integer, `bits` for each coefficient: sums and shifts do the work."""
    ends: list[Ref] = list(network.outputs.values())
    totals: list[int] = []
    for i in range(len(network.nodes)):
        before = sources(i)
        totals.append(sum(totals[j] for j, _ in before) if before else 1)
    bits = sum(totals[ref.node] for ref in ends).bit_length() + 1
    found: list[int] = []
    for i in range(len(network.nodes)):
        before = sources(i)
        paths = sum(found[j] << (bits * more) for j, more in before) if before else 1
        found.append(paths << (bits * length(i)))
    whole, mask, lengths = sum(found[ref.node] for ref in ends), (1 << bits) - 1, []
    while whole:
        lengths.append(whole & mask)
        whole >>= bits
    return lengths
