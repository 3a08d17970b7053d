"""From a graph to a Keras model: names, outputs, values, dtypes, layouts, files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from statistics import NormalDist

import keras
import numpy as np
import pytest
from graphs import Sketch, chain, resnet

from resspec import limits
from resspec.diagnostics import SpecError
from resspec.graph import Graph, Ref
from resspec.keras_backend import place
from resspec.keras_backend.budget import check_budget, loading_note
from resspec.keras_backend.build import build
from resspec.keras_backend.sample import TRUNCATED_STDDEV, draw, sampler
from resspec.keras_backend.save import save
from resspec.keras_backend.site import Lowering
from resspec.keras_backend.table import LOWER
from resspec.ops import OPS
from resspec.ops.activation import Celu, Relu
from resspec.ops.base import Op
from resspec.ops.conv import Conv
from resspec.ops.dense import Dense
from resspec.ops.foreign import KerasLayer
from resspec.ops.merge import Concat
from resspec.ops.norm import BatchNorm
from resspec.ops.pool import GlobalAvgPool, MaxPool
from resspec.ops.regularization import Dropout
from resspec.ops.slots import InitializerConfig
from resspec.sizes import unknown
from resspec.tensor import TensorSpec

ROOT = Path(__file__).resolve().parent.parent


def refusal(call, *arguments, **named):
    with pytest.raises(SpecError) as caught:
        call(*arguments, **named)
    return caught.value.diagnostics[0]


def dense(units: int = 3, **more) -> Dense:
    return Dense(units=units, **more)


def two_heads() -> Graph:
    sketch = Sketch("two heads!")
    x = sketch.input("x", 4)
    body = sketch(dense(5), "body/fc", x)
    return sketch.graph(b=sketch(dense(2), "left", body), a=sketch(dense(3), "right", body))


def values(model: keras.Model) -> dict[str, np.ndarray]:
    return {weight.path: np.asarray(weight) for weight in model.weights}


def same(left: dict[str, np.ndarray], right: dict[str, np.ndarray]) -> bool:
    return left.keys() == right.keys() and all(np.array_equal(left[k], right[k]) for k in left)


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
    assert list(several(np.zeros((2, 4)))) == ["a", "body/fc"] or list(several(np.zeros((2, 4)))) == ["body/fc", "a"]
    assert {layer.name for layer in several.layers} <= {layer.name for layer in whole.layers}
    x = np.ones((2, 4), "float32")
    np.testing.assert_allclose(several(x)["a"], whole(x)["a"])


def test_an_input_may_be_asked_for():
    model = build(two_heads(), outputs=["x"])
    np.testing.assert_array_equal(model(np.ones((1, 4))), np.ones((1, 4)))


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
    kernel, bias = (np.asarray(weight) for weight in model.weights)
    np.testing.assert_allclose(model(np.eye(4)), (np.eye(4) @ kernel + bias) @ kernel + bias, rtol=1e-5, atol=1e-6)


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
            np.testing.assert_allclose(result[f"{kind}{i}_"], value, rtol=1e-5, atol=1e-6)


def test_several_inputs_take_a_dict_or_a_list():
    sketch = Sketch()
    late, early = sketch.input("z", 4), sketch.input("a", 2)
    graph = sketch.graph(output=sketch(dense(), "fc", sketch(Concat(), "both", late, early)))
    model = build(graph)
    z, a = np.ones((2, 4), "float32"), np.zeros((2, 2), "float32")
    np.testing.assert_allclose(model({"a": a, "z": z}), model([z, a]))
    model.compile("sgd", "mse")
    model.fit({"a": a, "z": z}, np.zeros((2, 3)), verbose=0)
    np.testing.assert_allclose(model.predict({"z": z, "a": a}, verbose=0), model([z, a]), rtol=1e-5)
    inputs = {"a": keras.Input((2,), name="a"), "z": keras.Input((4,), name="z")}
    np.testing.assert_allclose(keras.Model(inputs, model(inputs))({"a": a, "z": z}), model([z, a]))


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


def test_initial_values_depend_on_seed_and_path_only():
    def network(extra: bool, name: str = "output") -> Graph:
        sketch = Sketch()
        x = sketch.input("x", 4)
        if extra:
            x = sketch(dense(4), "new", x)
        x = sketch(dense(4), "old", x)
        return sketch.graph(**{name: sketch(dense(4), "head", x)})

    before, after = values(build(network(False))), values(build(network(True)))
    assert same(before, values(build(network(False))))
    assert same(before, {path: after[path] for path in before})
    assert not np.array_equal(before["old/kernel"], before["output/kernel"])
    renamed = values(build(network(False, "scores")))
    np.testing.assert_array_equal(renamed["scores/kernel"], before["output/kernel"])
    assert not same(before, values(build(network(False), seed=1)))


def test_a_written_seed_stands_alone():
    sketch = Sketch()
    x = sketch.input("x", 4)
    fixed = InitializerConfig(name="he_normal", seed=7)
    x = sketch(dense(4, kernel_initializer=fixed), "one", x)
    x = sketch(dense(4, kernel_initializer=fixed), "two", x)
    found = values(build(sketch.graph(output=x), seed=3))
    np.testing.assert_array_equal(found["one/kernel"], found["output/kernel"])


INITIALIZERS = [
    keras.initializers.GlorotUniform(seed=1),
    keras.initializers.HeNormal(seed=1),
    keras.initializers.LecunUniform(seed=1),
    keras.initializers.VarianceScaling(2.0, "fan_out", "untruncated_normal", seed=1),
    keras.initializers.VarianceScaling(3.0, "fan_avg", "truncated_normal", seed=1),
    keras.initializers.RandomNormal(0.5, 0.1, seed=1),
    keras.initializers.RandomUniform(-1, 3, seed=1),
    keras.initializers.TruncatedNormal(0.5, 0.1, seed=1),
]


@pytest.mark.parametrize("initializer", INITIALIZERS, ids=lambda i: f"{type(i).__name__}")
@pytest.mark.parametrize("shape", [(3, 3, 32, 400), (300, 400), (90_000,)])
def test_distributions_are_those_of_keras(initializer, shape):
    ours = draw(sampler(initializer, shape), "key", shape).ravel()
    theirs = np.asarray(initializer(shape)).ravel()
    scale = theirs.std()
    assert abs(ours.mean() - theirs.mean()) < 0.02 * scale
    assert abs(ours.std() / scale - 1) < 0.01
    probabilities = np.linspace(0.01, 0.99, 41)
    assert np.abs(np.quantile(ours, probabilities) - np.quantile(theirs, probabilities)).max() < 0.06 * scale
    assert np.abs(ours - ours.mean()).max() <= np.abs(theirs - theirs.mean()).max() * 1.5


def test_the_constant_of_truncation():
    sample = sampler(keras.initializers.TruncatedNormal(0.0, 1.0), (1,))
    drawn = draw(sample, "key", (1_000_001,))
    assert abs(drawn.std() - TRUNCATED_STDDEV) < 0.002
    assert 1.999 < np.abs(drawn).max() <= 2


def test_the_fit_of_the_truncated_normal():
    """Evenly spread draws give the exact quantiles, and one stretch does not know of the others."""

    class Even:
        def random(self, out, dtype):
            out[:] = np.linspace(0, 1, out.size, endpoint=False)

    found, room = np.empty(10_000, np.float32), np.empty(10_000, np.float32)
    sampler(keras.initializers.TruncatedNormal(0.0, 1.0), (1,))(Even(), found, (room, room.copy()))
    normal = NormalDist()
    low = normal.cdf(-2)
    exact = [normal.inv_cdf(low + (1 - 2 * low) * i / found.size) for i in range(found.size)]
    assert np.abs(found - exact).max() < 4e-6


@pytest.mark.parametrize("shape", [(), (1,), (3,), (65_537,)])
def test_odd_sizes(shape):
    drawn = draw(sampler(keras.initializers.RandomNormal(0.0, 1.0), shape), "key", shape)
    assert drawn.shape == shape
    assert np.isfinite(drawn).all()
    assert drawn.all()


def test_what_numpy_does_not_draw_comes_from_keras():
    sketch = Sketch()
    x = sketch(dense(4, kernel_initializer="orthogonal"), "fc", sketch.input("x", 4))
    x = sketch(Dropout(rate=0.5), "drop", x)
    model = build(sketch.graph(output=x))
    kernel = np.asarray(model.get_layer("fc").kernel)
    np.testing.assert_allclose(kernel @ kernel.T, np.eye(4), atol=1e-5)
    assert same(values(model), values(build(sketch.graph(output=x))))
    state = model.get_layer("output").seed_generator.state
    assert np.asarray(state).shape == (2,)
    model(np.ones((2, 4)), training=True)


def test_private_and_public_placement_give_the_same(monkeypatch):
    graph = resnet()
    private = values(build(graph))
    monkeypatch.setattr(place, "place", place.place_publicly)
    monkeypatch.setattr("resspec.keras_backend.initialize.place", place.place_publicly)
    assert same(private, values(build(graph)))


def test_hand_written_twin_has_the_same_variables():
    """The model that the functional API gives: same paths and shapes, equal outputs with equal weights."""
    inputs = keras.Input((8, 8, 3), name="image")
    x = keras.layers.Conv2D(4, 3, padding="same", name="stem_conv")(inputs)
    x = keras.layers.BatchNormalization(name="stem_bn")(x)
    x = keras.layers.Activation("relu", name="stem_relu")(x)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    twin = keras.Model(inputs, keras.layers.Dense(2, name="output")(x))
    model = build(small())
    assert [(w.path, tuple(w.shape)) for w in twin.weights] == [(w.path, tuple(w.shape)) for w in model.weights]
    twin.set_weights(model.get_weights())
    batch = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype("float32")
    np.testing.assert_allclose(twin(batch), model(batch), rtol=1e-5, atol=1e-6)


def small(size: int = 8) -> Graph:
    sketch = Sketch("small")
    x = sketch(Conv(filters=4, kernel_size=3, padding=1), "stem/conv", sketch.input("image", size, size, 3))
    x = sketch(Relu(), "stem/relu", sketch(BatchNorm(), "stem/bn", x))
    return sketch.graph(output=sketch(dense(2), "head", sketch(GlobalAvgPool(), "pool", x)))


def test_training_changes_every_weight_by_itself():
    """Weights that start equal must not share memory."""
    model = build(resnet(size=32))
    model.compile("sgd", "mse")
    rng = np.random.default_rng(0)
    model.fit(rng.normal(size=(4, 32, 32, 3)), rng.normal(size=(4, 1000)), verbose=0)
    betas = [np.asarray(w) for w in model.trainable_weights if w.path.endswith("beta") and w.shape == (64,)]
    assert len(betas) > 2
    assert all(not np.array_equal(betas[0], other) for other in betas[1:])


def test_weights_from_a_file(tmp_path):
    source = build(small(), seed=5)
    source.save_weights(tmp_path / "w.weights.h5")
    source.save(tmp_path / "m.keras")
    for name in ("w.weights.h5", "m.keras"):
        assert same(values(source), values(build(small(), weights=tmp_path / name)))
    assert refusal(build, small(), weights=tmp_path / "no.weights.h5").code == "weights-refused"
    assert refusal(build, two_heads(), weights=tmp_path / "w.weights.h5").code == "weights-refused"
    assert not any(value.any() for value in values(build(small(), initialize=False)).values())


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
    assert build(graph, lower={Own: rule})(-np.ones((1, 4))).numpy().sum() == 0


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


def test_budget():
    finding = refusal(check_budget, small(), 100)
    assert finding.code == "too-many-parameters"
    assert "`stem/conv`" in finding.notes[0]
    check_budget(small(), 1000)


def run(code: str, **environment: str) -> str:
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_budget_is_refused_without_keras():
    run(
        "import sys\n"
        "sys.modules['keras'] = None\n"
        "from graphs import resnet\n"
        "from resspec.diagnostics import SpecError\n"
        "from resspec.keras_backend.budget import check_budget, loading_note\n"
        "try: check_budget(resnet(), 10)\n"
        "except SpecError as error: assert error.diagnostics[0].code == 'too-many-parameters'\n"
        "else: raise SystemExit('not refused')\n"
        "assert loading_note(resnet()) is None\n"
    )


def test_a_chain_of_5000_layers(tmp_path):
    graph = chain(5000)
    before = sys.getrecursionlimit()
    model = build(graph)
    assert sys.getrecursionlimit() == before
    assert len(model.layers) == 5001
    note = loading_note(graph)
    assert note is not None
    assert (note.code, note.severity) == ("deep-chain", "warning")
    assert "setrecursionlimit(7000)" in (note.help or "")
    assert loading_note(chain(limits.KERAS_DEPTH - 1)) is None


def test_a_deep_chain_is_called_saved_and_loaded_by_plain_keras(tmp_path):
    graph = chain(2000)
    model = build(graph)
    assert model(np.ones((1, 4))).shape == (1, 4)
    save(model, graph, tmp_path / "deep.keras")
    run(
        "import sys; sys.setrecursionlimit(4000)\n"
        "import keras, numpy\n"
        f"model = keras.saving.load_model({str(tmp_path / 'deep.keras')!r})\n"
        "assert model(numpy.ones((1, 4))).shape == (1, 4)\n"
    )


BLOCKER = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "resspec":
            raise ImportError("resspec is not here")
sys.meta_path.insert(0, Blocker())
"""


def test_a_saved_model_loads_without_resspec(tmp_path):
    graph = small()
    model = build(graph, seed=2)
    batch = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype("float32")
    np.save(tmp_path / "in.npy", batch)
    np.save(tmp_path / "out.npy", np.asarray(model(batch)))
    target, beside = save(model, graph, tmp_path / "m.keras", "resspec: 1\n", version="0.1.0")
    text = beside.read_text()
    assert str(tmp_path) not in text
    assert graph.digest in text
    save(model, graph, target, "resspec: 1\n", version="0.1.0")
    assert beside.read_text() == text
    run(
        BLOCKER + "import keras, numpy, os\n"
        f"os.chdir({str(tmp_path)!r})\n"
        "model = keras.saving.load_model('m.keras', safe_mode=True)\n"
        "numpy.testing.assert_allclose(model(numpy.load('in.npy')), numpy.load('out.npy'), rtol=1e-5, atol=1e-6)\n"
        "try: import resspec\n"
        "except ImportError: pass\n"
        "else: raise SystemExit('resspec was there')\n"
    )
    assert refusal(save, model, graph, tmp_path / "m.h5").code == "bad-argument"


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
