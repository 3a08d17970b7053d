"""Files of weights of every form by the names in them: nothing is loaded into a model, nothing is run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from modelling import array
from speccing import load

from resspec.keras_backend.build import build
from resspec.keras_backend.save import save
from resspec.weights.archive import Archive, open_archive


def contents(path: Path) -> dict[str, np.ndarray]:
    with open_archive(path) as archive:
        return {tensor.name: tensor.read() for tensor in archive.tensors}


def names(archive: Archive) -> dict[str, list[str]]:
    """The variables of every layer."""
    return {layer: [tensor.part for tensor in members] for layer, members in archive.layers.items()}


# -- Keras -----------------------------------------------------------------------------------------

EVERYTHING = """\
resspec: 1
inputs: {image: [16, 16, 3], tokens: {shape: [7], dtype: int32}, series: [6, 4], film: [4, 8, 8, 2]}
graph:
  - {do: [{conv: {filters: 4, kernel_size: 3, use_bias: false}, as: conv}, {batch_norm: {scale: false}, as: bn}], as: stem, from: image}
  - {depthwise_conv: {kernel_size: 3, use_bias: false}, as: depthwise}
  - {separable_conv: {filters: 4, kernel_size: 3}, as: separable}
  - {group_norm: {groups: 2, center: false}, as: group}
  - {layer_norm: {}, as: layer}
  - {prelu: {}, as: slope}
  - {conv_transpose: {filters: 4, kernel_size: 2}, as: up}
  - {layer_scale: {}, as: scaled}
  - {dense: {units: 3, use_bias: false}, as: a, output: true}
  - {embedding: {input_dim: 11, output_dim: 8}, from: tokens, as: table}
  - {position_embedding: {}, as: positions}
  - {multi_head_attention: {num_heads: 2, key_dim: 4}, as: attention}
  - {grouped_query_attention: {head_dim: 4, num_query_heads: 2, num_key_value_heads: 1}, as: grouped}
  - {rms_norm: {}, as: b, output: true}
  - {lstm: {units: 3, return_sequences: true}, from: series, as: memory}
  - {gru: {units: 3, return_sequences: true}, as: gate}
  - {simple_rnn: {units: 3, return_sequences: true, use_bias: false}, as: simple}
  - {bidirectional: {units: 2, layer: gru}, as: c, output: true}
  - {conv_lstm: {filters: 2, kernel_size: 3}, from: film, as: d, output: true}
"""


@pytest.mark.parametrize("form", ["keras", "keras-weights", "keras-legacy"])
def test_the_variables_of_every_op_are_called_as_the_op_calls_them(form: str, tmp_path: Path) -> None:
    graph = load(EVERYTHING)
    model = build(graph, seed=1)
    path = tmp_path / {"keras": "model.keras", "keras-weights": "model.weights.h5", "keras-legacy": "model.h5"}[form]
    if form == "keras":
        save(model, graph, path)
    elif form == "keras-weights":
        model.save_weights(path)
    else:
        model.save(path)
    with open_archive(path) as archive:
        assert (archive.form, archive.dialect) == (form, "keras")
        found = names(archive)
        for node in graph.nodes:
            weights = node.op.weights(*graph.operands(node))
            if weights:
                layer = archive.layers[node.path.replace("/", "_")]
                assert tuple(w.shape for w in layer) == tuple(w.shape for w in weights), node.path
                if form == "keras-weights" and node.path in ("stem/bn", "group"):
                    assert found[node.path.replace("/", "_")] == [str(k) for k in range(len(weights))]
                else:
                    assert [w.part for w in layer] == [w.name for w in weights], node.path
        for variable in model.weights:
            if "seed_generator" not in variable.path:
                tensor = archive.by_name.get(variable.path)
                if tensor is not None:
                    np.testing.assert_array_equal(tensor.read(), array(variable))
        assert sum(tensor.size for tensor in archive.tensors) == sum(
            int(np.prod(v.shape)) for v in model.weights if "seed_generator" not in v.path
        )
