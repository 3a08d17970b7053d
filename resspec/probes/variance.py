"""`variance`: second moment and variance across the batch, block by block, at initialization.

A residual block without normalization doubles the second moment; a factor 1/sqrt(2) behind each sum keeps it; batch
norm at the beginning of each branch lets it grow by a constant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from resspec.network import Network
from resspec.probes import data, fit, places
from resspec.probes.base import Column, Progress, Result, Settings, Subject, Table, Verdict, labels, session, setting

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = np.ndarray[Any, Any]

STEEP, SPAN = 1.5, 1e3
"""the factor a block that is called exponential growth, and the factor in all from which on it is called sick"""

SOURCE = (
    'De and Smith 2020, "Batch Normalization Biases Residual Blocks Towards the Identity Function in Deep Networks"; '
    'Balduzzi et al. 2017, "The Shattered Gradients Problem"; Prince 2023, figure 11.6'
)


@dataclass(frozen=True, kw_only=True)
class Options(Settings):
    batch: int = setting(200, "examples that go in", least=2)
    data: str = setting("noise", "noise, mnist1d, digits, or a file.npz with x and y")


@dataclass(frozen=True)
class Course:
    """Means over the seeds along the stream of one network, from its entry (0) on."""

    network: Network
    label: str
    nodes: tuple[int, ...]
    moments: Array
    """mean of f^2 over units and examples"""
    variances: Array
    """variance across the batch, mean over units"""


class Growth(NamedTuple):
    factor: float
    """of the geometric fit, a block"""
    factor_r2: float
    increment: float
    """of the linear fit, a block, relative to the entry"""
    increment_r2: float
    whole: float
    """from the entry to the last block"""


def run(subjects: Sequence[Subject], settings: Options, progress: Progress) -> Result:
    """Moments for each subject, in training mode. SpecError `bad-data` where the data do not fit."""
    names, courses = labels(subjects), []
    for k, (subject, label) in enumerate(zip(subjects, names, strict=True)):
        progress(f"variance of {label}", k, len(subjects))
        courses.append(measure(subject.load(), label, settings))
    growths = []
    rows = []
    for course in courses:
        for kind, values in (("second moment", course.moments), ("batch variance", course.variances)):
            growths.append((course.label, kind, len(values) - 1, *growth(values)))
        rows += [
            (course.label, k, course.network.nodes[i].path, float(moment), float(variance))
            for k, (i, moment, variance) in enumerate(zip(course.nodes, course.moments, course.variances, strict=True))
        ]
    tables = (
        Table(
            "growth",
            "growth from block to block",
            (
                Column("network"),
                Column("of"),
                Column("blocks"),
                Column("factor", "a block, of the geometric fit"),
                Column("factor_r2"),
                Column("increment", "a block, of the linear fit"),
                Column("increment_r2"),
                Column("whole", "from the entry to the last block"),
            ),
            tuple(growths),
        ),
        Table(
            "moments",
            "second moment and variance across the batch",
            (
                Column("network"), Column("block"), Column("path"),
                Column("second_moment", "mean of f^2 over units and examples"),
                Column("batch_variance", "across the examples, mean over units"),
            ),
            tuple(rows),
        ),
    )  # fmt: skip
    return Result(
        "variance",
        "variance at initialization",
        tuple(names),
        settings.to_dict(),
        tables,
        tuple(verdict(course) for course in courses),
        lambda figure: _draw(figure, courses),
        sources={name: text for course in courses for name, text in course.network.sources.items()},
    )


def measure(network: Network, label: str, settings: Options) -> Course:
    """The moments of one network, means over the seeds."""
    stream = places.Map(network).stream
    found = []
    for seed in settings.every_seed:
        opened = session(network, stream, seed=seed)
        values = opened.values(data.batch(settings.data, network, settings.batch, seed), training=True)
        found.append([values[network.nodes[i].path] for i in stream])
    return course(network, label, stream, found)


def course(network: Network, label: str, stream: Sequence[int], found: Sequence[Sequence[Array]]) -> Course:
    """Moments of values along the stream, for each seed one list."""
    wide = [[one.astype(np.float64) for one in values] for values in found]
    return Course(
        network,
        label,
        tuple(stream),
        np.mean([[np.square(one).mean() for one in values] for values in wide], axis=0),
        np.mean([[one.var(axis=0).mean() for one in values] for values in wide], axis=0),
    )


def growth(values: Array) -> Growth:
    blocks = np.arange(len(values))
    by_factor, by_step = fit.exponential(blocks, values), fit.line(blocks, values)
    whole = float(values[-1] / values[0]) if len(values) and values[0] > 0 else float("nan")
    return Growth(float(np.exp(by_factor.slope)), by_factor.r2, by_step.slope, by_step.r2, whole)


def verdict(found: Course) -> Verdict:
    """Whether numbers keep their size along the stream; the step that makes them grow."""
    threshold = f"a factor below {STEEP:g} a block, and below {SPAN:,.0f} in all"
    blocks = len(found.moments) - 1
    where = places.Map(found.network)
    if blocks < 2:
        return Verdict(None, f"{found.label}: too few blocks to speak of growth", threshold, SOURCE)
    if not np.isfinite(found.moments).all():
        text = f"{found.label}: values are no finite numbers from block {int(np.argmin(np.isfinite(found.moments)))} on"
        return Verdict(False, text, threshold, SOURCE, where.span(found.nodes[-1]), _help(where))
    grown = growth(found.moments)
    unit = "block" if where.units else "layer"
    size = f"x{grown.whole:.3g} over {blocks} {unit}s"
    steady = grown.increment_r2 > grown.factor_r2 and grown.whole > STEEP
    if steady and grown.whole < SPAN:
        text = f"{found.label}: the second moment grows by {grown.increment:.3g} a {unit} ({size}), steadily"
        return Verdict(True, text, threshold, SOURCE)
    text = f"{found.label}: the second moment changes x{grown.factor:.3g} a {unit} ({size})"
    far = not 1 / SPAN < grown.whole < SPAN
    steep = not 1 / STEEP < grown.factor < STEEP
    if not far and not (steep and blocks >= 8):
        return Verdict(None if steep else True, text, threshold, SOURCE)
    blamed = where.units[len(where.units) // 2].add if where.units else found.nodes[len(found.nodes) // 2]
    return Verdict(False, text, threshold, SOURCE, where.span(blamed), _help(where))


def _help(where: places.Map) -> str:
    if where.units:
        return (
            "put `batch_norm` before the convolutions of the branch, end the branch with `layer_scale: 0.1`, "
            "or put `scale: 0.7071` after the `add`"
        )
    return "draw weights with `he_normal` before a ReLU, `lecun_normal` before others, or add `batch_norm`"


def _draw(figure: Figure, courses: Sequence[Course]) -> None:
    from resspec.probes import figure as look

    left, right = figure.subplots(1, 2, sharex=True, sharey=True)
    longest = np.arange(max(len(one.moments) for one in courses))
    for axes, kind, title in ((left, "moments", "second moment"), (right, "variances", "variance across the batch")):
        for k, one in enumerate(courses):
            values = getattr(one, kind)
            grown, unit = growth(values), "block" if places.Map(one.network).units else "layer"
            label = f"{one.label}: ×{grown.factor:.2f} a {unit}"
            if grown.increment_r2 > grown.factor_r2:
                label = f"{one.label}: {grown.increment:+.2f} a {unit}"
            look.line(axes, np.arange(len(values)), values, k, label)
        if any(places.Map(one.network).units for one in courses):
            start = getattr(courses[0], kind)[0]
            axes.plot(longest, start * 2.0**longest, color=look.GREY, linewidth=0.8, linestyle=":", zorder=0)
            axes.annotate("doubling", (longest[-1] * 0.62, start * 2.0 ** (longest[-1] * 0.62)), color=look.GREY,
                          fontsize=7, ha="right", va="bottom")  # fmt: skip
        axes.set_yscale("log")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set_title(title)
        axes.legend(loc="upper left")
    left.set_ylabel("mean over units, at initialization")
    units = {bool(places.Map(one.network).units) for one in courses}
    figure.supxlabel(
        " or ".join(name for name, there in (("block", True), ("layer", False)) if there in units), fontsize=9
    )
    low, high = left.get_ylim()
    left.set_ylim(low, high * (high / low) ** 0.25)
