"""`order`: what stands where in a residual unit: the smallest step that each unit can take, and the training error.

A ReLU that ends the branch leaves a unit nothing but to add; one behind the sum leaves nothing negative.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from resspec.network import Network
from resspec.probes import places
from resspec.probes.base import Column, Progress, Result, Subject, Table, Verdict, refused, setting
from resspec.probes.recipe import Recipe, trainer

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from resspec.probes.training import Trained, Trainer

Array = np.ndarray[Any, Any]

WORSE = 0.05
"""the training error may exceed that of the best order by so much"""

SOURCE = 'He et al. 2016, "Identity Mappings in Deep Residual Networks", figure 4 and table 2'


@dataclass(frozen=True, kw_only=True)
class Options(Recipe):
    over: str = setting("order", "the parameter that chooses the order, if the spec has it")
    orders: tuple[str, ...] = setting((), "its values; all that it allows if none are given")
    epochs: int = setting(8, "passes over the data", least=1)
    sample: int = setting(500, "examples on which the steps of the units are looked at", least=1)


class Case(NamedTuple):
    label: str
    network: Network
    units: list[str]
    least: Array
    """(seeds, units): the smallest step that any element of the stream makes from one unit to the next"""
    most: Array
    runs: list[Trained]

    @property
    def error(self) -> float:
        return float(np.mean([run.error for run in self.runs]))

    @property
    def only_adds(self) -> bool:
        return bool((self.least >= 0).all())


def run(subjects: Sequence[Subject], settings: Options, progress: Progress) -> Result:
    """Train every order and look at the steps of its units. SpecError `probe-refused` without residual units."""
    cases = []
    for subject in subjects:
        for value in _orders(subject, settings):
            network = subject.load(**({} if value is None else {settings.over: value}))
            label = subject.label if value is None else value if len(subjects) == 1 else f"{subject.label}, {value}"
            cases.append(measure(network, label, settings, progress))
    summary = Table(
        "orders",
        "training error by order",
        (
            Column("order"), Column("units"), Column("error", "share of the training examples, mean of the seeds"),
            Column("least"), Column("most"), Column("test_error"), Column("loss", "of the last epoch"),
            Column("diverged", "seeds"), Column("least_step", "of any element in any unit"), Column("greatest_step"),
        ),
        tuple(
            (
                c.label, len(c.units), c.error, min(r.error for r in c.runs), max(r.error for r in c.runs),
                float(np.mean([r.test_error for r in c.runs])), float(np.mean([r.loss for r in c.runs])),
                sum(r.diverged for r in c.runs), float(c.least.min()), float(c.most.max()),
            )
            for c in cases
        ),
    )  # fmt: skip
    steps = Table(
        "steps",
        "steps of the units",
        (Column("order"), Column("unit"), Column("least", "step of an element, over all seeds"), Column("greatest")),
        tuple(
            (c.label, unit, float(low), float(high))
            for c in cases
            for unit, low, high in zip(c.units, c.least.min(axis=0), c.most.max(axis=0), strict=True)
        ),
    )
    best = min(cases, key=lambda c: c.error)
    return Result(
        "order",
        "order within a residual unit",
        tuple(c.label for c in cases),
        settings.to_dict(),
        (summary, steps),
        tuple(verdict(c, best) for c in cases),
        lambda figure: _draw(figure, cases),
        size=(8.4, 3.6),
        sources={name: text for c in cases for name, text in c.network.sources.items()},
    )


def measure(network: Network, label: str, settings: Options, progress: Progress) -> Case:
    units = places.Map(network).units
    if not units:
        raise refused(f"`{network.name}` has no residual units whose order could be looked at")
    at = trainer(network, settings)
    # a unit's result is what the next one starts from, behind whatever stands after the sum
    ends = [b.entry for b in units[1:]] + [units[-1].add]
    kept = [
        (unit, end) for unit, end in zip(units, ends) if network.nodes[unit.entry].outputs == network.nodes[end].outputs
    ]
    runs, least, most = [], [], []
    for seed in settings.every_seed:
        runs.append(at.train(seed, progress, label))
        low, high = steps(at, [(unit.entry, end) for unit, end in kept], settings.sample)
        least.append(low)
        most.append(high)
    return Case(label, network, [network.nodes[u.add].path for u, _ in kept], np.array(least), np.array(most), runs)


def steps(at: Trainer, pairs: Sequence[tuple[int, int]], sample: int) -> tuple[list[float], list[float]]:
    """The smallest and the greatest difference that an element of the stream makes across each pair of nodes."""
    paths = list(dict.fromkeys(at.network.nodes[i].path for pair in pairs for i in pair))
    values = at.values(paths, at.data.x[:sample])
    found = [values[at.network.nodes[end].path] - values[at.network.nodes[start].path] for start, end in pairs]
    return [float(one.min()) for one in found], [float(one.max()) for one in found]


def _orders(subject: Subject, settings: Options) -> Sequence[str | None]:
    if settings.orders:
        return settings.orders
    document = subject.load().document
    declared = None if document is None else document.spec.params.get(settings.over)
    return [str(value) for value in declared.enum] if declared is not None and declared.enum else [None]


def verdict(case: Case, best: Case) -> Verdict:
    """Whether a unit can take away as well as add, and trains as well as the best order."""
    error = f"{case.error:.1%} of the training examples are wrong"
    threshold = f"a least step below 0, an error at most {WORSE:.0%} above the best order's"
    if case.only_adds:
        where = places.Map(case.network)
        unit = where.units[0]
        text = f"{case.label}: no unit ever takes anything away (least step {case.least.min():.3g}); {error}"
        return Verdict(
            False,
            text,
            threshold,
            SOURCE,
            where.span(unit.branches[0]),
            "end the branch with the layer, not with a ReLU",
        )
    text = f"{case.label}: steps from {case.least.min():.3g} to {case.most.max():.3g}; {error}"
    if case.error > best.error + WORSE:
        return Verdict(
            False, text, threshold, SOURCE, help=f"`{best.label}` learns them better, {best.error:.1%} wrong"
        )
    return Verdict(True, text, threshold, SOURCE)


def _draw(figure: Figure, cases: Sequence[Case]) -> None:
    from resspec.probes import figure as look

    left, right = figure.subplots(1, 2, width_ratios=(1, 1.25))
    for k, case in enumerate(cases):
        errors = [100 * run.error for run in case.runs]
        low, high = float(np.mean(errors)) - min(errors), max(errors) - float(np.mean(errors))
        spread = [[low], [high]] if len(errors) > 1 else None
        left.barh(
            len(cases) - 1 - k, float(np.mean(errors)), xerr=spread, color=look.COLOURS[k % 7], height=0.62,
            error_kw={"linewidth": 1, "capsize": 2},
        )  # fmt: skip
        left.annotate(f"{np.mean(errors):.1f}", (max(errors), len(cases) - 1 - k), xytext=(4, 0), va="center",
                      textcoords="offset points", fontsize=8)  # fmt: skip
        look.line(right, np.arange(1, len(case.units) + 1), case.least.min(axis=0), k, case.label)
    left.set_yticks(range(len(cases)), [case.label.replace("_", " ") for case in reversed(cases)])
    left.set_xlim(0, 1.12 * max(100 * run.error for case in cases for run in case.runs) + 1)
    left.grid(axis="y", visible=False)
    left.set_xlabel("training error, %")
    left.set_title("training error")
    right.xaxis.get_major_locator().set_params(integer=True)
    right.axhline(0, color=look.GREY, linewidth=0.8)
    right.set_xlabel("residual unit")
    right.set_ylabel("smallest step of any element")
    right.set_title("what a unit can take away")
    right.legend(loc="best")
