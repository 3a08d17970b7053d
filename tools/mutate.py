"""How many mistakes the checker finds, and where: `python tools/mutate.py`.

Every shipped spec is broken in ten ways (`tools/mutants.py`), and every mutant is checked as
`resspec check` would do it. The bars are those of the exit code.

    python tools/mutate.py --write                  # docs/mutations.md anew
    python tools/mutate.py --spec unet --list-missed
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from multiprocessing import Pool
from pathlib import Path

import click
from mutants import KINDS, MOST, Mutant, mutants

from resspec import api, files
from resspec.diagnostics import Diagnostic, SpecError
from resspec.language import document
from resspec.language.expand import expand

FOUND, ON_LINE = 0.95, 0.90
"""bars: of all mutants, and of those that more than a count of `checks:` tells"""

PAGE = Path(__file__).resolve().parent.parent / "docs" / "mutations.md"


@dataclass(frozen=True)
class Outcome:
    """What became of one mutant."""

    mutant: Mutant
    equivalent: bool = False
    """whether every network is the original's"""
    findings: tuple[Diagnostic, ...] = ()
    escaped: str = ""
    """the traceback of whatever was raised besides findings"""

    @property
    def told(self) -> tuple[Diagnostic, ...]:
        """The findings but the counts of `checks:`, which know no line."""
        return tuple(one for one in self.findings if one.code != "check-failed")

    @property
    def by_check(self) -> bool:
        return bool(self.findings) and not self.told

    @property
    def missed(self) -> bool:
        return not self.equivalent and not self.findings and not self.escaped

    @property
    def first_on_line(self) -> bool:
        return any(self._here(one) for one in self.told[:1])

    @property
    def on_line(self) -> bool:
        return any(self._here(one) for one in self.told)

    @property
    def labelled(self) -> bool:
        """Whether a finding points at the line, by itself or by a label."""
        lines = {label.span.line for one in self.told for label in one.labels}
        return self.on_line or self.mutant.line in lines

    def _here(self, finding: Diagnostic) -> bool:
        return finding.span is not None and finding.span.line == self.mutant.line


def digests(text: str, name: str) -> tuple[str, ...]:
    """What is computed under the defaults and under every variant; `SpecError` if the text has mistakes."""
    found, sources = document.load(text, name, files.SHIPPED)
    ops = api.op_names()
    cases = [None, *found.spec.variants]
    return tuple(expand(found, sources, document.settings(found, case, {}), ops)[0].digest for case in cases)


@cache
def originals(name: str) -> tuple[str, ...]:
    return digests((files.SHIPPED / f"{name}.yaml").read_text(), f"{name}.yaml")


def findings(text: str, name: str) -> tuple[Diagnostic, ...]:
    """What `resspec check` tells."""
    try:
        return api.check_opened(api.Opened(*document.load(text, name, files.SHIPPED), None)).diagnostics
    except SpecError as error:
        return error.diagnostics


def outcome(mutant: Mutant) -> Outcome:
    """Check one mutant."""
    try:
        found = findings(mutant.text, f"{mutant.spec}.yaml")
        told = any(one.severity == "error" and one.code != "check-failed" for one in found)
        if not told and not mutant.in_checks and digests(mutant.text, f"{mutant.spec}.yaml") == originals(mutant.spec):
            return Outcome(mutant, equivalent=True)
        return Outcome(mutant, findings=found)
    except Exception:
        return Outcome(mutant, escaped=traceback.format_exc())


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    outcomes: tuple[Outcome, ...]

    def count(self, what: str) -> int:
        return sum(bool(getattr(one, what)) for one in self.outcomes)

    @property
    def mutants(self) -> int:
        return len(self.outcomes) - self.count("equivalent")

    @property
    def found(self) -> float:
        return self.count("findings") / max(1, self.mutants)

    @property
    def on_line(self) -> float:
        return self.count("on_line") / max(1, self.count("told"))

    @property
    def met(self) -> bool:
        return self.found >= FOUND and self.on_line >= ON_LINE and not self.count("escaped")

    @property
    def cells(self) -> tuple[str, ...]:
        told = self.count("told")
        parts = (self.count(what) for what in ("first_on_line", "on_line", "labelled"))
        return (
            self.name,
            str(self.mutants),
            str(self.count("equivalent")),
            f"{self.count('findings')} ({_percent(self.found)})",
            str(self.count("by_check")),
            *(f"{part} ({_percent(part / told)})" if told else "" for part in parts),
            str(self.count("missed")),
            str(self.count("escaped")),
        )


