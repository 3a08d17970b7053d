"""Which input sizes are legal, and what comes out of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from resspec.analysis.cost import number, shape_at
from resspec.graph import Graph
from resspec.suggest import did_you_mean
from resspec.tensor import TensorSpec


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a size that was asked for cannot be; `code` is `unknown-name` or `illegal-size`."""

    name: str
    code: str
    message: str
    help: str | None


def refusal(graph: Graph, at: Mapping[str, int], where: str = "") -> Refusal | None:
    """What is wrong with the first of the sizes `at` that is no unknown, or not legal; `where` ends the message."""
    for name, size in at.items():
        if name in graph.relations:
            wanted = number(graph.relations[name], at)
            if wanted != size:
                given = f" = {wanted}" if wanted is not None else ""
                message = f"{name} = {size} is not legal{where}: {name} = {graph.relations[name]}{given}"
                return Refusal(name, "illegal-size", message, f"leave `{name}` out: it follows from the others")
        elif name not in graph.domains:
            known = [*graph.domains, *graph.relations]
            message = f"`{name}` is no unknown size of the inputs" + ("" if known else ", which are all numbers")
            return Refusal(name, "unknown-name", message, did_you_mean(name, known) if known else _freeing(graph))
        elif not graph.domains[name].contains(size):
            near = [str(value) for value in graph.domains[name].near(size) if value is not None]
            sizes = "sizes are" if len(near) > 1 else "size is"
            message = f"{name} = {size} is not legal{where}: {graph.domains[name]}"
            help = f"the nearest legal {sizes} {' and '.join(near)}" if near else None
            return Refusal(name, "illegal-size", message, help)
    return None


def _freeing(graph: Graph) -> str | None:
    """How the sizes of the first image become unknown from outside."""
    for name, i in graph.inputs.items():
        shape = graph.nodes[i].outputs[0].shape
        if len(shape) > 1:
            return f"`-i {name}={','.join(['None'] * (len(shape) - 1))},{shape[-1]}` makes its sizes unknown"
    return None


@dataclass(frozen=True, slots=True)
class Choice:
    """A legal set of input sizes and the tensors that go in and come out."""

    at: Mapping[str, int]
    inputs: Mapping[str, TensorSpec]
    outputs: Mapping[str, TensorSpec]


def choice(graph: Graph, at: Mapping[str, int]) -> Choice:
    """The inputs and outputs at given sizes; unknowns that follow from them are filled in."""
    related = {name: number(size, at) for name, size in graph.relations.items()}
    at = {**at, **{name: size for name, size in related.items() if size is not None}}
    return Choice(
        at,
        {name: shape_at(graph.nodes[i].outputs[0], at) for name, i in graph.inputs.items()},
        {name: shape_at(graph.spec(ref), at) for name, ref in graph.outputs.items()},
    )


def choices(graph: Graph, near: Mapping[str, int], most: int = 5) -> list[Choice]:
    """Up to `most` legal sets of sizes around those wanted, in ascending order.

    The unknowns move together: the k-th set takes the k-th of the nearest values of each.
    """
    columns = {name: around(graph, name, near[name], most) for name in graph.domains if name in near}
    rows = max(map(len, columns.values()), default=0)
    sets = ({name: values[min(k, len(values) - 1)] for name, values in columns.items()} for k in range(rows))
    return [choice(graph, at) for at in sets]


def around(graph: Graph, name: str, value: int, most: int) -> list[int]:
    """Up to `most` legal values of one unknown that are nearest to `value`, in ascending order."""
    domain = graph.domains[name]
    below, above = domain.near(value)
    if below == above and above is not None:
        above = domain.near(above + 1)[1]
    found: list[int] = []
    while len(found) < most and (below is not None or above is not None):
        if above is None or (below is not None and value - below <= above - value):
            assert below is not None
            found.append(below)
            below = domain.near(below - 1)[0]
        else:
            found.append(above)
            above = domain.near(above + 1)[1]
    return sorted(found)
