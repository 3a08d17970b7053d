"""What unquoted YAML text means by the core schema of YAML 1.2, and which characters may not stand in a file."""

from __future__ import annotations

import math
import re
from typing import Union

ScalarValue = Union[None, bool, int, float, str]

_WORDS: dict[str, ScalarValue] = {"": None, "~": None}
_WORDS |= dict.fromkeys(("null", "Null", "NULL"), None)
_WORDS |= dict.fromkeys(("true", "True", "TRUE"), True) | dict.fromkeys(("false", "False", "FALSE"), False)
_NUMBER = re.compile(
    r"([-+]?[0-9]+)|(0o[0-7]+)|(0x[0-9a-fA-F]+)|[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
)
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_NUMBER_CHARS = 64
_INTEGER_DIGITS = 18


def plain_value(text: str) -> ScalarValue:
    """The value of unquoted text by the core schema of YAML 1.2; ValueError says what is wrong with a number."""
    if text[:1] not in _NUMBER_START:
        return _WORDS.get(text, text)
    match = _NUMBER.fullmatch(text)
    if match is None:
        if _NOT_FINITE.fullmatch(text):
            raise ValueError(f"`{text}` is not a finite number")
        return text
    if len(text) > _NUMBER_CHARS:
        raise ValueError(f"a number of {len(text)} characters is too long")
    if match.lastindex is None:
        value = float(text)
        if not math.isfinite(value):
            raise ValueError(f"`{text}` is too large for a float")
        return value
    integer = int(text, (10, 8, 16)[match.lastindex - 1])
    if abs(integer) >= 10**_INTEGER_DIGITS:
        raise ValueError(f"`{text}` has more than {_INTEGER_DIGITS} digits")
    return integer


_NUMBER_START = frozenset("+-.0123456789")

# All that is not printable, line breaks other than LF, and controls of the writing direction.
REFUSED = re.compile(
    "[^\n\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
    "|[\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069]"
)
