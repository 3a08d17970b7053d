"""A weights map: how the layers of a spec are called in the files of other libraries. It stands beside the spec.

resspec-weights: 1
torchvision:
  layers: {stem: conv1, "stage{s}/unit{u}/conv{k}": "layer{s}.{u}.conv{k}"}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from resspec import yamltree
from resspec.diagnostics import Diagnostic, Findings, Span, SpecError
from resspec.language import errors
from resspec.language.expressions import Expression, ExpressionError, Lookup, parse_expression
from resspec.weights import pattern
from resspec.weights.vectors import Channels

ROLES = ("query", "key", "value", "qkv", "out", "depthwise", "pointwise")
"""parts of an op that may be layers of their own in a file"""


class _Naming(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    doc: str = ""
    when: str | bool = True
    transposed: bool = False
    channels: Channels | None = None
    layers: dict[str, str | dict[Literal[ROLES], str] | None]  # type: ignore[valid-type]
    ignore: list[str] = Field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a map: what fits `ours` is called `theirs` in the file, by role where it is several layers there.

    Without `theirs` it has no counterpart. `ordered` is the stem of a name that Keras numbered.
    """

    ours: pattern.Ours
    theirs: Mapping[str, pattern.Theirs] | None
    span: Span
    ordered: str | None = None

    @property
    def counts(self) -> bool:
        """Whether the names depend on how many layers came before."""
        return any("nth" in theirs.names for theirs in (self.theirs or {}).values())


@dataclass(frozen=True, slots=True)
class Naming:
    """One way in which files call the layers of a spec."""

    name: str
    rules: tuple[Rule, ...]
    ignore: tuple[str, ...] = ()
    when: Expression | bool = True
    span: Span | None = None
    doc: str = ""
    transposed: bool = False
    """the matrices of dense layers and of attention lie as (in, out) in files of PyTorch"""
    channels: Channels | None = None
    """where pictures that are laid flat have their channels; None for what the ops before them tell"""

    def unmeant(self, lookup: Lookup) -> str | None:
        """Why it is not meant for a network with these parameters; None if it is."""
        if isinstance(self.when, bool):
            return None if self.when else f"`{self.name}` is meant for no network"
        try:
            if bool(self.when.evaluate(lookup)):
                return None
            return f"`{self.name}` is meant for other parameters: when `{self.when.text}`"
        except ExpressionError as error:
            for name in sorted(self.when.names):
                if not _known(name, lookup):
                    return f"`{self.name}` is meant for another spec: when `{self.when.text}`, and here is no `{name}`"
            message = f"`when` of `{self.name}`: {error.message}"
            raise SpecError([Diagnostic("bad-weights-map", message, self.span, help=error.help)]) from None


def _known(name: str, lookup: Lookup) -> bool:
    try:
        lookup(name)
    except KeyError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class NamingFile:
    """The namings of one file, and its text for findings."""

    file: str
    namings: Mapping[str, Naming] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)


def parse(text: str, file: str) -> NamingFile:
    """The namings in `text`. Raises SpecError with all findings, `bad-weights-map` besides those of YAML."""
    tree = yamltree.parse(text, file)
    findings = Findings()
    if not isinstance(tree, yamltree.Mapping) or not tree.entries or tree.entries[0].key.value != "resspec-weights":
        finding = Diagnostic(
            "bad-weights-map",
            "a weights map is a mapping that begins with `resspec-weights: 1`",
            tree.span,
            help="below it stands a name, and there `layers:` with our paths and their names",
        )
        raise SpecError([finding], {file: text})
    version, *entries = tree.entries
    if yamltree.to_data(version.value) != 1:
        findings.error("bad-weights-map", "the version of a weights map is 1", version.value.span)
    namings: dict[str, Naming] = {}
    for entry in entries:
        if isinstance(entry.key.value, str):
            naming = _naming(entry.key.value, entry.value, findings)
            if naming is not None:
                namings[naming.name] = naming
        else:
            findings.error("bad-weights-map", "the name of a naming is a word", entry.key.span)
    if findings.failed:
        raise SpecError(findings.sorted(), {file: text})
    return NamingFile(file, namings, {file: text})


def _naming(name: str, tree: yamltree.Tree, findings: Findings) -> Naming | None:
    def where(loc: tuple[str | int, ...], key: bool) -> Span:
        return yamltree.locate(tree, loc, key=key)

    try:
        data = _Naming.model_validate(yamltree.to_data(tree))
    except ValidationError as error:
        keys = list(_Naming.model_fields)
        for finding in errors.findings(error, where, f"`{name}`", lambda loc: ROLES if len(loc) > 1 else keys):
            findings.add(finding)
        return None
    rules = [rule for left, right in data.layers.items() if (rule := _rule(left, right, where, findings)) is not None]
    when: Expression | bool = True
    try:
        when = parse_expression(data.when) if isinstance(data.when, str) else data.when
    except ExpressionError as error:
        findings.error("bad-weights-map", error.message, where(("when",), False), help=error.help)
    return Naming(name, tuple(rules), tuple(data.ignore), when, tree.span, data.doc, data.transposed, data.channels)


def _rule(left: str, right: Any, where: errors.Where, findings: Findings) -> Rule | None:
    key, value = where(("layers", left), True), where(("layers", left), False)
    assert key is not None
    assert value is not None
    try:
        ours = pattern.ours(left)
    except pattern.PatternError as error:
        findings.error("bad-weights-map", error.message, within(key, left, error), help=error.help)
        return None
    if right is None:
        return Rule(ours, None, value)
    stem = None
    found = {}
    for role, text in right.items() if isinstance(right, dict) else [("", right)]:
        split = pattern.ordered(text) if not role else None
        if split is not None:
            stem, text = split
        try:
            found[role] = pattern.theirs(text)
        except pattern.PatternError as error:
            findings.error("bad-weights-map", error.message, within(value, str(right), error), help=error.help)
            return None
    return Rule(ours, found, value, stem)


def within(span: Span, text: str, error: pattern.PatternError) -> Span:
    """The part of a plain scalar that an error speaks of; all of it where it is quoted."""
    if span.line != span.end_line or span.end_column - span.column != len(text) or not error.length:
        return span
    start = span.column + error.start
    return Span(span.file, span.line, start, span.line, start + error.length)
