"""Merges, reshapes, regularization, attention, recurrence, preprocessing and parameters, held against Keras."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ops_harness import Excuse, arguments, at, build, check_against_keras, check_error, holds, numbers, run

from resspec.domain import Equal
from resspec.keras_backend.lower.attention import ATTENTION
from resspec.keras_backend.lower.foreign import FOREIGN
from resspec.keras_backend.lower.merge import MERGE
from resspec.keras_backend.lower.parameter import PARAMETER
from resspec.keras_backend.lower.preprocess import PREPROCESS
from resspec.keras_backend.lower.recurrent import RECURRENT
from resspec.keras_backend.lower.regularization import REGULARIZATION
from resspec.keras_backend.lower.reshape import RESHAPE
from resspec.keras_backend.resolver import resolve
from resspec.keras_backend.site import Build, Site
from resspec.ops import attention as att
from resspec.ops import merge, parameter, preprocess, recurrent, reshape
from resspec.ops import regularization as reg
from resspec.ops.attention import ATTENTION_OPS
from resspec.ops.base import Op, OpError
from resspec.ops.foreign import ALLOWED, REFUSED, KerasLayer
from resspec.ops.merge import MERGE_OPS
from resspec.ops.parameter import PARAMETER_OPS
from resspec.ops.preprocess import PREPROCESS_OPS
from resspec.ops.recurrent import RECURRENT_OPS
from resspec.ops.regularization import REGULARIZATION_OPS
from resspec.ops.reshape import RESHAPE_OPS
from resspec.sizes import unknown
from resspec.tensor import TensorSpec

TABLE = {**MERGE, **RESHAPE, **REGULARIZATION, **ATTENTION, **RECURRENT, **PREPROCESS, **PARAMETER}
OPS = (
    *MERGE_OPS, *RESHAPE_OPS, *REGULARIZATION_OPS, *ATTENTION_OPS, *RECURRENT_OPS, *PREPROCESS_OPS, *PARAMETER_OPS,
)  # fmt: skip
each_op = pytest.mark.parametrize("kind", OPS, ids=lambda kind: kind.kind)
Case = tuple[Op, tuple[TensorSpec, ...]]


def wants(op: Op, *values: str) -> bool:
    """Whether an argument has one of these values."""
    found = [getattr(op, name) for name in type(op).model_fields]
    names = [value if isinstance(value, str) else getattr(value, "name", None) for value in found]
    return any(value in names for value in values)


# What Keras refuses although the shapes are right, each with its reason.
REFUSED_BY_KERAS: dict[str, Excuse] = {
    "`identity` starts matrices only": lambda op, inputs: wants(op, "identity"),
    "`orthogonal` starts weights with two axes or more, not vectors": lambda op, inputs: wants(op, "orthogonal"),
    "`orthogonal_regularizer` takes matrices only": lambda op, inputs: wants(op, "orthogonal_regularizer"),
    "`glu` halves the channels, which a cell cannot bear": lambda op, inputs: wants(op, "glu"),
}

# What the language refuses although Keras takes it, each with its reason.
STRICTER: dict[str, Callable[[Op, tuple[TensorSpec, ...], OpError], bool]] = {
    "merges and attention never broadcast": (
        lambda op, inputs, error: op.family in ("merge", "attention") and error.code == "shape-mismatch"
    ),
    "both matrices of `matmul`, and all inputs of an attention, have as many axes": (
        lambda op, inputs, error: op.kind == "matmul" or op.family == "attention"
    ),
    "a slice beyond its axis is a mistake, not a shorter slice": lambda op, inputs, error: op.kind == "slice",
    "backends read a position beyond the axis each in its own way": lambda op, inputs, error: op.kind == "gather",
    "Keras checks the positions of an embedding when it runs, if at all": (
        lambda op, inputs, error: op.kind == "position_embedding"
    ),
    "Keras broadcasts the numbers of a rescaling": lambda op, inputs, error: op.family == "preprocess",
    "`reset_after` and `recurrent_activation` would be passed over in silence": (
        lambda op, inputs, error: op.kind == "bidirectional"
    ),
    "a state of another size fails when it runs": (
        lambda op, inputs, error: op.family == "recurrent" and len(inputs) > 1
    ),
    "a merge of one input is checked like any other, though nothing is merged": (
        lambda op, inputs, error: op.family == "merge" and len(inputs) == 1
    ),
    "an axis named twice is a mistake; some backends pass over it": lambda op, inputs, error: "twice" in error.message,
}


# -------------------------------------------------------------------------------------------- cases

sizes = st.integers(1, 6)


def shape(least: int = 0, most: int = 3) -> st.SearchStrategy[tuple[int, ...]]:
    return st.lists(sizes, min_size=least, max_size=most).map(tuple)


def specs(*shapes: tuple[int, ...]) -> tuple[TensorSpec, ...]:
    return tuple(TensorSpec(s) for s in shapes)


def near(draw: Any, s: tuple[int, ...]) -> tuple[int, ...]:
    """The same shape, or now and then one that differs."""
    return draw(shape(0, 3)) if draw(st.integers(0, 7)) == 0 else s


def axis_of(rank: int) -> st.SearchStrategy[int]:
    """Mostly an axis that exists."""
    return st.integers(-rank - (rank < 2), rank)


@st.composite
def case(draw: Any, kind: type[Op]) -> Case:
    """An op with random arguments and inputs, most of which fit each other."""
    s = draw(shape())
    rank = len(s)
    fixed: dict[str, Any] = {}
    inputs = [s]
    if kind is merge.Concat:
        s = draw(shape(1))
        axis = draw(st.integers(0, len(s) - 1))
        fixed["axis"] = draw(st.sampled_from([axis, axis - len(s)]))
        inputs = [near(draw, (*s[:axis], draw(sizes), *s[axis + 1 :])) for _ in range(draw(st.integers(1, 3)))]
    elif kind is merge.Dot:
        a, b = draw(shape(1, 2)), list(draw(shape(1, 2)))
        i, j = draw(st.integers(0, len(a) - 1)), draw(st.integers(0, len(b) - 1))
        b[j] = a[i] if draw(st.integers(0, 5)) else b[j]
        fixed["axes"], inputs = (i, j - len(b)), [a, tuple(b)]
    elif kind is merge.Matmul:
        lead, m, k, n = draw(shape(0, 2)), draw(sizes), draw(sizes), draw(sizes)
        ta, tb = draw(st.booleans()), draw(st.booleans())
        fixed = {"transpose_a": ta, "transpose_b": tb}
        inputs = [near(draw, (*lead, *((k, m) if ta else (m, k)))), near(draw, (*lead, *((n, k) if tb else (k, n))))]
    elif kind.family == "merge":
        count = 2 if kind is merge.Subtract else draw(st.integers(1, 3))
        inputs = [near(draw, s) for _ in range(count)]
    elif kind is reshape.Reshape:
        parts = [n for n in s if n > 1] if draw(st.booleans()) else [*s][::-1]
        if draw(st.booleans()):
            parts = [*parts, draw(st.sampled_from([1, 1, 1, 2, 5]))]
        if parts and draw(st.booleans()):
            parts[draw(st.integers(0, len(parts) - 1))] = -1
        fixed["target_shape"] = tuple(parts)
    elif kind is reshape.Permute:
        fixed["dims"] = tuple(draw(st.permutations(range(1, rank + 1 + (draw(st.integers(0, 9)) == 0)))))
    elif kind is reshape.Squeeze:
        s = tuple(draw(st.sampled_from([1, 1, 3])) for _ in s)
        ones = tuple(i for i, n in enumerate(s) if n == 1)
        fixed["axis"] = draw(st.sampled_from([None, ones or None, ones[0] if ones else 0, -1]))
        inputs = [s]
    elif kind is reshape.RepeatVector:
        inputs = [draw(shape(1, 1 + (draw(st.integers(0, 5)) == 0)))]
    elif kind is reshape.Split:
        s = draw(shape(1))
        axis = draw(st.integers(0, len(s) - 1))
        n = s[axis]
        cut = draw(st.integers(1, n))
        whole = draw(st.sampled_from([d for d in range(1, 7) if n % d == 0] + [5]))
        fixed = {"axis": axis - len(s), "sections": draw(st.sampled_from([whole, (cut, n - cut) if cut < n else (n,)]))}
        inputs = [s]
    elif kind is reshape.Slice:
        s = draw(shape(1))
        fixed = {"axis": draw(axis_of(len(s))), "start": draw(st.sampled_from([0, 0, 1, -1, -2]))}
        fixed["stop"] = draw(st.sampled_from([None, None, 1, 2, 3, -1]))
        inputs = [s]
    elif kind is reshape.Gather:
        s = draw(shape(1))
        axis = draw(st.integers(0, len(s) - 1))
        index = st.integers(-s[axis], s[axis] - 1 + (draw(st.integers(0, 9)) == 0))
        fixed = {"axis": axis, "indices": draw(st.one_of(index, st.lists(index, min_size=1, max_size=5).map(tuple)))}
        inputs = [s]
    elif kind is reshape.Roll:
        count = draw(st.integers(1, max(rank, 1)))
        axes = tuple(draw(st.permutations(range(max(rank, 1)))))[:count]
        fixed = {"axis": axes, "shift": tuple(draw(st.integers(-7, 7)) for _ in axes)}
    elif "axis" in kind.model_fields:
        several = st.lists(st.integers(-rank, max(rank - 1, 0)), min_size=1, max_size=2).map(tuple)
        fixed["axis"] = draw(axis_of(rank) if kind is reshape.ExpandDims else st.one_of(axis_of(rank), several))
    elif kind.family == "attention":
        inputs, fixed = attention_case(draw, kind)
    elif kind is recurrent.ConvLSTM:
        rank = draw(st.integers(1, 2))
        inputs = [(draw(st.integers(1, 3)), *(draw(st.integers(2, 5)) for _ in range(rank)), draw(st.integers(1, 3)))]
        fixed = {"filters": draw(st.integers(1, 3)), "kernel_size": draw(st.integers(1, 3))}
        fixed |= {"strides": draw(st.integers(1, 2)), "dilation_rate": draw(st.sampled_from([1, 1, 2]))}
    elif kind.family == "recurrent":
        units = draw(st.integers(1, 4))
        fixed = {"units": units}
        inputs = [near(draw, (draw(sizes), draw(sizes)))]
        if kind is not recurrent.Bidirectional and draw(st.booleans()):
            inputs += [(units,)] * (draw(st.integers(1, 2)) if kind is recurrent.LSTM else 1)
        elif kind is recurrent.Bidirectional and draw(st.booleans()):
            fixed |= {"recurrent_activation": "sigmoid", "reset_after": True}
    elif kind.family == "preprocess":
        inputs = [s := draw(shape(1))]
        one = st.integers(1, 4).map(float)
        each = st.tuples(*[one] * (s[-1] + (draw(st.integers(0, 9)) == 0)))
        value = draw(st.sampled_from([one, each]))
        names = ("mean", "variance") if kind is preprocess.Normalization else ("scale", "offset")
        fixed = {name: draw(value) for name in names}
    elif kind is parameter.Parameter:
        fixed["shape"] = draw(shape(1, 3))
    elif kind is parameter.Constant:
        s = draw(shape(1, 3))
        each = st.tuples(*[st.integers(-3, 3).map(float)] * (prod(s) + (draw(st.integers(0, 9)) == 0)))
        fixed = {"shape": s, "value": draw(st.sampled_from([st.just(2.5), each]))}
    elif kind is parameter.PositionEmbedding:
        inputs = [near(draw, (draw(sizes), draw(sizes)))]
        fixed["input_dim"] = draw(st.sampled_from([None, None, 4, 9]))
    elif kind is parameter.LayerScale:
        inputs = [draw(shape(1))]
    rates = {name for name in ("rate", "dropout", "recurrent_dropout") if name in kind.model_fields}
    fixed |= {name: st.sampled_from([0.0, 0.3]) for name in rates}
    return draw(arguments(kind, rank, fixed)), specs(*inputs)


def attention_case(draw: Any, kind: type[Op]) -> tuple[list[tuple[int, ...]], dict[str, Any]]:
    t, length, d, v, k = (draw(sizes) for _ in range(5))
    lead = draw(shape(0, 1)) if draw(st.integers(0, 3)) == 0 else ()
    fixed: dict[str, Any] = {}
    if kind is att.GroupedQueryAttention:
        groups = draw(st.integers(1, 3))
        fixed = {"num_key_value_heads": groups, "num_query_heads": groups * draw(st.integers(1, 2))}
        v = draw(st.sampled_from([d, d, d, v]))
    if issubclass(kind, att.DotAttention):
        k = d
    count = draw(st.integers(1, 3))
    if count == 2 and issubclass(kind, att.DotAttention):
        v = d
    return [near(draw, (*lead, *s)) for s in ((t, d), (length, v), (length, k))][:count], fixed


def amount(kind: type[Op]) -> int:
    """Ops whose arguments change shapes or weights get more cases."""
    if kind is recurrent.ConvLSTM:
        return 25
    return {"attention": 45, "recurrent": 45, "merge": 35, "reshape": 30}.get(kind.family, 16)


def keras_takes(op: Op, inputs: tuple[TensorSpec, ...]) -> bool:
    """Whether Keras gives a model for what the op refuses."""
    site = Site(build=Build(), name="refused", path="refused", inputs=inputs, outputs=())
    tensors = [keras.Input(x.shape) for x in inputs]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            run(keras.Model(tensors, TABLE[type(op)].rule(site, op, *tensors)), *map(numbers, inputs))
    except Exception:
        return False
    return True


def refusal(op: Op, inputs: tuple[TensorSpec, ...]) -> OpError | None:
    """Why the op does not take these inputs, None if it does."""
    try:
        op.infer(*inputs)
    except OpError as error:
        return error
    return None


# -------------------------------------------------------------------------------------------- tests


def test_every_op_has_a_lowering() -> None:
    assert set(TABLE) == set(OPS)


@each_op
def test_shapes_and_weights_are_those_of_keras(kind: type[Op]) -> None:
    taken = []

    @settings(
        max_examples=amount(kind), derandomize=True, deadline=None, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case(kind))
    def holds_for(found: Case) -> None:
        op, inputs = found
        taken.append(check_against_keras(TABLE[kind], op, inputs, excuses=REFUSED_BY_KERAS))
        if not taken[-1]:
            error = refusal(op, inputs)
            known = error is None or any(applies(op, inputs, error) for applies in STRICTER.values())
            assert known or not keras_takes(op, inputs), f"Keras takes {op!r} on {inputs}: {error}"

    holds_for()
    assert sum(taken) >= len(taken) // 4, "hardly any case is legal"


@each_op
def test_unknown_sizes_agree_with_numbers(kind: type[Op]) -> None:
    followed = []

    @settings(max_examples=40, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case(kind), st.data())
    def holds_for(found: Case, data: Any) -> None:
        op, inputs = found
        value = data.draw(sizes)
        symbolic = tuple(
            TensorSpec(tuple(unknown("H") if n == value and data.draw(st.booleans()) else n for n in x.shape))
            for x in inputs
        )
        try:
            y = op.infer(*symbolic)
            needs = tuple(op.requires(*symbolic))
        except OpError as error:
            check_error(op, error, symbolic)
            return
        outputs = y if isinstance(y, tuple) else (y,)
        legal = all(holds(need, value) for need in needs)
        found_sizes = tuple(tuple(at(n, value) for n in x.shape) for x in outputs)
        error = refusal(op, inputs)
        if error is not None:
            assert not legal or any(n < 1 for s in found_sizes for n in s), f"{op!r} on {symbolic}: {error}"
            return
        concrete = op.infer(*inputs)
        followed.append(symbolic != inputs)
        if legal:
            concrete = concrete if isinstance(concrete, tuple) else (concrete,)
            if op == reshape.Squeeze() and value == 1:
                return  # an unknown size that happens to be 1 stays
            assert found_sizes == tuple(x.shape for x in concrete), f"{op!r} on {symbolic}"
            assert op.weights(*symbolic) == op.weights(*inputs)
        else:
            assert type(op) is reshape.Slice, f"{op!r} on {symbolic} refuses {value} for no reason"

    holds_for()


H, T = unknown("H"), unknown("T")
IMAGE, TOKENS = TensorSpec((4, 6, 8)), TensorSpec((5, 8))
UNKNOWN = TensorSpec((T, 8))
SAMPLES: list[Case] = [
    (merge.Add(), (IMAGE, IMAGE)),
    (merge.Add(), (IMAGE,)),
    (merge.Subtract(), (IMAGE, IMAGE)),
    (merge.Concat(axis=0), (TOKENS, UNKNOWN)),
    (merge.Dot(axes=(1, 1), normalize=True), (TOKENS, TOKENS)),
    (merge.Matmul(transpose_b=True), (UNKNOWN, UNKNOWN)),
    (merge.Matmul(transpose_a=True), (UNKNOWN, UNKNOWN)),
    (reshape.Flatten(), (TensorSpec((H, T, 3)),)),
    (reshape.Reshape(target_shape=(-1, 4)), (UNKNOWN,)),
    (reshape.Permute(dims=(3, 1, 2)), (TensorSpec((H, T, 3)),)),
    (reshape.Squeeze(), (TensorSpec((1, 4, 1)),)),
    (reshape.ExpandDims(axis=-1), (UNKNOWN,)),
    (reshape.RepeatVector(n=3), (TensorSpec((4,)),)),
    (reshape.Split(sections=2), (IMAGE,)),
    (reshape.Split(sections=(1, 3), axis=0), (IMAGE,)),
    (reshape.Split(sections=4), (UNKNOWN,)),
    (reshape.Slice(axis=0, start=1, stop=-1, step=2), (UNKNOWN,)),
    (reshape.Slice(start=2), (IMAGE,)),
    (reshape.Gather(axis=0, indices=0), (UNKNOWN,)),
    (reshape.Gather(axis=1, indices=(3, 1, 1, -1)), (IMAGE,)),
    (reshape.Roll(shift=(-1, 2), axis=(0, 1)), (TensorSpec((H, T, 3)),)),
    (reshape.Reverse(axis=(0, -1)), (UNKNOWN,)),
    (reshape.Mean(axis=(0, 1)), (TensorSpec((H, T, 3)),)),
    (reshape.Sum(axis=-1, keepdims=True), (IMAGE,)),
    (reg.StochasticDepth(rate=0.3), (UNKNOWN,)),
    (reg.SpatialDropout(rate=0.3), (IMAGE,)),
    (reg.AlphaDropout(rate=0.3), (IMAGE,)),
    (reg.ActivityRegularization(l1=0.1), (IMAGE,)),
    (att.Attention(use_scale=True, score_mode="concat", return_attention_scores=True), (UNKNOWN,)),
    (att.AdditiveAttention(use_causal_mask=True), (TOKENS, TOKENS)),
    (att.MultiHeadAttention(num_heads=2, key_dim=3, use_causal_mask=True, return_attention_scores=True), (UNKNOWN,)),
    (att.MultiHeadAttention(num_heads=2, key_dim=3, value_dim=5, output_shape=7), (TOKENS, UNKNOWN, UNKNOWN)),
    (att.MultiHeadAttention(num_heads=2, key_dim=3), (IMAGE,)),
    (att.GroupedQueryAttention(head_dim=3, num_query_heads=4, num_key_value_heads=2), (UNKNOWN,)),
    (recurrent.LSTM(units=3, return_state=True), (UNKNOWN, TensorSpec((3,)), TensorSpec((3,)))),
    (recurrent.GRU(units=3, return_sequences=True, reset_after=False), (UNKNOWN,)),
    (recurrent.SimpleRNN(units=3, go_backwards=True, unroll=True), (TOKENS,)),
    (recurrent.Bidirectional(units=3, layer="gru", return_state=True, return_sequences=True), (UNKNOWN,)),
    (recurrent.ConvLSTM(filters=3, kernel_size=3, return_sequences=True), (TensorSpec((2, 5, 6, 3)),)),
    (preprocess.Rescale(scale=0.5, offset=-1.0), (IMAGE,)),
    (preprocess.Rescale(scale=(1.0, 2.0, 3.0), offset=(0.0, 1.0, 2.0)), (TensorSpec((4, 5, 3)),)),
    (preprocess.Normalization(mean=(1.0, 2.0, 3.0), variance=(1.0, 4.0, 9.0)), (TensorSpec((4, 5, 3)),)),
    (preprocess.Normalization(mean=1.0, variance=4.0, invert=True), (IMAGE,)),
    (parameter.Parameter(shape=(1, 8)), (UNKNOWN,)),
    (parameter.Parameter(shape=(3,)), (TensorSpec((4, 4, 1)),)),
    (parameter.Constant(shape=(2, 3), value=-1.5), (UNKNOWN,)),
    (parameter.Constant(shape=(2, 1), value=(4.0, 5.0)), (IMAGE,)),
    (parameter.PositionEmbedding(), (TOKENS,)),
    (parameter.PositionEmbedding(input_dim=9), (UNKNOWN,)),
    (parameter.LayerScale(init_values=0.5), (TensorSpec((H, T, 3)),)),
    (parameter.Scale(factor=0.25), (UNKNOWN,)),
]

LOADER = """
import sys, os
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np, keras
for name in sys.argv[1:]:
    data = np.load(name + ".npz")
    model = keras.saving.load_model(name + ".keras", safe_mode=True)
    inputs = [data[f"x{k}"] for k in range(len(model.inputs))]
    found = model(inputs if len(inputs) > 1 else inputs[0], training=False)
    for k, y in enumerate(keras.tree.flatten(found)):
        np.testing.assert_allclose(keras.ops.convert_to_numpy(y), data[f"y{k}"], rtol=1e-4, atol=1e-5, err_msg=name)
