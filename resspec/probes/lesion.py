"""`lesion`: blocks of a trained network are deleted or swapped, and the error is measured again, without training.

A residual network hardly notices, as if it were many shallow networks together; its plain twin is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from resspec.probes import blocks
from resspec.probes.base import Column, Progress, Result, Subject, Table, Value, Verdict, refused, setting
from resspec.probes.recipe import Candidate, Recipe, candidates, chance, trainer
from resspec.quiet import quietly

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from resspec.probes.patient import Patient
    from resspec.probes.training import Trained, Trainer

Array = np.ndarray[Any, Any]

RISE, MANY = 0.1, 20
"""by so much the error may rise, in the median, when one of so many blocks is deleted"""

LEARNT = 0.8
"""of the error of a guess: who has not come below has nothing to lose"""

SOURCE = 'Veit et al. 2016, "Residual Networks Behave Like Ensembles of Relatively Shallow Networks", figures 3 to 5'


@dataclass(frozen=True, kw_only=True)
class Options(Recipe):
    counts: tuple[int, ...] = setting((2, 3, 5, 8, 10, 15, 20), "how many blocks are deleted or swapped at a time")
    draws: int = setting(10, "random choices for each of these numbers", least=1)
    sample: int = setting(2000, "training examples on which the error is measured", least=1)


class Case(NamedTuple):
    """One network: errors by seed and block, and by seed and draw for each count."""

    one: Candidate
    blocks: list[blocks.Block]
    runs: list[Trained]
    chance: float
    """the error of a guess"""
    whole: Array
    """(seeds,): the error of the whole network on the sample"""
    single: Array
    """(seeds, blocks)"""
    deleted: dict[int, Array]
    """(seeds, draws)"""
    swapped: dict[int, Array]

    @property
    def rise(self) -> float:
        """By how much the error rises when one block is deleted: the median over blocks and seeds."""
        return float(np.median(self.single - self.whole[:, None]))


def run(subjects: Sequence[Subject], settings: Options, progress: Progress) -> Result:
    """Train, delete, swap. SpecError `probe-refused` where nothing can be deleted, `bad-data`."""
    cases = [operate(one, settings, progress) for one in candidates(subjects, settings)]
    summary = Table(
        "lesions",
        "error against the number of blocks deleted or swapped",
        (
            Column("network"), Column("what"), Column("blocks"),
            Column("error", "median over blocks, draws and seeds"), Column("least"), Column("most"),
        ),
        tuple(row for case in cases for row in _rows(case)),
    )  # fmt: skip
    single = Table(
        "blocks",
        "error without one block",
        (Column("network"), Column("block"), Column("error", "mean of the seeds"), Column("least"), Column("most")),
        tuple(
            (case.one.label, block.path, *(float(f(case.single[:, k])) for f in (np.mean, np.min, np.max)))
            for case in cases
            for k, block in enumerate(case.blocks)
        ),
    )
    return Result(
        "lesion",
        "a trained network without some of its blocks",
        tuple(case.one.label for case in cases),
        settings.to_dict(),
        (summary, single),
        tuple(verdict(case) for case in cases),
        lambda figure: _draw(figure, cases),
        size=(9.0, 3.6),
    )


def _rows(case: Case) -> list[tuple[Value, ...]]:
    whole: tuple[Value, ...] = (case.one.label, "whole", 0, *_spread(case.whole))
    rows = [whole, (case.one.label, "deleted", 1, *_spread(case.single))]
    for what, found in (("deleted", case.deleted), ("swapped", case.swapped)):
        rows += [(case.one.label, what, count, *_spread(errors)) for count, errors in found.items()]
    return rows


def _spread(errors: Array) -> tuple[float, float, float]:
    return float(np.median(errors)), float(errors.min()), float(errors.max())


def operate(one: Candidate, settings: Options, progress: Progress) -> Case:
    network = one.load()
    found = blocks.blocks(network)
    if not found:
        raise refused(
            f"`{network.name}` has no block that could be deleted",
            help="that needs residual units, or blocks or layers that leave the shape as it is",
        )
    at = trainer(network, settings)
    runs, whole = [], []
    single: list[list[float]] = []
    counts = [count for count in settings.counts if count <= len(found)]
    deleted: dict[int, list[list[float]]] = {count: [] for count in counts}
    swapped: dict[int, list[list[float]]] = {}
    patient = None
    for seed in settings.every_seed:
        runs.append(at.train(seed, progress, one.label))
        patient = patient or _patient(at, found, settings.sample)
        patient.admit(at)
        random = np.random.default_rng([seed, 0x1E510])
        whole.append(patient.error())
        single.append([])
        for k in range(len(found)):
            progress(f"deleting blocks of {one.label}", k, len(found))
            single[-1].append(patient.without([k]))
        for count in counts:
            chosen = [random.choice(len(found), count, replace=False) for _ in range(settings.draws)]
            deleted[count].append([patient.without([int(k) for k in some]) for some in chosen])
        for count in (1, *counts):
            progress(f"swapping blocks of {one.label}")
            errors = [
                patient.swapped(pairs)
                for _ in range(settings.draws)
                if (pairs := patient.pairs(count, random)) is not None
            ]
            if errors:
                swapped.setdefault(count, []).append(errors)
    return Case(
        one, found, runs, chance(at.data, at.task), np.array(whole), np.array(single),
        {k: np.array(v) for k, v in deleted.items()},
        {k: np.array([e for errors in v for e in errors]) for k, v in swapped.items()},
    )  # fmt: skip


def _patient(at: Trainer, found: Sequence[blocks.Block], sample: int) -> Patient:
    with quietly():
        from resspec.probes.patient import Patient

        return Patient(at, found, sample)


def verdict(case: Case) -> Verdict:
    """Whether the network can do without any one of many blocks; twins are not judged."""
    if case.whole.mean() > LEARNT * case.chance:
        text = (
            f"{case.one.label}: too little was learnt for lesions to show, {case.whole.mean():.1%} of the examples are "
            f"wrong in inference mode, {case.chance:.1%} by a guess"
        )
        longer = "train longer; moving statistics with a momentum near 1 need thousands of steps to catch up"
        return Verdict(None, text, f"an error below {LEARNT:g} of that of a guess", help=longer)
    worst = int(np.argmax(case.single.mean(axis=0)))
    text = (
        f"{case.one.label}: without one of its {len(case.blocks)} blocks the training error rises by "
        f"{100 * case.rise:.1f} points in the median, from {case.whole.mean():.1%}; most without "
        f"`{case.blocks[worst].path}`, to {case.single[:, worst].mean():.1%}"
    )
    residual = case.blocks[0].add is not None
    threshold = f"a rise by at most {100 * RISE:.0f} points" + f" with {MANY} residual blocks or more" * residual
    if case.one.twin or (residual and len(case.blocks) < MANY):  # of a few blocks each one matters
        return Verdict(None, text, threshold, SOURCE)
    well = case.rise <= RISE
    help = None if well or residual else "put a sum with the identity around every one or two layers"
    return Verdict(well, text, threshold, SOURCE, help=help)


def _draw(figure: Figure, cases: Sequence[Case]) -> None:
    from resspec.probes import figure as look

    left, middle, right = figure.subplots(1, 3, sharey=True)
    for k, case in enumerate(cases):
        x = np.arange(1, len(case.blocks) + 1)
        look.line(left, x, 100 * case.single.mean(axis=0), k, case.one.label)
        left.axhline(100 * case.whole.mean(), color=look.COLOURS[k % 7], linewidth=0.8, linestyle=(0, (1, 2)))
        several = {0: case.whole, 1: case.single, **case.deleted}
        _fan(middle, several, k, case.one.label)
        if case.swapped:
            _fan(right, {0: case.whole, **case.swapped}, k, case.one.label)
    left.set_title("one block deleted")
    left.set_xlabel("which block")
    left.set_ylabel("training error, %")
    middle.set_title("several deleted")
    middle.set_xlabel("how many")
    right.set_title("several swapped in pairs")
    right.set_xlabel("how many swaps")
    for axes in (left, middle, right):
        axes.xaxis.get_major_locator().set_params(integer=True)
    left.set_ylim(0, 104)
    left.legend(loc="best")


def _fan(axes: Any, several: dict[int, Array], k: int, label: str) -> None:
    """Medians with the middle half of the draws."""
    from resspec.probes import figure as look

    x = sorted(several)
    y = [100 * float(np.median(several[count])) for count in x]
    low, high = ([100 * float(np.percentile(several[count], at)) for count in x] for at in (25, 75))
    look.line(axes, x, y, k, label)
    axes.fill_between(x, low, high, color=look.COLOURS[k % 7], alpha=0.15, linewidth=0)
