"""How readers of weights refuse: a finding that says what is wrong and what to do, never a traceback."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from resspec import limits
from resspec.diagnostics import Diagnostic, SpecError

AGAIN = "get the file again: it is damaged, or it was made to look like one"


def refused(message: str, help: str | None = None, code: str = "weights-refused") -> SpecError:
    return SpecError([Diagnostic(code, message, help=help)])


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Errors of the libraries that read become findings, in the first line of their words."""
    try:
        yield
    except (
        OSError,
        KeyError,
        ValueError,
        TypeError,
        RuntimeError,  # also what h5py has not implemented, and what is nested too deeply
        EOFError,
        OverflowError,
        MemoryError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        words = str(error)
        if isinstance(error, OSError) and error.strerror:
            words = error.strerror.lower()
        elif isinstance(error, KeyError) and error.args:
            words = str(error.args[0])
        told = shown(words.splitlines()[0].rstrip(". "), 200) if words.strip(". \n") else type(error).__name__
        raise refused(f"`{shown(path)}` cannot be read: {told}", AGAIN) from None


def bounded(total: int, size: int, path: Path) -> None:
    """Refuse arrays of `total` bytes in a file of `size` bytes, which cannot hold as many."""
    most = limits.WEIGHT_GROWTH * size + limits.WEIGHT_SLACK
    if total > most:
        raise refused(
            f"`{shown(path)}` has {size:,} bytes and unpacks to {total:,}, the limit is {most:,}",
            "if it is what you want, unpack it and save it again without compression",
        )


def shown(text: object, most: int = 120) -> str:
    """Words of a file fit for a message: printable, not endless."""
    whole = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(text)[: most + 1])
    return whole if len(whole) <= most else f"{whole[:most]}…"
