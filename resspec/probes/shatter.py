"""`shatter`: how alike the gradients of different inputs are, against depth, at initialization.

Along a line through the inputs the gradient by the input is a curve: smooth like brown noise in a shallow
network, white noise in a deep plain one with normalization. Its autocorrelation is shown, with the share of
units that never switch on or off along the line, and the correlation of gradients between independent inputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from resspec.network import Network
from resspec.probes import data, fit, places
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
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = np.ndarray[Any, Any]

NEAR = 1 / 64
"""a small change of inputs, in their standard deviations: the distance of 256 points from -2 to 2"""
WHITE = 0.1
"""the correlation between the gradients of inputs so near below which they look like white noise"""
STEEP = 0.75
"""the factor with each activation below which the correlation is said to fall exponentially"""
STILL = 0.5
"""the share of units that never switch from which on the line does not show the depth"""

SOURCE = (
    'Balduzzi et al. 2017, "The Shattered Gradients Problem: If resnets are the answer, then what is the question?"'
)


@dataclass(frozen=True, kw_only=True)
class Options(Settings):
    depths: tuple[int, ...] = setting((), "values of the spec's parameter --over, each a network of its own")
    over: str = setting("depth", "the parameter that --depths sets")
    points: int = setting(256, "along the line from -2 to 2", least=16)
    lags: int = setting(15, "of the autocorrelation, in points", least=1)
    batch: int = setting(48, "independent inputs of noise that are compared", least=2)
    directions: int = setting(4, "random functions of the outputs whose gradients are compared", least=1)


@dataclass(frozen=True)
class Shards:
    """What was measured on one network; means over the seeds, the curve of the first."""

    network: Network
    label: str
    family: str
    """the subject that it is a depth of"""
    activations: int
    """the most activations on a way through the network"""
    line: Array
    curve: Array
    """the gradient along the line, divided by its standard deviation"""
    scale: float
    acf: Array
    """at lags 0, 1, ..."""
    still: Mapping[str, float]
    """path of an activation -> share of its units that are on, or off, along the whole line"""
    switches: Mapping[str, float]
    """path of an activation -> how often a unit switches along the line, mean"""
    correlation: float
    """between the gradients of independent inputs by the first layer's result"""
    near: float
    """between those of inputs that differ by little"""


def run(subjects: Sequence[Subject], settings: Options, progress: Progress) -> Result:
    """Shards for each subject at each depth. SpecError `probe-refused` for several inputs or one of whole numbers."""
    families = labels(subjects) if not settings.depths else [subject.label for subject in subjects]
    asked = [
        (family, one)
        for family, subject in zip(families, subjects, strict=True)
        for _, one in subject.over(settings.over, settings.depths)
    ]
    names = labels([one for _, one in asked])
    if len({*names}) < len(names):
        depths = [one.params.get(settings.over) for _, one in asked]
        names = [f"{name} {depth}" for name, depth in zip(names, depths, strict=True)]
    found = []
    for k, ((family, subject), label) in enumerate(zip(asked, names, strict=True)):
        progress(f"shattering {label}", k, len(asked))
        found.append(measure(subject.sized(), label, family, settings))
    return Result(
        "shatter",
        "gradients of different inputs at initialization",
        tuple(names),
        settings.to_dict(),
        _tables(found),
        (*(verdict(one) for one in found), *_decays(found)),
        lambda figure: _draw(figure, found),
        size=(7.2, 5.6),
        sources={name: text for one in found for name, text in one.network.sources.items()},
    )


