"""From a graph to a Keras model: names, outputs, dtypes, layouts, refusals."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from graphs import Sketch
from modelling import array, dense, refusal, run, small, two_heads
from speccing import load

from resspec.graph import Graph, Ref
from resspec.keras_backend.build import build
from resspec.keras_backend.site import Lowering
from resspec.keras_backend.table import LOWER
from resspec.ops import OPS
from resspec.ops.activation import Celu, Relu
from resspec.ops.base import Op
from resspec.ops.conv import Conv
from resspec.ops.foreign import KerasLayer
from resspec.ops.merge import Concat
from resspec.ops.norm import BatchNorm
from resspec.ops.pool import MaxPool
from resspec.sizes import unknown
from resspec.tensor import TensorSpec


def test_every_op_has_a_lowering():
    assert set(LOWER) == {*OPS, KerasLayer}


def test_one_output_is_a_tensor_and_bears_its_name():
    sketch = Sketch("net")
    x = sketch.input("x", 4)
    model = build(sketch.graph(scores=sketch(dense(), "body/fc", x)))
    assert [layer.name for layer in model.layers] == ["x", "scores"]
    assert model(np.zeros((2, 4))).shape == (2, 3)
    model.compile("sgd", {"scores": "mse"}, metrics={"scores": ["mae"]})
    model.fit(np.zeros((2, 4)), np.zeros((2, 3)), verbose=0)


def test_several_outputs_are_a_dict():
    model = build(two_heads())
    assert model.name == "two_heads_"
    result = model(np.zeros((2, 4)))
    assert {name: tuple(value.shape) for name, value in result.items()} == {"b": (2, 2), "a": (2, 3)}
    assert {layer.name for layer in model.layers} == {"x", "body_fc", "a", "b"}
    model.compile("sgd", {"a": "mse", "b": "mae"})
    model.fit(np.zeros((2, 4)), {"a": np.zeros((2, 3)), "b": np.zeros((2, 2))}, verbose=0)


def test_asked_outputs_come_alone_and_rename_nothing():
    graph = two_heads()
    whole = build(graph)
    one = build(graph, outputs=["body/fc"])
    assert one(np.zeros((2, 4))).shape == (2, 5)
    assert [layer.name for layer in one.layers] == ["x", "body_fc"]
    several = build(graph, outputs=["body/fc", "a"])
    assert set(several(np.zeros((2, 4)))) == {"a", "body/fc"}
    assert {layer.name for layer in several.layers} <= {layer.name for layer in whole.layers}
    x = np.ones((2, 4), "float32")
    np.testing.assert_allclose(array(several(x)["a"]), array(whole(x)["a"]))


def test_an_input_may_be_asked_for():
    model = build(two_heads(), outputs=["x"])
    np.testing.assert_array_equal(array(model(np.ones((1, 4)))), np.ones((1, 4)))


def test_unknown_output_has_a_suggestion():
    finding = refusal(build, two_heads(), outputs=["body/fx"])
    assert (finding.code, finding.help) == ("unknown-output", "did you mean `body/fc`?")


def test_identity_bears_the_name_of_an_input_and_of_a_second_output():
    sketch = Sketch()
    x = sketch.input("x", 4)
    y = sketch(dense(), "fc", x)
    model = build(sketch.graph(same=x, one=y, two=y))
    kinds = {layer.name: type(layer).__name__ for layer in model.layers}
    assert kinds == {"x": "InputLayer", "fc": "Dense", "same": "Identity", "one": "Identity", "two": "Identity"}


def test_shared_layer_is_one_layer():
    sketch = Sketch()
    x = sketch.input("x", 4)
    first = sketch(dense(4), "first", x)
    second = sketch(dense(4), "second", first, owner="first")
    model = build(sketch.graph(output=second))
    assert [layer.name for layer in model.layers] == ["x", "first", "output"]
    assert len(model.weights) == 2
    kernel, bias = (array(weight) for weight in model.weights)
    np.testing.assert_allclose(
        array(model(np.eye(4))), (np.eye(4) @ kernel + bias) @ kernel + bias, rtol=1e-5, atol=1e-6
    )


def test_one_table_reads_tokens_and_scores_them(tmp_path):
    text = """
        resspec: 1
        inputs: {text: {shape: [T], dtype: int32}}
        defaults: {embedding: {input_dim: 11, output_dim: 4}}
        graph:
          - [{embedding: , share: table, as: words}, {dense: 4, as: mixed, output: true}]
          - {embedding: {reverse: true}, share: table, as: logits, output: true}
    """
    graph = load(text)
    assert graph.summary().params.trainable == 11 * 4 + 4 * 4 + 4
    assert graph.summary(at={"T": 3}).macs == 3 * (4 * 4 + 4 * 11)
    model = build(graph)
    tokens = np.array([[1, 5, 10]], "int32")
    found = {name: np.asarray(value) for name, value in model(tokens).items()}
    table = np.asarray(model.get_layer("words").embeddings)
    np.testing.assert_allclose(found["logits"], found["mixed"] @ table.T, rtol=1e-5, atol=1e-6)
    model.save(tmp_path / "tied.keras")
    again = keras.saving.load_model(tmp_path / "tied.keras")
    np.testing.assert_array_equal(np.asarray(again(tokens)["logits"]), found["logits"])


def test_shared_layers_take_inputs_of_several_sizes():
    """Explicit padding with strides is `same` for some sizes only: one layer must not be made for one of them."""

    def network(*sizes: int) -> Graph:
        sketch, found = Sketch(), {}
        for i, size in enumerate(sizes):
            x = sketch.input(f"x{i}", size, size, 2)
            y = sketch(conv, f"conv{i}", x, owner="conv0" if i else None)
            found[f"conv{i}_"] = y
            found[f"pool{i}_"] = sketch(pool, f"pool{i}", x, owner="pool0" if i else None)
        return sketch.graph(**found)

    conv, pool = Conv(filters=3, kernel_size=3, strides=2, padding=1), MaxPool(pool_size=3, strides=2, padding=1)
    shared = build(network(8, 9))
    batches = [np.random.default_rng(0).normal(size=(1, size, size, 2)).astype("float32") for size in (8, 9)]
    result = shared(batches)
    for i, (batch, size) in enumerate(zip(batches, (8, 9), strict=True)):
        alone = build(network(size))
        alone.set_weights(shared.get_weights())
        for kind, value in zip(("conv", "pool"), alone(batch).values(), strict=True):
            np.testing.assert_allclose(array(result[f"{kind}{i}_"]), array(value), rtol=1e-5, atol=1e-6)


def test_several_inputs_take_a_dict_or_a_list():
    sketch = Sketch()
    late, early = sketch.input("z", 4), sketch.input("a", 2)
    graph = sketch.graph(output=sketch(dense(), "fc", sketch(Concat(), "both", late, early)))
    model = build(graph)
    z, a = np.ones((2, 4), "float32"), np.zeros((2, 2), "float32")
    expected = array(model([z, a]))
    np.testing.assert_allclose(array(model({"a": a, "z": z})), expected)
    model.compile("sgd", "mse")
    model.fit({"a": a, "z": z}, np.zeros((2, 3)), verbose=0)
    np.testing.assert_allclose(model.predict({"z": z, "a": a}, verbose=0), array(model([z, a])), rtol=1e-5)
    inputs = {"a": keras.Input((2,), name="a"), "z": keras.Input((4,), name="z")}
    nested = keras.Model(inputs, model(inputs))
    np.testing.assert_allclose(array(nested({"a": a, "z": z})), array(model([z, a])), rtol=1e-5)


def test_unknown_sizes_and_dtypes_of_inputs():
    sketch = Sketch()
    sketch.input("tokens", unknown("T"), dtype="int32")
    model = build(sketch.graph(output=Ref(0)))
    assert model.input_shape == (None, None)
    assert keras.backend.standardize_dtype(model.inputs[0].dtype) == "int32"


def test_frozen_nodes():
    sketch = Sketch()
    x = sketch.input("x", 4)
    x = sketch(BatchNorm(), "bn", sketch(dense(), "fc", x, trainable=False), trainable=False)
    model = build(sketch.graph(output=sketch(dense(), "head", x)))
    assert [weight.path for weight in model.trainable_weights] == ["output/kernel", "output/bias"]


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16", "bfloat16", "float32"])
def test_dtype_policies(dtype):
    sketch = Sketch()
    x = sketch(dense(), "fc", sketch.input("x", 4))
    y = sketch(Relu(), "relu", x)
    model = build(sketch.graph(left=sketch(dense(), "left", x), right=sketch(Celu(), "celu", y)), dtype=dtype)
    assert model.get_layer("fc").dtype_policy.name == dtype
    expected = "bfloat16" if dtype == "bfloat16" else "float32"
    assert {keras.backend.standardize_dtype(y.dtype) for y in model.outputs} == {expected}
    assert {weight.dtype for weight in model.weights} == {expected}
    assert keras.config.dtype_policy().name == "float32"
    asked = build(sketch.graph(output=x), dtype=dtype, outputs=["relu"])
    assert keras.backend.standardize_dtype(asked.outputs[0].dtype) == expected


def test_a_failed_build_leaves_nothing_to_keras():
    sketch = Sketch()
    x = sketch(dense(4), "fc", sketch.input("x", 4))
    graph = sketch.graph(output=sketch(Relu(), "relu", x))

    def broken(site, op, x):
        raise ValueError("Exception encountered when calling Conv2D.call().\n\n\x1b[1mno such thing.\x1b[0m\n\nmore")

    finding = refusal(build, graph, lower={Relu: Lowering(broken, "any")})
    assert (finding.code, finding.message) == ("keras-refused", "Keras refuses `relu`: no such thing")
    assert finding.notes == ("at `relu`",)
    from keras.src.backend.common import global_state

    assert not global_state.get_global_attribute("uninitialized_variables")
    assert build(graph)(np.zeros((1, 4))).shape == (1, 4)


def test_an_op_without_a_rule_is_a_finding():
    class Own(Op):
        kind = "own"
        family = "other"

        def infer(self, *inputs: TensorSpec) -> TensorSpec:
            return inputs[0]

    sketch = Sketch()
    graph = sketch.graph(output=sketch(Own(), "own", sketch.input("x", 4)))
    assert refusal(build, graph).code == "keras-refused"
    rule = Lowering(lambda site, op, x: site.layer(keras.layers.ReLU)(x), "any")
    assert not array(build(graph, lower={Own: rule})(-np.ones((1, 4)))).any()


def test_arguments_are_checked():
    assert refusal(build, small(), dtype="float31").code == "bad-argument"
    assert refusal(build, small(), data_format="nchw").code == "bad-argument"
    assert refusal(build, small(), outputs="head").code == "bad-argument"


def test_colliding_names():
    sketch = Sketch()
    x = sketch(dense(), "a/b", sketch.input("x", 4))
    x = sketch(dense(), "a_b", x)
    finding = refusal(build, sketch.graph(output=sketch(dense(), "head", x)))
    assert (finding.code, finding.message) == ("name-collision", "`a_b` and `a/b` would both be the Keras layer `a_b`")


def test_progress_counts_to_the_end():
    seen: list[tuple[int, int]] = []
    build(small(), progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (len(small().nodes),) * 2


CHANNELS_FIRST = """
import keras, numpy as np
from graphs import Sketch
from resspec.keras_backend.build import build
from resspec.ops.activation import Celu, Relu
from resspec.ops.conv import Conv
from resspec.ops.dense import Dense
from resspec.ops.merge import Add, Concat
from resspec.ops.norm import BatchNorm, LayerNorm
from resspec.ops.pool import GlobalAvgPool, MaxPool, MaxPool
from resspec.ops.reshape import Flatten

