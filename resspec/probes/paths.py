"""`paths`: the paths through a network, how long they are, and which of them the gradient takes.

Lengths are counted from the graph alone, exactly, for any network: in residual units, or in layers where
there are none. The share of the gradient is measured at initialization, or after some epochs of training: a
forward pass through the whole network, a backward pass through the branches of some units and the shortcuts
of all others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from resspec.network import Network
from resspec.probes import data, fit, gates, routes
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
    silent,
)
from resspec.probes.places import Map, names
from resspec.probes.recipe import Recipe, trainer

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = np.ndarray[Any, Any]

DRAWN = 32
"""the most paths that are drawn one by one"""
SHORT = 0.5
"""the mean length of paths that carry the gradient, as a share of the mean of all paths, that is called short"""
SOURCE = 'Veit, Wilber and Belongie 2016, "Residual Networks Behave Like Ensembles of Relatively Shallow Networks"'


@dataclass(frozen=True, kw_only=True)
class Options(Settings):
    gradient: bool = setting(True, "measure the share of the gradient too; without it nothing of Keras is needed")
    samples: int = setting(32, "random paths of each length", least=1)
    batch: int = setting(128, "examples that go in at once", least=2)
    data: str = setting("noise", "noise, mnist1d, digits, or a file.npz with x and y")
    epochs: int = setting(0, "of training on the data before; 0 for initial values", least=0)


@dataclass(frozen=True)
class Ways:
    """The paths through one network by their length, in `unit`s."""

    network: Network
    label: str
    unit: str
    counts: tuple[int, ...]
    norms: Array | None = None
    """mean norm of the gradient that one path of each length carries to the first unit"""

    @property
    def mean(self) -> float:
        return sum(k * n for k, n in enumerate(self.counts)) / sum(self.counts)

    @property
    def shares(self) -> Array:
        """Of all paths, for each length."""
        whole = sum(self.counts)
        return np.array([count / whole for count in self.counts])

    @property
    def carried(self) -> Array | None:
        """Of the gradient, for each length: the number of paths times what each carries."""
        if self.norms is None:
            return None
        with np.errstate(divide="ignore"):
            logs = np.log(self.shares) + np.log(self.norms)
        found = np.exp(logs - logs.max())
        return np.asarray(found / found.sum())


def run(subjects: Sequence[Subject], settings: Options, progress: Progress) -> Result:
    """Ways of each subject."""
    found = []
    for k, (subject, label) in enumerate(zip(subjects, labels(subjects), strict=True)):
        progress(f"paths of {label}", k, len(subjects))
        found.append(measure(subject.load(), label, settings, progress))
    return Result(
        "paths",
        "paths through the network",
        tuple(one.label for one in found),
        settings.to_dict(),
        _tables(found),
        tuple(verdict(one) for one in found),
        lambda figure: _draw(figure, found),
        size=(7.2, 3.2 + 0.14 * min(DRAWN, sum(found[0].counts))) if _small(found[0]) else (7.2, 3.8),
        sources={name: text for one in found for name, text in one.network.sources.items()},
    )


def count(network: Network, label: str) -> Ways:
    """The paths by their length, from the graph alone."""
    if Map(network).units:
        return Ways(network, label, "units", tuple(routes.by_blocks(network)))
    return Ways(network, label, "layers", tuple(routes.by_layers(network)))


def measure(network: Network, label: str, settings: Options, progress: Progress = silent) -> Ways:
    """The paths by their length, and what they carry if the units are a chain of two or more."""
    found = count(network, label)
    units = Map(network).units
    if not settings.gradient or len(units) < 2 or list(found.counts) != routes.binomial(len(units)):
        return found
    if settings.epochs:
        if settings.data == "noise":
            raise refused("there is nothing to learn from noise", help="name data that have labels: `--data mnist1d`")
        recipe = Recipe(seed=settings.seed, data=settings.data, epochs=settings.epochs, twin=False)
        learner = trainer(network, recipe)
        rows = []
        for seed in settings.every_seed:
            learner.train(seed, progress, label)
            rows.append(carried(network, seed, settings, learner.model))
    else:
        rows = [carried(network, seed, settings) for seed in settings.every_seed]
    norms = np.mean(rows, axis=0)
    return Ways(network, label, found.unit, found.counts, norms)


def carried(network: Network, seed: int, settings: Options, model: Any = None) -> Array:
    """The norm of the gradient by the first unit's input along random paths of each length; means over samples.

    `model` gives the weights, a `keras.Model` of the same network; without it they are initial ones.
    """
    units = Map(network).units
    changed = gates.gated(network)
    entry = changed.index[network.nodes[units[0].entry].path]
    opened = session(changed, [entry], seed=seed, gradients=True)
    if model is not None:
        opened.take(model)
    random = np.random.default_rng([seed, 0x9A7])
    inputs = data.batch(settings.data, network, settings.batch, seed)
    size = len(next(iter(inputs.values())))
    ones = np.ones((size, len(units)), np.float32)
    if model is None:
        opened.calibrate({**inputs, gates.BRANCHES: ones, gates.SHORTCUTS: ones})
    lengths = np.repeat(np.arange(len(units) + 1), settings.samples)
    found = np.zeros((len(units) + 1, settings.samples))
    for start in range(0, len(lengths), size):
        wanted = lengths[start : start + size]
        open_ = np.zeros((size, len(units)), np.float32)
        for row, length in enumerate(wanted):
            open_[row, random.choice(len(units), length, replace=False)] = 1
        derived = opened.derive({**inputs, gates.BRANCHES: open_, gates.SHORTCUTS: 1 - open_}, seed)
        rows = derived.by_tap(entry).reshape(size, -1).astype(np.float64)
        found.reshape(-1)[start : start + size] = np.sqrt((rows**2).sum(axis=1))[: len(wanted)]
    return np.asarray(found.mean(axis=1))


def _tables(found: Sequence[Ways]) -> tuple[Table, ...]:
    return (
        Table(
            "paths",
            "paths from input to output",
            (
                Column("network"),
                Column("paths", "how many there are, exactly"),
                Column("unit", "in which lengths are counted"),
                Column("shortest"), Column("mean"), Column("longest"),
                Column("carrying", "lengths that carry the middle 95% of the gradient"),
                Column("carrying_share", "of all paths that are so long"),
                Column("slope", "of the logarithm of what one path carries, a unit"),
            ),
            tuple(
                (
                    one.label, sum(one.counts), one.unit,
                    next(k for k, n in enumerate(one.counts) if n), one.mean, len(one.counts) - 1,
                    *_carrying(one),
                )
                for one in found
            ),
        ),
        Table(
            "lengths",
            "paths by their length",
            (
                Column("network"), Column("length"), Column("paths"), Column("share", "of all paths"),
                Column("norm", "of the gradient that one path carries"),
                Column("gradient_share", "of the whole gradient"),
            ),
            tuple(
                (
                    one.label, k, n, float(one.shares[k]),
                    None if one.norms is None else float(one.norms[k]),
                    None if one.carried is None else float(one.carried[k]),
                )
                for one in found
                for k, n in enumerate(one.counts)
            ),
        ),
    )  # fmt: skip


def between(shares: Array) -> tuple[int, int]:
    """The lengths between which the middle 95% lie."""
    whole = np.cumsum(shares)
    return int(np.searchsorted(whole, 0.025)), int(np.searchsorted(whole, 0.975))


def slope(found: Ways) -> float:
    """How the logarithm of what one path carries falls with its length."""
    return 0.0 if found.norms is None else fit.exponential(np.arange(len(found.norms)), found.norms).slope


def _carrying(found: Ways) -> tuple[str | None, float | None, float | None]:
    if found.carried is None:
        return None, None, None
    low, high = between(found.carried)
    return f"{low}-{high}", float(sum(found.counts[low : high + 1]) / sum(found.counts)), slope(found)


def verdict(found: Ways) -> Verdict:
    """How many paths there are, and whether the gradient takes the short ones."""
    whole, last = sum(found.counts), len(found.counts) - 1
    text = f"{found.label}: {amount(whole)} path{'s' * (whole > 1)}"
    if last == 0 and found.unit == "units":
        return Verdict(None, text, source=SOURCE)
    if found.unit == "layers":
        shortest = next(k for k, n in enumerate(found.counts) if n)
        if shortest == last:
            text += f", all through {last} layers: no gradient reaches the first layers by a shorter one"
        else:
            text += f" through {shortest} to {last} layers, {found.mean:.1f} on average"
        return Verdict(None, text, source=SOURCE)
    text += f" through 0 to {last} units, {found.mean:.1f} on average"
    if found.carried is None:
        return Verdict(None, text, source=SOURCE)
    low, high = between(found.carried)
    share = sum(found.counts[low : high + 1]) / whole
    mean = float(np.sum(np.arange(last + 1) * found.carried))
    text += f"; 95% of the gradient come through {low} to {high} units, which are {share:.2g} of all paths"
    threshold = f"short: {SHORT:g} of the mean length, {found.mean * SHORT:.1f} here"
    return Verdict(True if mean < 2 * SHORT * found.mean else None, text, threshold, SOURCE)


def amount(whole: int) -> str:
    """A number as people read it; a large one as a power of two."""
    if whole < 10**9:
        return f"{whole:,}"
    bits = whole.bit_length() - 1
    return f"2^{bits}" if whole == 1 << bits else f"about 2^{bits}"


def _small(found: Ways) -> bool:
    return 1 < sum(found.counts) <= DRAWN


def _draw(figure: Figure, found: Sequence[Ways]) -> None:
    if _small(found[0]):
        left, right = figure.subplots(1, 2, width_ratios=(1.6, 1))
        _draw_ways(left, found[0])
    else:
        right = figure.subplots()
    _draw_lengths(right, found)


def _draw_ways(axes: Axes, found: Ways) -> None:
    """The unravelled view: a row for each path, a box for each unit on it."""
    from matplotlib.patches import FancyBboxPatch

    from resspec.probes import figure as look

    where = Map(found.network)
    across = len(where.units) if found.unit == "units" else len(where.layers)
    rows = sorted(routes.paths(found.network, DRAWN), key=lambda path: (len(path), path))
    shades = ("#ffffff", "#d9ecf7", "#a9d3ec", "#6fb4dc", "#3892c8", look.BLUE)
    for row, path in enumerate(rows):
        axes.plot((-0.9, across - 0.1), (row, row), color=look.GREY, linewidth=0.9, zorder=1)
        for k in path:
            shade = shades[min(5, 1 + round(4 * (len(path) - 1) / max(1, len(found.counts) - 2)))]
            box = FancyBboxPatch((k - 0.34, row - 0.3), 0.68, 0.6, boxstyle="round,pad=0,rounding_size=0.08",
                                 facecolor=shade, edgecolor="#333333", linewidth=0.7, zorder=2)  # fmt: skip
            axes.add_patch(box)
            dark = shade in shades[4:]
            if len(rows) <= 16 and across <= 10:
                axes.text(k, row, f"f$_{{{k + 1}}}$", ha="center", va="center", fontsize=8,
                          color="white" if dark else "black", zorder=3)  # fmt: skip
        axes.text(across - 0.02, row, str(len(path)), fontsize=7.5, color=look.GREY, ha="left", va="center")
    axes.text(across - 0.02, -0.95, "length", fontsize=7.5, color=look.GREY, ha="center", va="center")
    axes.set_xlim(-1.0, across + 0.3)
    axes.set_ylim(len(rows) - 0.4, -1.5)
    axes.set_xticks(range(across), [f"f$_{{{k + 1}}}$" for k in range(across)] if across <= 10 else [""] * across)
    axes.set_yticks([])
    axes.grid(visible=False)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0)
    axes.set_title(f"{found.label}: {len(rows)} paths")
    shown = [where.units[k].add for k in range(across)] if found.unit == "units" else where.layers
    kind = "residual unit" if found.unit == "units" else "layer"
    axes.set_xlabel(f"{kind}, {names(found.network, shown)[0]} to {names(found.network, shown)[-1]}")


def _draw_lengths(axes: Axes, found: Sequence[Ways]) -> None:
    from resspec.probes import figure as look

    one = found[0]
    if len(found) == 1:
        x, few = np.arange(len(one.counts)), len(one.counts) <= 12
        wide, aside = (0.4, 0.2) if few and one.carried is not None else (0.9, 0.0)
        axes.bar(x - aside, one.shares, wide, color=look.SKY, edgecolor=look.BLUE, linewidth=0.6, label="of all paths")
        if one.carried is not None:
            axes.bar(x + aside, one.carried, wide, color=look.VERMILION, edgecolor="#7a3500", linewidth=0.6,
                     hatch="////", alpha=1 if few else 0.85, label="of the gradient")  # fmt: skip
        if not few and one.carried is not None:
            low, high = between(one.carried)
            axes.axvspan(low - 0.5, high + 0.5, color=look.VERMILION, alpha=0.08, linewidth=0)
            axes.annotate(f"95% of the gradient:\n{low} to {high} units", (high + 0.8, axes.get_ylim()[1] * 0.98),
                          fontsize=8, va="top", color="#7a3500")  # fmt: skip
    else:
        for k, one in enumerate(found):
            x = np.flatnonzero(one.shares > 1e-4)
            look.line(axes, x, one.shares[x], k, f"{one.label}: {amount(sum(one.counts))} paths", markersize=3.5,
                      marker=look.MARKERS[k % 7])  # fmt: skip
            if one.carried is not None:
                look.line(axes, np.arange(len(one.counts)), one.carried, k, f"{one.label}: gradient", linestyle=":")
    axes.legend(loc="upper right")
    axes.set_ylim(0, axes.get_ylim()[1] * 1.15)
    axes.set_ylabel("share")
    axes.set_title("paths by length")
    axes.set_xlabel(f"length, in {found[0].unit}")
    if len(found[0].counts) < 12:
        axes.set_xticks(range(len(found[0].counts)))