def measure(network: Network, label: str, family: str, settings: Options) -> Shards:
    """What one network does with a line of inputs and with independent ones."""
    spec = data.single_input(network)
    if "float" not in spec.dtype:
        raise refused(f"there is no gradient by the input of `{network.name}`, which is {spec.dtype}")
    where = places.Map(network)
    if not where.layers:
        raise refused(f"`{network.name}` has no layer with weights")
    watched = [i for i, node in enumerate(network.nodes) if i in where.used and places.activation(node) == "relu"]
    name = next(iter(network.inputs))
    grid = np.linspace(-2, 2, settings.points, endpoint=False)
    acfs, correlations, nears, stills, switches = [], [], [], [], []
    curves = []
    for seed in settings.every_seed:
        opened = session(network, [where.layers[0], *watched], seed=seed, gradients=True)
        middle, direction = data.noise(network, 2, seed)[name]
        if direction.size == 1:
            middle, direction = np.zeros_like(middle), np.ones_like(direction)
        along = {name: (middle + grid.reshape(-1, *[1] * direction.ndim) * direction).astype(np.float32)}
        opened.calibrate(along)
        derived = opened.derive(along, seed, alike=True)
        gradient = (derived.by_input()[name].astype(np.float64) * direction).sum(
            axis=tuple(range(1, direction.ndim + 1))
        )
        curves.append(gradient)
        acfs.append(autocorrelation(gradient, settings.lags))
        on = {network.nodes[i].path: derived.value(i) > 0 for i in watched}
        stills.append({path: float(np.mean(one.all(axis=0) | ~one.any(axis=0))) for path, one in on.items()})
        switches.append({path: float(np.mean((one[1:] != one[:-1]).sum(axis=0))) for path, one in on.items()})
        batch = data.noise(network, settings.batch, seed)
        opened.calibrate(batch)
        for k in range(settings.directions):
            derived = opened.derive(batch, seed + 1000 * k, alike=True)
            correlations.append(correlation(derived.by_tap(where.layers[0])))
            derived = opened.derive(neighbours(batch, seed + k), seed + 1000 * k, alike=True)
            nears.append(between_neighbours(derived.by_tap(where.layers[0])))
    scale = float(curves[0].std())
    return Shards(
        network,
        label,
        family,
        max(where.activations),
        grid,
        curves[0] / scale if scale > 0 else curves[0],
        scale,
        np.mean(acfs, axis=0),
        {path: float(np.mean([one[path] for one in stills])) for path in stills[0]},
        {path: float(np.mean([one[path] for one in switches])) for path in switches[0]},
        float(np.sum([one[0] for one in correlations]) / np.sum([one[1] for one in correlations])),
        float(np.mean(nears)),
    )


def autocorrelation(curve: Array, lags: int) -> Array:
    """Of a curve at lags 0 to `lags`, in points: sums of products over that at lag 0. No mean is taken off."""
    size = float(np.max(np.abs(curve))) or 1.0
    curve = curve / size
    whole = float(curve @ curve) or 1.0
    return np.array([float(curve[: len(curve) - lag] @ curve[lag:]) / whole for lag in range(lags + 1)])


def correlation(gradients: Array) -> tuple[float, float]:
    """Means of products of the gradients of two examples, and of each with itself, over all units."""
    rows = gradients.reshape(len(gradients), -1).astype(np.float64)
    rows = rows / (np.max(np.abs(rows)) or 1.0)
    own, n = float(np.sum(rows**2)), len(rows)
    pairs = float(np.sum(rows.sum(axis=0) ** 2)) - own
    return pairs / (n * (n - 1)), own / n


