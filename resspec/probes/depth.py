"""`depth`: whether a very deep network trains at all, and its plain twin: the loss step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from resspec.probes import places
from resspec.probes.base import Column, Progress, Result, Subject, Table, Verdict, setting
from resspec.probes.recipe import Candidate, Recipe, candidates, guess, trainer

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from resspec.probes.training import Trained

SHARE = 0.7
"""of the loss of a guess: what trains is below"""

SOURCE = (
    'He et al. 2015, "Deep Residual Learning for Image Recognition", section 4.2 (1,202 layers); He et al. 2016, '
    '"Identity Mappings in Deep Residual Networks", table 3 (1,001 layers)'
)


@dataclass(frozen=True, kw_only=True)
class Options(Recipe):
    depths: tuple[int, ...] = setting((200,), "values of the spec's parameter --over")
    over: str = setting("depth", "the parameter that --depths sets")
    epochs: int = setting(3, "passes over the data", least=1)
    jit: bool = setting(False, "compile training for this machine, which takes minutes for hundreds of blocks")


class Course(NamedTuple):
    one: Candidate
    depth: int
    layers: int
    guess: float
    """the loss of a guess"""
    runs: list[Trained]

    @property
    def label(self) -> str:
        return f"{self.one.label}, {self.depth}"

    @property
    def loss(self) -> float:
        return float(np.mean([run.loss for run in self.runs]))

    @property
    def trains(self) -> bool:
        return bool(self.loss < SHARE * self.guess)


def run(subjects: Sequence[Subject], settings: Options, progress: Progress) -> Result:
    """Train every network at every depth. SpecError `unknown-param`, `bad-data`."""
    courses = []
    for one in candidates(subjects, settings):
        for depth in settings.depths:
            network = one.load(**{settings.over: depth})
            at = trainer(network, settings, stretch=5)
            label = f"{one.label}, {settings.over} {depth}"
            runs = [at.train(seed, progress, label) for seed in settings.every_seed]
            courses.append(Course(one, depth, len(places.Map(network).layers), guess(at.data, at.task), runs))
    summary = Table(
        "depth",
        "what training reached",
        (
            Column("network"), Column(settings.over), Column("layers", "with weights"),
            Column("loss", "of the last epoch, mean of the seeds"), Column("guess", "the loss of a guess"),
            Column("error", "share of the training examples"), Column("test_error"), Column("diverged", "seeds"),
            Column("seconds", "an epoch"),
        ),
        tuple(
            (
                c.one.label, c.depth, c.layers, c.loss, c.guess, float(np.mean([r.error for r in c.runs])),
                float(np.mean([r.test_error for r in c.runs])), sum(r.diverged for r in c.runs),
                float(np.median([r.seconds for r in c.runs])),
            )
            for c in courses
        ),
    )  # fmt: skip
    losses = Table(
        "losses",
        "loss while training",
        (Column("network"), Column(settings.over), Column("seed"), Column("stretch", "of equally many steps"),
         Column("loss", "mean")),
        tuple(
            (c.one.label, c.depth, seed, k, loss)
            for c in courses
            for seed, r in zip(settings.every_seed, c.runs, strict=True)
            for k, loss in enumerate(r.losses)
        ),
    )  # fmt: skip
    return Result(
        "depth",
        "training very deep networks",
        tuple(c.label for c in courses),
        settings.to_dict(),
        (summary, losses),
        tuple(verdict(c, settings.over) for c in courses),
        lambda figure: _draw(figure, courses, settings.epochs),
        size=(6.4, 4.0),
    )


def verdict(course: Course, over: str) -> Verdict:
    """Whether the loss gets well below that of a guess; twins are not judged."""
    threshold = f"a loss below {SHARE:g} of that of a guess, {SHARE * course.guess:.2f}"
    where = f"{course.one.label} with {over} {course.depth}, {course.layers} layers,"
    judged = None if course.one.twin else course.trains
    if course.trains:
        return Verdict(judged, f"{where} trains: its loss is {course.loss:.2f}", threshold, SOURCE)
    what = "diverges" if any(r.diverged for r in course.runs) else f"does not train: its loss is {course.loss:.2f}"
    help = "put sums with the identity around every one or two layers, and `batch_norm` at the start of each branch"
    return Verdict(judged, f"{where} {what}", threshold, SOURCE, help=None if course.one.twin else help)


def _draw(figure: Figure, courses: Sequence[Course], epochs: int) -> None:
    from resspec.probes import figure as look

    axes = figure.subplots()
    highest = max(course.guess for course in courses)
    losses = [loss for course in courses for one in course.runs for loss in one.losses if np.isfinite(loss)]
    top = min(2.6 * highest, 1.15 * max([*losses, highest]))
    for k, course in enumerate(courses):
        for n, one in enumerate(course.runs):
            y = np.asarray(one.losses, float)
            seen = np.isfinite(y)
            x = (np.arange(len(y)) + 0.5) / one.stretches
            if not seen.any():  # there is nothing to draw, so the legend says it
                axes.plot([], [], " ", label=f"{course.label}: diverges at once" if n == 0 else None)
                continue
            look.line(axes, x[seen], np.minimum(y[seen], 0.97 * top), k, course.label if n == 0 else "", alpha=0.9)
            if one.diverged:
                at = (x[seen][-1], min(y[seen][-1], 0.97 * top))
                axes.annotate("diverged", at, xytext=(6, 2), textcoords="offset points", fontsize=8,
                              color=look.COLOURS[k % 7])  # fmt: skip
    axes.axhline(highest, color=look.GREY, linewidth=1, linestyle=(0, (2, 2)))
    axes.annotate("a guess", (epochs, highest), xytext=(0, 3), textcoords="offset points", ha="right", fontsize=8,
                  color=look.GREY)  # fmt: skip
    axes.set_xlim(0, epochs)
    axes.set_ylim(0, top)
    axes.set_xlabel("epoch")
    axes.set_ylabel("training loss")
    axes.legend(loc="best")
