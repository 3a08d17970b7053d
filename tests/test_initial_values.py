"""The values that weights start with: distributions, seeds, files."""

from __future__ import annotations

from statistics import NormalDist

import keras
import numpy as np
import pytest
from graphs import Sketch, resnet
from modelling import array, dense, loaded, refusal, same, small, two_heads, values

from resspec.graph import Graph
from resspec.keras_backend import place
from resspec.keras_backend.build import build
from resspec.keras_backend.sample import TRUNCATED_STDDEV, draw, sampler
from resspec.ops.regularization import Dropout
from resspec.ops.slots import InitializerConfig


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
    theirs = array(initializer(shape)).ravel()
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
    kernel = array(model.get_layer("fc").kernel)
    np.testing.assert_allclose(kernel @ kernel.T, np.eye(4), atol=1e-5)
    assert same(values(model), values(build(sketch.graph(output=x))))
    state = model.get_layer("output").seed_generator.state
    assert array(state).shape == (2,)
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
    np.testing.assert_allclose(array(twin(batch)), array(model(batch)), rtol=1e-5, atol=1e-6)


def test_training_changes_every_weight_by_itself():
    """Weights that start equal must not share memory."""
    model = build(resnet(size=32))
    model.compile("sgd", "mse")
    rng = np.random.default_rng(0)
    model.fit(rng.normal(size=(4, 32, 32, 3)), rng.normal(size=(4, 1000)), verbose=0)
    betas = [array(w) for w in model.trainable_weights if w.path.endswith("beta") and w.shape == (64,)]
    assert len(betas) > 2
    assert all(not np.array_equal(betas[0], other) for other in betas[1:])


def test_weights_from_a_file(tmp_path):
    source = build(small(), seed=5)
    source.save_weights(tmp_path / "w.weights.h5")
    source.save(tmp_path / "m.keras")
    for name in ("w.weights.h5", "m.keras"):
        assert same(values(source), values(loaded(small(), tmp_path / name)))
    assert refusal(loaded, small(), tmp_path / "no.weights.h5").code == "weights-refused"
    assert refusal(loaded, two_heads(), tmp_path / "w.weights.h5").code == "weights-unmatched"
    assert not any(value.any() for value in values(build(small(), initialize=False)).values())