sketch = Sketch()
image = sketch.input("image", 8, 12, 3)
x = sketch(Conv(filters=4, kernel_size=3, padding=1, strides=2), "conv", image)
x = sketch(Relu(), "relu", sketch(BatchNorm(), "bn", x))
y = sketch(LayerNorm(), "ln", x)
z = sketch(Relu(), "relu2", y)
both = sketch(Concat(), "both", x, z)
flat = sketch(Flatten(), "flat", both)
graph = sketch.graph(maps=z, mixed=sketch(Add(), "sum", x, y), both=both, head=sketch(Dense(units=5), "fc", flat))
last, first = build(graph), build(graph, data_format="channels_first")
assert {w.path for w in last.weights} == {w.path for w in first.weights}
table = {w.path: w for w in last.weights}
for weight in first.weights:
    np.testing.assert_array_equal(np.asarray(weight), np.asarray(table[weight.path]))
names = [layer.name for layer in first.layers]
assert "bn" in names and "relu-last" in names and "maps" in names, names
batch = np.random.default_rng(0).normal(size=(2, 8, 12, 3)).astype("float32")
a, b = last(batch), first(np.moveaxis(batch, -1, 1))
for name in a:
    left = np.asarray(a[name])
    np.testing.assert_allclose(np.moveaxis(left, -1, 1) if left.ndim > 2 else left, b[name], rtol=1e-4, atol=1e-5)
asked = build(graph, data_format="channels_first", outputs=["ln", "conv"])(np.moveaxis(batch, -1, 1))
assert tuple(asked["ln"].shape) == (2, 4, 4, 6)
"""


def test_channels_first_gives_the_same_numbers():
    run(CHANNELS_FIRST, KERAS_BACKEND="jax")


def test_an_axis_of_size_one_that_keras_does_not_know_is_squeezed():
    """The last position of a sequence of unknown length."""
    model = load("resspec: 1\ninputs: {x: [T, 3]}\ngraph: [slice: {axis: 0, start: -1}, squeeze: 0]\n").to_keras()
    x = np.arange(12, dtype="float32").reshape(1, 4, 3)
    np.testing.assert_array_equal(array(model(x)), x[:, -1])
