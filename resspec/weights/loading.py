"""Weights of a file for a network: the maps beside its spec, the match, and its findings."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from resspec import files
from resspec.diagnostics import Diagnostic, Findings, SpecError
from resspec.graph import Graph
from resspec.language import environment
from resspec.language.document import SHIPPED_PREFIX
from resspec.weights import adapt as adapting
from resspec.weights import choose, findings, naming, sound
from resspec.weights.adapt import How
from resspec.weights.archive import Archive, open_archive
from resspec.weights.choose import Choice
from resspec.weights.elsewhere import Fit, fit
from resspec.weights.home import Home
from resspec.weights.plan import Loaded, Match

if TYPE_CHECKING:
    import numpy as np

Values = Mapping[str, Mapping[str, "Callable[[], np.ndarray[Any, Any]]"]]
"""path of a node -> name of a weight -> its numbers, read when they are asked for"""


class Weights:
    """A file matched with a network, as far as it goes; a context manager that closes the file.

    `match` holds what was found, `findings` what is wrong with it (`allow` considered). The numbers are
    read when what `values` gives is called.
    """

    def __init__(
        self,
        graph: Graph,
        archive: Archive,
        match: Match,
        wrong: Sequence[Diagnostic],
        elsewhere: Callable[[], Fit | None],
        sources: dict[str, str],
    ) -> None:
        self.graph, self.archive, self.match = graph, archive, match
        self.findings = tuple(wrong)
        self.elsewhere = elsewhere
        """other parameters under which the file fits, looked for when it is called"""
        self.sources = sources
        """texts of the maps, so that findings can show their lines"""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.archive.__exit__(kind, error, trace)

    def require(self) -> Self:
        """Itself if everything fits or is allowed not to. Raises SpecError with all findings."""
        if self.findings:
            raise SpecError(self.findings, self.sources)
        return self

    def values(self, progress: Callable[[int, int], None] | None = None) -> Values:
        """Numbers of the weights that were found, read when they are called.

        Nodes that share weights have their owner's. `progress` is called with the number of weights read
        and the number of all. The calls raise SpecError: `weights-values` for numbers that no training leaves
        behind, and those of a damaged file.
        """
        found: dict[str, dict[str, Callable[[], np.ndarray[Any, Any]]]] = {}
        done = itertools.count(1)

        def read(one: Loaded) -> np.ndarray[Any, Any]:
            numbers = one.read()
            if (ailment := sound.ailment(one.piece.weight, numbers)) is not None:
                raise SpecError([findings.ailing(self.graph, one, ailment)], self.sources)
            if progress is not None:
                progress(next(done), len(self.match.loaded))
            return numbers

        for one in self.match.loaded:
            found.setdefault(self.graph.nodes[one.node].path, {})[one.piece.weight.name] = partial(read, one)
        return found

    @property
    def unsure(self) -> str | None:
        """What was loaded by the numbers of unnamed steps, which nothing confirms; None if nothing was."""
        return findings.unsure(self.graph, self.archive, self.match)

    @property
    def facts(self) -> dict[str, Any]:
        """The same as plain data: the naming, and paths and names for each kind."""
        return findings.facts(self.graph, self.archive, self.match)

    @property
    def summary(self) -> str:
        """In words: how many arrays were loaded, what kept its initial values, what was left in the file."""
        return findings.summary(self.graph, self.archive, self.match)


def open_weights(
    graph: Graph,
    path: str | Path,
    home: Home | None,
    *,
    weights_map: str | None = None,
    allow: Sequence[str] = (),
    adapt: Mapping[str, str] | None = None,
) -> Weights:
    """Match the arrays of the file at `path` with the weights of `graph`.

    `weights_map` is a naming of the map beside the spec (`torchvision`), or a map elsewhere (`maps/net.weights.yaml`,
    with `#naming` behind it if it has several), which is taken for whatever parameters. `allow` names with `*` what
    may be missing or left over, `adapt` says of paths how they are made to fit (`channels`, `fresh`). Raises
    SpecError: those of `open_archive`, of the map, `unknown-naming`, `bad-argument`.
    """
    adapts = _adapts(adapt or {})
    maps, wanted = _maps(home, weights_map)
    archive = open_archive(path)
    try:
        namings, lookup = tuple(maps.namings.values()), _lookup(home)
        archive, found = _nearest(archive, lambda seen: choose.choose(graph, seen, namings, lookup, wanted, adapts))
        elsewhere = cache(partial(fit, home, archive, namings))
        wrong = findings.findings(graph, archive, found, allow, adapts, elsewhere)
        return Weights(graph, archive, found.match, wrong, elsewhere, dict(maps.sources))
    except SpecError as error:
        archive.__exit__(None, None, None)
        raise SpecError(error.diagnostics, {**maps.sources, **error.sources}) from None
    except BaseException:
        archive.__exit__(None, None, None)
        raise


def _nearest(archive: Archive, chosen: Callable[[Archive], Choice]) -> tuple[Archive, Choice]:
    """The file as it is; where nothing of it is found, without a prefix that all names have, if that helps."""
    first = chosen(archive)
    if not any(first.match.found):
        for shorter in map(archive.without, archive.prefixes):
            found = chosen(shorter)
            if any(found.match.found):
                return shorter, found
    return archive, first


def _maps(home: Home | None, wanted: str | None) -> tuple[naming.NamingFile, str | None]:
    """The map to look into, and the naming in it that is asked for."""
    if wanted is not None and ("/" in wanted or ".yaml" in wanted or wanted.startswith(SHIPPED_PREFIX)):
        file, _, name = wanted.partition("#")
        try:
            if file.startswith(SHIPPED_PREFIX):
                _, text = files.read_below(files.SHIPPED, file.removeprefix(SHIPPED_PREFIX))
            else:
                text = files.read_file(Path(file))
        except files.FileProblem as problem:
            raise SpecError([Diagnostic(problem.code, problem.message, help=problem.help)]) from None
        maps = naming.parse(text, file)
        name = name or (next(iter(maps.namings)) if len(maps.namings) == 1 else "")
        if name in maps.namings:  # asked for by file and name, it is not asked whether it is meant
            maps = replace(maps, namings={name: replace(maps.namings[name], when=True)})
        return maps, name or None
    if home is None:
        return naming.NamingFile(""), wanted
    beside = f"{Path(home.document.name).name.removesuffix('.yaml').removesuffix('.yml')}.weights.yaml"
    try:
        _, text = files.read_below(home.folder, beside)
    except files.FileProblem as problem:
        if problem.code == "file-not-found":
            return naming.NamingFile(beside), wanted
        raise SpecError([Diagnostic(problem.code, problem.message, help=problem.help)]) from None
    return naming.parse(text, beside), wanted


def _lookup(home: Home | None) -> Callable[[str], Any]:
    """Values of the spec's parameters and lets, for the expressions of a map."""
    if home is None:
        return _nothing
    return environment.evaluate(home.document, home.params, Findings()).lookup


def _nothing(name: str) -> Any:
    raise KeyError(name)


def _adapts(given: Mapping[str, str]) -> dict[str, How]:
    found: dict[str, How] = {}
    for path, how in given.items():
        known = next((way for way in adapting.WAYS if way == how), None)
        if known is None:
            ways = " or ".join(f"`{way}`" for way in adapting.WAYS)
            raise SpecError([Diagnostic("bad-argument", f"weights are adapted by {ways}, got `{how}` for `{path}`")])
        found[path] = known
    return found
