"""YAML text -> a tree in which every key and value knows its line and column.

A strict part of YAML: the scalars of the 1.2 core schema, and none of the features that run code,
multiply data or hide a mistake. Events of PyYAML's parser are taken one at a time, so that nothing
deep or large is ever built before it is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Union

import yaml

from resspec import edits, limits, yamledits
from resspec.diagnostics import Diagnostic, Edit, Findings, Fix, Label, Span, SpecError
from resspec.yamlscalars import REFUSED, ScalarValue, plain_value
from resspec.yamlsyntax import colon_trap, syntax_finding

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value without parts; `text` is what stands there after unquoting, `plain` that it bears no quotes."""

    value: ScalarValue
    span: Span
    text: str
    plain: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a mapping and its value."""

    key: Scalar
    value: Tree


@dataclass(frozen=True)
class Mapping:
    """Keys and values in the order of the file; keys are unique by type and value."""

    entries: tuple[Entry, ...]
    span: Span

    def get(self, name: str) -> Entry | None:
        """The entry whose key is the text `name`."""
        entry = self.written.get(name)
        if entry is None or entry.key.value == name:
            return entry
        return next((entry for entry in self.entries if entry.key.value == name), None)

    @cached_property
    def written(self) -> dict[str, Entry]:
        """Text of a key -> its entry, the first one where a number and a text are written alike."""
        return {entry.key.text: entry for entry in reversed(self.entries)}


@dataclass(frozen=True, slots=True)
class Sequence:
    """Items in the order of the file."""

    items: tuple[Tree, ...]
    span: Span


Tree = Union[Scalar, Mapping, Sequence]


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


def to_data(tree: Tree) -> Any:
    """The tree as dicts, lists and scalars, places left behind."""
    if isinstance(tree, Scalar):
        return tree.value
    if isinstance(tree, Mapping):
        return {entry.key.value: to_data(entry.value) for entry in tree.entries}
    return [to_data(item) for item in tree.items]


def locate(tree: Tree, loc: Iterable[Any], *, key: bool = False) -> Span:
    """Where the value at `loc` stands, a path of keys and indices; parts that do not fit are passed over.

    With `key`, the key of the last mapping entry on the way instead, if `loc` ends at one.
    """
    span = tree.span
    for part in loc:
        if isinstance(tree, Mapping):
            entry = tree.written.get(str(part))
            if entry is not None:
                tree = entry.value
                span = entry.key.span if key else tree.span
        elif isinstance(tree, Sequence) and type(part) is int and 0 <= part < len(tree.items):
            tree = tree.items[part]
            span = tree.span
    return span


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
                    message = f"nested deeper than {limits.YAML_DEPTH} levels"
                    raise self.stop(
                        "yaml-depth", message, self.span(event.start_mark, event.end_mark), "make it flatter"
                    )
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
                    f"the alias `*{_short(event.anchor)}` is not allowed",
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
            self.findings.error("yaml-tag", f"the tag `{_short(tag)}` is not allowed", span, help=help, fix=fix)
        if event.anchor is not None:
            self.findings.error(
                "yaml-anchor",
                f"the anchor `&{_short(event.anchor)}` is not allowed",
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
            self.check_commas(items)
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
            keys, values = self.check_flow_entries(keys, values)
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
                self.no_space(match[1], key.span, f"{match[1]}: {match[2]}...")
                continue
            entry = Entry(key, value)
            earlier = first.setdefault((type(key.value), key.value), entry)
            if earlier is not entry:
                fix = None
                if _alike(earlier.value, value):
                    fix = yamledits.dropped(key.span, value.span, entries[-1].value.span, start.flow_style)
                self.findings.error(
                    "duplicate-key", f"the key `{_short(key.text)}` stands here twice", key.span,
                    labels=[Label(earlier.key.span, "first here")], help="keep one of the two", fix=fix,
                )  # fmt: skip
                continue
            entries.append(entry)
        return Mapping(tuple(entries), span)

    # traps of flow style

    def check_flow_entries(self, keys: list[Tree], values: list[Tree]) -> tuple[list[Tree], list[Tree]]:
        """`{a: min(b, c)}` has the two keys `a` and `c)`, and `{a:1}` the key `a:1`: say what was meant."""
        kept_keys: list[Tree] = []
        kept_values: list[Tree] = []
        index = 0
        while index < len(keys):
            key, value = keys[index], values[index]
            parts = 1
            head = value if not _is_empty(value) else key
            if _open_brackets(head) > 0:
                following = range(index + 1, min(index + _MOST_PIECES, len(keys)))
                rest = [keys[i] if _is_empty(values[i]) else None for i in following]
                parts = _parts_of_call(head, rest)
                if parts > 1:
                    pieces = [head, *rest[: parts - 1]]
                    before = f"{_text(key)}: " if head is value else ""
                    self.comma(pieces, before)
            elif isinstance(key, Scalar) and key.plain and _is_empty(value) and (fixed := colon_trap(key.text)):
                self.no_space(key.text.partition(":")[0], key.span, fixed, whole=key.text)
            elif index and _is_number(key) and _is_empty(value) and _is_number(values[index - 1]):
                self.numbers(keys[index - 1], values[index - 1], key)
                index += 1
                continue
            kept_keys.append(key)
            kept_values.append(value)
            index += parts
        return kept_keys, kept_values

    def no_space(self, name: str, span: Span, meant: str, whole: str | None = None) -> None:
        """`{filters:64}` and `conv:{filters: 64}`."""
        message = f"`{_short(whole or name + ':')}` has no space after the colon"
        colon = Span(span.file, span.line, span.column + len(name) + 1, span.line, span.column + len(name) + 1)
        fix = Fix((Edit(colon, " "),), certain=True)
        self.findings.error("yaml-colon", message, span, help=f"write `{_short(meant)}`", fix=fix)

    def numbers(self, key: Tree, first: Tree, second: Tree) -> None:
        """`{kernel_size: 3, 3}`, where the second 3 is a key."""
        span = Span(self.file, first.span.line, first.span.column, second.span.end_line, second.span.end_column)
        meant = f"[{_text(first)}, {_text(second)}]"
        self.findings.error(
            "yaml-comma",
            f"the comma ends the value of `{_short(_text(key))}`, and `{_short(_text(second))}` is a key of its own",
            span,
            help=f"write `{_short(_text(key))}: {meant}`",
            fix=edits.wrapped(span, "[", "]"),
        )

    def check_commas(self, items: list[Tree]) -> None:
        index = 0
        while index < len(items):
            parts = 1
            if _open_brackets(items[index]) > 0:
                parts = _parts_of_call(items[index], items[index + 1 : index + _MOST_PIECES])
                if parts > 1:
                    self.comma(items[index : index + parts], "")
            index += parts

    def comma(self, pieces: Iterable[Tree | None], before: str) -> None:
        present = [piece for piece in pieces if piece is not None]
        call = _short(", ".join(map(_text, present)))
        start, end = present[0].span, present[-1].span
        span = Span(self.file, start.line, start.column, end.end_line, end.end_column)
        if call[0] == "(" and call[-1] == ")" and call.count("(") == 1:  # a list, as Python writes it
            meant = f"[{call[1:-1]}]"
            brackets = (
                Edit(edits.first(span, 1), "["),
                Edit(Span(self.file, span.end_line, span.end_column - 1, span.end_line, span.end_column), "]"),
            )
            message = f"`{call}` is no list: lists have square brackets"
            self.findings.error(
                "yaml-comma", message, span, help=f"write {before}{meant}", fix=Fix(brackets, certain=True)
            )
            return
        quotes = '"' if "'" in call else "'"
        self.findings.error(
            "yaml-comma",
            f"the comma splits `{call}` in two",
            span,
            help=f"quote the expression: {before}{quotes}{call}{quotes}",
            fix=edits.wrapped(span, quotes, quotes, certain=True),
        )


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


def _text(tree: Tree) -> str:
    return tree.text if isinstance(tree, Scalar) else ""


def _is_empty(tree: Tree) -> bool:
    return isinstance(tree, Scalar) and tree.plain and not tree.text


def _is_number(tree: Tree) -> bool:
    return isinstance(tree, Scalar) and isinstance(tree.value, int | float) and not isinstance(tree.value, bool)


def _open_brackets(tree: Tree | None) -> int:
    """How many `(` of plain text are not closed in it; negative for `)` too many."""
    return tree.text.count("(") - tree.text.count(")") if isinstance(tree, Scalar) and tree.plain else 0


def _parts_of_call(head: Tree, rest: list[Any]) -> int:
    """Into how many pieces the commas cut a call that begins in `head`; 1 if it does not end in `rest`."""
    balance = _open_brackets(head)
    for number, piece in enumerate(rest, 2):
        if not isinstance(piece, Scalar) or not piece.plain:
            break
        balance += _open_brackets(piece)
        if balance <= 0:
            return number
    return 1


_MOST_PIECES = 32
"""pieces of a call that are put together again, so that many a `(` without its `)` costs little"""

_KEY_AND_BRACKET = re.compile(r"([A-Za-z_][\w.]*):([\[{])")
_ONE_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*|-?[0-9]{1,9}(?:\.[0-9]{1,9})?")

_DIRECTIVE = re.compile(r"(?: *(?:#[^\n]*)?\n)*%")


def _naming(character: str) -> str:
    return f"the character U+{ord(character):04X} is not allowed"


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
