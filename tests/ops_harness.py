"""Random arguments and inputs for ops, and what Keras makes of them through the lowering.

Arguments are derived from an op's fields, so that a new op is tested as soon as it stands in a table.
"""

from __future__ import annotations

import itertools
import os
import types
import typing
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import annotated_types
import keras
import numpy as np
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from resspec.domain import Requirement
from resspec.keras_backend.site import Build, Lowering, Site
from resspec.ops.base import Op, OpError, Weight
from resspec.sizes import Periodic, Size, unknown
from resspec.tensor import TensorSpec

# ---------------------------------------------------------------------------------------- arguments


def arguments(kind: type[Op], rank: int, fixed: Mapping[str, Any] | None = None) -> st.SearchStrategy[Op]:
    """Ops of one class with random arguments, most of which fit an input with `rank` spatial axes.

    Every argument that has a default is left at it half of the time, or else hardly any case would be legal.
    """
    fixed = fixed or {}

    @st.composite
    def draw_op(draw: Any) -> Op:
        values = {}
        for name, field in kind.model_fields.items():
            if name in fixed:
                given = fixed[name]
                values[name] = draw(given) if isinstance(given, st.SearchStrategy) else given
            elif field.is_required() or draw(st.booleans()):
                values[name] = draw(field_values(field, rank))
        try:
            return kind.model_validate(values)
        except ValidationError as error:
            raise AssertionError(f"{kind.__name__} refuses {values}: {error}") from error

    return draw_op()


def field_values(field: FieldInfo, rank: int) -> st.SearchStrategy[Any]:
    """Values that the annotation of a field allows, numbers small."""
    return _values(field.rebuild_annotation(), rank, ())


