"""`gradients`: norms of the gradients by weights and by activations against depth, at initialization."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from resspec.network import Network
from resspec.probes import data, places
from resspec.probes.base import (
    Column,
    Progress,
    Result,
    Settings,
    Subject,
    Table,
    Verdict,
    labels,
    refused,
    session,
    setting,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SPAN = 1e3
"""the factor from the last layer to the first from which on a network is called sick"""

SATURATING = ("sigmoid", "hard_sigmoid", "tanh", "hard_tanh", "softsign", "softmax", "softplus", "exponential")
SOURCE = (
    'Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks"; '
    'He et al. 2015, "Delving Deep into Rectifiers"'
)


@dataclass(frozen=True, kw_only=True)
class Options(Settings):
    depths: tuple[int, ...] = setting((), "values of the spec's parameter --over, each a network of its own")
    over: str = setting("depth", "the parameter that --depths sets")
    batch: int = setting(32, "examples of noise that go in", least=2)


@dataclass(frozen=True)
class Curve:
    """The norms along one network; geometric means over the seeds."""

    network: Network
    label: str
    paths: tuple[str, ...]
    depth: np.ndarray[Any, Any]
    weights: np.ndarray[Any, Any]
    activations: np.ndarray[Any, Any]
    zeros: frozenset[str] = frozenset()
    """paths of layers whose weights are all zero: no gradient gets past them"""


class Trend(NamedTuple):
    """How a norm changes towards the input: by `factor` a layer, `whole` from the last layer to the first."""

    factor: float
    whole: float
    layers: int


def run(subjects: Sequence[Subject], settings: Options, progress: Progress) -> Result:
    """Norms for each subject at each depth. SpecError `probe-refused` for a network of fewer than two layers."""
    asked = [one for subject in subjects for _, one in subject.over(settings.over, settings.depths)]
    names, curves = labels(asked), []
    for k, (subject, label) in enumerate(zip(asked, names, strict=True)):
        progress(f"gradients of {label}", k, len(asked))
        curves.append(measure(subject.sized(), label, settings.every_seed, settings.batch))
    rows = [
        (curve.label, path, int(depth), float(weight), float(activation))
        for curve in curves
        for path, depth, weight, activation in zip(
            curve.paths, curve.depth, curve.weights, curve.activations, strict=True
        )
    ]
    trends = [
        (curve.label, of.layers, of.factor, of.whole, by.factor, by.whole)
        for curve in curves
        for of, by in [(trend(curve.depth, curve.weights), trend(curve.depth, curve.activations))]
    ]
    tables = (
        Table(
            "factors",
            "change of the norm towards the input",
            (
                Column("network"),
                Column("layers"),
                Column("weight_factor", "of the gradient by weights, a layer"),
                Column("weight_change", "from the last layer to the first"),
                Column("activation_factor", "of the gradient by activations, a layer"),
                Column("activation_change", "from the last layer to the first"),
            ),
            tuple(trends),
        ),
        Table(
            "norms",
            "norms of the gradient of a random function of the outputs",
            (Column("network"), Column("layer"), Column("depth"), Column("weights"), Column("activations")),
            tuple(rows),
        ),
    )
    return Result(
        "gradients",
        "gradients at initialization",
        tuple(names),
        settings.to_dict(),
        tables,
        tuple(verdict(curve) for curve in curves),
        lambda figure: _draw(figure, curves),
        sources={name: text for curve in curves for name, text in curve.network.sources.items()},
    )


def measure(network: Network, label: str, seeds: Sequence[int], batch: int) -> Curve:
    """The norms of one network, over several seeds."""
    layers = places.Map(network).layers
    if len(layers) < 2:
        raise refused(f"`{network.name}` has {len(layers)} layer with weights, gradients along the depth need two")
    found = []
    for seed in seeds:
        opened = session(network, layers, seed=seed, gradients=True)
        derived = opened.derive(data.noise(network, batch, seed), seed, weights=True, training=True)
        found.append(norms(network, layers, derived))
    return curve(network, label, layers, found)


class Norms(NamedTuple):
    """Of some layers, from one seed."""

    values: list[float]
    """of the weights themselves"""
    weights: list[float]
    activations: list[float]


def norms(network: Network, layers: Sequence[int], derived: Any) -> Norms:
    """Norms of weights and of the gradients by them and by activations, from a `session.Derived`."""
    weights = derived.weights()
    values, by_weights = [], []
    for i in layers:
        owner = network.nodes[i].owner or network.nodes[i].path
        kernels = [pair for pair in weights.get(owner, {}).values() if pair[1].ndim > 1]
        values.append(norm(*(value for value, _ in kernels)))
        by_weights.append(norm(*(gradient for _, gradient in kernels)))
    return Norms(values, by_weights, [norm(derived.by_tap(i)) for i in layers])


def norm(*arrays: Any) -> float:
    """The norm of all numbers together, in double precision: small ones do not vanish by being squared."""
    return float(np.sqrt(sum(np.sum(np.square(one.astype(np.float64))) for one in arrays)))


def curve(network: Network, label: str, layers: Sequence[int], found: Sequence[Norms]) -> Curve:
    depth, paths = places.Map(network).depth, places.names(network, layers)
    values, weights, activations = np.swapaxes(np.array(found), 0, 1)
    return Curve(
        network, label, tuple(paths), np.array([depth[i] for i in layers]), _geometric(weights),
        _geometric(activations), frozenset(path for path, own in zip(paths, values.T, strict=True) if not own.any()),
    )  # fmt: skip


def _geometric(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    with np.errstate(divide="ignore"):
        return np.asarray(np.exp(np.log(values).mean(axis=0)))


def trend(depth: np.ndarray[Any, Any], norms: np.ndarray[Any, Any]) -> Trend:
    """The line through the logarithms, without the first and last layer, whose shapes differ from the rest.

    Layers without gradient are left out, unless it is the first: then nothing is left of it.
    """
    x, y, layers = depth.astype(float), norms, int(depth.max())
    if not np.isfinite(y).all():
        return Trend(float("inf"), float("inf"), layers)
    alive, steps = y > 0, float(x.max() - x.min())
    inner = alive & (x > x.min()) & (x < x.max())
    use = inner if len(np.unique(x[inner])) > 2 else alive
    if len(np.unique(x[use])) < 2:
        return Trend(0.0, 0.0, layers)
    slope = float(np.polyfit(x[use], np.log(y[use]), 1)[0])
    reached = bool(alive[x == x.min()].any())
    return Trend(float(np.exp(-slope)), float(np.exp(-slope * steps)) if reached else 0.0, layers)


def verdict(found: Curve) -> Verdict:
    """Whether gradients change little on the way to the first layer; the step that changes them most."""
    of, by = trend(found.depth, found.weights), trend(found.depth, found.activations)
    worst, what = max(((of, "weights"), (by, "activations")), key=lambda one: _distance(one[0].whole))
    threshold = f"a change by less than {SPAN:,.0f} from the last layer to the first"
    factors = f"x{of.factor:.3g} (weights) and x{by.factor:.3g} (activations) a layer"
    if _distance(worst.whole) < np.log(SPAN):
        text = f"{found.label}: gradients change by less than x{SPAN:,.0f} towards the input, {factors}: "
        text += f"those by {what} x{worst.whole:.2g} over {worst.layers} layers"
        return Verdict(True, text, threshold, SOURCE)
    vanish = worst.whole < 1
    text = (
        f"{found.label}: gradients {'vanish' if vanish else 'explode'} towards the input, {factors}: "
        f"those by {what} change x{worst.whole:.2g} over {worst.layers} layers"
    )
    if (wall := blocking(found)) is not None:
        path = found.network.nodes[wall].path
        text = f"{found.label}: no gradient gets past `{path}`, whose weights are all zero"
        where = places.Map(found.network).span(wall, "kernel_initializer")
        return Verdict(
            False, text, threshold, SOURCE, where, "draw them at random, with `he_normal` before a ReLU, say"
        )
    i = culprit(found, vanish)
    name = places.activation(found.network.nodes[i])
    return Verdict(
        False, text, threshold, SOURCE, places.Map(found.network).span(i, "activation", "function"),
        remedy(found.network, name, vanish),
    )  # fmt: skip


def remedy(network: Network, activation: str | None, vanish: bool) -> str:
    """What to change about gradients that change their size."""
    normalized = any(node.op.family == "norm" for node in network.nodes)
    residual = bool(places.Map(network).units)
    if activation in SATURATING:
        return f"use `relu` with `he_normal` for weights instead of `{activation}`; add `batch_norm` and residual sums"
    if residual:
        return "put `batch_norm` at the beginning of each branch, or end it with `layer_scale: 0.1`"
    if normalized:
        return "put residual sums around every two layers: without them normalization lets gradients grow"
    size = "larger" if vanish else "smaller"
    return f"draw weights {size} (`he_normal` before a ReLU); add `batch_norm` and residual sums"


def blocking(found: Curve) -> int | None:
    """The layer nearest to the output whose weights are all zero and that nothing leads around.

    No layer before it gets a gradient.
    """
    walls = [
        k
        for k, path in enumerate(found.paths)
        if path in found.zeros and not found.activations[found.depth < found.depth[k]].any()
    ]
    if not walls or not (found.depth < found.depth[walls[-1]]).any():
        return None
    return places.Map(found.network).layers[walls[-1]]


def culprit(found: Curve, vanish: bool) -> int:
    """The step that changes the gradient by activations most on its way from a layer to the one before it.

    A saturating activation in between, if there is one, else the layer itself.
    """
    by_path = {path: k for k, path in enumerate(found.paths)}
    where = places.Map(found.network)
    changes: dict[object, list[tuple[float, int]]] = {}
    for i in where.layers:
        k = by_path[found.network.nodes[i].path]
        before = [j for j in range(len(found.depth)) if found.depth[j] == found.depth[k] - 1]
        if not before or not found.activations[k] > 0:
            continue
        with np.errstate(divide="ignore"):
            change = float(np.log(found.activations[before[0]] / found.activations[k]))
        blamed = next(
            (
                j
                for j in (*where.between(i), *_layers_before(where, i))
                if places.activation(where.nodes[j]) in SATURATING
            ),
            i,
        )
        changes.setdefault(where.nodes[blamed].origin.span, []).append((change, blamed))
    if not changes:
        return where.layers[0]
    sign = -1 if vanish else 1
    worst = max(changes.values(), key=lambda group: sign * sum(one for one, _ in group))
    return worst[0][1]


def _layers_before(where: places.Map, i: int) -> list[int]:
    """The layers whose result, perhaps activated within them, a layer reads."""
    layers = set(where.layers)
    return [ref.node for j in (i, *where.between(i)) for ref in where.nodes[j].inputs if ref.node in layers]


def _distance(whole: float) -> float:
    """How far a factor is from 1, as a logarithm."""
    return abs(float(np.log(whole))) if 0 < whole < float("inf") else float("inf")


def _draw(figure: Figure, curves: Sequence[Curve]) -> None:
    from resspec.probes import figure as look

    left, right = figure.subplots(1, 2, sharex=True, sharey=True)
    for axes, kind in ((left, "weights"), (right, "activations")):
        for k, one in enumerate(curves):
            values, factor = getattr(one, kind), trend(one.depth, getattr(one, kind)).factor
            order = np.argsort(one.depth, kind="stable")
            relative = np.where(values > 0, values, np.nan)[order] / values[order[-1]]
            look.line(axes, one.depth[order], relative, k, f"{one.label}: ×{factor:.3g} a layer")
        axes.set_yscale("log")
        axes.set_title(f"gradient by {kind}")
        axes.set_xlabel("depth, in layers from the input")
        axes.legend(loc="best")
    low, high = left.get_ylim()
    left.set_ylim(min(low, 1e-2), max(high, 1e2))
    left.set_ylabel("norm, relative to the last layer's")
