"""A graph as a flat spec: one step an op, no blocks, no loops. It is legal and has the same digest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from resspec.graph import Graph, Node, Ref
from resspec.language.schema import RESERVED
from resspec.ops.foreign import KerasLayer
from resspec.ops.merge import Merge
from resspec.ops.source import Input

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.$]*")
_WORDS = frozenset(("true", "false", "null", "True", "False", "Null", "TRUE", "FALSE", "NULL"))


def to_yaml(graph: Graph) -> str:
    """The text of a spec that expands to the same graph, block paths turned into names with `_`."""
    marked = _markable(graph)
    names = _names(graph, marked)
    shared = {node.owner: names[graph.index[node.owner]] for node in graph.nodes if node.owner}
    lines = ["resspec: 1", f"name: {flow(graph.name.replace('$', '$$'))}", "inputs:"]
    for name, i in graph.inputs.items():
        spec = graph.nodes[i].outputs[0]
        shape = [size if isinstance(size, int) else str(size) for size in spec.shape]
        lines.append(f"  {name}: {flow({'shape': shape, 'dtype': spec.dtype})}")
    lines.append("graph:")
    for i, node in enumerate(graph.nodes):
        if not isinstance(node.op, Input):
            key = shared.get(node.owner or node.path)
            lines.append(f"  - {flow(_step(graph, i, node, names, key, marked))}")
    last = len(graph.nodes) - 1
    if list(graph.outputs) == ["output"]:
        ref = graph.outputs["output"]
        if ref != Ref(last) or isinstance(graph.nodes[last].op, Input):
            lines.append(f"  - {flow({'tap': _tap(graph, ref, names)})}")
    elif not marked:
        for name, ref in graph.outputs.items():
            lines.append(f"  - {flow({'tap': _tap(graph, ref, names), 'as': name, 'output': True})}")
    return "\n".join(lines) + "\n"


def _markable(graph: Graph) -> bool:
    """Whether marks on the steps themselves give the outputs in their order; else they follow as taps."""
    nodes = [ref.node for ref in graph.outputs.values()]
    return nodes == sorted(set(nodes)) and all(
        len(graph.nodes[i].outputs) == 1 and not isinstance(graph.nodes[i].op, Input) for i in nodes
    )


def _names(graph: Graph, marked: bool) -> list[str]:
    """A legal, unique name for every node: its output's where that is marked on the step, else from its path."""
    given = {ref.node: name for name, ref in graph.outputs.items() if name not in RESERVED} if marked else {}
    free = set(graph.outputs)
    found: list[str] = []
    used: set[str] = set()
    for i, node in enumerate(graph.nodes):
        name = given.get(i) or node.path.replace("/", "_")
        while name in used or name in RESERVED or (name in free and i not in given and name not in graph.inputs):
            name += "_"
        used.add(name)
        found.append(name)
    return found


def _tap(graph: Graph, ref: Ref, names: list[str]) -> str:
    node = graph.nodes[ref.node]
    return names[ref.node] if len(node.outputs) == 1 else f"{names[ref.node]}.{node.op.result_names()[ref.output]}"


def _step(graph: Graph, i: int, node: Node, names: list[str], key: str | None, marked: bool) -> dict[str, Any]:
    operands = [_tap(graph, ref, names) for ref in node.inputs]
    op = node.op
    step: dict[str, Any] = {}
    if isinstance(op, KerasLayer):
        step[f"keras.{op.class_name}"] = op.plain
        step["from"] = operands if len(operands) > 1 else operands[0]
    else:
        arguments = op.model_dump(mode="json", exclude_defaults=True)
        if isinstance(op, Merge):
            step[op.kind] = {"of": operands, **arguments} if arguments else operands
        else:
            step[op.kind] = arguments or None
            step["from"] = operands if len(operands) > 1 else operands[0]
    step["as"] = names[i]
    if key is not None:
        step["share"] = key
    if not node.trainable:
        step["trainable"] = False
    if marked and graph.outputs.get(names[i]) == Ref(i):
        step["output"] = True
    return step


def flow(value: Any) -> str:
    """Plain data in YAML's flow style, on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, int | float):
        return repr(value)
    text = str(value)
    if _PLAIN.fullmatch(text) and text not in _WORDS:
        return text
    return "'" + text.replace("'", "''") + "'"
