"""Inputs for `tools/fuzz.py`: texts that are nearly specs, specs that are nearly right, and right ones.

Everything comes from one `random.Random`, so that a seed and a number name an input for ever.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from fuzz_grammar import WORDS, Grammar
from fuzz_weights import Files

from resspec import yamltree
from resspec.diagnostics import SpecError
from resspec.flatten import flow

ROOT = Path(__file__).resolve().parent.parent
HEAD = "resspec: 1\ninputs: {image: [8, 8, 3]}\n"

TOKENS = (
    *("- ", "? ", ": ", ":", ",", "[", "]", "{", "}", "(", ")", "'", '"', "|", ">", "|-", "#", " #", "&a ", "*a", "! "),
    *("!!python/object/apply:os.system ", "!!map ", "<<: ", "---\n", "...\n", "%YAML 1.1\n", "\t", "\n", "\r", "\r\n"),
    *("\n  ", "\n\n", "  ", "~", "null", "true", "no", "$", "$(", "${", "$$", "$x", "`", "@", "\\", '"\\x00"', "\x00"),
    *('"\\ud800"', '"\\UFFFFFFFF"', '"\\e"', "\x1b[31m", "\u202e", "\u2028", "\ufeff", "\ufffe", "\ud800"),
    *("\U0010ffff", "é", "\u0301", "٣", "１", "\xa0", "\xad", "\x85"),
    *("10**9", "9**9**9", "-1", "0x7f", "0o7", "1e999", ".nan"),
    *("999999999999999999", "9" * 40, "repeat", "for", "do", "as", "from", "when", "match", "else", "let", "share"),
    *("in", "prev", "params", "blocks", "graph", "inputs", "checks", "defaults", "variants", "use", "output"),
)  # fmt: skip
"""what mutations of text put in"""


def seeds() -> list[str]:
    """The shipped specs, the specs with findings, and what was found before."""
    found = [path.read_text() for path in sorted((ROOT / "specs").rglob("*.yaml"))]
    for page in [*sorted((ROOT / "tests" / "findings").glob("*.md")), ROOT / "docs" / "language.md"]:
        for block in re.findall(r"^```yaml\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE):
            found.append(block if block.lstrip().startswith("resspec:") else HEAD + block)
    for path in sorted((ROOT / "tests" / "hostile").glob("*.yaml")):
        found.append(path.read_bytes().decode("utf-8", "replace"))
    return [text for text in found if len(text) < 5000]


class Inputs(Grammar):
    """Endless inputs for one target: `text`, `spec` or `legal` says how near to right they are; `weights` are files."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.texts = seeds()
        self.data = list(self._parsed())
        self.short = [text for text in self.texts if len(text) < 400]
        self.files = Files(self.random)

    def _parsed(self) -> Iterator[Any]:
        for text in self.texts:
            try:
                data = yamltree.to_data(yamltree.parse(text, "seed"))
            except SpecError:
                continue
            if isinstance(data, dict):
                yield data

    def weights(self) -> str:
        """A file of weights with its bytes changed, one character a byte."""
        return self.files.broken()

    # -- text ------------------------------------------------------------------------------------

    def text(self) -> str:
        """A piece of a spec with a few small changes, or mere tokens."""
        random = self.random
        if random.random() < 0.1:
            return "".join(random.choice(TOKENS) for _ in range(random.randrange(1, 40)))
        text = random.choice(self.short if random.random() < 0.8 else self.texts)
        if len(text) > 400:
            lines = text.split("\n")
            start = random.randrange(len(lines))
            text = "\n".join(lines[start : start + random.randrange(1, 12)])
        for _ in range(random.choice((1, 1, 2, 3, 8))):
            text = self.changed(text)
        return text

    def changed(self, text: str) -> str:
        """One change of a text."""
        random = self.random
        at = random.randrange(len(text) + 1)
        end = min(len(text), at + random.choice((1, 1, 2, 5, 20)))
        kind = random.randrange(7)
        if kind == 0:
            return text[:at] + text[end:]
        if kind == 1:
            return text[:at] + text[at:end] * random.choice((2, 2, 9)) + text[end:]
        if kind == 2:
            other = random.choice(self.short)
            start = random.randrange(len(other) + 1)
            return text[:at] + other[start : start + 40] + text[end:]
        if kind == 3:
            lines = text.split("\n")
            i, j = random.randrange(len(lines)), random.randrange(len(lines))
            lines[i], lines[j] = lines[j], random.choice(("", "", " ", "  ", "- ")) + lines[i]
            return "\n".join(lines)
        return text[:at] + random.choice(TOKENS) + text[at if kind < 6 else end :]

    # -- data ------------------------------------------------------------------------------------

    def spec(self) -> str:
        """A spec of the right form in which something is likely to be wrong."""
        random = self.random
        data = self.made() if random.random() < 0.5 else random.choice(self.data)
        for _ in range(random.choice((1, 1, 2, 4))):
            data = self.mutated(data)
        return written(data if isinstance(data, dict) else {"resspec": 1, "graph": data})

    def legal(self) -> str:
        """A spec that is mostly right: as written, or made, with a parameter or a number changed at most."""
        random = self.random
        if random.random() < 0.3:
            data = dict(random.choice(self.data))
            data["name"] = random.choice(WORDS).replace("$", "$$") or "n"
            return written(data)
        return written(self.made(tame=True))

    def mutated(self, data: Any) -> Any:
        """A copy of `data` with one part changed."""
        random = self.random
        paths = list(_paths(data))
        return _replaced(data, random.choice(paths), self._change)

    def _change(self, value: Any) -> Any:
        random = self.random
        kind = random.randrange(8)
        if kind == 0 and isinstance(value, dict) and value:
            gone = random.choice(list(value))
            return {key: item for key, item in value.items() if key != gone}
        if kind == 0 and isinstance(value, list) and value:
            at = random.randrange(len(value))
            return value[:at] + value[at + 1 :]
        if kind == 1 and isinstance(value, list) and value:
            at = random.randrange(len(value))
            return value[:at] + [value[at]] * random.choice((2, 3, 20)) + value[at:]
        if kind == 1 and isinstance(value, dict) and value:
            return {random.choice((key, random.choice(WORDS), "as", "match")): item for key, item in value.items()}
        if kind == 2 and isinstance(value, dict):
            return {**value, random.choice((*WORDS, "as", "from", "when", "let", "do")): self.value()}
        if kind in (3, 4):
            other = random.choice(self.data)
            return _at(other, random.choice(list(_paths(other))))
        if kind == 5:
            return self.expression()
        if kind == 6:
            return [value]
        return self.value()


def written(data: dict[str, Any]) -> str:
    """Data as a spec, a line for every step, so that findings have lines."""
    lines = []
    for key, value in data.items():
        if isinstance(value, list) and value:
            lines += [f"{flow(key)}:", *(f"  - {flow(item)}" for item in value)]
        else:
            lines.append(f"{flow(key)}: {flow(value)}")
    return "\n".join(lines) + "\n"


def _paths(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield from _paths(value, (*path, key))


def _at(data: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        data = data[key]
    return data


def _replaced(data: Any, path: tuple[Any, ...], change: Callable[[Any], Any]) -> Any:
    if not path:
        return change(data)
    found = dict(data) if isinstance(data, dict) else list(data)
    found[path[0]] = _replaced(data[path[0]], path[1:], change)
    return found
