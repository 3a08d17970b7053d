"""How fast hostile input is refused, against the bars: `python tools/bench_safety.py`.

Every figure is the best of several, since what is measured is the work and not what else the machine does.
What the tests hold is counted work (`tests/test_safety*.py`); here are the times.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import click

from resspec import api, limits
from resspec.diagnostics import SpecError
from resspec.language import document
from resspec.language.expressions import ExpressionError, parse_expression

HEAD = "resspec: 1\ninputs: {image: [8, 8, 3]}\n"
BOMB, NESTED, LEGAL, POWER, TURNS = 0.010, 0.050, 1.0, 0.001, 0.010
"""bars in s"""


def check(text: str) -> Callable[[], object]:
    def run() -> object:
        try:
            return api.check_opened(api.Opened(*document.load(text, "spec.yaml", Path("nowhere")), None))
        except SpecError as error:
            return error

    return run


def power(text: str) -> Callable[[], object]:
    def run() -> object:
        try:
            return parse_expression(text).evaluate({}.__getitem__)
        except ExpressionError as error:
            return error

    return run


def in_a_small_stack(call: Callable[[], object]) -> Callable[[], object]:
    def run() -> None:
        before = threading.stack_size(1 << 20)
        try:
            thread = threading.Thread(target=call)
            thread.start()
            thread.join()
        finally:
            threading.stack_size(before)

    return run


def full(part: str) -> str:
    return (part * limits.FILE_BYTES)[: limits.FILE_BYTES]


def lines(head: str, line: str, count: int) -> str:
    return HEAD + head + "".join(line.format(i=i) for i in range(count))


def loops(turns: int, levels: int, inner: str) -> str:
    return f"{HEAD}graph: [" + f"{{repeat: {turns}, do: [" * levels + inner + "]}" * levels + "]"


def own_loops() -> str:
    inner = "relu"
    for level in reversed(range(8)):
        names = " + ".join(["i", *(f"w{k}" for k in range(level))])
        inner = f"{{repeat: 9, let: {{w{level}: {names}}}, do: [{inner}]}}"
    return f"{HEAD}graph: [{inner}]"


def doubled(first: str) -> str:
    more = ", ".join(f"b{i}: [b{i - 1}, b{i - 1}]" for i in range(1, 61))
    return f"{HEAD}blocks: {{b0: [{first}], {more}}}\ngraph: [b60]"


CALL = "{r: n - 1, when: n > 0}"
RECURSION = f"{HEAD}blocks: {{r: {{params: {{n: int}}, graph: [{CALL}, {CALL}]}}}}\ngraph: [{{r: %d}}]"
ALIASES = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 24))
MERGES = "a0: &a0 {x: 1}\n" + "".join(f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}]}}\n" for i in range(1, 24))


def cases() -> list[tuple[str, str, float, Callable[[], object]]]:
    """(row, case, bar, call)"""
    found = [
        ("bombs", "aliases of aliases", BOMB, check(ALIASES)),
        ("bombs", "merge keys of merge keys", BOMB, check(MERGES)),
        ("bombs", "20,000 tags", BOMB, check("".join(f"a{i}: !!binary aGk=\n" for i in range(20_000)))),
    ]
    for part in ("[", "{", "- "):
        found.append(("depth", f"1 MiB of `{part}`", NESTED, check(full(part))))
        found.append(("depth", f"1 MiB of `{part}` in a stack of 1 MiB", NESTED, in_a_small_stack(check(full(part)))))
    for name, head, line, count in (
        ("20,000 ops, a line each", "graph:\n", "  - relu\n", limits.NODES - 1),
        ("14,000 named ops", "graph:\n", "  - {{conv: 3, as: c{i}}}\n", 14_000),
        ("49,000 entries of meta", "graph: [relu]\nmeta:\n", "  a{i}: {i}\n", 49_000),
        ("49,000 lets", "graph: [relu]\nlet:\n", "  a{i}: {i}\n", 49_000),
        ("40,000 params", "graph: [relu]\nparams:\n", "  a{i}: int = 3\n", 40_000),
        ("20,000 blocks", "graph: [relu]\nblocks:\n", "  a{i}: [relu]\n", 20_000),
        ("30,000 checks", "graph: [relu]\nchecks:\n", "  - {{layers: 1}}\n", 30_000),
    ):
        found.append(("worst legal file", name, LEGAL, check(lines(head, line, count))))
    found.append(("worst legal file", "19,999 turns", LEGAL, check(HEAD + "graph: [{repeat: 19999, do: [relu]}]")))
    found.append(("worst legal file", "32,766 calls of empty blocks", LEGAL, check(RECURSION % 14)))
    for text in ("9**9**9", "9**9*9**9*9**9", "2**99999999"):
        found.append(("expressions", text, POWER, power(text)))
    for name, text in (
        ("10^9 turns", HEAD + "graph: [{repeat: 1000000000, do: [relu]}]"),
        ("10^9 turns of nothing", HEAD + "graph: [{repeat: 1000000000, do: []}]"),
        ("1000 x 1000 x 1000 turns", loops(1000, 3, "relu")),
        ("60^5 turns", loops(60, 5, "relu")),
        ("9^8 turns, all different", own_loops()),
        ("60 doublings", doubled("relu")),
        ("60 doublings of an empty block", doubled("")),
        ("60 doublings by recursion", RECURSION % 60),
    ):
        found.append(("growth", name, TURNS, check(text)))
    return found


def large_file() -> tuple[str, str, float, Callable[[], object]]:
    """A sparse file of 8 GiB, of which only the beginning is read."""
    path = Path(tempfile.mkdtemp()) / "large.yaml"
    with open(path, "wb") as file:
        file.truncate(1 << 33)
    return "size", "a file of 8 GiB", BOMB, lambda: api.check(path)


@click.command()
@click.option("--times", type=click.IntRange(min=1), default=5, show_default=True, help="Of which the best is told.")
def main(times: int) -> None:
    """Print what was measured beside its bar; the exit code is 1 if one was missed."""
    check(HEAD + "graph: [{conv: 3}, {add: [prev, prev]}]")()  # what is imported late
    parse_expression.cache_clear()
    missed = 0
    click.echo(f"| hazard | case | measured | bar | |\n|{'---|' * 5}")
    for row, name, bar, call in [*cases(), large_file()]:
        best = min(_timed(call) for _ in range(times))
        missed += best > bar
        click.echo(
            f"| {row} | {name} | {best * 1000:.2f} ms | {bar * 1000:g} ms | {'met' if best <= bar else 'missed'} |"
        )
    sys.exit(missed > 0)


def _timed(call: Callable[[], object]) -> float:
    parse_expression.cache_clear()
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
