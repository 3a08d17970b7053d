"""Other parameters of a spec under which a file fits: most often it is of a neighbouring variant."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from resspec import files, limits
from resspec.diagnostics import Findings, SpecError
from resspec.language import environment
from resspec.language.document import settings
from resspec.language.expand import expand
from resspec.language.replay import Memory
from resspec.ops import by_kind
from resspec.weights import choose
from resspec.weights.archive import Archive
from resspec.weights.home import Home
from resspec.weights.naming import Naming

MOST = 100
"""settings that are tried"""

HEAD = 2
"""arrays of other shapes that are passed over: a head of other classes has two"""


@dataclass(frozen=True, slots=True)
class Fit:
    """A naming under which all names of the file are found, with the parameters that it takes."""

    naming: Naming
    way: str
    """what to write: `resnet@resnet50_v15`, or `-p flavour=timm`"""

    @property
    def told(self) -> str:
        """In words."""
        condition = "" if isinstance(self.naming.when, bool) else f", which is meant for `{self.naming.when.text}`"
        return f"its names are those of `{self.naming.name}`{condition}: use `{self.way}`"


def fit(home: Home | None, archive: Archive, namings: Iterable[Naming]) -> Fit | None:
    """The variant, or the value of one parameter, under which most fits; of several the one nearest to these."""
    if home is None:
        return None
    namings = [naming for naming in namings if _speaks_of(naming, archive)]
    ops, memory = by_kind(op for plugin in home.plugins for op in plugin.ops), Memory()
    best: tuple[tuple[int, int], Fit] | None = None
    ops_seen = 0
    for way, given in itertools.islice(_ways(home), MOST) if namings else ():
        findings = Findings()
        env = environment.evaluate(home.document, given, findings)
        if findings.failed:
            continue
        try:
            meant = [naming for naming in namings if naming.unmeant(env.lookup) is None]
            if not meant:
                continue
            graph, _ = expand(home.document, dict(home.sources), given, ops, memory=memory)
            if (ops_seen := ops_seen + len(graph.nodes)) > limits.CHECKED_NODES:
                break
            for naming in meant:
                match = choose.named(graph, archive, naming, env.lookup, {})
                if match.missing or match.ambiguous or match.unused or len(match.mismatched) > HEAD:
                    continue
                rank = (len(match.loaded), sum(home.params.get(name) == value for name, value in env.params.items()))
                if match.loaded and (best is None or rank > best[0]):
                    best = (rank, Fit(naming, way))
        except SpecError:  # no network comes of these parameters, or the map has no value under them
            continue
    return None if best is None else best[1]


def _speaks_of(naming: Naming, archive: Archive) -> bool:
    """Whether its lines could make all names of the file, under whatever parameters: a test that takes no time."""
    lines = [
        rf"{re.escape(rule.ordered)}(?:_[0-9]+)?" if rule.ordered else theirs.likeness
        for rule in naming.rules
        for theirs in (rule.theirs or {}).values()
    ]
    known = re.compile(rf"(?:{'|'.join(lines)})(?:[./].*)?", re.DOTALL)
    left = choose.heard(archive.tensors, naming.ignore)
    return bool(lines) and all(known.fullmatch(one.name) or known.fullmatch(one.layer) for one in left)


def _ways(home: Home) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Other settings of the spec, and how they are asked for: its variants, then other values of one parameter."""
    spec, name = home.document.spec, home.document.name
    source = name.removesuffix(".yaml") if home.folder == files.SHIPPED else name
    for variant in spec.variants:
        yield f"{source}@{variant}", settings(home.document, variant, {})
    for param, declared in spec.params.items():
        for value in (False, True) if declared.type == "bool" else declared.enum or ():
            if value != home.params.get(param):
                written = str(value).lower() if isinstance(value, bool) else value
                yield f"-p {param}={written}", {**home.params, param: value}
