"""`degradation`: the training error against depth, with and without shortcuts.

It is the training error that counts: a network that only generalizes badly is no degraded one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from resspec.probes import places
from resspec.probes.base import Column, Progress, Result, Subject, Table, Verdict, setting
from resspec.probes.recipe import Candidate, Recipe, candidates, trainer

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from resspec.probes.training import Trained

RISE, FACTOR = 0.05, 1.5
"""the training error of the deepest network exceeds the least by so much, and by this factor: degraded"""

SOURCE = (
    'He et al. 2015, "Deep Residual Learning for Image Recognition", figure 1 and table 2; Li et al. 2018, '
    '"Visualizing the Loss Landscape of Neural Nets", table 1'
)


@dataclass(frozen=True, kw_only=True)
class Options(Recipe):
    depths: tuple[int, ...] = setting((2, 5, 10, 20, 40), "values of the spec's parameter --over")
    over: str = setting("depth", "the parameter that --depths sets")


class Point(NamedTuple):
    """One network at one depth, trained from several seeds."""

    depth: int
    layers: int
    runs: list[Trained]

    @property
    def error(self) -> float:
        return sum(run.error for run in self.runs) / len(self.runs)

    @property
    def test_error(self) -> float:
        return sum(run.test_error for run in self.runs) / len(self.runs)

    @property
    def diverged(self) -> int:
        return sum(run.diverged for run in self.runs)


def run(subjects: Sequence[Subject], settings: Options, progress: Progress) -> Result:
    """Train every network at every depth. SpecError `unknown-param`, `bad-data`."""
    curves = []
    for one in candidates(subjects, settings):
        points = []
        for depth in settings.depths:
            network = one.load(**{settings.over: depth})
            at = trainer(network, settings)
            label = f"{one.label}, {settings.over} {depth}"
            runs = [at.train(seed, progress, label) for seed in settings.every_seed]
            points.append(Point(depth, len(places.Map(network).layers), runs))
        curves.append((one, points))
    table = Table(
        "errors",
        "training error against depth",
        (
            Column("network"), Column(settings.over), Column("layers", "with weights"),
            Column("error", "share of the training examples, mean of the seeds"), Column("least"), Column("most"),
            Column("test_error"), Column("loss", "of the last epoch"), Column("diverged", "seeds"),
        ),
        tuple(
            (
                one.label, point.depth, point.layers, point.error, min(r.error for r in point.runs),
                max(r.error for r in point.runs), point.test_error, sum(r.loss for r in point.runs) / len(point.runs),
                point.diverged,
            )
            for one, points in curves
            for point in points
        ),
    )  # fmt: skip
    return Result(
        "degradation",
        "training error against depth",
        tuple(one.label for one, _ in curves),
        settings.to_dict(),
        (table,),
        tuple(verdict(one, points, settings.over) for one, points in curves),
        lambda figure: _draw(figure, curves, settings.over),
        size=(6.4, 4.0),
    )


def verdict(one: Candidate, points: Sequence[Point], over: str) -> Verdict:
    """Whether the deepest network learns its training examples as well as the best; twins are not judged."""
    best, last = min(points, key=lambda point: point.error), points[-1]
    degraded = last.error > best.error + RISE and last.error > FACTOR * best.error
    threshold = f"at most {RISE:.0%} and {FACTOR:g} times above the least"
    if last.diverged:
        text, help = f"{one.label}: training diverges at {over} {last.depth}", "put `batch_norm` before each activation"
    elif degraded:
        text = (
            f"{one.label}: the training error rises with depth, {best.error:.1%} at {over} {best.depth}, "
            f"{last.error:.1%} at {last.depth}"
        )
        help = "put sums with the identity around every one or two layers, and `batch_norm` at the start of each branch"
    else:
        text = f"{one.label}: depth does no harm, {last.error:.1%} of the training examples are wrong at {last.depth}"
        return Verdict(None if one.twin else True, text, threshold, SOURCE)
    return Verdict(None if one.twin else False, text, threshold, SOURCE, help=None if one.twin else help)


def _draw(figure: Figure, curves: Sequence[tuple[Candidate, Sequence[Point]]], over: str) -> None:
    from resspec.probes import figure as look

    axes = figure.subplots()
    for k, (one, points) in enumerate(curves):
        x, y = [point.depth for point in points], [100 * point.error for point in points]
        look.line(axes, x, y, k, one.label)
        if len(points[0].runs) > 1:
            low, high = ([100 * f(r.error for r in point.runs) for point in points] for f in (min, max))
            axes.fill_between(x, low, high, color=look.COLOURS[k % 7], alpha=0.15, linewidth=0)
        for point in points:
            if point.diverged:
                axes.annotate("diverged", (point.depth, 100 * point.error), xytext=(0, 5), textcoords="offset points",
                              ha="center", fontsize=7, color=look.COLOURS[k % 7])  # fmt: skip
    if min(point.depth for _, points in curves for point in points) > 0:
        axes.set_xscale("log")
        ticks = sorted({point.depth for _, points in curves for point in points})
        axes.set_xticks(ticks, [str(tick) for tick in ticks])
        axes.minorticks_off()
    axes.set_ylim(0, 104)
    axes.set_xlabel(over)
    axes.set_ylabel("training error, %")
    axes.legend(loc="best")
