"""Hostile inputs against the laws of `tools/fuzz_laws.py`: `python tools/fuzz.py --seconds 60`.

An input that breaks a law is made as small as it goes, written to `tests/hostile/`, from where a test
replays it for ever, and ends the run with exit code 1. The same seed and count give the same inputs.

    python tools/fuzz.py --target parse --count 100000 --seed 7
    python tools/fuzz.py --seconds 600 --jobs 2
"""

from __future__ import annotations

import hashlib
import re
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from types import FrameType

import click
import fuzz_laws
from fuzz_inputs import Inputs
from fuzz_laws import TARGETS, failure

CORPUS = Path(__file__).resolve().parent.parent / "tests" / "hostile"
HANG = 60
"""s after which an input counts as one that never ends, whatever the counted work says"""
MINIMIZE = 20.0
"""s for making one input smaller"""
REPORT = 5.0
"""s between two lines of progress"""


class Hang(BaseException):
    """An input takes too long; not an `Exception`, so that nothing on the way takes it for its own."""


@dataclass
class Run:
    """What one target did in one process."""

    target: str
    seed: int
    inputs: int = 0
    seconds: float = 0.0
    most_work: int = 0
    found: dict[str, str] = field(default_factory=dict)
    """what went wrong -> the smallest input that shows it"""


def fuzz(
    target: str, seed: int, *, count: int | None = None, seconds: float | None = None, tell: Callable[[str], None]
) -> Run:
    """Try `count` inputs of `target`, or as many as fit in `seconds`."""
    fuzz_laws.isolate()
    fuzz_laws.meter()
    signal.signal(signal.SIGALRM, _hang)
    inputs = Inputs(seed)
    make = getattr(inputs, TARGETS[target][0])
    run = Run(target, seed)
    started = told = time.monotonic()
    while (count is None or run.inputs < count) and (seconds is None or time.monotonic() - started < seconds):
        source = make()
        run.inputs += 1
        wrong = tried(target, source)
        run.most_work = max(run.most_work, fuzz_laws.done())
        if wrong is not None and wrong not in run.found:
            tell(f"{target}: {wrong}")
            run.found[wrong] = minimized(source, lambda text, wrong=wrong: tried(target, text) == wrong)
        now = time.monotonic()
        if now - told > REPORT:
            told = now
            tell(f"{target}: {run.inputs:,} inputs, {run.inputs / (now - started):,.0f}/s, {len(run.found)} wrong")
    run.seconds = time.monotonic() - started
    return run


def tried(target: str, source: str) -> str | None:
    """`failure`, with an end to inputs that have none."""
    signal.setitimer(signal.ITIMER_REAL, HANG)
    try:
        return failure(target, source)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _hang(_signal: int, _frame: FrameType | None) -> None:
    raise Hang


def minimized(source: str, still: Callable[[str], bool]) -> str:
    """A smaller text of which `still` holds: lines, then characters, are left out in halves, quarters ..."""
    deadline = time.monotonic() + MINIMIZE
    for parts in (lambda text: text.splitlines(keepends=True), list):
        pieces: list[str] = parts(source)
        size = max(1, len(pieces) // 2)
        while size:
            at = 0
            while at < len(pieces) and time.monotonic() < deadline:
                fewer = pieces[:at] + pieces[at + size :]
                if still("".join(fewer)):
                    pieces = fewer
                else:
                    at += size
            size //= 2
        source = "".join(pieces)
    return source


def save(target: str, wrong: str, source: str) -> Path:
    """Put an input into the corpus under a name that tells what went wrong."""
    CORPUS.mkdir(exist_ok=True)
    words = "-".join(re.findall("[a-z]+", f"{target} {wrong}".lower()))[:60].rstrip("-")
    path = CORPUS / f"{words}-{hashlib.sha256(source.encode('utf-8', 'replace')).hexdigest()[:6]}.yaml"
    path.write_bytes(source.encode("utf-8", "surrogatepass"))
    return path


def _job(task: tuple[str, int, int | None, float | None]) -> Run:
    target, seed, count, seconds = task
    return fuzz(target, seed, count=count, seconds=seconds, tell=lambda line: print(line, file=sys.stderr, flush=True))


@click.command()
@click.option("--target", "targets", type=click.Choice(list(TARGETS)), multiple=True, help="All by default.")
@click.option("--seconds", type=float, help="For each target; 60 if there is no --count.")
@click.option("--count", type=click.IntRange(min=1), help="Inputs of each target.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Processes.")
def main(targets: Sequence[str], seconds: float | None, count: int | None, seed: int, jobs: int) -> None:
    """Try hostile inputs; what breaks a law goes to tests/hostile."""
    if seconds is None and count is None:
        seconds = 60.0
    share = None if count is None else -(-count // jobs)
    # with several jobs every target is split between all of them, so that they end together
    tasks = [
        (target, seed + job, share, seconds and seconds / jobs) for target in targets or TARGETS for job in range(jobs)
    ]
    with get_context("spawn").Pool(jobs) as pool:
        runs = list(pool.imap(_job, tasks))
    for run in runs:
        rate = run.inputs / max(run.seconds, 1e-9)
        click.echo(
            f"{run.target:8} seed {run.seed:<6} {run.inputs:>9,} inputs {rate:>7,.0f}/s"
            f"  most work {run.most_work:>9,}  {len(run.found)} wrong"
        )
    wrong = [(run.target, what, source) for run in runs for what, source in run.found.items()]
    for target, what, source in wrong:
        click.echo(f"{target}: {what}: {save(target, what, source)}", err=True)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
