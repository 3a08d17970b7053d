"""What must hold of every input of `tools/fuzz.py`, however hostile: the laws, and the targets they bind.

Nothing but `SpecError` comes out; every finding has a code, a message and a place inside the text;
the work is bounded; and whatever is drawn or printed of a graph is well formed.
"""

from __future__ import annotations

import functools
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import fuzz_weights
from rich.console import Console

from resspec import api, fixes, report, sizes, text, yamltree
from resspec.analysis.summary import summarize
from resspec.diagnostics import Diagnostic, Span, SpecError
from resspec.flatten import to_yaml
from resspec.language import count, document, evaluation, expand
from resspec.ops.base import OpError
from resspec.render.figure import Figure
from resspec.render.formats import draw
from resspec.render.paint.painters import Options

NOWHERE = Path(__file__).resolve().parent / "no such folder"
"""the root of the specs: `use` finds nothing there"""
WORK = 3_000_000
"""calls of what is metered that one input may cause; a legal spec takes 50,000 steps at most"""
LARGE = 2_000
"""ops from which on a network takes its time to draw, and shows nothing that smaller ones do not"""
CODE = re.compile(r"[a-z]+(-[a-z]+)*")
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class Broken(AssertionError):
    """A law does not hold."""


class TooMuchWork(BaseException):
    """More than `WORK` steps; no `except Exception` on the way may take it for its own."""


# -- counted work ----------------------------------------------------------------------------------

METERED: tuple[tuple[type, str], ...] = (
    (count.Counter, "step"), (expand.Expander, "step"), (evaluation.Evaluation, "value"),
    (yamltree._Composer, "next_event"), (sizes.Periodic, "map_affine"), (sizes.Periodic, "plus"),
)  # fmt: skip
"""methods that are called again and again while a spec is read"""

_done = 0


def done() -> int:
    """The counted work of the last input."""
    return _done


def meter() -> None:
    """Count the calls of what loops are made of, in this process."""
    if hasattr(count.Counter.step, "__wrapped__"):
        return
    for owner, name in METERED:
        original = getattr(owner, name)

        def counted(*arguments: Any, _original: Any = original, **named: Any) -> Any:
            global _done
            _done += 1
            if _done > WORK:
                raise TooMuchWork
            return _original(*arguments, **named)

        setattr(owner, name, functools.wraps(original)(counted))


class _NoKeras:
    """Layers of Keras are refused: their shapes come from outside the core."""

    def resolve(self, *_: Any) -> Any:
        raise OpError("there is no Keras here")


def isolate() -> None:
    """Keep Keras out, which takes seconds to import."""
    api._KerasResolver = _NoKeras  # type: ignore[misc, assignment]


# -- findings --------------------------------------------------------------------------------------


def sound(findings: Iterable[Diagnostic], sources: Mapping[str, str]) -> None:
    """The law of findings, in all three forms."""
    findings = tuple(findings)
    for one in findings:
        _require(CODE.fullmatch(one.code) is not None, f"code {one.code!r}")
        for said in (one.message, one.help or "help", *one.notes, *(label.text for label in one.labels)):
            _require(bool(said), f"nothing said: {one.code}")
        _require(not one.message.endswith("."), f"full stop: {one.message!r}")
        places = [one.span] if one.span else []
        places += [label.span for label in one.labels]
        places += [edit.span for edit in one.fix.edits] if one.fix else []
        for span in places:
            _inside(span, sources)
    _require(not CONTROL.search(report.text(findings, sources)), "a control character in the text report")
    _require(len(json.loads(report.as_json(findings))) == len(findings), "the JSON report")
    lines = report.github(findings).splitlines()
    _require(len(lines) == len(findings) and all(line.startswith("::") for line in lines), "the GitHub report")


def mended(source: str, findings: Iterable[Diagnostic]) -> None:
    """The law of fixes: they can be carried out, change something, and what comes out is read or refused."""
    better, fixed = fixes.apply(source, "spec.yaml", findings, unsafe=True)
    _require((better != source) == (fixed > 0), "a fix that changes nothing")
    if fixed:
        try:
            document.parse(better, "spec.yaml")
        except SpecError as error:
            sound(error.diagnostics, error.sources or {"spec.yaml": better})


def _inside(span: Span, sources: Mapping[str, str]) -> None:
    if span.file not in sources:
        # a value that the command line or a short form holds has a source of its own
        _require(span.line >= 1 and span.column >= 1, f"place {span}")
        return
    # an edit of a whole line ends where the next one begins, be there one or not
    lines = [*sources[span.file].replace("\r\n", "\n").split("\n"), ""]
    ok = (
        1 <= span.line < len(lines)
        and span.line <= span.end_line <= len(lines)
        and 1 <= span.column <= len(lines[span.line - 1]) + 1
        and 1 <= span.end_column <= len(lines[span.end_line - 1]) + 2
        and (span.line, span.column) <= (span.end_line, span.end_column)
    )
    _require(ok, f"place {span} to {span.end_line}:{span.end_column} outside of {len(lines)} lines")


def _require(holds: bool, law: str) -> None:
    if not holds:
        raise Broken(law)


# -- painters --------------------------------------------------------------------------------------


class Painter(NamedTuple):
    """Whatever draws or prints a network, and what must hold of its work. A new one is a new line below."""

    name: str
    paint: Callable[[api.Network], str]
    law: Callable[[api.Network, str], bool]


