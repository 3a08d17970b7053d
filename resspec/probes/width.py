"""`width`: wide and shallow against thin and deep, with equally many parameters: errors, and time for an epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from resspec.network import Network
from resspec.probes.base import Column, Progress, Result, Subject, Table, Verdict, refused, setting
from resspec.probes.recipe import Recipe, trainer

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from resspec.probes.training import Trained

SOURCE = 'Zagoruyko and Komodakis 2016, "Wide Residual Networks", tables 4 and 5, figure 4'

WIDEST = 1 << 16
"""the greatest width that is tried"""


@dataclass(frozen=True, kw_only=True)
class Options(Recipe):
    depths: tuple[int, ...] = setting((4, 16, 64), "values of the spec's parameter --over")
    over: str = setting("depth", "the parameter that --depths sets")
    wide: str = setting("width", "the parameter that is set so that the parameters are equally many")
    parameters: int = setting(0, "how many; 0 for those of the spec at the first of --depths", least=0)
    epochs: int = setting(15, "passes over the data", least=1)
    twin: bool = setting(False, "train each network without its shortcuts as well")


class Size(NamedTuple):
    label: str
    depth: int
    width: int
    parameters: int
    runs: list[Trained]

    def mean(self, what: str) -> float:
        return float(np.mean([getattr(run, what) for run in self.runs]))


def run(subjects: Sequence[Subject], settings: Options, progress: Progress) -> Result:
    """Train every subject at every depth, as wide as its parameters allow. SpecError `unknown-param`, `bad-data`."""
    curves: list[list[Size]] = []
    for subject in subjects:
        target = settings.parameters or count(subject.load(**{settings.over: settings.depths[0]}))
        sizes = []
        for depth in settings.depths:
            width = fitting(subject, settings, depth, target)
            network = subject.load(**{settings.over: depth, settings.wide: width})
            at = trainer(network, settings)
            label = f"{subject.label}, {settings.over} {depth}, {settings.wide} {width}"
            runs = [at.train(seed, progress, label) for seed in settings.every_seed]
            sizes.append(Size(subject.label, depth, width, count(network), runs))
        curves.append(sizes)
    table = Table(
        "sizes",
        "errors and time at equal numbers of parameters",
        (
            Column("network"), Column(settings.over), Column(settings.wide), Column("parameters"),
            Column("error", "share of the training examples, mean of the seeds"), Column("test_error"),
            Column("least_test_error"), Column("greatest_test_error"),
            Column("seconds", "an epoch, without compiling", 3), Column("diverged", "seeds"),
        ),
        tuple(
            (
                s.label, s.depth, s.width, s.parameters, s.mean("error"), s.mean("test_error"),
                min(r.test_error for r in s.runs), max(r.test_error for r in s.runs), s.mean("seconds"),
                sum(r.diverged for r in s.runs),
            )
            for sizes in curves
            for s in sizes
        ),
    )  # fmt: skip
    return Result(
        "width",
        "wide and shallow, or thin and deep",
        tuple(sizes[0].label for sizes in curves),
        settings.to_dict(),
        (table,),
        tuple(verdict(sizes, settings) for sizes in curves),
        lambda figure: _draw(figure, curves, settings),
        size=(8.4, 3.4),
    )


def count(network: Network) -> int:
    return network.summary().params.trainable


def fitting(subject: Subject, settings: Options, depth: int, target: int) -> int:
    """The width at which the number of parameters is nearest to `target`, which it grows with."""

    def at(width: int) -> int:
        return count(subject.load(**{settings.over: depth, settings.wide: width}))

    low, high = 1, 2
    while at(high) < target:
        low, high = high, 2 * high
        if high > WIDEST:
            raise refused(f"no {settings.wide} up to {WIDEST} gives {target:,} parameters at {settings.over} {depth}")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if at(middle) < target else (low, middle)
    return min((low, high), key=lambda width: abs(at(width) - target))


def verdict(sizes: Sequence[Size], settings: Options) -> Verdict:
    """Which of the networks is best on examples it has not seen; a statement, there is nothing to judge."""
    best, deep = min(sizes, key=lambda s: s.mean("test_error")), max(sizes, key=lambda s: s.depth)
    text = (
        f"{best.label}: at about {best.parameters:,} parameters {settings.over} {best.depth} with {settings.wide} "
        f"{best.width} is best, {best.mean('test_error'):.1%} of the test examples wrong"
    )
    if deep is not best:
        slower = deep.mean("seconds") / best.mean("seconds")
        text += (
            f"; {settings.over} {deep.depth} with {settings.wide} {deep.width} has {deep.mean('test_error'):.1%} and "
            f"takes {slower:.2g} times as long"
        )
    return Verdict(None, text, "", SOURCE)


def _draw(figure: Figure, curves: Sequence[Sequence[Size]], settings: Options) -> None:
    from resspec.probes import figure as look

    left, right = figure.subplots(1, 2)
    for k, sizes in enumerate(curves):
        x = [s.depth for s in sizes]
        many = f"{sizes[0].label}, " if len(curves) > 1 else ""
        look.line(left, x, [100 * s.mean("test_error") for s in sizes], 2 * k, f"{many}test examples")
        look.line(left, x, [100 * s.mean("error") for s in sizes], 2 * k + 1, f"{many}training examples")
        look.line(right, x, [s.mean("seconds") for s in sizes], 2 * k, sizes[0].label)
        if len(sizes[0].runs) > 1:
            for what, at in (("test_error", 2 * k), ("error", 2 * k + 1)):
                low, high = ([100 * f(getattr(r, what) for r in s.runs) for s in sizes] for f in (min, max))
                left.fill_between(x, low, high, color=look.COLOURS[at % 7], alpha=0.15, linewidth=0)
    ticks = [(s.depth, f"{s.depth}\nx {s.width}") for s in curves[0]]
    for axes in (left, right):
        if min(tick for tick, _ in ticks) > 0:
            axes.set_xscale("log")
        axes.set_xticks([tick for tick, _ in ticks], [text for _, text in ticks])
        axes.minorticks_off()
        axes.set_xlabel(f"{settings.over} x {settings.wide}")
    left.set_ylim(bottom=0)
    left.set_ylabel("error, %")
    left.set_title("error")
    left.legend(loc="best")
    right.set_ylim(bottom=0)
    right.set_ylabel("seconds")
    right.set_title("time for an epoch")
    if len(curves) > 1:
        right.legend(loc="best")
