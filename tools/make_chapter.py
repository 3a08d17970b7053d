"""Make `docs/residual-networks.md` from `tools/chapter.md`: `make chapter`.

Every command in the template is run as it stands there; what is between double braces is replaced by what came out.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import platform
import re
import shlex
import sys
import textwrap
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from click.testing import CliRunner

import resspec
from resspec.cli import main as cli

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "tools" / "chapter.md"
PAGE = ROOT / "docs" / "residual-networks.md"
FOLDER = ROOT / "docs" / "residual-networks"

COMMAND = re.compile(r"^\$ resspec ((?:.*\\\n)*.*)", re.MULTILINE)
FIELD = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


class Found:
    """What a probe gave: `found("error", network="x", depth=5)` is a number from whichever table has these columns."""

    def __init__(self, result: dict[str, Any], seconds: float) -> None:
        self.result, self.seconds = result, seconds

    def __call__(self, column: str, **where: Any) -> Any:
        return self.all(column, **where)[0]

    def all(self, column: str, **where: Any) -> list[Any]:
        for table in self.result["tables"]:
            names = [one["name"] for one in table["columns"]]
            if {column, *where} <= set(names):
                rows = [dict(zip(names, row)) for row in table["rows"]]
                found = [row[column] for row in rows if all(row[key] == value for key, value in where.items())]
                if found:
                    return found
        raise LookupError(f"{self.result['probe']} has no `{column}` where {where}")

    def verdict(self, k: int = 0) -> str:
        text: str = self.result["verdicts"][k]["text"]
        return text


def percent(share: float, digits: int = 1) -> str:
    return f"{100 * share:.{digits}f}%"


def spread(found: Found, **where: Any) -> str:
    """A mean error, and the least and the greatest of the seeds."""
    error, least, most = (found(column, **where) for column in ("error", "least", "most"))
    return f"{percent(error)} ({100 * least:.1f} to {100 * most:.1f})"


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def number(value: float, digits: int = 3) -> str:
    """Rounded to some digits, as people write it."""
    if value == 0:
        return "0"
    rounded = float(f"{value:.{digits}g}")
    if abs(rounded) >= 1e6 or abs(rounded) < 1e-3:
        mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
        return f"{mantissa} x 10^{int(exponent)}"
    return f"{rounded:,.0f}" if abs(rounded) >= 100 else f"{rounded:g}"


def params(spec: str, **settings: Any) -> str:
    return f"{resspec.load(spec, **settings).summary().params.trainable:,}"


def macs(spec: str, **settings: Any) -> float:
    found = resspec.load(spec, **settings).summary().macs
    assert found is not None
    return float(found)


def command(line: str, say: Callable[[str], None], kept: Path | None = None) -> tuple[str, Found | None]:
    """Run one command; the stem of what it writes, and its result if it is a probe.

    Results are kept in the folder `kept`, and taken from there instead of being measured again.
    """
    arguments = shlex.split(line.replace("\\\n", " "))
    probe = arguments[0] == "probe"
    stem = Path(arguments[arguments.index("-o") + 1]).stem
    file = kept / f"{stem}-{hashlib.sha256(line.encode()).hexdigest()[:8]}.json" if kept is not None else None
    if probe and file is not None and file.exists():
        return stem, Found(**json.loads(file.read_text()))
    say(f"resspec {' '.join(arguments)}")
    started = time.perf_counter()
    done = CliRunner().invoke(cli, [*arguments, *(["--json"] if probe else [])], catch_exceptions=False)
    if done.exit_code:
        raise SystemExit(f"resspec {line}\n{done.output}")
    seconds = time.perf_counter() - started
    say(f"    {seconds:.0f} s")
    if not probe:
        return stem, None
    result = {"result": json.loads(done.stdout), "seconds": seconds}
    if file is not None:
        file.write_text(json.dumps(result))
    return stem, Found(**result)


def page(text: str, say: Callable[[str], None], kept: Path | None = None) -> str:
    """The template with its commands run and its fields filled in."""
    import keras

    found: dict[str, Found] = {}
    for match in COMMAND.finditer(text):
        stem, result = command(match[1], say, kept)
        if result is not None:
            found[stem.replace("-", "_")] = result
    names = {
        **found, "percent": percent, "number": number, "spread": spread, "mean": mean, "pi": math.pi, "params": params,
        "macs": macs, "keras": keras.__version__,
        "backend": keras.backend.backend(), "cores": os.cpu_count(), "python": platform.python_version(),
        "minutes": math.ceil(sum(one.seconds for one in found.values()) / 60),
    }  # fmt: skip
    filled = FIELD.sub(lambda match: str(eval(match[1].strip(), dict(names))), text)  # our own file
    return "\n\n".join(map(wrapped, filled.split("\n\n")))


def wrapped(part: str) -> str:
    """A paragraph broken into lines anew; all else as it is."""
    if re.match(r"[|#!`$]|    ", part) or "```" in part:
        return part
    return textwrap.fill(
        " ".join(part.split()), 120, break_long_words=False, break_on_hyphens=False
    ) + "\n" * part.endswith("\n")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="run only commands that contain this, and write no page")
    parser.add_argument("--keep", type=Path, help="a folder for results, which are not measured again")
    chosen = parser.parse_args(arguments)
    if chosen.keep is not None:
        chosen.keep.mkdir(parents=True, exist_ok=True)
    os.chdir(ROOT)
    FOLDER.mkdir(exist_ok=True)
    text = TEMPLATE.read_text()
    if chosen.only:
        for match in COMMAND.finditer(text):
            if chosen.only in match[1]:
                command(match[1], print, chosen.keep)
        return
    started = time.perf_counter()
    made = page(text, lambda line: print(line, flush=True), chosen.keep)
    PAGE.write_text(made)
    print(f"{PAGE.relative_to(ROOT)} in {(time.perf_counter() - started) / 60:.1f} minutes", file=sys.stderr)


if __name__ == "__main__":
    main()
