"""YAML text -> a tree in which every key and value knows its line and column.

A strict part of YAML: the scalars of the 1.2 core schema, and none of the features that run code,
multiply data or hide a mistake. Events of PyYAML's parser are taken one at a time, so that nothing
deep or large is ever built before it is refused.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from resspec import edits, limits, yamledits, yamlflow
from resspec.diagnostics import Diagnostic, Edit, Findings, Fix, Label, Span, SpecError
from resspec.yamlflow import short
from resspec.yamlnodes import Entry as Entry
from resspec.yamlnodes import Mapping as Mapping
from resspec.yamlnodes import Scalar as Scalar
from resspec.yamlnodes import Sequence as Sequence
from resspec.yamlnodes import Tree as Tree
from resspec.yamlnodes import locate as locate
from resspec.yamlnodes import to_data as to_data
from resspec.yamlscalars import REFUSED, ScalarValue, plain_value
from resspec.yamlsyntax import syntax_finding

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse(text: str, file: str) -> Tree:
    """The tree of the one document in `text`; `file` is the name that spans bear.

    Raises SpecError with the findings `empty-file`, `yaml-syntax`, `yaml-tab`, `yaml-character`,
    `yaml-directive`, `yaml-documents`, `yaml-tag`, `yaml-anchor`, `yaml-alias`, `yaml-merge-key`,
    `yaml-key`, `duplicate-key`, `yaml-number`, `yaml-comma`, `yaml-colon`, `yaml-depth`, `yaml-size`.
    """
    composer = _Composer(text.replace("\r\n", "\n"), file)
    tree = composer.compose()
    if composer.findings.failed:
        raise SpecError(composer.findings.sorted(), {file: text})
    if tree is None or (isinstance(tree, Scalar) and tree.plain and not tree.text):
        finding = Diagnostic("empty-file", f"`{file}` is empty", Span(file, 1, 1, 1, 1), help="begin with `resspec: 1`")
        raise SpecError([finding], {file: text})
    return tree


def parse_value(text: str, what: str) -> Any:
    """One value as data, for options such as `-p depth=50`; empty text is null. Raises SpecError as `parse`."""
    if _ONE_WORD.fullmatch(text):  # needs no parser, of which a large file would start thousands
        return plain_value(text)
    return to_data(parse(text, what)) if text.strip() else None


# --- composing ------------------------------------------------------------------------------------


class _Stop(Exception):
    """Reading on would tell nothing new."""


class _Composer:
    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        self.findings = Findings()
        self.lines: list[str] | None = None
        self.last_line = text.count("\n")
        self.last_column = len(text) - text.rfind("\n") - 1

    def compose(self) -> Tree | None:
        try:
            self.check_characters()
            # with a last line break, both parsers agree on where the text ends
            return self.compose_events(_LOADER(self.text if self.text.endswith("\n") else self.text + "\n"))
        except _Stop:
            return None

    # places

    def span(self, start: Any, end: Any) -> Span:
        if end.line > self.last_line:  # behind the line break that the text itself does not have
            first = (start.line, start.column) if start.line <= self.last_line else (self.last_line, self.last_column)
            return Span(self.file, first[0] + 1, first[1] + 1, self.last_line + 1, self.last_column + 1)
        return Span(self.file, start.line + 1, start.column + 1, end.line + 1, end.column + 1)

    def span_at(self, index: int, length: int = 1) -> Span:
        line = self.text.count("\n", 0, index) + 1
        column = index - self.text.rfind("\n", 0, index)
        return Span(self.file, line, column, line, column + length)

    def block_span(self, start: Any, end: Any) -> Span:
        """Of a `|` or `>` scalar: up to its last line that is not blank; parsers end it somewhere below."""
        if self.lines is None:
            self.lines = self.text.split("\n")
        last = end.line - 1 if end.column == 0 or end.line >= len(self.lines) else end.line
        while last > start.line and not self.lines[last].strip():
            last -= 1
        return Span(self.file, start.line + 1, start.column + 1, last + 1, len(self.lines[last]) + 1)

    # before parsing

    def stop(self, code: str, message: str, span: Span, help: str | None = None, fix: Fix | None = None) -> _Stop:
        self.findings.error(code, message, span, help=help, fix=fix)
        return _Stop()

    def too_deep(self, start: Any, end: Any) -> _Stop:
        message = f"nested deeper than {limits.YAML_DEPTH} levels"
        return self.stop("yaml-depth", message, self.span(start, end), "make it flatter")

    def check_characters(self) -> None:
        text = self.text
        if len(text) > limits.FILE_BYTES:
            raise self.stop("yaml-size", f"the text has more than {limits.FILE_BYTES} characters", self.span_at(0))
        match = REFUSED.search(text)
        if match and match.group() == "\t":
            fix = Fix(yamledits.tabs(text, self.file), certain=True)
            raise self.stop("yaml-tab", "a TAB stands here", self.span_at(match.start()), "use spaces", fix)
        if match:
            span = self.span_at(match.start())
            invisible = match.group() not in "\r\n"
            fix_or_none = edits.replaced(span, "", certain=True) if invisible else None
            raise self.stop("yaml-character", _naming(match.group()), span, "remove it", fix_or_none)
        if match := _DIRECTIVE.match(text):
            span = self.span_at(match.end() - 1)
            line = Span(self.file, span.line, 1, span.line + 1, 1)
            fix = Fix((Edit(line, ""),), certain=True)
            raise self.stop("yaml-directive", "a directive stands here", span, "remove the line", fix)

    # events

    def compose_events(self, loader: Any) -> Tree | None:
        parents: list[tuple[Any, list[Tree]]] = []
        children: list[Tree] = []
        count = documents = 0
        while True:
            event = self.next_event(loader)
            kind = type(event)
            node: Tree
            if kind is yaml.ScalarEvent:
                node = self.scalar(event)
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                self.check_properties(event)
                parents.append((event, children))
                children = []
                if len(parents) > limits.YAML_DEPTH:
                    raise self.too_deep(event.start_mark, event.end_mark)
                continue
            elif kind is yaml.MappingEndEvent:
                start, siblings = parents.pop()
                node = self.mapping(start, children, event)
                children = siblings
            elif kind is yaml.SequenceEndEvent:
                start, siblings = parents.pop()
                node = self.sequence(start, children, event)
                children = siblings
            elif kind is yaml.AliasEvent:
                span = self.span(event.start_mark, event.end_mark)
                self.findings.error(
                    "yaml-alias",
                    f"the alias `*{short(event.anchor)}` is not allowed",
                    span,
                    help="write the value out, or use `let` or `blocks`",
                )
                node = Scalar(None, span, "*", False)
            elif kind is yaml.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    span = self.span(event.start_mark, event.end_mark)
                    raise self.stop(
                        "yaml-documents", "a second document begins here", span, "one file holds one document"
                    )
                continue
            elif kind is yaml.StreamEndEvent:
                return children[0] if children else None
            else:
                continue
            children.append(node)
            count += 1
            if count > limits.YAML_NODES:
                message = f"more than {limits.YAML_NODES} keys, values and containers"
                raise self.stop("yaml-size", message, node.span, "split the file, or use `repeat`, `for` and `blocks`")
            if len(self.findings.items) >= self.findings.most:
                raise _Stop

    def next_event(self, loader: Any) -> Any:
        try:
            return loader.get_event()
        except yaml.MarkedYAMLError as error:
            if "nesting depth" in str(error.problem):  # of which LibYAML reads ahead some thousand levels
                raise self.too_deep(error.problem_mark, error.problem_mark) from None
            self.findings.add(syntax_finding(error, self.text, self.file))
        except (ValueError, OverflowError):  # the pure parser hands any escape such as "\UFFFFFFFF" to `chr`
            mark = loader.get_mark()
            span = self.span(mark, mark)
            self.findings.error(
                "yaml-character", "an escape stands for no character", span, help="write the character itself"
            )
        raise _Stop

    def check_properties(self, event: Any) -> None:
        if event.tag is None and event.anchor is None:
            return
        start = event.start_mark
        span = Span(self.file, start.line + 1, start.column + 1, start.line + 1, start.column + 2)
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            help, fix = "remove it", None
            if re.fullmatch(r"![A-Za-z_]\w*", tag) and getattr(event, "value", None) == "":
                help = f"write `not {tag[1:]}`"
                fix = Fix((Edit(Span(self.file, span.line, span.column, span.line, span.column + 1), "not "),))
            self.findings.error("yaml-tag", f"the tag `{short(tag)}` is not allowed", span, help=help, fix=fix)
        if event.anchor is not None:
            self.findings.error(
                "yaml-anchor",
                f"the anchor `&{short(event.anchor)}` is not allowed",
                span,
                help="remove it, or use `let` or `blocks`",
            )

    def scalar(self, event: Any) -> Scalar:
        self.check_properties(event)
        text: str = event.value
        style = event.style
        if not style:  # '' in the C parser, None in the pure one
            span = self.span(event.start_mark, event.end_mark)
            try:
                return Scalar(plain_value(text), span, text, True)
            except ValueError as error:
                self.findings.error("yaml-number", str(error), span, help="quote it if it is meant as text")
                return Scalar(0, span, text, True)
        if style in "|>":
            return Scalar(text, self.block_span(event.start_mark, event.end_mark), text, False)
        span = self.span(event.start_mark, event.end_mark)
        if style == '"' and (match := REFUSED.search(text)):
            self.findings.error("yaml-character", f"after unescaping, {_naming(match.group())}", span, help="remove it")
        return Scalar(text, span, text, False)

    def sequence(self, start: Any, items: list[Tree], end: Any) -> Sequence:
        if start.flow_style:
            yamlflow.items(self.findings, items)
        return Sequence(tuple(items), self.collection_span(start, items, end))

    def collection_span(self, start: Any, children: list[Tree], end: Any) -> Span:
        """A block ends with its last part, not where the next one begins."""
        if start.flow_style or not children:
            return self.span(start.start_mark, end.end_mark)
        last = children[-1].span
        return Span(self.file, start.start_mark.line + 1, start.start_mark.column + 1, last.end_line, last.end_column)

    def mapping(self, start: Any, children: list[Tree], end: Any) -> Mapping:
        span = self.collection_span(start, children, end)
        keys, values = children[::2], children[1::2]
        if start.flow_style:
            keys, values = yamlflow.entries(self.findings, keys, values)
        entries: list[Entry] = []
        first: dict[tuple[type, ScalarValue], Entry] = {}
        for key, value in zip(keys, values):
            if not isinstance(key, Scalar) or key.value is None:
                what = "null" if isinstance(key, Scalar) else "a mapping" if isinstance(key, Mapping) else "a list"
                self.findings.error(
                    "yaml-key", f"a key cannot be {what}", key.span, help="use a name or a number as key"
                )
                continue
            if key.plain and key.text == "<<":
                help = "write the entries out, or use `defaults` or `blocks`"
                self.findings.error("yaml-merge-key", "the merge key `<<` is not allowed", key.span, help=help)
                continue
            if not start.flow_style and key.plain and (match := _KEY_AND_BRACKET.match(key.text)):
                yamlflow.no_space(self.findings, match[1], key.span, f"{match[1]}: {match[2]}...")
                continue
            entry = Entry(key, value)
            earlier = first.setdefault((type(key.value), key.value), entry)
            if earlier is not entry:
                fix = None
                if _alike(earlier.value, value):
                    fix = yamledits.dropped(key.span, value.span, entries[-1].value.span, start.flow_style)
                self.findings.error(
                    "duplicate-key", f"the key `{short(key.text)}` stands here twice", key.span,
                    labels=[Label(earlier.key.span, "first here")], help="keep one of the two", fix=fix,
                )  # fmt: skip
                continue
            entries.append(entry)
        return Mapping(tuple(entries), span)


def _alike(one: Tree, other: Tree) -> bool:
    """Whether two trees hold the same, found out in the time that the smaller one takes."""
    if isinstance(one, Scalar) and isinstance(other, Scalar):
        return type(one.value) is type(other.value) and one.value == other.value
    if isinstance(one, Sequence) and isinstance(other, Sequence):
        return len(one.items) == len(other.items) and all(map(_alike, one.items, other.items))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return len(one.entries) == len(other.entries) and all(
            _alike(a.key, b.key) and _alike(a.value, b.value) for a, b in zip(one.entries, other.entries)
        )
    return False


_KEY_AND_BRACKET = re.compile(r"([A-Za-z_][\w.]*):([\[{])")
_ONE_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*|-?[0-9]{1,9}(?:\.[0-9]{1,9})?")

_DIRECTIVE = re.compile(r"(?: *(?:#[^\n]*)?\n)*%")


def _naming(character: str) -> str:
    return f"the character U+{ord(character):04X} is not allowed"
