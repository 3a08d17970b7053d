"""What is read and what is written: blocks of other files, outputs, weights. Each test holds a row of SECURITY.md."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from resspec import api, files, limits
from resspec.cli import main

HEAD = "resspec: 1\ninputs: {x: [8, 8, 4]}\n"
LIBRARY = "resspec: 1\nblocks: {b: [relu]}\n"
SECRET = "resspec: 1\nblocks: {b: [{conv: 3}]}\n# hidden words\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder `specs` among things that no spec in it may read."""
    inside = tmp_path / "specs"
    (inside / "blocks").mkdir(parents=True)
    (inside / "blocks" / "lib.yaml").write_text(LIBRARY)
    for outside in (tmp_path / "secret.yaml", tmp_path / "specs-evil" / "secret.yaml"):
        outside.parent.mkdir(exist_ok=True)
        outside.write_text(SECRET)
    (inside / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    (inside / "linked").symlink_to(tmp_path / "specs-evil")
    (inside / "loop.yaml").symlink_to(inside / "loop.yaml")
    (inside / "inside.yaml").symlink_to(inside / "blocks" / "lib.yaml")
    (inside / "device.yaml").symlink_to("/dev/zero")
    os.mkfifo(inside / "fifo.yaml")
    os.mkfifo(inside / "blocks" / "fifo.yaml")
    monkeypatch.chdir(inside)
    return inside


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


# -- reading ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "../secret.yaml", "../specs-evil/secret.yaml", "blocks/../../secret.yaml", "./../secret.yaml", "..", "../",
        "TMP/secret.yaml", "TMP/specs/blocks/lib.yaml", "/etc/passwd", "/dev/zero", "//etc/passwd",
        "link.yaml", "linked/secret.yaml", "loop.yaml", "inside.yaml", "device.yaml", "fifo.yaml", "blocks/fifo.yaml",
        "blocks", "blocks/", ".", "~/secret.yaml", "file:///etc/passwd", "http://127.0.0.1/lib.yaml", "..\\secret.yaml",
        "%2e%2e/secret.yaml", "resspec:../pyproject.toml", "resspec:/etc/passwd", "resspec:..", "resspec:resspec:x",
        "n" * 4000, "a/" * 2000 + "a.yaml",
    ],
)  # fmt: skip
def test_no_block_comes_from_elsewhere(path: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: object, **__: object) -> None:
        raise AssertionError("a connection")

    monkeypatch.setattr(socket, "socket", no_network)
    path = path.replace("TMP", str(folder.parent))
    Path("net.yaml").write_text(HEAD + f"use: {{b: '{path}#b'}}\ngraph: [b]\n")
    done = api.check("net.yaml")
    (finding,) = [one for one in done.diagnostics if one.severity == "error"]
    assert finding.code in {"file-escapes", "file-not-found", "file-not-regular", "file-unreadable", "import-cycle"}
    assert finding.span is not None
    assert "hidden words" not in " ".join(done.sources.values())


def test_a_name_with_nul_is_refused_wherever_it_comes_from(folder: Path) -> None:
    with pytest.raises(files.FileProblem) as caught:
        files.read_below(folder, "blocks/lib.yaml\0.png")
    assert caught.value.code == "file-escapes"
    Path("net.yaml").write_text(HEAD + 'use: {b: "blocks/lib.yaml\\0.png#b"}\ngraph: [b]\n')
    assert [one.code for one in api.check("net.yaml").diagnostics] == ["yaml-character"]


