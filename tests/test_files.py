"""Reading stays below its root and within its bounds; writing is all or nothing."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

import pytest

from resspec import files, limits
from resspec.files import FileProblem


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "specs"
    (folder / "blocks").mkdir(parents=True)
    (folder / "net.yaml").write_text("resspec: 1\n")
    (folder / "blocks" / "se.yaml").write_text("blocks: {}\n")
    evil = tmp_path / "specs-evil"
    evil.mkdir()
    (evil / "secret.yaml").write_text("secret")
    (tmp_path / "secret.yaml").write_text("secret")
    return folder


@pytest.mark.parametrize("name", ["net.yaml", "./net.yaml", "blocks/se.yaml", "blocks//./se.yaml"])
def test_a_file_below_the_root_is_read(root: Path, name: str) -> None:
    path, text = files.read_below(root, name)
    assert path.read_text() == text


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("missing.yaml", "file-not-found"),
        ("net.yaml/x.yaml", "file-not-found"),
        ("\ud800.yaml", "file-not-found"),
        ("../secret.yaml", "file-escapes"),
        ("blocks/../net.yaml", "file-escapes"),
        ("../specs-evil/secret.yaml", "file-escapes"),
        ("/etc/passwd", "file-escapes"),
        ("net.yaml\0", "file-escapes"),
        ("link.yaml", "file-escapes"),
        ("linked/secret.yaml", "file-escapes"),
        ("inside.yaml", "file-escapes"),
        ("pipe.yaml", "file-not-regular"),
        ("blocks", "file-not-regular"),
        ("blocks/", "file-not-regular"),
        ("", "file-not-regular"),
        (".", "file-not-regular"),
        ("n" * 5000, "file-unreadable"),
        ("latin.yaml", "file-encoding"),
        ("large.yaml", "file-too-large"),
    ],
)
def test_everything_else_is_refused(root: Path, name: str, code: str) -> None:
    (root / "link.yaml").symlink_to(root.parent / "secret.yaml")
    (root / "linked").symlink_to(root.parent / "specs-evil")
    (root / "inside.yaml").symlink_to(root / "net.yaml")
    (root / "latin.yaml").write_bytes(b"name: 1\ndoc: caf\xe9\n")
    (root / "large.yaml").write_bytes(b"#" * (limits.FILE_BYTES + 1))
    os.mkfifo(root / "pipe.yaml")
    with pytest.raises(FileProblem) as caught:
        files.read_below(root, name)
    assert caught.value.code == code
    assert "secret" not in caught.value.message or "secret" in name
    assert caught.value.message.isprintable()


def test_a_missing_root_is_a_finding(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="there is no file"):
        files.read_below(tmp_path / "gone", "net.yaml")


def test_sockets_and_devices_are_not_read(tmp_path: Path) -> None:
    with pytest.raises(FileProblem) as caught:
        files.read_below(Path("/dev"), "zero")
    assert caught.value.code == "file-not-regular"
    with pytest.raises(FileProblem) as caught:
        files.read_file(Path("/dev/zero"))
    assert caught.value.code == "file-not-regular"


def test_the_line_of_a_bad_byte_is_named(root: Path) -> None:
    (root / "latin.yaml").write_bytes(b"name: 1\ndoc: caf\xe9\n")
    with pytest.raises(FileProblem, match="0xe9 in line 2"):
        files.read_below(root, "latin.yaml")


def test_a_byte_order_mark_is_dropped_once(root: Path) -> None:
    (root / "bom.yaml").write_bytes(b"\xef\xbb\xbf\xef\xbb\xbfa: 1")
    assert files.read_below(root, "bom.yaml")[1] == "\ufeffa: 1"


def test_a_file_of_exactly_the_limit_is_read(root: Path) -> None:
    (root / "large.yaml").write_bytes(b"#" * limits.FILE_BYTES)
    assert len(files.read_below(root, "large.yaml")[1]) == limits.FILE_BYTES


def test_a_file_that_the_user_names_may_be_a_link(root: Path) -> None:
    link = root.parent / "link.yaml"
    link.symlink_to(root / "net.yaml")
    assert files.read_file(link) == "resspec: 1\n"


@pytest.mark.parametrize(
    ("path", "code"),
    [("gone.yaml", "file-not-found"), ("blocks", "file-not-regular"), ("a\0b", "file-not-found")],
)
def test_a_file_that_the_user_names_must_be_readable(root: Path, path: str, code: str) -> None:
    with pytest.raises(FileProblem) as caught:
        files.read_file(root / path)
    assert caught.value.code == code


def test_no_descriptor_stays_open(root: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for name in ("net.yaml", "missing.yaml", "blocks", "blocks/se.yaml", "blocks/x/y.yaml"):
        with contextlib.suppress(FileProblem):
            files.read_below(root, name)
    assert len(os.listdir("/proc/self/fd")) == before


def test_writing_replaces_and_leaves_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "net.svg"
    files.write_atomic(target, "old")
    files.write_atomic(target, b"new")
    assert target.read_text() == "new"
    assert os.listdir(tmp_path) == ["net.svg"]


def test_a_new_file_has_the_usual_permissions(tmp_path: Path) -> None:
    usual = tmp_path / "usual"
    usual.write_text("")
    files.write_atomic(tmp_path / "ours", "x")
    assert stat.S_IMODE((tmp_path / "ours").stat().st_mode) == stat.S_IMODE(usual.stat().st_mode)


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit, ValueError])
def test_an_interrupted_write_changes_nothing(tmp_path: Path, interruption: type[BaseException]) -> None:
    target = tmp_path / "net.keras"
    target.write_text("old")
    with pytest.raises(interruption), files.replacing(target) as temporary:  # noqa: PT012
        assert temporary.parent == target.parent
        assert temporary.suffix == ".keras"
        temporary.write_text("half")
        raise interruption
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["net.keras"]


def test_unusable_targets_are_refused_before_writing(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for target in (
        tmp_path,
        tmp_path / "gone" / "x.svg",
        pipe,
        Path("/dev/null"),
        tmp_path / "a\0b",
        tmp_path / ("n" * 300),
    ):
        with pytest.raises(FileProblem) as caught:
            files.write_atomic(target, "x")
        assert caught.value.code == "output-problem"
    assert os.listdir(tmp_path) == ["pipe"]


def test_a_writer_that_writes_nothing_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="cannot be written"), files.replacing(tmp_path / "x.svg"):
        pass


def test_the_shipped_specs_are_there() -> None:
    assert files.SHIPPED.is_dir()


def test_sha256_of_text_is_that_of_its_bytes() -> None:
    assert files.sha256("é") == files.sha256("é".encode())
    assert files.sha256("").startswith("e3b0c44298fc1c14")
