"""Random small networks: what is said of them without Keras, held against the model that Keras makes."""

from __future__ import annotations

import random
import re

import numpy as np
import pytest
from speccing import load

from resspec import Network, SpecError
from resspec.flatten import to_yaml

GRAPHS = 200
CHUNK = 20

CALLED = re.compile(r", (\d+):\d+$")

BLOCKS = """
blocks:
  unit:
    params: {n: int, k: int = 3}
    graph:
      - {conv: {filters: n, kernel_size: k, padding: k // 2, use_bias: false}, as: c}
      - [batch_norm, relu]
      - add: {of: [prev, in], project: auto}
  twice:
    params: {n: int}
    graph: [{dense: n, as: left}, {dense: n, from: in, as: right}]
    outputs: {left: left, right: right}
graph:
"""


def step(rng: random.Random, taps: list[str], number: int) -> str:
    """One step in flow style; some of them cannot stand where they stand, which resspec is to say."""
    name, tap = f"t{number}", rng.choice(taps)
    n, k, s = rng.choice([2, 4, 6]), rng.choice([1, 2, 3, 5]), rng.choice([1, 1, 2, 3])
    padding = rng.choice(["same", "valid", 0, 1, 2, "[1, 0]", "[[0, 1], [2, 1]]"])
    window = f"kernel_size: {k}, strides: {s}, padding: {padding}"
    calls = [
        f"conv: {{filters: {n}, {window}, groups: {rng.choice([1, 1, 2])}}}",
        f"conv: {{filters: {n}, kernel_size: {k}, dilation_rate: 2, padding: {padding}}}",
        f"conv_transpose: {{filters: {n}, kernel_size: {k}, strides: {s}, padding: {rng.choice(['same', 'valid', 1])}}}",
        f"depthwise_conv: {{{window}}}",
        f"separable_conv: {{filters: {n}, {window}}}",
        f"max_pool: {{pool_size: {k}, strides: {s}, padding: {padding}}}",
        f"avg_pool: {{pool_size: {k}, strides: {s}, padding: {padding}}}",
        f"dense: {n}",
        f"unit: {{n: {n}, k: {rng.choice([1, 3])}}}",
        f"{rng.choice(['batch_norm', 'layer_norm', 'instance_norm', 'relu', 'gelu', 'dropout', 'softmax'])}: ",
        f"upsample: {rng.choice([2, '[1, 3]'])}",
        f"crop: {rng.choice([1, '[[0, 1], [1, 0]]'])}",
        f"pad: {rng.choice([1, '[[0, 1], [2, 0]]'])}",
        f"permute: {rng.choice(['[2, 1, 3]', '[3, 2, 1]'])}",
        "global_avg_pool: {keepdims: true}",
    ]
    merges = [
        f"add: {{of: [{tap}, prev], align: {rng.choice(['crop', 'pad', 'resize'])}, project: auto}}",
        f"concat: {{of: [prev, {tap}], align: {rng.choice(['error', 'crop', 'pad', 'resize'])}}}",
        f"{rng.choice(['multiply', 'maximum', 'average'])}: [{tap}, prev]",
        f"multiply: {{of: [{tap}, prev], broadcast: true}}",
    ]
    kind = rng.random()
    if kind < 0.55:
        return f"  - {{{rng.choice(calls)}, as: {name}}}"
    if kind < 0.75:
        return f"  - {{{rng.choice(merges)}, as: {name}}}"
    if kind < 0.83:
        return f"  - {{{rng.choice(calls)}, from: {tap}, as: {name}}}"
    if kind < 0.89:
        return f"  - {{conv: {{filters: {n}, kernel_size: {k}}}, share: shared{n}{k}, as: {name}}}"
    if kind < 0.95:
        return f"  - {{repeat: {rng.choice([0, 2, 3])}, as: {name}, do: [{{{rng.choice(calls)}}}, relu]}}"
    return f"  - {{twice: {n}, as: {name}}}"


