"""Patterns of a weights map: `stage{s}/unit{u}/conv` on our side, `layer{s}.{u}.conv1` on theirs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from resspec.language.expressions import Expression, ExpressionError, Lookup, Value, parse_expression

_TOKEN = re.compile(r"\{([A-Za-z]\w*)(?:\*([^{}]+))?\}|\*\*/|\*\*|\*")
_HOLE = re.compile(r"\{([^{}]*)\}")
_FORMS = ("a", "A")
MOST = 8
"""numbers of one pattern"""
_ORDERED = re.compile(r"(?P<stem>[^#]+)#(?P<rank>\{[^{}]*\})")


class PatternError(Exception):
    """A pattern that cannot be read; `start` and `length` say where in its text."""

    def __init__(self, message: str, start: int = 0, length: int = 0, help: str | None = None) -> None:
        super().__init__(message)
        self.message, self.start, self.length, self.help = message, start, length, help


@dataclass(frozen=True, slots=True)
class Ours:
    """Our side: `{s}` is a number and binds it, `*` a part of one level of a path, `**` any levels.

    `{k*inner/}` is `inner/` as often as it stands there and binds how often: the levels of a block that calls itself.
    """

    text: str
    names: frozenset[str]
    _regex: re.Pattern[str]
    _repeated: Mapping[str, str] = field(hash=False)

    def match(self, path: str) -> dict[str, int] | None:
        """The numbers that `path` binds; None if it does not fit."""
        found = self._regex.fullmatch(path)
        if found is None:
            return None
        again = self._repeated
        bound = found.groupdict().items()
        return {name: len(text) // len(again[name]) if name in again else int(text) for name, text in bound}


@dataclass(frozen=True, slots=True)
class Theirs:
    """Their side: text with expressions in braces, `{s+1}`; `{u:a}` writes 0 as `a`."""

    text: str
    _parts: tuple[str | tuple[int, Expression, str], ...]

    @property
    def likeness(self) -> str:
        """A regular expression of the names that the expressions could make, with numbers or words."""
        return "".join(re.escape(part) if isinstance(part, str) else "(?:[0-9]++|[A-Za-z]++)" for part in self._parts)

    def resembles(self, name: str) -> bool:
        """Whether the expressions could make this name."""
        return re.fullmatch(self.likeness, name) is not None

    @property
    def names(self) -> frozenset[str]:
        return frozenset[str]().union(*(part[1].names for part in self._parts if not isinstance(part, str)))

    def evaluate(self, lookup: Lookup) -> str:
        """The name. Raises PatternError if an expression has no value, or none that can stand in a name."""
        return "".join(part if isinstance(part, str) else _written(*part, lookup) for part in self._parts)


def ours(text: str) -> Ours:
    """Raises PatternError."""
    names: set[str] = set()
    repeated: dict[str, str] = {}
    segments, position, last = [("", "")], 0, ""
    for token in _TOKEN.finditer(text):
        literal, name, again = _literal(text, position, token.start()), token[1], token[2]
        position = token.end()
        star, segment = segments[-1]
        if name and last == "number" and not literal and not again:
            raise PatternError("two numbers side by side cannot be told apart", token.start(), len(token[0]))
        if name:
            what = r"\d{1,9}" if again is None else f"(?:{re.escape(again)})*+"
            group = f"(?P={name})" if name in names else f"(?P<{name}>{what})"
            segments[-1] = (star, segment + literal + group)
            names.add(name)
            if again is not None:
                repeated[name] = again
        else:
            segments[-1] = (star, segment + literal)
            segments.append((token[0], ""))
        last = "number" if name and again is None else "star"
    if len(names) > MOST:
        raise PatternError(f"a pattern has at most {MOST} numbers, got {len(names)}", 0, len(text))
    star, segment = segments[-1]
    segments[-1] = (star, segment + _literal(text, position, len(text)))
    return Ours(text, frozenset(names), _compiled(segments), repeated)


_STARS = {"": "", "*": "[^/]*?", "**": ".*?", "**/": "(?:.*?/)??"}


def _compiled(segments: list[tuple[str, str]]) -> re.Pattern[str]:
    """Segments, each after a star: the first place where one fits is taken for good, so that matching takes no time.

    What a star passes over is as short as it can be: `*{k}` binds all digits of `conv12`.
    """
    *middle, (star, segment) = segments
    pieces = [f"(?>{_STARS[before]}{piece})" if before else piece for before, piece in middle]
    return re.compile("".join([*pieces, _STARS[star], segment]), re.ASCII | re.DOTALL)


def theirs(text: str) -> Theirs:
    """Raises PatternError."""
    parts: list[str | tuple[int, Expression, str]] = []
    position = 0
    for hole in _HOLE.finditer(text):
        parts.append(_plain(text, position, hole.start()))
        position = hole.end()
        inside, _, form = hole[1].partition(":")
        if form and form not in _FORMS:
            raise PatternError(f"`{form}` is no form of a number", hole.start(), len(hole[0]), "`{n:a}` writes letters")
        try:
            parts.append((hole.start() + 1, parse_expression(inside), form))
        except ExpressionError as error:
            raise PatternError(error.message, hole.start() + 1 + error.offset, error.length, error.help) from None
    parts.append(_plain(text, position, len(text)))
    return Theirs(text, tuple(part for part in parts if part))


def ordered(text: str) -> tuple[str, str] | None:
    """`conv2d#{nth}` as (`conv2d`, `{nth}`): the layer of that rank among those that Keras numbered; None otherwise."""
    found = _ORDERED.fullmatch(text)
    return (found["stem"], found["rank"]) if found else None


def glob(text: str) -> re.Pattern[str]:
    """A name with `*` for any characters, as `--allow` and `ignore` take it."""
    first, *rest = map(re.escape, text.split("*"))
    return _compiled([("", first), *(("**", piece) for piece in rest)])


def below(text: str) -> re.Pattern[str]:
    """A path with `*`, as `--allow` and `--adapt` take it: the step there, and the steps below it."""
    return re.compile(f"(?:{glob(text).pattern})(?:/.*)?", re.DOTALL)


def _literal(text: str, start: int, end: int) -> str:
    piece = text[start:end]
    brace = next((i for i, character in enumerate(piece) if character in "{}"), None)
    if brace is not None:
        raise PatternError(
            "on our side braces hold the name of a number",
            start + brace,
            1,
            "write `{s}`; what is computed of it stands on the other side",
        )
    return re.escape(piece)


def _plain(text: str, start: int, end: int) -> str:
    piece = text[start:end]
    brace = next((i for i, character in enumerate(piece) if character in "{}"), None)
    if brace is not None:
        raise PatternError("this brace has no partner", start + brace, 1, "write `{expression}`")
    return piece


def _written(start: int, expression: Expression, form: str, lookup: Lookup) -> str:
    try:
        value: Value = expression.evaluate(lookup)
    except ExpressionError as error:
        raise PatternError(error.message, start + error.offset, error.length, error.help) from None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | str):
        message = f"`{expression.text}` is no number or word"
        raise PatternError(message, start, len(expression.text))
    if not form:
        return str(value)
    if not isinstance(value, int) or not 0 <= value < 26:
        raise PatternError(f"`{expression.text}` is {value}, which is no letter", start, len(expression.text))
    return chr(ord(form) + value)


def ranks(stem: str, layers: Mapping[str, object]) -> Iterator[str]:
    """The layers called `stem`, `stem_1`, `stem_2`, ..., in the order of their numbers."""
    numbered = re.compile(rf"{re.escape(stem)}(?:_(\d{{1,9}}))?", re.ASCII)
    found = [(int(match[1] or 0), name) for name in layers if (match := numbered.fullmatch(name))]
    return (name for _, name in sorted(found))