def _values(hint: Any, rank: int, bounds: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return _values(inner[0], rank, (*bounds, *_bounds(inner[1:])))
    if origin in (Union, types.UnionType):
        return st.one_of(*(_values(item, rank, bounds) for item in inner))
    if origin is Literal:
        return st.sampled_from(inner)
    if origin is tuple:
        if len(inner) == 2 and inner[1] is Ellipsis:
            items = _values(inner[0], rank, ())
            return st.tuples(*[items] * rank) if rank else st.tuples(items)
        return st.tuples(*(_values(item, rank, ()) for item in inner))
    if hint is type(None):
        return st.none()
    if hint is bool:
        return st.booleans()
    if hint in (int, float):
        least = max((b for b in bounds if b[0] == ">="), default=(">=", -3), key=lambda b: b[1])[1]
        most = min((b[1] for b in bounds if b[0] in ("<=", "<")), default=4)
        if hint is int:
            return st.integers(least if least > -(2**20) else -3, min(most, max(least, 0) + 4))
        strict = any(b[0] == "<" for b in bounds)
        hundredths = st.integers(round(100 * max(least, -2.0)), round(100 * min(most, 2.0)) - strict)
        return hundredths.map(lambda n: n / 100)
    if hint is str:
        return st.sampled_from(["a", "b"])
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        # a config of Keras: its name alone, since which settings go with which name is Keras's affair
        return _values(hint.model_fields["name"].rebuild_annotation(), rank, ()).map(lambda name: {"name": name})
    raise NotImplementedError(f"no strategy for {hint}")


def _bounds(metadata: Iterable[Any]) -> Iterable[tuple[str, Any]]:
    for item in metadata:
        for each in item.metadata if isinstance(item, FieldInfo) else (item,):
            if isinstance(each, annotated_types.Ge):
                yield ">=", each.ge
            elif isinstance(each, annotated_types.Le):
                yield "<=", each.le
            elif isinstance(each, annotated_types.Lt):
                yield "<", each.lt
            elif isinstance(each, annotated_types.Gt):
                yield ">=", each.gt + 1e-3


def shapes(rank: int, sizes: st.SearchStrategy[int] | None = None) -> st.SearchStrategy[tuple[int, ...]]:
    """Shapes with `rank` spatial axes; channels that have divisors."""
    size = st.integers(1, 12) if sizes is None else sizes
    channels = st.sampled_from([1, 2, 3, 4, 4, 6, 8, 8, 16, 32])
    return st.tuples(*[size] * rank, channels)


# -------------------------------------------------------------------------------------------- Keras


@dataclass(frozen=True)
class Built:
    """What Keras says: shapes without the batch, channels last, and the variables of the layer."""

    shapes: tuple[tuple[int | None, ...], ...]
    dtypes: tuple[str, ...]
    weights: tuple[Weight, ...]
    model: Any


_names = (f"layer{i}" for i in itertools.count())


def build(lowering: Lowering, op: Op, inputs: tuple[TensorSpec, ...], *, data_format: str = "channels_last") -> Built:
    """`op` lowered on Keras inputs of these shapes; whatever Keras raises goes through."""
    first = data_format == "channels_first"
    outputs = op.infer(*inputs)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    build = Build(data_format=data_format)  # type: ignore[arg-type]
    name = next(_names)
    site = Site(build=build, name=name, path=name, inputs=inputs, outputs=outputs)
    tensors = [
        keras.Input(tuple(n if isinstance(n, int) else None for n in _order(x.shape, first)), dtype=x.dtype)
        for x in inputs
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = lowering.rule(site, op, *tensors)
    results = tuple(found) if isinstance(found, (tuple, list)) else (found,)
    layer = build.layers.get(name)
    # random layers keep the state of their generator in a variable, which is no weight of the network
    weights = () if layer is None else layer.weights
    trainable = {id(w) for w in layer.trainable_weights} if layer is not None else set()
    return Built(
        shapes=tuple(_order(tuple(y.shape[1:]), first, back=True) for y in results),
        dtypes=tuple(y.dtype for y in results),
        weights=tuple(Weight(w.path.split(f"{name}/", 1)[-1], tuple(w.shape), id(w) in trainable) for w in weights),
        model=keras.Model(tensors, found),
    )


def _order(shape: tuple[Any, ...], first: bool, back: bool = False) -> tuple[Any, ...]:
    if not first or len(shape) < 2:
        return shape
    return (*shape[1:], shape[0]) if back else (shape[-1], *shape[:-1])


def numbers(x: TensorSpec, batch: int = 2, seed: int = 0) -> np.ndarray:
    """A batch of random numbers of a known shape."""
    rng = np.random.default_rng(seed)
    shape = (batch, *x.shape)
    return np.zeros(shape, "int32") if "int" in x.dtype else rng.normal(size=shape).astype("float32")


def run(model: Any, *values: np.ndarray) -> list[np.ndarray]:
    """The model's outputs in inference mode."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = model(list(values) if len(values) > 1 else values[0], training=False)
    return [keras.ops.convert_to_numpy(y) for y in (found if isinstance(found, (list, tuple)) else [found])]


# -------------------------------------------------------------------------------------- comparisons

Excuse = Callable[[Op, tuple[TensorSpec, ...]], bool]
"""whether a known disagreement applies"""


def check_against_keras(
    lowering: Lowering,
    op: Op,
    inputs: tuple[TensorSpec, ...],
    *,
    data_format: str = "channels_last",
    eager: bool = False,
    excuses: Mapping[str, Excuse] | None = None,
) -> bool:
    """Hold `infer` and `weights` against Keras; False if the op refuses these inputs.

    `excuses` maps the reason of a known disagreement to when it applies: Keras may refuse there.
    """
    try:
        inferred = op.infer(*inputs)
    except OpError as error:
        check_error(op, error, inputs)
        return False
    outputs = inferred if isinstance(inferred, tuple) else (inferred,)
    about = f"{op!r} on {', '.join(map(str, inputs))}"
    try:
        built = build(lowering, op, inputs, data_format=data_format)
        results = run(built.model, *map(numbers, inputs)) if eager else []
    except Exception as error:
        if any(applies(op, inputs) for applies in (excuses or {}).values()):
            return False
        raise AssertionError(f"infer gives {outputs}, Keras refuses {about}: {error}") from error
    expected = tuple(tuple(n if isinstance(n, int) else None for n in y.shape) for y in outputs)
    assert built.shapes == expected, about
    assert built.dtypes == tuple(y.dtype for y in outputs), about
    weights = op.weights(*inputs)
    assert built.weights == weights, about
    for y, spec in zip(results, outputs):
        assert y.shape == (2, *spec.shape), about
    check_costs(op, inputs, outputs)
    return True


def check_error(op: Op, error: OpError, inputs: tuple[TensorSpec, ...]) -> None:
    """A refusal points at something that exists, and says it in the house style."""
    assert error.argument is None or error.argument in type(op).model_fields
    assert error.operand is None or error.operand < len(inputs)
    assert not error.message.endswith(".")
    assert error.message[:1].islower() or error.message[:1] == "`"


def check_costs(op: Op, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> None:
    """Costs are sizes, the normal form is plain data, the reach has one entry an axis."""
    import json

    json.dumps(op.canonical(*inputs))
    assert op.flops(inputs, outputs) is not None
    reach = op.reach(inputs)
    if reach is not None:
        assert len(reach.span) == len(reach.stride) == len(inputs[0].spatial)


def check_unknown(op: Op, shape: tuple[int, ...], axes: tuple[int, ...], value: int) -> bool:
    """`infer` on an unknown size, then put a number in, is `infer` on that number; False if refused."""
    symbolic = TensorSpec(tuple(unknown("H") if i in axes else n for i, n in enumerate(shape)))
    concrete = TensorSpec(tuple(value if i in axes else n for i, n in enumerate(shape)))
    try:
        found = op.infer(symbolic)
        needs = tuple(op.requires(symbolic))
    except OpError as error:
        check_error(op, error, (symbolic,))
        return False
    legal = all(holds(need, value) for need in needs)
    outputs = found if isinstance(found, tuple) else (found,)
    sizes = tuple(tuple(at(n, value) for n in y.shape) for y in outputs)
    legal = legal and all(n >= 1 for shape in sizes for n in shape)
    try:
        inferred = op.infer(concrete)
    except OpError as error:
        if legal:
            raise AssertionError(f"{op!r} on {symbolic} should be legal for H = {value}") from error
        return True
    if legal:
        expected = inferred if isinstance(inferred, tuple) else (inferred,)
        assert sizes == tuple(y.shape for y in expected), f"{op!r} on {symbolic} at H = {value}"
        assert op.weights(symbolic) == op.weights(concrete)
    return True


def at(size: Size, value: int) -> int:
    """A size for one value of the unknown."""
    if isinstance(size, int):
        return size
    if isinstance(size, Periodic):
        return size(value)
    result = size.factor
    for part in size.of:
        result *= part(value)
    return result


def holds(need: Requirement, value: int) -> bool:
    name = type(need).__name__
    if name == "Equal":
        return at(need.left, value) == at(need.right, value)  # type: ignore[union-attr]
    size = at(need.size, value)  # type: ignore[union-attr]
    if name == "AtMost":
        return size <= need.most  # type: ignore[union-attr]
    return size % need.of == 0 if name == "Multiple" else size >= need.least  # type: ignore[union-attr]