HEAD = (
    *("mutants", "equivalent", "found", "by a count"),
    *("first on the line", "any on the line", "or a label", "missed", "escaped"),
)


def _percent(part: float) -> str:
    return f"{100 * part:.1f} %"


def table(what: str, rows: Iterable[Row]) -> str:
    lines = [(what, *HEAD), ("---", *("---:" for _ in HEAD)), *(row.cells for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def rows(outcomes: Sequence[Outcome], part: str) -> list[Row]:
    """A row for every kind or spec, and one for all."""
    names = dict.fromkeys(getattr(one.mutant, part) for one in outcomes)
    found = [Row(name, tuple(one for one in outcomes if getattr(one.mutant, part) == name)) for name in names]
    return [*found, Row("all", tuple(outcomes))]


def report(outcomes: Sequence[Outcome]) -> str:
    return f"{table('kind', rows(outcomes, 'kind'))}\n{table('spec', rows(outcomes, 'spec'))}"


def page(outcomes: Sequence[Outcome]) -> str:
    """docs/mutations.md."""
    kinds = "\n".join(f"**{name}.** {' '.join((kind.__doc__ or '').split())}\n" for name, kind in KINDS.items())
    return f"""\
# Mutations: how many mistakes the checker finds

`python tools/mutate.py --write` made this page. Every shipped spec is broken by rule, one mistake at a time, and every
mutant is checked as `resspec check` does it. A mutant is *found* if it has a finding; the originals have none. Where
`checks:` alone notices, by a count of parameters, products or layers, it is found but no line can be known (*by a
count*). Of all others the table says whether the first finding points at the very line that was broken, whether any
does, and whether at least a label does. A mutant that gives the same networks as the original, under the defaults and
all variants, is *equivalent* and counted nowhere else. One that is legal and gives another network that no check
knows is *missed*.

Bars: {_percent(FOUND)} found, {_percent(ON_LINE)} of those that are not found by a count alone with a finding on the
line, and nothing but findings.

{report(outcomes)}
## What is done to a spec

At most {MOST} mutants of a kind and spec, a seeded sample where there would be more. Nothing in `doc` and `meta` is
touched.

{kinds}"""


@click.command()
@click.option("--spec", "specs", multiple=True, help="Shipped specs; all of them by default.")
@click.option(
    "--kind", "kinds", multiple=True, type=click.Choice(list(KINDS)), help="Kinds of mistakes; all by default."
)
@click.option("--most", default=MOST, show_default=True, help="Mutants of one kind and spec.")
@click.option("--jobs", default=os.cpu_count() or 1, show_default=True, help="Processes.")
@click.option("--list-missed", is_flag=True, help="Every mutant that was missed.")
@click.option("--list-elsewhere", is_flag=True, help="Every mutant that was found on another line, with the finding.")
@click.option("--write", is_flag=True, help="Write docs/mutations.md.")
def main(
    specs: Sequence[str],
    kinds: Sequence[str],
    most: int,
    jobs: int,
    list_missed: bool,
    list_elsewhere: bool,
    write: bool,
) -> None:
    """Break the shipped specs and see what the checker finds."""
    chosen = [
        mutant
        for name in specs or api.shipped()
        for mutant in mutants(name, (files.SHIPPED / f"{name}.yaml").read_text(), most)
        if not kinds or mutant.kind in kinds
    ]
    outcomes = []
    with Pool(jobs) as pool:
        for one in pool.imap(outcome, chosen, chunksize=4):
            outcomes.append(one)
            if len(outcomes) % 20 == 0 or len(outcomes) == len(chosen):
                print(f"\r{len(outcomes)} of {len(chosen)}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    print(report(outcomes))
    for one in outcomes:
        if one.escaped:
            print(f"escaped: {one.mutant}\n{one.escaped}")
        elif one.missed and list_missed:
            print(f"missed: {one.mutant.kind}: {one.mutant}")
        elif one.told and not one.on_line and list_elsewhere:
            print(f"elsewhere: {one.mutant.kind}: {one.mutant}", *(f"    {told}" for told in one.told[:3]), sep="\n")
    if write:
        PAGE.write_text(page(outcomes))
    sys.exit(0 if Row("all", tuple(outcomes)).met else 1)


if __name__ == "__main__":
    main()
