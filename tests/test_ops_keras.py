"""Every op, held against Keras: shapes, weights, trainability, unknown sizes, saving, and numbers under padding."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ops_harness import (
    Excuse,
    arguments,
    build,
    check_against_keras,
    check_unknown,
    numbers,
    run,
    shapes,
)

from resspec.keras_backend.lower.activation import ACTIVATION
from resspec.keras_backend.lower.conv import CONV
from resspec.keras_backend.lower.dense import DENSE
from resspec.keras_backend.lower.norm import NORM
from resspec.keras_backend.lower.pool import POOL
from resspec.keras_backend.lower.resample import RESAMPLE
from resspec.language.slots import slots_of
from resspec.ops.activation import ACTIVATION_OPS, Activation, Prelu
from resspec.ops.base import Op, OpError
from resspec.ops.conv import CONV_OPS, Conv, ConvTranspose, DepthwiseConv, SeparableConv
from resspec.ops.dense import DENSE_OPS, Dense, Embedding
from resspec.ops.norm import NORM_OPS, InstanceNorm, RmsNorm
from resspec.ops.pool import POOL_OPS, AdaptiveAvgPool, AdaptiveMaxPool, AvgPool, MaxPool
from resspec.ops.resample import RESAMPLE_OPS, Pad, PixelShuffle, Resize, SpaceToDepth
from resspec.sizes import unknown
from resspec.tensor import TensorSpec

MORE = int(os.environ.get("RESSPEC_CASES", "1"))
"""a number above 1 multiplies the random cases and draws new ones in every run"""

TABLE = {**CONV, **DENSE, **NORM, **POOL, **ACTIVATION, **RESAMPLE}
OPS = (*CONV_OPS, *DENSE_OPS, *NORM_OPS, *POOL_OPS, *ACTIVATION_OPS, *RESAMPLE_OPS)
each_op = pytest.mark.parametrize("kind", OPS, ids=lambda kind: kind.kind)


def wants(op: Op, *values: str) -> bool:
    """Whether an argument has one of these values."""
    found = [getattr(op, name) for name in type(op).model_fields]
    return any(value in values for value in found if isinstance(value, str))


# What Keras refuses although the shapes are right, each with its reason.
DISAGREEMENTS: dict[str, Excuse] = {
    "`identity` starts matrices only; which weight has which rank is Keras's affair": (
        lambda op, inputs: wants(op, "identity")
    ),
    "`orthogonal` starts weights with two axes or more, not vectors": lambda op, inputs: wants(op, "orthogonal"),
    "`orthogonal_regularizer` takes matrices only": lambda op, inputs: wants(op, "orthogonal_regularizer"),
    "`synchronized` needs TensorFlow": (
        lambda op, inputs: getattr(op, "synchronized", False) and keras.backend.backend() != "tensorflow"
    ),
}


def ranks(kind: type[Op]) -> st.SearchStrategy[int]:
    """Numbers of spatial axes that most often suit the op."""
    if kind in (PixelShuffle, SpaceToDepth, Resize):
        return st.sampled_from([2, 2, 2, 1])
    if kind.family in ("conv", "pool", "resample"):
        return st.sampled_from([*getattr(kind, "spatial_ranks", (1, 2, 3)), 2, 2, 1])
    return st.integers(0, 3)


SIZES = {SpaceToDepth: st.sampled_from([2, 4, 6, 8, 3])}


def amount(kind: type[Op]) -> int:
    """Ops whose arguments change shapes or weights get more cases."""
    return MORE * {"conv": 110, "pool": 50, "norm": 50, "resample": 50, "dense": 40}.get(kind.family, 14)


def fixed(kind: type[Op]) -> dict[str, object]:
    """Arguments whose random values would hardly ever suit the input."""
    return {"cropping": st.integers(0, 2), "block_size": 2}


@each_op
def test_agrees_with_keras(kind: type[Op]) -> None:
    accepted = total = 0

    @settings(
        max_examples=amount(kind),
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def cases(data: st.DataObject) -> None:
        nonlocal accepted, total
        rank = data.draw(ranks(kind), "rank")
        shape = data.draw(shapes(rank, SIZES.get(kind)), "shape")
        op = data.draw(arguments(kind, rank, fixed(kind)), "op")
        x = TensorSpec(shape, "int32" if kind is Embedding else "float32")
        if isinstance(op, Embedding) and op.reverse:
            x = TensorSpec((*shape, op.output_dim))
        first = TABLE[kind].layout != "last" and len(shape) > 1 and data.draw(st.booleans(), "channels first")
        eager = not first and data.draw(st.integers(0, 3), "eager") == 0
        total += 1
        accepted += check_against_keras(
            TABLE[kind],
            op,
            (x,),
            data_format="channels_first" if first else "channels_last",
            eager=eager,
            excuses=DISAGREEMENTS,
        )

    cases()
    assert accepted >= total // 5, f"only {accepted} of {total} cases were legal"


@each_op
def test_unknown_sizes_agree_with_numbers(kind: type[Op]) -> None:
    @settings(
        max_examples=60 * MORE,
        derandomize=MORE == 1,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def cases(data: st.DataObject) -> None:
        rank = data.draw(ranks(kind), "rank")
        shape = data.draw(shapes(rank), "shape")
        axes = tuple(i for i in range(rank) if data.draw(st.booleans()))
        op = data.draw(arguments(kind, rank, fixed(kind)), "op")
        check_unknown(op, shape, axes, data.draw(st.integers(1, 40), "value"))

    cases()


def samples() -> list[tuple[Op, TensorSpec]]:
    """One op of every class with few arguments."""
    image, need = TensorSpec((8, 8, 32)), {"filters": 4, "units": 3, "input_dim": 5, "output_dim": 3}
    need |= {"size": 4, "cropping": 1, "padding": 1, "output_size": 3, "function": "silu", "shared_axes": (1, 2)}
    found: list[tuple[Op, TensorSpec]] = []
    for kind in OPS:
        names = {n for n, f in kind.model_fields.items() if f.is_required()}
        if kind.family in ("conv", "pool") and "padding" in kind.model_fields:
            names.add("padding")
            need |= {"kernel_size": 3, "pool_size": 3}
            names |= {"kernel_size", "pool_size"} & set(kind.model_fields)
        if kind.kind == "prelu":
            names.add("shared_axes")
        op = kind.model_validate({name: need[name] for name in names})
        found.append((op, TensorSpec((7,), "int32") if kind is Embedding else image))
    return found


@pytest.mark.parametrize(("op", "x"), samples(), ids=lambda value: getattr(value, "kind", ""))
def test_unknown_sizes_build(op: Op, x: TensorSpec) -> None:
    symbolic = TensorSpec((unknown("H"), *x.shape[1:]), x.dtype)
    try:
        op.infer(symbolic)
    except OpError as error:
        assert error.code == "unknown-size"
        return
    built = build(TABLE[type(op)], op, (symbolic,))
    values = numbers(x)
    (result,) = run(built.model, values)
    expected = op.infer(x)
    assert isinstance(expected, TensorSpec)
    assert result.shape == (2, *expected.shape)


def test_saved_models_load_without_this_package(tmp_path) -> None:
    for i, (op, x) in enumerate(samples()):
        model = build(TABLE[type(op)], op, (x,)).model
        values = numbers(x)
        np.save(tmp_path / f"{i}.in.npy", values)
        np.save(tmp_path / f"{i}.out.npy", run(model, values)[0])
        model.save(tmp_path / f"{i}.keras")
    script = (
        "import sys, glob, numpy as np; sys.modules['resspec'] = None; import keras\n"
        "for path in sorted(glob.glob(sys.argv[1] + '/*.keras')):\n"
        "    model = keras.models.load_model(path, safe_mode=True)\n"
        "    y = keras.ops.convert_to_numpy(model(np.load(path[:-5] + 'in.npy')))\n"
        "    np.testing.assert_allclose(y, np.load(path[:-5] + 'out.npy'), rtol=1e-5, atol=1e-5, err_msg=path)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.skipif(
    keras.backend.backend() == "tensorflow",
    reason="TensorFlow computes channels first on GPUs only; make test-backends",
)
@pytest.mark.parametrize(
    ("op", "x"),
    [
        (op, x)
        for op, x in [*samples(), (Conv(filters=4, activation="softmax"), TensorSpec((5, 5, 3)))]
        if TABLE[type(op)].layout == "spatial"
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_channels_first_gives_the_same_numbers(op: Op, x: TensorSpec) -> None:
    lowering = TABLE[type(op)]
    last = build(lowering, op, (x,))
    first = build(lowering, op, (x,), data_format="channels_first")
    first.model.set_weights(last.model.get_weights())
    values = numbers(x)
    (expected,) = run(last.model, values)
    (result,) = run(first.model, np.moveaxis(values, -1, 1))
    if result.ndim > 2:
        result = np.moveaxis(result, 1, -1)
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-4)


# ------------------------------------------------------------------------- padding, in plain NumPy


def windows(x: np.ndarray, pads, kernel, strides, dilation, fill: float):
    """(position, window of shape (batch, *kernel, channels)) over a padded batch."""
    padded = np.pad(x, [(0, 0), *pads, (0, 0)], constant_values=fill)
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilation)]
    counts = [(n - span) // s + 1 for n, span, s in zip(padded.shape[1:-1], spans, strides)]
    for position in itertools.product(*map(range, counts)):
        place = tuple(slice(p * s, p * s + span, d) for p, s, span, d in zip(position, strides, spans, dilation))
        yield position, counts, padded[(slice(None), *place)]


def random_cases(count: int, transpose: bool = False):
    """(rank, shape, kernel, strides, pads, dilation) with symmetric and lopsided padding."""
    rng = np.random.default_rng(7)
    found = []
    while len(found) < count:
        rank = int(rng.integers(1, 3 if transpose else 4))
        kernel = tuple(int(k) for k in rng.integers(1, 5, rank))
        dilation = (
            tuple(int(d) for d in rng.integers(1, 3, rank)) if rng.random() < 0.3 and not transpose else (1,) * rank
        )
        strides = tuple(int(s) for s in rng.integers(1, 4, rank)) if max(dilation) == 1 else (1,) * rank
        pads = tuple((int(a), int(b)) for a, b in rng.integers(0, 3, (rank, 2)))
        if rng.random() < 0.5:
            pads = tuple((a, a) for a, _ in pads)
        pads = tuple((min(a, k - 1), min(b, k - 1)) for (a, b), k in zip(pads, kernel))
        spatial = tuple(int(n) for n in rng.integers(2, 8, rank))
        fits = all(n + sum(p) >= d * (k - 1) + 1 for n, p, k, d in zip(spatial, pads, kernel, dilation))
        if fits or transpose:
            found.append((rank, (*spatial, 2), kernel, strides, pads, dilation))
    return found


@pytest.mark.parametrize("kind", [MaxPool, AvgPool])
def test_pooling_under_padding(kind: type[Op]) -> None:
    for rank, shape, kernel, strides, pads, _ in random_cases(25):
        x = TensorSpec(shape)
        values = numbers(x) - 3  # all negative, so that padding with zeros would be seen
        op = kind.model_validate({"pool_size": kernel, "strides": strides, "padding": pads})
        (result,) = run(build(TABLE[kind], op, (x,)).model, values)
        expected = np.zeros_like(result)
        fill = -np.inf if kind is MaxPool else 0.0
        axes = tuple(range(1, rank + 1))
        for position, counts, part in windows(values, pads, kernel, strides, (1,) * rank, fill):
            assert result.shape[1:-1] == tuple(counts)
            expected[(slice(None), *position)] = part.max(axes) if kind is MaxPool else part.mean(axes)
        np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-5, err_msg=repr(op))


@pytest.mark.parametrize("kind", [AdaptiveMaxPool, AdaptiveAvgPool])
def test_adaptive_pooling(kind: type[Op]) -> None:
    """Output i is taken from floor(i*n/size) to ceil((i+1)*n/size), as in PyTorch."""
    for shape, size in (
        ((7, 2), (3,)), ((6, 2), (3,)), ((3, 2), (5,)), ((5, 7, 2), (2, 3)), ((5, 7, 2), (1, 3)), ((6, 7, 2), (3, 2)),
        ((5, 6, 2), (1, 1)), ((4, 5, 6, 2), (3, 1, 4)), ((1, 4, 2), (1, 2)),
    ):  # fmt: skip
        x = TensorSpec(shape)
        op = kind.model_validate({"output_size": size})
        (result,) = run(build(TABLE[kind], op, (x,)).model, numbers(x))
        assert result.shape == (2, *size, 2)
        for position in itertools.product(*map(range, size)):
            place = tuple(slice(i * n // m, -(-(i + 1) * n // m)) for i, n, m in zip(position, shape, size))
            part = numbers(x)[(slice(None), *place)]
            axes = tuple(range(1, part.ndim - 1))
            expected = part.max(axes) if kind is AdaptiveMaxPool else part.mean(axes)
            np.testing.assert_allclose(result[(slice(None), *position)], expected, rtol=1e-4, atol=1e-5)


def test_convolution_under_padding() -> None:
    for rank, shape, kernel, strides, pads, dilation in random_cases(25):
        x = TensorSpec(shape)
        op = Conv(filters=3, kernel_size=kernel, strides=strides, padding=pads, dilation_rate=dilation)
        model = build(TABLE[Conv], op, (x,)).model
        weights = np.random.default_rng(1).normal(size=(*kernel, 2, 3)).astype("float32")
        model.set_weights([weights, np.ones(3)])
        values = numbers(x)
        (result,) = run(model, values)
        expected = np.zeros_like(result)
        for position, counts, part in windows(values, pads, kernel, strides, dilation, 0.0):
            assert result.shape[1:-1] == tuple(counts)
            expected[(slice(None), *position)] = np.tensordot(part, weights, rank + 1) + 1
        np.testing.assert_allclose(result, expected, rtol=1e-3, atol=1e-4, err_msg=repr(op))


def test_transposed_convolution_under_padding() -> None:
    """Every input number puts the kernel into the output; then rows are taken off, as PyTorch does."""
    for k, (_rank, shape, kernel, strides, pads, _) in enumerate(random_cases(25, transpose=True)):
        extra = tuple((k + i) % s for i, s in enumerate(strides))
        op = ConvTranspose(filters=3, kernel_size=kernel, strides=strides, padding=pads, output_padding=extra)
        x = TensorSpec(shape)
        try:
            op.infer(x)
        except OpError:
            continue
        model = build(TABLE[ConvTranspose], op, (x,)).model
        weights = np.random.default_rng(1).normal(size=(*kernel, 3, 2)).astype("float32")
        model.set_weights([weights, np.ones(3)])
        values = numbers(x)
        (result,) = run(model, values)
        full = [(n - 1) * s + k + e for n, s, k, e in zip(shape[:-1], strides, kernel, extra)]
        expected = np.ones((2, *full, 3), "float32")
        for position in itertools.product(*map(range, shape[:-1])):
            place = tuple(slice(p * s, p * s + k) for p, s, k in zip(position, strides, kernel))
            one = values[(slice(None), *position)]
            expected[(slice(None), *place)] += np.moveaxis(np.tensordot(weights, one, (-1, -1)), -1, 0)
        cut = tuple(slice(a, n - b) for n, (a, b) in zip(full, pads))
        np.testing.assert_allclose(result, expected[(slice(None), *cut)], rtol=1e-3, atol=1e-4, err_msg=repr(op))


# ----------------------------------------------------------------------------------- single findings


@pytest.mark.parametrize("name", sorted(slots_of(Activation)["function"].words))
def test_activation_by_name_is_keras_activation(name: str) -> None:
    x = TensorSpec((3, 4))
    op = Activation.model_validate({"function": name})
    (result,) = run(build(TABLE[Activation], op, (x,)).model, numbers(x))
    expected = keras.ops.convert_to_numpy(keras.activations.get(name)(numbers(x)))
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-5)


def test_integer_padding_becomes_same_where_it_is_the_same() -> None:
    x = TensorSpec((8, 8, 4))
    for op in (
        Conv(filters=4, kernel_size=3, padding=1),
        Conv(filters=4, kernel_size=3, strides=2, padding=((0, 1), (0, 1))),
        ConvTranspose(filters=4, kernel_size=4, strides=2, padding=1),
        MaxPool(pool_size=3, strides=1, padding=1),
    ):
        layers = build(TABLE[type(op)], op, (x,)).model.layers
        assert len(layers) == 2, op
        assert layers[1].padding == "same"


def test_macs() -> None:
    x = TensorSpec((8, 8, 4))
    for op, macs in (
        (Conv(filters=6, kernel_size=3, padding="same"), 64 * 9 * 4 * 6),
        (Conv(filters=6, kernel_size=3, padding="same", groups=2), 64 * 9 * 2 * 6),
        (ConvTranspose(filters=6, kernel_size=2, strides=2), 64 * 4 * 4 * 6),
        (SeparableConv(filters=6, kernel_size=3, padding="same"), 64 * (9 * 4 + 4 * 6)),
        (Dense(units=5), 64 * 4 * 5),
    ):
        y = op.infer(x)
        assert op.macs((x,), (y,)) == macs
        assert op.flops((x,), (y,)) == 2 * macs


@pytest.mark.parametrize(
    ("op", "x", "code", "argument"),
    [
        (Conv(filters=2, kernel_size=5), (3, 3, 1), "empty-tensor", None),
        (Conv(filters=2, padding="causal"), (3, 3, 1), "bad-argument", "padding"),
        (Conv(filters=3, groups=2), (3, 3, 4), "bad-argument", "groups"),
        (Conv(filters=3, kernel_size=(3, 3)), (9, 4), "rank-mismatch", "kernel_size"),
        (MaxPool(padding=2), (9, 9, 4), "bad-argument", "padding"),
        (PixelShuffle(), (9, 9, 6), "shape-mismatch", "block_size"),
        (SpaceToDepth(), (9, 9, 6), "shape-mismatch", None),
        (ConvTranspose(filters=1, strides=2, output_padding=2), (9, 9, 6), "bad-argument", "output_padding"),
        # TensorFlow has no such kernel: the output would be one row shorter than its windows
        (
            ConvTranspose(filters=1, kernel_size=2, strides=2, padding="same", output_padding=0),
            (9, 9, 6),
            "bad-argument",
            "output_padding",
        ),
        (DepthwiseConv(kernel_size=3, strides=(1, 2)), (9, 9, 6), "bad-argument", "strides"),
        (RmsNorm(axis=0), (9, 9, 6), "bad-argument", "axis"),
        (Prelu(shared_axes=0), (9, 9, 6), "bad-argument", "shared_axes"),
        (AdaptiveMaxPool(output_size=3), (1, 4, 6), "shape-mismatch", None),
        (InstanceNorm(), (6,), "rank-mismatch", None),
        (Pad(padding=3, mode="reflect"), (3, 3, 1), "bad-argument", "padding"),
    ],
)
def test_refusals(op: Op, x: tuple[int, ...], code: str, argument: str | None) -> None:
    with pytest.raises(OpError) as found:
        op.infer(TensorSpec(x))
    assert (found.value.code, found.value.argument) == (code, argument)
