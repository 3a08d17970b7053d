"""Making the layers of a graph, node by node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras

from resspec.diagnostics import Diagnostic, SpecError
from resspec.graph import Graph, Node, Ref
from resspec.keras_backend.layout import DataFormat, Plan, Side, lies, plan, turn
from resspec.keras_backend.refusal import refused
from resspec.keras_backend.site import Build, Lowering, Site
from resspec.ops.base import Op
from resspec.ops.source import Input


class Assembly:
    """The Keras side of one graph while it is being put together.

    `names` holds the Keras name of every node's layer, `inputs` the model's inputs by name.
    """

    def __init__(
        self,
        graph: Graph,
        table: Mapping[type[Op], Lowering],
        data_format: DataFormat,
        seed: int,
        policy: Any = None,
    ) -> None:
        self.graph, self.table, self.policy = graph, table, policy
        self.build = Build(data_format=data_format, seed=seed)
        self.plan: Plan = plan(graph, {op: lowering.layout for op, lowering in table.items()}, data_format)
        effective = policy or keras.config.dtype_policy()
        self.mixed = effective.compute_dtype != effective.variable_dtype
        # an output that has to be turned gets its name from the layer that turns it
        self.bearers = {i: name for i, name in graph.bearers.items() if not self.plan.turned(graph, Ref(i))}
        self.names = tuple(
            self.bearers.get(i) or _keras_name(node) if i in graph.bearers else name
            for i, (node, name) in enumerate(zip(graph.nodes, graph.layer_names, strict=True))
        )
        self.shared = {node.owner for node in graph.nodes if node.owner}
        self.inputs: dict[str, Any] = {}
        self.tensors: dict[Ref, Any] = {}
        self._turned: dict[tuple[Ref, Side], Any] = {}
        self._check_names()

    def add_nodes(self, wanted: set[Ref], progress: Callable[[int, int], None] | None = None) -> None:
        """Make the layers that the tensors `wanted` need, and all inputs. Raises SpecError `keras-refused`."""
        needed = self._needed(wanted)
        for name, index in self.graph.inputs.items():
            self._add_input(name, index)
        for done, (index, node) in enumerate(zip(range(len(self.graph.nodes)), self.graph.nodes, strict=True), 1):
            if index in needed and not isinstance(node.op, Input):
                self._add(index, node)
            if progress is not None:
                progress(done, len(self.graph.nodes))

    def output(self, name: str, ref: Ref, *, asked: bool) -> Any:
        """The tensor that leaves the model as `name`, channels where they belong, float32 under a mixed policy.

        The layer it comes from bears the name, unless the tensor was `asked` for by path.
        """
        tensor, spec = self.tensors[ref], self.graph.spec(ref)
        label = self._label(ref)
        public = next((n for n, r in self.graph.outputs.items() if r == ref), None) if asked else name
        if public is not None and self.bearers.get(ref.node) == public:
            return self._float32(tensor, ref, public)
        if public is not None and (not asked or public == name):
            extra = {"dtype": "float32"} if self.mixed else self._dtype()
            if self.plan.turned(self.graph, ref):
                return keras.layers.Permute(turn(spec.rank, self.plan.outside), name=public, **extra)(tensor)
            return keras.layers.Identity(name=public, **extra)(tensor)
        if isinstance(self.graph.nodes[ref.node].op, Input):
            return keras.layers.Identity(name=f"{label}-output", **self._dtype())(tensor)
        tensor = self._lying(ref, self.plan.outside)
        if self.mixed and keras.backend.standardize_dtype(tensor.dtype) in ("float16", "bfloat16"):
            return keras.layers.Identity(name=f"{label}-float32", dtype="float32")(tensor)
        return tensor

    def _add_input(self, name: str, index: int) -> None:
        spec = self.graph.nodes[index].outputs[0]
        sizes = [size if isinstance(size, int) else None for size in spec.shape]
        if lies(spec, self.plan.outside) == "first":
            sizes = [sizes[-1], *sizes[:-1]]
        self.inputs[name] = self.tensors[Ref(index)] = keras.Input(tuple(sizes), name=name, dtype=spec.dtype)

    def _add(self, index: int, node: Node) -> None:
        lowering = self.table.get(type(node.op))
        if lowering is None:
            message = f"there is no rule that makes Keras layers of `{node.op.kind}`"
            raise SpecError([Diagnostic("keras-refused", message, node.origin.span, notes=(f"at `{node.path}`",))])
        try:
            inputs = [self._lying(ref, side) for ref, side in zip(node.inputs, self.plan.reads[index], strict=True)]
            result = lowering.rule(self._site(index, node), node.op, *inputs)
        except SpecError:
            raise
        except Exception as error:
            raise refused(error, f"`{node.op.kind}`", node) from error
        results = result if isinstance(result, (tuple, list)) else (result,)
        for k, tensor in enumerate(results):
            self.tensors[Ref(index, k)] = tensor

    def _site(self, index: int, node: Node) -> Site:
        operands = self.graph.operands(node)
        owner, name = node, self.names[index]
        if node.owner is not None and node.op.weights(*operands):  # without weights there is nothing to share
            position = self.graph.index[node.owner]
            owner, name = self.graph.nodes[position], self.names[position]
        return Site(
            build=self.build,
            name=name,
            path=owner.path,
            inputs=operands,
            outputs=node.outputs,
            trainable=owner.trainable,
            dtype="float32" if self.mixed and index in self.bearers else self.policy,
            own=self.names[index],
            shared=owner.path in self.shared,
        )

    def _lying(self, ref: Ref, side: Side) -> Any:
        """The tensor with its channels on `side`; a layer `<name>-last` or `<name>-first` turns it once."""
        spec = self.graph.spec(ref)
        if lies(spec, self.plan.makes[ref.node]) == lies(spec, side):
            return self.tensors[ref]
        if (ref, side) not in self._turned:
            layer = keras.layers.Permute(turn(spec.rank, side), name=f"{self._label(ref)}-{side}", **self._dtype())
            self._turned[ref, side] = layer(self.tensors[ref])
        return self._turned[ref, side]

    def _float32(self, tensor: Any, ref: Ref, name: str) -> Any:
        """`tensor`, or a float32 copy of it where the lowering ended in an operation, which has no dtype of its own."""
        if not self.mixed or keras.backend.standardize_dtype(tensor.dtype) not in ("float16", "bfloat16"):
            return tensor
        operation = tensor._keras_history.operation
        if operation.name == name:
            operation.name = _keras_name(self.graph.nodes[ref.node])
        return keras.layers.Identity(name=name, dtype="float32")(tensor)

    def _dtype(self) -> dict[str, Any]:
        return {} if self.policy is None else {"dtype": self.policy}

    def _label(self, ref: Ref) -> str:
        """A name for helper layers of a tensor."""
        several = len(self.graph.nodes[ref.node].outputs) > 1
        return f"{self.names[ref.node]}-{ref.output}" if several else self.names[ref.node]

    def _needed(self, wanted: set[Ref]) -> set[int]:
        """Indices of the nodes that lead to the tensors `wanted`."""
        needed = {ref.node for ref in wanted}
        for index in range(len(self.graph.nodes) - 1, -1, -1):
            if index in needed:
                needed.update(ref.node for ref in self.graph.nodes[index].inputs)
        return needed

    def _check_names(self) -> None:
        """Two layers of one name would be taken for one: `name-collision`."""
        seen: dict[str, str] = {}
        borne = set(self.bearers.values())
        extra = [(name, f"output {name}") for name in self.graph.outputs if name not in borne]
        for name, path in (*zip(self.names, (node.path for node in self.graph.nodes), strict=True), *extra):
            if name in seen:
                message = f"`{path}` and `{seen[name]}` would both be the Keras layer `{name}`"
                raise SpecError([Diagnostic("name-collision", message)])
            seen[name] = path


def _keras_name(node: Node) -> str:
    return node.path.replace("/", "_")