assert not any(name.startswith("resspec") for name in sys.modules)
"""


def given_numbers(inputs: tuple[TensorSpec, ...]) -> list[np.ndarray]:
    return [numbers(TensorSpec(tuple(n if isinstance(n, int) else 8 for n in x.shape)), seed=k) for k, x in
            enumerate(inputs)]  # fmt: skip


def test_saved_models_load_in_a_python_without_this_package(tmp_path: Path) -> None:
    """Under safe mode, with the same numbers out, also of ops made of `keras.ops` and of odd layers."""
    names = []
    for k, (op, inputs) in enumerate(SAMPLES):
        model = build(TABLE[type(op)], op, inputs).model
        values = given_numbers(inputs)
        name = str(tmp_path / f"{k}_{op.kind}")
        results = run(model, *values)
        np.savez(
            name + ".npz", **{f"x{i}": x for i, x in enumerate(values)}, **{f"y{i}": y for i, y in enumerate(results)}
        )
        model.save(name + ".keras")
        names.append(name)
    assert {type(op) for op, _ in SAMPLES} >= {kind for kind in OPS if kind.family != "merge"} - {
        reshape.Identity, reg.Dropout, reg.GaussianDropout, reg.GaussianNoise,
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-I", "-c", LOADER, *names], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_channels_first_gives_the_same_numbers() -> None:
    """For the rules that honour the data format; the others are given channels last by the compiler."""
    x = numbers(IMAGE)
    for op in (merge.Concat(), merge.Concat(axis=0), merge.Concat(axis=1)):
        last, first = (
            run(build(TABLE[type(op)], op, (IMAGE, IMAGE), data_format=order).model, *values)
            for order, values in (("channels_last", [x, x]), ("channels_first", [np.moveaxis(x, -1, 1)] * 2))
        )
        np.testing.assert_array_equal(last[0], np.moveaxis(first[0], 1, -1))


def test_stochastic_depth_drops_whole_examples() -> None:
    model = build(TABLE[reg.StochasticDepth], reg.StochasticDepth(rate=0.5), (TOKENS,)).model
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        y = keras.ops.convert_to_numpy(model(np.ones((64, 5, 8), "float32"), training=True)).reshape(64, -1)
    assert set(np.unique(y)) == {0.0, 2.0}
    assert all(len(set(row)) == 1 for row in y)


def test_projections_do_not_start_alike() -> None:
    """One seeded initializer would give query and key the same matrix, and both directions too."""
    for op in (att.MultiHeadAttention(num_heads=2, key_dim=4), recurrent.Bidirectional(units=4)):
        first, second = (build(TABLE[type(op)], op, (TOKENS,)).model.get_weights() for _ in range(2))
        kernels = [w for w in first if w.std() > 0 and w.ndim > 1]
        assert len(kernels) >= 4
        same = [(a.shape == b.shape and np.array_equal(a, b)) for i, a in enumerate(kernels) for b in kernels[:i]]
        assert not any(same)
        assert len(first) == len(second)


def test_first_values_follow_the_seed_and_the_path() -> None:
    op = att.MultiHeadAttention(num_heads=2, key_dim=4)

    def weights(path: str) -> list[np.ndarray]:
        site = Site(build=Build(seed=7), name="m", path=path, inputs=(TOKENS,), outputs=(TOKENS,))
        x = keras.Input(TOKENS.shape)
        return keras.Model(x, TABLE[type(op)].rule(site, op, x)).get_weights()

    one, again, other = weights("a"), weights("a"), weights("b")
    assert all(np.array_equal(x, y) for x, y in zip(one, again))
    assert not np.array_equal(one[0], other[0])


@pytest.mark.parametrize(
    "op",
    [parameter.Parameter(shape=(1, 8)), parameter.PositionEmbedding(), parameter.LayerScale()],
    ids=lambda op: op.kind,
)
def test_parameters_learn(op: Op) -> None:
    model = build(TABLE[type(op)], op, (TOKENS,)).model
    before = [w.copy() for w in model.get_weights()]
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
    target = np.ones((4, *(y if isinstance(y, int) else 5 for y in model.output_shape[1:])), "float32")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(numbers(TOKENS, batch=4), target, verbose=0)
    assert all(not np.array_equal(a, b) for a, b in zip(before, model.get_weights()))


def test_a_merge_names_the_odd_one() -> None:
    with pytest.raises(OpError) as caught:
        merge.Add().infer(*specs((56, 56, 64), (56, 56, 64), (28, 28, 64)))
    assert caught.value.message == "`add` needs equal shapes, got (56, 56, 64) and (28, 28, 64)"
    assert (caught.value.code, caught.value.operand) == ("shape-mismatch", 2)


def test_unknown_sizes_of_a_merge_become_requirements() -> None:
    half = TensorSpec((2 * (H // 2), 8))
    assert list(merge.Add().requires(TensorSpec((H, 8)), half)) == [Equal(H, 2 * (H // 2))]
    assert merge.Add().infer(TensorSpec((H, 8)), half).shape == (H, 8)
    with pytest.raises(OpError, match="needs equal shapes"):
        merge.Add().infer(TensorSpec((H, 8)), TensorSpec((H - 4, 8)))


# ----------------------------------------------------------------------------------- keras.<Class>


def test_every_class_of_keras_is_allowed_or_refused_with_its_reason() -> None:
    known = {name for name in dir(keras.layers) if isinstance(getattr(keras.layers, name), type) and name[:1].isupper()}
    assert not ALLOWED & set(REFUSED)
    assert known - ALLOWED - set(REFUSED) == set()
    assert len(ALLOWED - known) == 0, "not in this version of Keras"


FOREIGN_CASES: list[tuple[str, dict[str, Any], tuple[int, ...], tuple[int, ...]]] = [
    ("UnitNormalization", {}, (5, 8), (5, 8)),
    ("Conv2D", {"filters": 4, "kernel_size": 3, "kernel_initializer": {"name": "he_normal"}}, (8, 9, 3), (6, 7, 4)),
    ("EinsumDense", {"equation": "abc,cd->abd", "output_shape": [5, 7], "bias_axes": "d"}, (5, 8), (5, 7)),
    ("LSTM", {"units": 3}, (5, 8), (3,)),
    ("BatchNormalization", {"epsilon": 1e-5}, (5, 8), (5, 8)),
    ("CenterCrop", {"height": 4, "width": 4}, (8, 9, 3), (4, 4, 3)),
]


@pytest.mark.parametrize(
    ("name", "given_arguments", "x", "y"), FOREIGN_CASES, ids=lambda v: v if isinstance(v, str) else ""
)
def test_foreign_layers_are_what_keras_says(
    name: str, given_arguments: dict[str, Any], x: tuple[int, ...], y: tuple[int, ...], tmp_path: Path
) -> None:
    class Here:
        resolve = staticmethod(resolve)

    op = KerasLayer.of(name, given_arguments).resolved(Here(), specs(x))
    assert op.infer(TensorSpec(x)).shape == y  # type: ignore[union-attr]
    assert check_against_keras(FOREIGN[KerasLayer], op, specs(x))
    model = build(FOREIGN[KerasLayer], op, specs(x)).model
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras", safe_mode=True)
    value = numbers(TensorSpec(x))
    np.testing.assert_allclose(run(model, value)[0], run(loaded, value)[0], rtol=1e-5)


def test_foreign_layers_follow_unknown_sizes_or_refuse() -> None:
    found = resolve("UnitNormalization", {}, (UNKNOWN,))
    assert found.outputs[0].shape == (T, 8)
    assert resolve("GlobalAveragePooling1D", {}, (UNKNOWN,)).outputs[0].shape == (8,)
    with pytest.raises(OpError) as caught:
        resolve("Conv1D", {"filters": 4, "kernel_size": 3}, (UNKNOWN,))
    assert caught.value.code == "unknown-size"
    with pytest.raises(OpError, match="Keras refuses") as caught:
        resolve("Conv2D", {"filters": 4, "kernel_size": 3}, (UNKNOWN,))
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("name", "given_arguments"),
    [
        ("Lambda", {"function": "x"}),
        ("TFSMLayer", {"filepath": "x"}),
        ("Denze", {}),
        ("Dense", {"units": 3, "name": "x"}),
        ("Dense", {"units": 3, "kernel_initializer": {"class_name": "Lambda", "module": "keras.layers"}}),
        ("Dense", {"units": object()}),
    ],
)
def test_foreign_layers_take_plain_data_only(name: str, given_arguments: dict[str, Any]) -> None:
    with pytest.raises(OpError):
        KerasLayer.of(name, given_arguments)


def test_a_foreign_layer_needs_its_answer() -> None:
    op = KerasLayer.of("Dense", {"units": 3})
    with pytest.raises(OpError) as caught:
        op.infer(TOKENS)
    assert caught.value.code == "needs-keras"
    assert op.canonical(TOKENS) == {"class": "Dense", "arguments": {"units": 3}}