def _table(network: api.Network) -> str:
    out = io.StringIO()
    Console(file=out, highlight=False, width=160).print(text.summary_table(summarize(network), None, 160))
    return out.getvalue()


def _plain(_: api.Network, painted: str) -> bool:
    return not CONTROL.search(painted)


def _same_network(network: api.Network, painted: str) -> bool:
    again, _ = compiled(painted, "flat.yaml")
    assert network.document is not None
    if "expect" in network.document.text:  # what `expect` asks of unknown sizes is no part of a flat spec
        return again is not None
    return again is not None and again.digest == network.digest


def _has_digest(network: api.Network, painted: str) -> bool:
    return bool(json.loads(painted)["digest"] == network.digest)


def _figure(network: api.Network, suffix: str, family: str | None = None) -> str:
    return draw(Figure(network, family), suffix, Options()).decode()


def _is_figure(network: api.Network, painted: str) -> bool:
    """Well-formed where it is XML; text without control characters elsewhere."""
    if painted.startswith("<svg"):
        return ElementTree.fromstring(painted).tag.endswith("svg")
    return _plain(network, painted)


PAINTERS = (
    Painter("tree", lambda n: "\n".join(text.tree(summarize(n), None)), _plain),
    Painter("tree to a depth", lambda n: "\n".join(text.tree(summarize(n), 1)), _plain),
    Painter("tree as JSON", lambda n: json.dumps(text.tree_data(summarize(n), None)), lambda _, s: bool(json.loads(s))),
    Painter("table", _table, _plain),
    Painter("facts", lambda n: "\n".join(f"{a} {b}" for a, b in text.facts(summarize(n))), _plain),
    Painter("graph as JSON", lambda n: n.to_json(), _has_digest),
    Painter("summary as JSON", lambda n: json.dumps(summarize(n).to_dict()), _has_digest),
    Painter("flat YAML", to_yaml, _same_network),
    *(
        Painter(name, functools.partial(_figure, suffix=f".{name}"), _is_figure)
        for name in ("svg", "dot", "mmd", "txt")
    ),
    Painter("unfolded SVG", functools.partial(_figure, suffix=".svg", family="full"), _is_figure),
    Painter("page", functools.partial(_figure, suffix=".html"), lambda _, page: page.startswith("<!DOCTYPE html>")),
)


# -- targets ---------------------------------------------------------------------------------------


def parse(source: str) -> None:
    """Text -> located tree -> document."""
    try:
        tree = yamltree.parse(source, "spec.yaml")
        yamltree.to_data(tree)
        document.parse(source, "spec.yaml")
    except SpecError as error:
        _require(bool(error.diagnostics), "a refusal without a finding")
        sound(error.diagnostics, error.sources or {"spec.yaml": source})
        mended(source, error.diagnostics)


def compiled(source: str, name: str = "spec.yaml") -> tuple[api.Network | None, tuple[Diagnostic, ...]]:
    """The network of a text, None if it has errors, and its findings, which are sound."""
    try:
        opened = api.Opened(*document.load(source, name, NOWHERE), None)
        network = api.network(opened)
    except SpecError as error:
        _require(any(one.severity == "error" for one in error.diagnostics), "a refusal without an error")
        sound(error.diagnostics, error.sources)
        return None, error.diagnostics
    sound(network.warnings, network.sources)
    return network, network.warnings


def compile_(source: str) -> None:
    """Spec -> graph -> summary, with everything that `resspec check` does."""
    try:
        opened = api.Opened(*document.load(source, "spec.yaml", NOWHERE), None)
    except SpecError as error:
        sound(error.diagnostics, error.sources)
        return
    done = api.check_opened(opened)
    sound(done.diagnostics, done.sources)
    mended(source, done.diagnostics)
    if done.checked is not None and done.checked.graph is not None:
        summarize(done.checked.graph)
        _require(bool(done.checked.graph.digest), "no digest")


def render(source: str) -> None:
    """Graph -> every drawing and print of it."""
    network, _ = compiled(source)
    if network is None or len(network.nodes) > LARGE:
        return
    for painter in PAINTERS:
        painted = painter.paint(network)
        _require(painter.law(network, painted), f"the law of the painter `{painter.name}`")


def weights(source: str) -> None:
    """File of weights -> arrays, or findings; a character of the source is a byte."""
    try:
        fuzz_weights.tried(source)
    except SpecError as error:
        _require(bool(error.diagnostics), "a refusal without a finding")
        sound(error.diagnostics, {})


TARGETS: Mapping[str, tuple[str, Callable[[str], None]]] = {
    "parse": ("text", parse),
    "compile": ("spec", compile_),
    "render": ("legal", render),
    "weights": ("weights", weights),
}
"""target -> (how its inputs are made, what is done with each)"""


def failure(target: str, source: str) -> str | None:
    """What goes wrong with an input, as one line that tells one mistake from another; None if nothing does."""
    global _done
    _done = 0
    try:
        TARGETS[target][1](source)
    except KeyboardInterrupt:
        raise
    except TooMuchWork:
        return "TooMuchWork"
    except BaseException as error:
        place = error.__traceback__
        names = []
        while place is not None:
            code = place.tb_frame.f_code
            if "resspec" in code.co_filename or isinstance(error, Broken):
                names.append(f"{Path(code.co_filename).stem}.{code.co_name}")
            place = place.tb_next
        what = re.sub(r"[0-9]+", "0", str(error))[:60] if isinstance(error, Broken) else ""
        return f"{type(error).__name__} in {names[-1] if names else '?'} {what}".strip()
    return None
