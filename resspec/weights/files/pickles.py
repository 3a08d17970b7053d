"""What a pickle says, without doing what it says.

A pickle is a program for a machine that can call anything in Python. This is another machine: it knows the
instructions that plain data needs, and of what a pickle may call it knows those names that PyTorch writes
into a state dict. It imports nothing and calls nothing but its own functions; any other name, and any other
instruction, is a finding.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resspec import limits
from resspec.weights.files.refusal import AGAIN, refused, shown


@dataclass(frozen=True, slots=True)
class Name:
    """Something in a module, by its name only."""

    text: str


@dataclass(frozen=True, slots=True)
class Persistent:
    """What a pickle keeps outside itself, such as a storage."""

    key: Any


KEYS = (str, int, float, bytes, type(None))
"""what a mapping keeps as keys; others, such as tuples, can nest without end"""
CONSTANTS: Mapping[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
LITERALS = frozenset(
    (
        *("BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT"),
        *("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
        *("BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
    )
)
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


class Machine:
    """Runs one pickle. What it may call are the `calls`, what else it may name are the `names`."""

    def __init__(self, path: Path, calls: Mapping[str, Callable[..., Any]], names: frozenset[str]) -> None:
        self.path, self.calls, self.names = path, calls, names
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def run(self, data: bytes) -> Any:
        """The value that the pickle describes. Raises SpecError, and ValueError if it is torn."""
        for count, (opcode, argument, _) in enumerate(pickletools.genops(data)):
            if count > limits.WEIGHT_STEPS:
                raise refused(f"the pickle in `{shown(self.path)}` has more than {limits.WEIGHT_STEPS:,} steps", AGAIN)
            if opcode.name == "STOP":
                return self._pop()
            self._step(opcode.name, argument)
        raise ValueError("the pickle has no end")

    def _step(self, name: str, argument: Any) -> None:
        if name in LITERALS:
            self.stack.append(argument)
            return
        if name in CONSTANTS:
            self.stack.append(CONSTANTS[name])
            return
        match name:
            case "BINPUT" | "LONG_BINPUT" | "MEMOIZE":
                self.memo[len(self.memo) if argument is None else argument] = self._top(object)
            case "BINGET" | "LONG_BINGET":
                self.stack.append(self.memo[argument])
            case "MARK":
                self.marks.append(len(self.stack))
            case "TUPLE":
                self.stack.append(tuple(self._marked()))
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                self.stack.append(tuple([self._pop() for _ in range(TUPLES[name])][::-1]))
            case "EMPTY_DICT":
                self.stack.append({})
            case "EMPTY_LIST":
                self.stack.append([])
            case "APPEND":
                value = self._pop()
                self._top(list).append(value)
            case "APPENDS":
                values = self._marked()
                self._top(list).extend(values)
            case "SETITEM":
                value, key = self._pop(), self._pop()
                self._put(key, value)
            case "SETITEMS":
                pairs = self._marked()
                for key, value in zip(pairs[::2], pairs[1::2], strict=True):
                    self._put(key, value)
            case "BINPERSID":
                self.stack.append(Persistent(self._pop()))
            case "GLOBAL":
                self.stack.append(self._named(*argument.split(" ", 1)))
            case "STACK_GLOBAL":
                text, module = self._pop(), self._pop()
                self.stack.append(self._named(module, text))
            case "REDUCE" | "NEWOBJ":
                arguments, called = self._pop(), self._pop()
                self.stack.append(self._called(called, arguments))
            case "BUILD":
                self._pop()  # attributes of what was made, such as the versions of modules
                self._top(object)
            case "POP":
                self._pop()
            case "POP_MARK":
                self._marked()
            case "PROTO" | "FRAME":
                pass
            case _:
                raise self._forbidden(f"uses the instruction `{name}`, which no state dict needs")

    def _pop(self) -> Any:
        if len(self.stack) <= (self.marks[-1] if self.marks else 0):
            raise ValueError("the pickle takes more than it has put down")
        return self.stack.pop()

    def _top(self, kind: type) -> Any:
        if not self.stack or not isinstance(self.stack[-1], kind):
            raise ValueError(f"the pickle expects a `{kind.__name__}` where there is none")
        return self.stack[-1]

    def _marked(self) -> list[Any]:
        """All since the last mark."""
        if not self.marks:
            raise ValueError("the pickle looks for a mark that is not there")
        start = self.marks.pop()
        found = self.stack[start:]
        del self.stack[start:]
        return found

    def _put(self, key: Any, value: Any) -> None:
        mapping = self._top(dict)
        if isinstance(key, KEYS):
            mapping[key] = value

    def _named(self, module: Any, text: Any) -> Name:
        name = f"{module}.{text}" if isinstance(module, str) and isinstance(text, str) else "?"
        if name not in self.calls and name not in self.names:
            raise self._forbidden(f"asks to run `{shown(name, 80)}`")
        return Name(name)

    def _called(self, called: Any, arguments: Any) -> Any:
        if not isinstance(called, Name) or not isinstance(arguments, tuple):
            raise ValueError("the pickle calls what is no function")
        if called.text not in self.calls:
            raise self._forbidden(f"asks to run `{shown(called.text, 80)}`")
        try:
            return self.calls[called.text](*arguments)
        except TypeError as error:
            raise ValueError(f"`{called.text}` is called in a way that PyTorch does not: {error}") from None

    def _forbidden(self, what: str) -> Exception:
        return refused(
            f"`{shown(self.path)}` {what}",
            "nothing of it was run; get the weights as safetensors, or, if you trust the file, load it with PyTorch"
            " and save its `state_dict()` alone",
            code="weights-code",
        )
