"""`landscape`: the loss on a plane of weights through what was trained, along two random directions.

Directions are scaled filter by filter to the weights, those of biases and normalizations are zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from resspec.probes.base import Column, Progress, Result, Subject, Table, Verdict, setting
from resspec.probes.recipe import Candidate, Recipe, candidates, trainer
from resspec.quiet import quietly

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from resspec.probes.training import Trained, Trainer

Array = np.ndarray[Any, Any]

ROUGH = 0.05
"""the share of cells that are not convex from which on a surface is called rough"""

SOURCE = 'Li et al. 2018, "Visualizing the Loss Landscape of Neural Nets", sections 4 and 5'


@dataclass(frozen=True, kw_only=True)
class Options(Recipe):
    points: int = setting(21, "of the plane, along each side", least=5)
    span: float = setting(1.0, "how far the plane goes, in lengths of the weights", least=1e-6)
    sample: int = setting(1000, "training examples whose loss is looked at", least=1)


class Surface(NamedTuple):
    """The loss on one plane: (points, points), the trained weights in the middle."""

    seed: int
    trained: Trained
    loss: Array
    curvatures: Array
    """(points - 2, points - 2, 2): both principal curvatures, the lower one first"""

    @property
    def rough(self) -> float:
        """The share of inner points where the surface bends down in some direction: see `convex`."""
        return float(np.mean(~convex(self.curvatures)))

    @property
    def negative(self) -> float:
        """The sum of negative curvature relative to that of positive."""
        up = self.curvatures[self.curvatures > 0].sum()
        return float(-self.curvatures[self.curvatures < 0].sum() / up) if up > 0 else float("inf")


class Case(NamedTuple):
    one: Candidate
    surfaces: list[Surface]

    def mean(self, what: str) -> float:
        return float(np.mean([getattr(one, what) for one in self.surfaces]))

    @property
    def centre(self) -> float:
        return float(np.mean([_middle(one.loss) for one in self.surfaces]))

    @property
    def highest(self) -> float:
        return float(np.mean([one.loss.max() for one in self.surfaces]))


def run(subjects: Sequence[Subject], settings: Options, progress: Progress) -> Result:
    """Train, and look around. SpecError `bad-data`."""
    cases = []
    for one in candidates(subjects, settings):
        at, surfaces = trainer(one.load(), settings), []
        for seed in settings.every_seed:
            trained = at.train(seed, progress, one.label)
            loss = surface(at, settings, seed, progress, one.label)
            surfaces.append(Surface(seed, trained, loss, curvatures(loss, 2 * settings.span / (settings.points - 1))))
        cases.append(Case(one, surfaces))
    summary = Table(
        "surfaces",
        "the loss around what was trained",
        (
            Column("network"), Column("seed"), Column("loss", "of what was trained"), Column("highest"),
            Column("rough", "share of cells that are not convex"),
            Column("negative", "curvature, relative to the positive"),
            Column("error", "share of the training examples"),
        ),
        tuple(
            (c.one.label, s.seed, float(_middle(s.loss)), float(s.loss.max()), s.rough, s.negative, s.trained.error)
            for c in cases
            for s in c.surfaces
        ),
    )  # fmt: skip
    sides = np.linspace(-settings.span, settings.span, settings.points)
    losses = Table(
        "losses",
        "the loss on the plane",
        (Column("network"), Column("seed"), Column("x"), Column("y"), Column("loss")),
        tuple(
            (c.one.label, s.seed, float(sides[i]), float(sides[j]), float(s.loss[i, j]))
            for c in cases
            for s in c.surfaces
            for i in range(settings.points)
            for j in range(settings.points)
        ),
    )
    return Result(
        "landscape",
        "the loss around a trained network",
        tuple(case.one.label for case in cases),
        settings.to_dict(),
        (summary, losses),
        tuple(verdict(case) for case in cases),
        lambda figure: _draw(figure, cases, sides),
        size=(7.2, 3.3 * len(cases)),
    )


def surface(at: Trainer, settings: Options, seed: int, progress: Progress, label: str) -> Array:
    """The loss at every point of the plane; where it is not finite, the highest that is."""
    with quietly():
        from resspec.probes.plane import Plane

    plane = Plane(at, seed, settings.sample)
    sides = np.linspace(-settings.span, settings.span, settings.points)
    loss = np.empty((len(sides), len(sides)))
    for i, x in enumerate(sides):
        progress(f"loss around {label}", i, len(sides))
        for j, y in enumerate(sides):
            loss[i, j] = plane.loss(float(x), float(y))
    plane.back()
    return np.where(np.isfinite(loss), loss, loss[np.isfinite(loss)].max(initial=0.0))


def curvatures(loss: Array, step: float) -> Array:
    """The principal curvatures at the inner points of a surface, by differences of its neighbours."""
    inner = loss[1:-1, 1:-1]
    xx = (loss[2:, 1:-1] - 2 * inner + loss[:-2, 1:-1]) / step**2
    yy = (loss[1:-1, 2:] - 2 * inner + loss[1:-1, :-2]) / step**2
    xy = (loss[2:, 2:] - loss[2:, :-2] - loss[:-2, 2:] + loss[:-2, :-2]) / (4 * step**2)
    middle, radius = (xx + yy) / 2, np.sqrt(((xx - yy) / 2) ** 2 + xy**2)
    return np.stack([middle - radius, middle + radius], axis=-1)


def convex(bends: Array) -> Array:
    """Where a surface bends down nowhere, by more than a hundredth of what it bends up at most anywhere near."""
    return np.asarray(bends[..., 0] >= -0.01 * np.abs(bends).max(axis=-1))


def verdict(case: Case) -> Verdict:
    """How rough the surface is; twins are not judged."""
    rough, highest = case.mean("rough"), case.highest
    text = (
        f"{case.one.label}: the loss is {_number(case.centre)} where training ended and rises to {_number(highest)} "
        f"around it, {_share(rough)} of the surface is not convex"
    )
    well = rough < ROUGH
    help = None if well or case.one.twin else "shortcuts make it smoother; so do wider layers"
    return Verdict(None if case.one.twin else well, text, f"less than {ROUGH:.0%} not convex", SOURCE, help=help)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"


def _share(value: float) -> str:
    return f"{100 * value:.2g}%"


def _middle(loss: Array) -> float:
    return float(loss[len(loss) // 2, len(loss) // 2])


def _draw(figure: Figure, cases: Sequence[Case], sides: Array) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LogNorm
    from matplotlib.patheffects import withStroke
    from matplotlib.ticker import LogFormatterSciNotation, LogLocator

    shown = [case.surfaces[0].loss for case in cases]
    low = max(min(float(loss.min()) for loss in shown), 1e-4)
    high = max(float(loss.max()) for loss in shown)
    high = max(high, 10 * low)
    norm, levels = LogNorm(low, high), np.geomspace(low, high, 15)
    for k, (case, loss) in enumerate(zip(cases, shown)):
        flat = figure.add_subplot(len(cases), 2, 2 * k + 1)
        flat.contourf(sides, sides, np.maximum(loss.T, low), levels=levels, norm=norm, cmap="viridis")
        lines = flat.contour(
            sides, sides, np.maximum(loss.T, low), levels=levels[::2], norm=norm, colors="white", linewidths=0.5
        )
        for label in flat.clabel(lines, fontsize=6, fmt=_number):
            label.set_path_effects([withStroke(linewidth=1.5, foreground="#00000090")])
        flat.plot(0, 0, marker="+", color="white", markersize=8)
        flat.set_aspect("equal")
        flat.grid(visible=False)
        flat.set_title(case.one.label)
        flat.set_xlabel("first direction")
        flat.set_ylabel("second direction")
        solid: Any = figure.add_subplot(len(cases), 2, 2 * k + 2, projection="3d")
        x, y = np.meshgrid(sides, sides, indexing="ij")
        solid.plot_surface(
            x, y, np.log10(np.maximum(loss, low)), cmap="viridis", vmin=np.log10(low), vmax=np.log10(high),
            linewidth=0.2, edgecolor="#00000030", rcount=len(sides), ccount=len(sides), rasterized=True,
        )  # fmt: skip
        solid.set_zlim(np.log10(low), np.log10(high))
        ticks = [t for t in LogLocator().tick_values(low, high) if low <= t <= high]
        solid.set_zticks([float(np.log10(t)) for t in ticks], [LogFormatterSciNotation()(t, None) for t in ticks])
        solid.set_xticks([sides[0], 0, sides[-1]])
        solid.set_yticks([sides[0], 0, sides[-1]])
        solid.set_xlabel("first direction")
        solid.set_ylabel("second direction")
        solid.set_zlabel("loss")
        solid.set_title(
            f"{_number(_middle(loss))} to {_number(loss.max())}, {_share(case.surfaces[0].rough)} not convex",
            fontweight="normal",
        )
        solid.view_init(elev=28, azim=-60)
        solid.set_box_aspect(None, zoom=0.85)  # room for the names of the axes
    figure.colorbar(ScalarMappable(norm, "viridis"), ax=figure.axes, location="bottom", label="loss", aspect=60)