def neighbours(inputs: Mapping[str, Array], seed: int) -> dict[str, Array]:
    """The first half of a batch, and behind it the same moved by a little noise; whole numbers stay as they are."""
    random, found = np.random.default_rng([seed, 0x11EA]), {}
    for name, x in inputs.items():
        half = x[: max(1, len(x) // 2)]
        moved = half
        if x.dtype.kind == "f":
            moved = (half + NEAR * x.std() * random.standard_normal(half.shape)).astype(x.dtype)
        found[name] = np.concatenate([half, moved])
    return found


def between_neighbours(gradients: Array) -> float:
    """The cosine between gradients of the first half of a batch and those of the second, mean over the pairs."""
    rows = gradients.reshape(len(gradients), -1).astype(np.float64)
    sizes = np.sqrt(np.sum(rows**2, axis=1, keepdims=True))
    with np.errstate(invalid="ignore", divide="ignore"):
        rows = rows / sizes
    first, second = rows[: len(rows) // 2], rows[len(rows) // 2 :]
    cosines = np.sum(first * second, axis=1)
    return float(cosines[np.isfinite(cosines)].mean()) if np.isfinite(cosines).any() else float("nan")


def brown(points: int, lags: int) -> Array:
    """The mean autocorrelation of brown noise, a sum of independent steps, over 200 draws."""
    steps = np.random.default_rng(0).standard_normal((200, points))
    return np.asarray(np.mean([autocorrelation(np.cumsum(one), lags) for one in steps], axis=0))


def _tables(found: Sequence[Shards]) -> tuple[Table, ...]:
    return (
        Table(
            "correlation",
            "correlation of the gradients of independent inputs, and of neighbours on the line",
            (
                Column("network"),
                Column("activations", "the most on a way"),
                Column("correlation", "of the gradients of two inputs by the first layer's result"),
                Column("near", "the same of inputs that differ by 1/64 of their spread"),
                Column("lag1", "autocorrelation at the next point"),
                Column("still", "share of the last activation's units that never switch"),
                Column("switches", "of a unit of the last activation along the line"),
                Column("scale", "standard deviation of the gradient along the line"),
            ),
            tuple(
                (
                    one.label, one.activations, one.correlation, one.near, float(one.acf[1]),
                    _last(one.still), _last(one.switches), one.scale,
                )
                for one in found
            ),
        ),
        Table(
            "autocorrelation",
            "autocorrelation of the gradient along a line",
            (Column("network"), Column("lag", "points"), Column("value")),
            tuple((one.label, lag, float(value)) for one in found for lag, value in enumerate(one.acf)),
        ),
        Table(
            "switching",
            "units that never switch along the line",
            (Column("network"), Column("activation"), Column("still", "share of units"), Column("switches")),
            tuple((one.label, path, share, one.switches[path]) for one in found for path, share in one.still.items()),
        ),
        Table(
            "curves",
            "gradient along the line, over its standard deviation",
            (Column("network"), Column("at"), Column("gradient")),
            tuple((one.label, float(x), float(y)) for one in found for x, y in zip(one.line, one.curve, strict=True)),
        ),
    )  # fmt: skip


def _last(values: Mapping[str, float]) -> float | None:
    return list(values.values())[-1] if values else None


def verdict(found: Shards) -> Verdict:
    """Whether inputs that are near have gradients in common."""
    still = _last(found.still)
    more = f"; of independent ones by {found.correlation:.2g}"
    if still is not None and still > STILL:
        more += f"; along the line {still:.0%} of the last units never switch, which hides the shattering there"
    return judged(found.network, found.label, found.near, more)


def judged(network: Network, label: str, near: float, more: str = "") -> Verdict:
    """A verdict on the correlation of gradients of inputs that are near."""
    threshold = f"a correlation above {WHITE:g}: below it gradients look like white noise"
    if not np.isfinite(near):
        return Verdict(None, f"{label}: cannot be told, no gradient reaches the first layer", threshold, SOURCE)
    shattered = near < WHITE
    where = places.Map(network)
    inside = {i for unit in where.units for i in unit.inside}
    residual = sum(i in inside for i in where.layers) > len(where.layers) / 2
    text = (
        f"{label}: gradients {'are shattered' if shattered else 'are of one piece'}, "
        f"those of inputs that differ by 1/64 correlate by {near:.2f}{more}"
    )
    if not shattered:
        return Verdict(True, text, threshold, SOURCE)
    # residual networks train all the same: it is told, not called a sickness
    return Verdict(None if residual else False, text, threshold, SOURCE, _blame(network), _help(network))


def _blame(network: Network) -> Any:
    """The step of the plain stretch: a normalization or activation in its middle that no shortcut goes around."""
    where = places.Map(network)
    inside = {i for unit in where.units for i in unit.inside}
    plain = [i for i in where.layers if i not in inside]
    if where.units and len(plain) < len(where.layers) / 2:
        return where.span(where.units[len(where.units) // 2].add)
    return where.span(plain[len(plain) // 2]) if plain else None


def _help(network: Network) -> str:
    if places.Map(network).units:
        return "weight the branches down: end each with `layer_scale: 0.1`"
    return "put a sum with a shortcut around every one or two layers: `add: [prev, in]` at the end of a block"


def _decays(found: Sequence[Shards]) -> list[Verdict]:
    """For each subject at three depths or more: how the correlation falls with depth."""
    verdicts = []
    for family in dict.fromkeys(one.family for one in found):
        members = [one for one in found if one.family == family and one.correlation > 0]
        if len({one.activations for one in members}) < 3:
            continue
        depth, values = [one.activations for one in members], [one.correlation for one in members]
        by_factor = fit.exponential(depth, values)
        by_power = fit.exponential(np.log(depth), values)
        if by_factor.r2 > by_power.r2 and by_factor.slope < np.log(STEEP):
            text = f"{family}: the correlation falls x{np.exp(by_factor.slope):.3g} with each activation, exponentially"
        else:
            text = f"{family}: the correlation falls as depth^{by_power.slope:.2f}, slower than exponentially"
        verdicts.append(Verdict(None, text, "1/2 a layer for plain networks, depth^-1/2 for residual ones", SOURCE))
    return verdicts


def _draw(figure: Figure, found: Sequence[Shards]) -> None:
    from resspec.probes import figure as look

    families = list(dict.fromkeys(one.family for one in found))
    several = len(families) < len(found)
    grid = figure.add_gridspec(1, 2, width_ratios=(1.2, 1))
    drawn = list(found)
    if several:  # the ends of each family, of three at most
        members = [[one for one in found if one.family == family] for family in families[:3]]
        drawn = [one for group in members for one in (group[0], group[-1])]
    shown = drawn[:6]
    for k, axes in enumerate(grid[0].subgridspec(len(shown), 1).subplots(sharex=True, squeeze=False)[:, 0]):
        one = shown[k]
        axes.plot(one.line, one.curve, color=look.COLOURS[k % 7], linewidth=0.9)
        axes.yaxis.get_major_locator().set_params(nbins=3, integer=True)
        axes.tick_params(axis="y", labelsize=6)
        axes.set_title(one.label, fontsize=8, fontweight="normal", pad=2)
        if k == 0:
            axes.set_title(f"gradient along a line of inputs\n{one.label}", fontsize=8, fontweight="normal", pad=2)
        if k == len(shown) // 2:
            axes.set_ylabel("over its standard deviation", y=1.0 if len(shown) % 2 == 0 else 0.5)
        if k == len(shown) - 1:
            axes.set_xlabel("place on the line")
    right = grid[1].subgridspec(2 if several else 1, 1)
    lags = figure.add_subplot(right[0])
    for k, one in enumerate(drawn[:7]):
        look.line(lags, range(len(one.acf)), one.acf, k, one.label, markersize=3)
    noise = brown(len(found[0].line), len(found[0].acf) - 1)
    lags.plot(range(len(noise)), noise, color=look.GREY, linestyle=":", linewidth=1, label="brown noise")
    lags.axhline(0, color=look.GREY, linewidth=0.8)
    lags.set_title("autocorrelation of the gradient")
    lags.set_xlabel("lag, in points of the line")
    lags.set_ylim(-0.3, 1.05)
    figure.legend(*lags.get_legend_handles_labels(), loc="outside lower center", ncols=5)
    if several:
        _draw_decay(figure.add_subplot(right[1]), found, families)


def _draw_decay(axes: Axes, found: Sequence[Shards], families: Sequence[str]) -> None:
    from resspec.probes import figure as look

    for k, family in enumerate(families):
        members = sorted((one for one in found if one.family == family), key=lambda one: one.activations)
        values = [one.correlation if one.correlation > 0 else np.nan for one in members]
        at = [one.activations for one in members]
        look.line(
            axes, at, values, k, family, markersize=4, color=look.BLACK if len(families) == 1 else look.COLOURS[k]
        )
    x = np.array(sorted({one.activations for one in found if one.activations}))
    axes.plot(x, 0.5**x, color=look.GREY, linestyle=":", linewidth=1)
    near = np.flatnonzero(0.5**x > 4e-3)[-1] if len(x) else 0
    axes.annotate("halved by each ", (x[near], 0.5 ** x[near]), color=look.GREY, fontsize=7, ha="right", va="top")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_ylim(1e-3, 1.3)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_title("correlation between inputs")
    axes.set_xlabel("activations on the way")
    if len(families) > 1:
        axes.legend(loc="lower left", fontsize=7)