def test_a_folder_exchanged_for_a_link_between_looking_and_reading_leads_nowhere(folder: Path) -> None:
    """Someone swaps `blocks` for a link to the outside, again and again, while it is read."""
    (folder.parent / "specs-evil" / "lib.yaml").write_text(SECRET)
    stop = threading.Event()

    def swap() -> None:
        real, link, place = folder / "real", folder / "evil", folder / "blocks"
        place.rename(real)
        link.symlink_to(folder.parent / "specs-evil")
        while not stop.is_set():
            link.rename(place)
            place.rename(link)
            real.rename(place)
            place.rename(real)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        for _ in range(3_000):
            with contextlib.suppress(files.FileProblem):
                assert "hidden words" not in files.read_below(folder, "blocks/lib.yaml")[1]
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("name", ["/dev/zero", "/dev/random", "fifo.yaml", "blocks", "loop.yaml", "a\0b.yaml"])
def test_files_without_an_end_are_refused_at_once(name: str, folder: Path) -> None:
    (finding,) = api.check(Path(name)).diagnostics
    assert finding.code in {"file-not-regular", "file-unreadable", "file-not-found"}


def test_a_file_that_grows_while_it_is_read_is_read_up_to_the_limit(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / "grows.yaml"
    path.write_text("#")
    original = os.fstat

    def grown(descriptor: int) -> os.stat_result:
        found = original(descriptor)
        with open(path, "ab") as file:  # after its size was asked for, if it was
            file.truncate(1 << 33)
        return found

    monkeypatch.setattr(os, "fstat", grown)
    with pytest.raises(files.FileProblem) as caught:
        files.read_file(path)
    assert caught.value.code == "file-too-large"


def test_files_that_use_each_other_and_too_many_files_are_findings(folder: Path) -> None:
    for one, two in (("a", "b"), ("b", "c"), ("c", "a")):
        Path(f"{one}.yaml").write_text(f"resspec: 1\nuse: {{{two}: {two}.yaml}}\nblocks: {{{one}: [{two}]}}\n")
    Path("net.yaml").write_text(HEAD + "use: {a: a.yaml}\ngraph: [a]\n")
    assert "import-cycle" in [one.code for one in api.check("net.yaml").diagnostics]
    names = [f"f{i}" for i in range(limits.FILES + 1)]
    for name in names:
        Path(f"{name}.yaml").write_text(f"resspec: 1\nblocks: {{{name}: [relu]}}\n")
    uses = ", ".join(f"{name}: {name}.yaml" for name in names)
    Path("many.yaml").write_text(HEAD + f"use: {{{uses}}}\ngraph: [{', '.join(names)}]\n")
    assert "too-many-files" in [one.code for one in api.check("many.yaml").diagnostics]


def test_a_long_chain_of_files_does_not_reach_pythons_limit(folder: Path) -> None:
    for i in range(300):
        Path(f"f{i}.yaml").write_text(f"resspec: 1\nuse: {{b: f{i + 1}.yaml}}\nblocks: {{c: [b]}}\n")
    Path("net.yaml").write_text(HEAD + "use: {b: f0.yaml#b}\ngraph: [b]\n")
    assert "too-many-files" in [one.code for one in api.check("net.yaml").diagnostics]


# -- writing ---------------------------------------------------------------------------------------

KILLS = """
import os, signal, sys, time
from pathlib import Path
sys.path[:0] = PATHS
from resspec import files

target, size = Path(sys.argv[1]), 3_000_000
target.write_bytes(b"a" * size)
for kill in range(100):
    child = os.fork()
    if child == 0:
        while True:
            for letter in (b"b", b"a"):
                files.write_atomic(target, letter * size)
    time.sleep(0.001 + kill % 20 * 0.0005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    content = target.read_bytes()
    assert len(content) == size and len(set(content)) == 1, "torn"
print(len(list(target.parent.glob(".*"))))
"""


def test_a_hundred_kills_in_mid_write_leave_no_torn_file(tmp_path: Path) -> None:
    code = KILLS.replace("PATHS", repr([path for path in sys.path if path]))
    command = [sys.executable, "-c", code, str(tmp_path / "net.svg")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    # what a killed process leaves is hidden and apart; it tells how many kills did hit a write
    assert int(done.stdout) > 10


SPEC = "resspec: 1\nname: net\nvariants: {v: {}}\nuse: {b: blocks/lib.yaml}\ninputs: {x: [8, 8, 4]}\ngraph: [b, {conv: 2}]\n"


@pytest.mark.parametrize(
    "spelling", ["net.yaml", "./net.yaml", "blocks/../net.yaml", "hard.yaml", "soft.yaml", "ABSOLUTE"]
)
@pytest.mark.parametrize("source", ["net.yaml", "./net.yaml@v"])
@pytest.mark.parametrize("command", [["expand"], ["expand", "--yaml"], ["schema"]])
def test_no_command_overwrites_its_own_input(command: list[str], source: str, spelling: str, folder: Path) -> None:
    Path("net.yaml").write_text(SPEC)
    os.link("net.yaml", "hard.yaml")
    Path("soft.yaml").symlink_to("net.yaml")
    out = str(folder / "net.yaml") if spelling == "ABSOLUTE" else spelling
    result = run(*command, source, "-o", out)
    assert result.exit_code == 2, result.output
    assert Path("net.yaml").read_text() == SPEC
    assert not Path("soft.yaml").is_file() or Path("soft.yaml").is_symlink()


def test_no_command_overwrites_a_file_that_its_input_uses(folder: Path) -> None:
    Path("net.yaml").write_text(SPEC)
    assert run("expand", "net.yaml", "-o", "blocks/lib.yaml").exit_code == 2
    assert Path("blocks/lib.yaml").read_text() == LIBRARY
    assert run("expand", "net.yaml", "-o", "other.json", "--json").exit_code == 0


def test_build_overwrites_neither_its_spec_nor_its_weights(folder: Path) -> None:
    Path("net.keras.json").write_text('{"resspec": 1, "inputs": {"x": [4]}, "graph": ["relu"]}')
    before = Path("net.keras.json").read_bytes()
    assert run("build", "./net.keras.json", "-o", "net.keras").exit_code == 2  # its sidecar would be that file
    Path("weights.keras").write_bytes(b"weights")
    Path("net.yaml").write_text(SPEC)
    assert run("build", "net.yaml", "-o", "weights.keras", "--weights", "weights.keras").exit_code == 2
    assert (Path("net.keras.json").read_bytes(), Path("weights.keras").read_bytes()) == (before, b"weights")


def test_new_overwrites_nothing_unless_told(folder: Path) -> None:
    Path("net.yaml").write_text(SPEC)
    assert run("new", "net.yaml").exit_code == 2
    assert run("new", "net.yaml", "--like", "unet").exit_code == 2
    assert Path("net.yaml").read_text() == SPEC


@pytest.mark.parametrize("name", ["../evil", "/TMP/evil", "a/b", "..", ".hidden", "con\\x", "$(id)", "x" * 300])
def test_the_name_of_a_network_is_no_path(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`build` without `-o` names the file after the network, in this folder, whatever a stranger called it."""
    from resspec import building

    targets: list[Path] = []

    def refuse(network: api.Network, target: Path, **_: object) -> None:
        targets.append(target)
        raise files.FileProblem("output-problem", "not in this test")

    monkeypatch.setattr(building, "run", refuse)
    written = name.replace("TMP", str(folder.parent)).replace("$", "$$")
    Path("net.yaml").write_text(f"resspec: 1\nname: '{written}'\ninputs: {{x: [4]}}\ngraph: [relu]\n")
    assert run("build", "net.yaml").exit_code in (1, 2)
    for target in targets:
        assert target.parent == Path()
        assert not target.name.startswith(".")


def test_what_is_no_regular_file_is_not_written_to(folder: Path) -> None:
    Path("net.yaml").write_text(SPEC)
    for out in ("/dev/null", "fifo.yaml", "nowhere/x.json"):
        assert run("expand", "net.yaml", "-o", out).exit_code in (1, 2)
    assert sorted(path.name for path in folder.glob(".*")) == []
