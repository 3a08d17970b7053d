"""Bounded reads and atomic writes: the only module of the core that touches the disk."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from resspec import limits


def _folder(installed: str, checkout: str) -> Path:
    """A folder of data that a wheel holds inside the package, and a source checkout beside it."""
    package = Path(__file__).resolve().parent
    inside = package / installed
    return inside if inside.is_dir() else package.parent / checkout


SHIPPED: Path = _folder("specs", "specs")
"""Folder of the specs that come with the package."""

EXPLAINED: Path = _folder("findings", "tests/findings")
"""Folder of the pages that explain findings, which are the cases that test them."""

_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_ENTER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class FileProblem(Exception):
    """A file that cannot be read or written.

    Codes: `file-not-found`, `file-escapes`, `file-not-regular`, `file-too-large`,
    `file-encoding`, `file-unreadable`, `output-problem`.
    """

    def __init__(self, code: str, message: str, help: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.help = help


def read_below(root: Path, name: str) -> tuple[Path, str]:
    """The path and text of the regular file `name` below the folder `root`, links not followed.

    `name` is relative, with `/` between its parts. Every part is opened relative to the folder
    before it, so that nothing that changes meanwhile can lead elsewhere. At most
    `limits.FILE_BYTES` bytes, UTF-8. Raises FileProblem.
    """
    if "\0" in name or name.startswith("/") or ".." in name.split("/"):
        raise FileProblem(
            "file-escapes", f"`{_shown(name)}` lies outside the folder of the spec", "name a file below that folder"
        )
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if not parts or name.endswith("/"):
        raise _not_regular(name)
    folder = -1
    try:
        folder = os.open(root, _ENTER)
        for part in parts[:-1]:
            deeper = os.open(part, _ENTER | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = deeper
        part = parts[-1]
        data = _read(os.open(part, _READ | os.O_NOFOLLOW, dir_fd=folder), name)
    except (OSError, UnicodeEncodeError) as error:
        if isinstance(error, OSError) and folder >= 0 and _is_link(part, folder):
            raise FileProblem(
                "file-escapes",
                f"`{_shown(name)}` leads through a symbolic link",
                "name the file itself, or copy it below the folder of the spec",
            ) from None
        raise _unreadable(error, name) from None
    finally:
        if folder >= 0:
            os.close(folder)
    return root.joinpath(*parts), _decoded(data, name)


def read_file(path: Path) -> str:
    """The text of a regular file that the user named: anywhere, at most `limits.FILE_BYTES` bytes, UTF-8.

    Raises FileProblem.
    """
    name = str(path)
    try:
        data = _read(os.open(path, _READ), name)
    except (OSError, ValueError) as error:  # ValueError: NUL or a lone surrogate in the name
        raise _unreadable(error, name) from None
    return _decoded(data, name)


def beside(path: Path, suffixes: tuple[str, ...] = (".yaml", ".yml")) -> list[str]:
    """Names of the YAML files in the folder of `path`, at most a thousand, for whoever looks for one in vain."""
    try:
        with os.scandir(path.parent) as entries:
            return [entry.name for entry, _ in zip(entries, range(1000), strict=False) if entry.name.endswith(suffixes)]
    except OSError:
        return []


def _read(descriptor: int, name: str) -> bytes:
    """All bytes of an open file, which is closed. Asks the open file, never the name, what it is."""
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise _not_regular(name)
        with open(descriptor, "rb", closefd=False) as file:
            data = file.read(limits.FILE_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(data) > limits.FILE_BYTES:
        raise FileProblem(
            "file-too-large",
            f"`{_shown(name)}` has more than {limits.FILE_BYTES} bytes",
            "split it into files that `use` imports",
        )
    return data


def _decoded(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FileProblem(
            "file-encoding",
            f"`{_shown(name)}` is not UTF-8: byte 0x{data[error.start]:02x} in line {line}",
            "save it as UTF-8",
        ) from None


def _is_link(part: str, folder: int) -> bool:
    """Only words the message; what was refused stays refused."""
    try:
        return stat.S_ISLNK(os.stat(part, dir_fd=folder, follow_symlinks=False).st_mode)
    except OSError:
        return False


def _unreadable(error: Exception, name: str) -> FileProblem:
    shown = _shown(name)
    if isinstance(error, FileNotFoundError | NotADirectoryError | ValueError):
        return FileProblem("file-not-found", f"there is no file `{shown}`")
    number = error.errno if isinstance(error, OSError) else None
    if number in (errno.ENXIO, errno.EISDIR):
        return _not_regular(name)
    reason = os.strerror(number).lower() if number else "it cannot be opened"
    return FileProblem("file-unreadable", f"`{shown}` cannot be read: {reason}")


def _not_regular(name: str) -> FileProblem:
    return FileProblem("file-not-regular", f"`{_shown(name)}` is not a regular file", "name a YAML file")


def _shown(name: str) -> str:
    """`name` fit for a message: printable, at most 200 characters."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name[:200])


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A path beside `path`, same suffix, for a new file that takes the place of `path` on success.

    Whoever writes it creates it, so its permissions are the usual ones. It is synced to disk, then
    renamed: `path` holds the old bytes or the new ones, never a mixture. After any exception the
    new file is removed and `path` is as before. Raises FileProblem `output-problem`.
    """
    target = Path(path)
    _check_target(target)
    temporary = target.with_name(f".{secrets.token_hex(8)}{target.suffix}")
    try:
        yield temporary
        descriptor = os.open(temporary, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, target)
    except OSError as error:
        reason = os.strerror(error.errno).lower() if error.errno else str(error)
        raise FileProblem("output-problem", f"`{_shown(str(target))}` cannot be written: {reason}") from error
    finally:
        temporary.unlink(missing_ok=True)


def _check_target(target: Path) -> None:
    shown = _shown(str(target))
    try:
        if not target.parent.is_dir():
            folder = _shown(str(target.parent))
            raise FileProblem("output-problem", f"the folder `{folder}` does not exist", "create it first")
        mode = os.stat(target).st_mode
    except FileNotFoundError:
        return
    except (OSError, ValueError):  # ValueError: NUL or a lone surrogate in the name
        raise FileProblem("output-problem", f"`{shown}` is not a usable file name") from None
    if stat.S_ISDIR(mode):
        raise FileProblem("output-problem", f"`{shown}` is a folder", "name a file in it")
    if not stat.S_ISREG(mode):  # replacing /dev/null would break the machine
        raise FileProblem("output-problem", f"`{shown}` is not a regular file")


def write_atomic(path: str | Path, data: bytes | str) -> None:
    """Write `data` (text as UTF-8) to `path` in one step, see `replacing`. Raises FileProblem `output-problem`."""
    content = data.encode() if isinstance(data, str) else data
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def sha256(data: bytes | str) -> str:
    """SHA-256 in hexadecimal, text as UTF-8."""
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()
