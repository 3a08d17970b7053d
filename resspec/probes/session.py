"""A network as a Keras model that can be looked into: values and gradients at any node. Imports Keras."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from resspec.network import Network
from resspec.probes.differentiate import Derivative, differentiate
from resspec.probes.surgery import offset

Array = np.ndarray[Any, Any]


class Session:
    """The model of a network whose outputs are those of the network and the values at the nodes `taps` and `also`.

    With `gradients` the gradients by the values at the `taps` can be had too.
    """

    def __init__(
        self,
        network: Network,
        taps: Sequence[int] = (),
        *,
        also: Sequence[int] = (),
        seed: int = 0,
        gradients: bool = False,
    ) -> None:
        self.network = network
        self.taps = list(taps)
        self.offsets = len(self.taps) if gradients else 0
        paths = [network.nodes[i].path for i in (*self.taps, *also)]
        self.changed = offset(network, self.taps) if gradients else network
        self._ends = dict(zip(self.changed.outputs, network.outputs, strict=True))
        self._wanted = list(dict.fromkeys([*self._ends, *paths]))
        self.model: keras.Model = self.changed.to_keras(outputs=self._wanted, seed=seed)

    def feed(self, inputs: Mapping[str, Array]) -> list[Array]:
        """The arrays of all inputs of the model, zeros for those that were added."""
        given = [inputs[name] for name in self.network.inputs]
        batch = len(given[0])
        zeros = []
        for tensor in self.model.inputs[len(given) :]:
            shape = (batch, *tensor.shape[1:])
            assert None not in shape  # `Subject.network` gives numbers to all sizes
            zeros.append(np.zeros(shape, tensor.dtype))
        return [*given, *zeros]

    def values(self, inputs: Mapping[str, Array], *, training: bool = False) -> dict[str, Array]:
        """The values at the outputs (by name) and at the taps (by path)."""
        fed = self.feed(inputs)
        found = self.model(fed[0] if len(fed) == 1 else fed, training=training)
        named = self._by_name(found)
        return {self._ends.get(name, name): keras.ops.convert_to_numpy(one) for name, one in named.items()}

    def derive(
        self,
        inputs: Mapping[str, Array],
        seed: int,
        *,
        weights: bool = False,
        training: bool = False,
        alike: bool = False,
    ) -> Derived:
        """Gradients of a random linear function of the outputs, summed over the batch.

        The outputs' factors in it are standard normal; with `alike` every example has the same.
        """
        random = np.random.default_rng([seed, 0xD12])
        directions: dict[str, Array] = {}

        def scalar(outputs: Any) -> Any:
            total = 0.0
            for name, one in self._by_name(outputs).items():
                if name in self._ends:
                    shape = (1 if alike else one.shape[0], *one.shape[1:])
                    if name not in directions:
                        directions[name] = random.standard_normal(shape).astype(np.float32)
                    total = total + keras.ops.sum(keras.ops.cast(one, "float32") * directions[name])
            return total

        return Derived(self, differentiate(self.model, self.feed(inputs), scalar, weights=weights, training=training))

    def calibrate(self, inputs: Mapping[str, Array]) -> None:
        """Make the statistics of this batch those that batch norms use in inference, layer by layer.

        From then on examples do not see each other, and inference computes what training did on this batch.
        """
        layers = [one for one in self.model.layers if isinstance(one, keras.layers.BatchNormalization)]
        if not layers:
            return
        kept = [layer.momentum for layer in layers]
        for layer in layers:
            layer.momentum = 0.0
        fed = self.feed(inputs)
        self.model(fed[0] if len(fed) == 1 else fed, training=True)
        for layer, momentum in zip(layers, kept, strict=True):
            layer.momentum = momentum

    def variables(self, path: str) -> dict[str, Array]:
        """The weights of a node, moving statistics included, by their names."""
        layer = self.model.get_layer(self.changed.layer_names[self.changed.index[path]])
        return {one.path.removeprefix(f"{layer.path}/"): keras.ops.convert_to_numpy(one.value) for one in layer.weights}

    def take(self, model: keras.Model) -> None:
        """The weights of a model of the same network, by the names of layers and their order within."""
        for layer in self.model.layers:
            if layer.weights:
                layer.set_weights(model.get_layer(self._original(layer.name)).get_weights())

    def _original(self, name: str) -> str:
        """The name of a layer in the model of the network as it was: an output's layer bears the output's name."""
        path = self._by_layer.get(name, name)
        i = self.network.index.get(path)
        return name if i is None else self.network.layer_names[i]

    @property
    def _by_layer(self) -> dict[str, str]:
        names = self.changed.layer_names
        return {name: node.path for name, node in zip(names, self.changed.nodes, strict=True)}

    def _by_name(self, outputs: Any) -> dict[str, Any]:
        return dict(outputs) if len(self._wanted) > 1 else {self._wanted[0]: outputs}


class Derived:
    """What came out of `Session.derive`, as NumPy."""

    def __init__(self, session: Session, found: Derivative) -> None:
        self._session, self._found = session, found

    def by_input(self) -> dict[str, Array]:
        """Gradients by the network's own inputs."""
        names = list(self._session.network.inputs)
        return {
            name: keras.ops.convert_to_numpy(one) for name, one in zip(names, self._found.inputs) if one is not None
        }

    def by_tap(self, i: int) -> Array:
        """The gradient by the value at a node of `taps`."""
        session = self._session
        at = len(session.network.inputs) + session.taps.index(i)
        found: Array = keras.ops.convert_to_numpy(self._found.inputs[at])
        return found

    def value(self, i: int) -> Array:
        """The value at a node of `taps`."""
        outputs = self._session._by_name(self._found.outputs)
        found: Array = keras.ops.convert_to_numpy(outputs[self._session.network.nodes[i].path])
        return found

    def weights(self) -> dict[str, dict[str, tuple[Array, Array]]]:
        """Path of a node -> name of a trainable weight -> its value and its gradient."""
        session = self._session
        gradients = {
            id(variable): gradient
            for variable, gradient in zip(session.model.trainable_variables, self._found.weights, strict=True)
        }
        by_layer = session._by_layer
        found: dict[str, dict[str, tuple[Array, Array]]] = {}
        for layer in session.model.layers:
            path = by_layer.get(layer.name.partition("-")[0], layer.name)
            for variable in layer.trainable_variables:
                pair = tuple(keras.ops.convert_to_numpy(one) for one in (variable.value, gradients[id(variable)]))
                found.setdefault(path, {})[variable.path.removeprefix(f"{layer.path}/")] = pair
        return found
