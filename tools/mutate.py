"""How many mistakes the checker finds, and where: `python tools/mutate.py`.

Every shipped spec is broken in ten ways (`tools/mutants.py`), and every mutant is checked as
`resspec check` would do it. The bars are those of the exit code.

    python tools/mutate.py --write                  # docs/mutations.md anew
    python tools/mutate.py --spec unet --list-missed
"""

from __future__ import annotations

import os
import sys
import textwrap
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from multiprocessing import Pool
from pathlib import Path

import click
from mutants import KINDS, MOST, Mutant, mutants

from resspec import api, files, fixes
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
    mended: bool = False
    """whether the fixes of the findings give the original back"""
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
def source(name: str) -> str:
    return (files.SHIPPED / f"{name}.yaml").read_text()


@cache
def originals(name: str) -> tuple[str, ...]:
    return digests(source(name), f"{name}.yaml")


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
        text, _ = fixes.apply(mutant.text, f"{mutant.spec}.yaml", found, unsafe=True)
        return Outcome(mutant, findings=found, mended=text == source(mutant.spec))
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
            str(self.count("mended")),
            str(self.count("missed")),
            str(self.count("escaped")),
        )


HEAD = (
    *("mutants", "equivalent", "found", "by a count"),
    *("first on the line", "any on the line", "or a label", "mended", "missed", "escaped"),
)


def _percent(part: float) -> str:
    return f"{100 * part:.1f} %"


def table(what: str, rows: Iterable[Row]) -> str:
    lines = [(what, *HEAD), ("---", *("---:" for _ in HEAD)), *(row.cells for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def rows(outcomes: Sequence[Outcome], part: str) -> list[Row]:
    """A row for every kind or spec, and one for all."""
    there = dict.fromkeys(getattr(one.mutant, part) for one in outcomes)
    names = [name for name in KINDS if name in there] if part == "kind" else list(there)
    found = [Row(name, tuple(one for one in outcomes if getattr(one.mutant, part) == name)) for name in names]
    return [*found, Row("all", tuple(outcomes))]


def report(outcomes: Sequence[Outcome]) -> str:
    return f"{table('kind', rows(outcomes, 'kind'))}\n{table('spec', rows(outcomes, 'spec'))}"


def page(outcomes: Sequence[Outcome]) -> str:
    """docs/mutations.md."""
    missed = "".join(f"- {one.mutant.kind}, {one.mutant.told}\n" for one in outcomes if one.missed)
    return f"{ABOUT}\n{report(outcomes)}\n## What was missed\n\n{missed or 'Nothing.'}\n{described()}"


def described() -> str:
    """What every kind does, in its own words."""
    kinds = (f"**{name}**: {' '.join((kind.__doc__ or '').split())}" for name, kind in KINDS.items())
    return f"{DONE}\n" + "\n".join(f"{textwrap.fill(text, 120, break_long_words=False)}\n" for text in kinds)


ABOUT = f"""\
# Mutations: how many mistakes the checker finds

`python tools/mutate.py --write` made this page. Every shipped spec is broken by rule, one mistake at a time, and every
mutant is checked as `resspec check` does it. The bars: {FOUND:.0%} of the mutants are found, {ON_LINE:.0%} of those
with a finding on the broken line (where more than a count tells), and nothing but findings comes out.

| column | what it counts |
|---|---|
| equivalent | mutants with the networks of the original, under the defaults and all variants; they count nowhere else |
| found | mutants with a finding; the originals have none |
| by a count | found only by a number in `checks:`, of parameters, products or layers, which knows no line |
| first on the line | of the others, those whose first finding points at the line that was broken |
| any on the line | those of which any finding does; the bar is for these |
| or a label | those of which a finding or one of its labels does |
| mended | those for which `check --fix --unsafe-fixes` writes the original text, letter by letter |
| missed | legal mutants that give another network, which nothing notices |
| escaped | mutants that raise something else than findings |

A merge that fails is told at the merge, since either of its operands may be wrong: what made their sizes is a label.
That is why strides, filters and paddings are found elsewhere than on their line so often.
"""

DONE = f"""\
## What is done to a spec

At most {MOST} mutants of a kind and spec, a seeded sample where there would be more. Nothing in `doc` and `meta` is
touched.
"""


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
        for mutant in mutants(name, source(name), most)
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