def network(seed: int) -> Network:
    """A random network of up to 14 steps; those that resspec refuses are left out."""
    rng = random.Random(seed)
    size = rng.choice(["[12, 12, 4]", "[13, 9, 3]", "[H, W, 4]", "[16, W, 2]"])
    head = f"resspec: 1\ninputs: {{image: {size}}}{BLOCKS}"
    steps, taps = [], ["image"]
    for number in range(rng.randint(4, 14)):
        steps.append(step(rng, taps, number))
        taps.append(f"t{number}")
    first = head.count("\n") + 1
    while True:
        try:
            return load(head + "\n".join(steps or ["  - relu"]) + "\n")
        except SpecError as error:
            # a finding inside a block names the call in its notes
            places = {one.span.line for one in error.diagnostics if one.span}
            places |= {int(n) for one in error.diagnostics for note in one.notes for n in CALLED.findall(note)}
            lines = {line - first for line in places if 0 <= line - first < len(steps)}
            assert lines, f"a finding without a step to blame: {error}"
            steps = [text for line, text in enumerate(steps) if line not in lines]


def shape(tensor: object) -> list[int | None]:
    return [None if size is None else int(size) for size in tensor.shape[1:]]  # type: ignore[attr-defined]


@pytest.mark.parametrize("start", range(0, GRAPHS, CHUNK))
def test_shapes_and_weights_equal_those_of_keras(start: int) -> None:
    for seed in range(start, start + CHUNK):
        graph = network(seed)
        paths = [node.path for node in graph.nodes[1:] if not node.op.result_names()]
        model = graph.to_keras(outputs=paths)
        outputs = model.output if isinstance(model.output, dict) else {paths[0]: model.output}
        for path in paths:
            ours = [size if isinstance(size, int) else None for size in graph.spec(graph.find(path)).shape]
            assert shape(outputs[path]) == ours, f"seed {seed}: {path} in\n{to_yaml(graph)}"
        whole = graph.to_keras()
        names = dict(zip(graph.layer_names, graph.weights, strict=True))
        for layer in whole.layers:
            said = [(w.name, w.shape, w.trainable) for w in names.get(layer.name, ())]
            got = [
                (w.path.split("/", 1)[1], tuple(w.shape), w.trainable) for w in layer.weights if "seed" not in w.path
            ]
            assert got == said, f"seed {seed}: {layer.name}"
        used = graph.summary().params
        assert whole.count_params() == used.total, f"seed {seed}"


@pytest.mark.parametrize("start", range(0, GRAPHS, 50))
def test_the_flat_spec_of_a_random_network_has_its_digest(start: int) -> None:
    for seed in range(start, start + 50):
        graph = network(seed)
        if all(isinstance(size, int) for size in graph.nodes[0].outputs[0].shape):
            assert load(to_yaml(graph)).digest == graph.digest, seed


def test_unknown_sizes_say_what_a_known_size_gives() -> None:
    checked = 0
    for seed in range(GRAPHS):
        graph = network(seed)
        if not graph.domains:
            continue
        rng = random.Random(seed)
        at = {name: rng.choice(legal(graph, name)) for name in graph.domains}
        sizes = [at.get(str(size), size) for size in graph.nodes[0].outputs[0].shape]
        fixed = load(to_yaml(graph), inputs={"image": sizes})
        from resspec.analysis.cost import shape_at

        for one, two in zip(graph.nodes, fixed.nodes, strict=True):
            assert [shape_at(spec, at) for spec in one.outputs] == list(two.outputs), f"seed {seed}: {one.path}"
        checked += 1
    assert checked > GRAPHS / 4


def legal(graph: Network, name: str) -> list[int]:
    domain = graph.domains[name]
    found = [value for value in range(1, 400) if domain.contains(value)]
    assert found, str(domain)
    return found[:20]


def test_a_random_network_computes() -> None:
    graph = next(g for g in map(network, range(50)) if not g.domains and len(g.nodes) > 8)
    x = np.zeros((2, *(int(str(s)) for s in graph.nodes[0].outputs[0].shape)), "float32")
    assert np.isfinite(np.asarray(graph.to_keras()(x))).all()
