"""Hostile files of weights: whatever stands in them, a finding comes out, nothing is run, and it takes no time."""

from __future__ import annotations

import json
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torchzip
from modelling import refusal

from resspec import limits
from resspec.diagnostics import Diagnostic
from resspec.weights.archive import open_archive
from resspec.weights.files import hdf5 as files_hdf5
from resspec.weights.files import pickles

ONES = torchzip.dense("0", np.ones((2, 3), "float32"))


def refused(path: Path) -> Diagnostic:
    """What is said of a file, which is one finding with a remedy."""
    finding = refusal(open_archive, path)
    assert finding.code.startswith("weights-")
    assert finding.help
    assert not finding.message.endswith(".")
    return finding


# -- pickles ---------------------------------------------------------------------------------------


class Evil:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.marker),)


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize(
    "around", [lambda evil: evil, lambda evil: {"state_dict": {"a": evil}}], ids=["bare", "within"]
)
def test_a_pickle_runs_nothing(protocol: int, around: Callable[[Any], Any], tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    torchzip.pack(tmp_path / "a.pth", {"data.pkl": pickle.dumps(around(Evil(marker)), protocol)})
    finding = refused(tmp_path / "a.pth")
    assert finding.code == "weights-code"
    assert protocol < 2 or f"asks to run `{os.mkdir.__module__}.mkdir`" in finding.message
    assert not marker.exists()


@pytest.mark.parametrize(
    ("pickled", "said"),
    [
        (b"cos\nsystem\n(X\x02\0\0\0lstR.", "`os.system`"),
        (b"\x80\x04\x8c\x05posix\x8c\x06system\x93.", "`posix.system`"),
        (b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93\x8c\x011\x85R.", "`builtins.eval`"),
        (b"ctorch.serialization\nload\n.", "`torch.serialization.load`"),
        (b"ctorch\nhub.load\n.", "`torch.hub.load`"),
        (b"ctorch._utils\n_rebuild_tensor_v2.__globals__\n.", "__globals__`"),
        (b"ctorch\nFloatStorage\n)R.", "`torch.FloatStorage`"),
        (b"(X\x02\0\0\0lsios\nsystem\n.", "`INST`"),
        (b"(cos\nsystem\no.", "`os.system`"),
        (b"\x80\x02\x82\x01.", "`EXT1`"),
        (b"\x80\x05\x97.", "`NEXT_BUFFER`"),
        (b"S'a'\n.", "`STRING`"),
        (b"Pname\n.", "`PERSID`"),
    ],
)
def test_what_a_pickle_asks_for_is_named(pickled: bytes, said: str, tmp_path: Path) -> None:
    finding = refused(torchzip.pack(tmp_path / "a.pth", {"data.pkl": pickled}))
    assert finding.code == "weights-code"
    assert said in finding.message


@pytest.mark.parametrize(
    "pickled",
    [
        b"",
        b".",
        b"}",
        b"R.",
        b"t.",
        b"u.",
        b"a.",
        b"h\x07.",
        b"q\0.",
        b"(}u.",
        b"}(K\1u.",
        b"K\1K\2s.",
        b"K\1K\2a.",
        b"K\1Q.",
        b"K\1)R.",
        b"b.",
        b"(1.",
        b"0.",
        b"\x80\x09.",
        b"\x85.",
        b"\x93.",
        b"N\x8a\xff" + b"\1" * 10,
        b"X\xff\xff\xff\xffabc.",
        b"X\2\0\0\0\xff\xfe.",
        b"\x8d" + b"\xff" * 8 + b".",
        b"ccollections\nOrderedDict\nK\1\x85R.",
        b"ccollections\nOrderedDict\n(K\1K\2K\3tR.",
        b"ctorch._utils\n_rebuild_tensor_v2\n)R.",
        b"ctorch._tensor\n_rebuild_from_type_v2\n(NNNNtR.",
        b"\xf0.",
    ],
)
def test_torn_pickles_are_findings(pickled: bytes, tmp_path: Path) -> None:
    refused(torchzip.pack(tmp_path / "a.pth", {"data.pkl": pickled}))


def test_a_pickle_ends_by_its_steps_whatever_it_builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Doublings by the memo cost nothing as long as nobody walks through them; nesting is not walked through either."""
    doubled = b"]" + b"".join(b"q" + bytes([n]) + b"0](h" + bytes([n]) + b"h" + bytes([n]) + b"e" for n in range(100))
    state = b"\x80\x02}(X\1\0\0\0a" + torchzip.Pickler().value(ONES)
    for junk in (doubled, b")" + b"\x85" * 100_000, b"]" * 10 + b"](]" * 20_000 + b"e" * 20_000 + b"0" * 10):
        members = {"data.pkl": state + b"X\1\0\0\0b" + junk + b"u.", "data/0": bytes(24)}
        with open_archive(torchzip.pack(tmp_path / "a.pth", members)) as archive:
            assert list(archive.by_name) == ["a"]
    members["data.pkl"] = b"\x80\x02}(" + b")" * 3 + b"\x85" * 1000 + b"NX\1\0\0\0a" + b"N" * 0 + b"u."
    monkeypatch.setattr(limits, "WEIGHT_STEPS", 500)
    assert "more than 500 steps" in refused(torchzip.pack(tmp_path / "a.pth", members)).message


def test_a_mapping_within_itself_ends(tmp_path: Path) -> None:
    pickled = b"\x80\x02}q\0(X\5\0\0\0modelh\0u."
    assert "holds none" in refused(torchzip.pack(tmp_path / "a.pth", {"data.pkl": pickled})).message


def test_every_instruction_is_known_or_refused(tmp_path: Path) -> None:
    machine = pickles.Machine(tmp_path, {}, frozenset())
    known = 0
    for opcode in pickles.pickletools.opcodes:
        machine.stack, machine.marks = [[], {}, "k", 1], [1]
        try:
            machine._step(opcode.name, None)
            known += 1
        except Exception as error:
            assert type(error).__name__ in ("SpecError", "ValueError", "KeyError", "AttributeError")
    assert known < 45


# -- tensors ---------------------------------------------------------------------------------------

NUMBERS = torchzip.Storage("0", np.arange(6, dtype="float32"), "float32")


@pytest.mark.parametrize(
    ("view", "said"),
    [
        ((0, (2, 4), (4, 1)), "beyond its storage of 6 numbers"),
        ((5, (2,), (1,)), "beyond"),
        ((1 << 62, (1,), (1,)), "beyond"),
        ((0, (2,), (1 << 62,)), "beyond"),
        ((0, (1 << 62, 1 << 62), (1 << 62, 1)), "beyond"),
        ((0, (1_000_000, 1_000_000), (0, 0)), "unpacks to 4,000,000,000,000"),
        ((-1, (2,), (1,)), "no sizes"),
        ((0, (-2,), (1,)), "no sizes"),
        ((0, (2,), (-1,)), "no sizes"),
        ((0, (2, 3), (1,)), "no sizes"),
        ((0, (2.0,), (1,)), "no sizes"),
        ((0, (True,), (1,)), "no sizes"),
        ((0, [2], (1,)), "no sizes"),
        (("0", (2,), (1,)), "no sizes"),
        ((0, (1 << 70,), (0,)), "no sizes"),
        ((0, (1,) * 40, (1,) * 40), "beyond"),
    ],
)
def test_a_view_stays_within_its_storage(view: tuple[Any, Any, Any], said: str, tmp_path: Path) -> None:
    path = torchzip.write(tmp_path / "a.pth", {"a": torchzip.View(NUMBERS, *view)})
    finding = refused(path)
    assert said in finding.message
    assert "`a`" in finding.message or "unpacks" in finding.message


def test_storages_are_in_the_file_and_as_large_as_they_are(tmp_path: Path) -> None:
    pickler = torchzip.Pickler()
    pickled = pickler.dumps({"a": torchzip.View(NUMBERS, 0, (6,), (1,))})
    for members, said in (
        ({}, "the storage `0`, which is not in the file"),
        ({"data/0": bytes(20)}, "beyond its storage of 5 numbers"),
        ({"data/1": bytes(24)}, "not in the file"),
    ):
        assert said in refused(torchzip.pack(tmp_path / "a.pth", {"data.pkl": pickled, **members})).message
    for key in ("../../a", "0\0", "", "data.pkl"):
        odd = torchzip.View(torchzip.Storage(key, NUMBERS.numbers, "float32"), 0, (6,), (1,))
        members = {"data.pkl": torchzip.Pickler().dumps({"a": odd}), "data/0": bytes(24)}
        assert "not in the file" in refused(torchzip.pack(tmp_path / "a.pth", members)).message


@pytest.mark.parametrize("kind", ["ComplexFloatStorage", "QInt8Storage", "float8_e4m3fn"])
def test_numbers_that_are_not_read_are_named(kind: str, tmp_path: Path) -> None:
    odd = torchzip.View(torchzip.Storage("0", np.arange(6.0), kind), 0, (2,), (1,))
    assert f"the type `{kind}`" in refused(torchzip.write(tmp_path / "a.pth", {"a": odd})).message


@pytest.mark.parametrize("name", ["", "\ud800", "a\nb", "\x1b[31m", "\u202e", "x" * 600])
def test_names_that_are_none_are_refused(name: str, tmp_path: Path) -> None:
    refused(torchzip.write(tmp_path / "a.pth", {name: ONES}))
    if name and name != "\ud800":
        np.savez(tmp_path / "a.npz", **{name: np.ones(3)})
        refused(tmp_path / "a.npz")


# -- ZIP files -------------------------------------------------------------------------------------


def test_zip_files_claim_what_they_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.npy", "w") as member:
        for _ in range(limits.WEIGHT_SLACK // (1 << 20) + 40):
            member.write(bytes(1 << 20))
    assert "unpacks to" in refused(path).message
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", b"")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.npy", b"")
    assert "two members called `a.npy`" in refused(path).message
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a.npy", b"")
    assert "compresses `a.npy`" in refused(path).message
    np.savez(path, a=np.ones(3))
    data = path.read_bytes()
    at = data.index(b"PK\1\2")
    path.write_bytes(data[: at + 8] + b"\1" + data[at + 9 :])
    assert "encrypted" in refused(path).message
    monkeypatch.setattr(limits, "WEIGHT_PARTS", 20)
    for count, said in ((50, "more than 20 members"), (2000, "table of contents")):
        with zipfile.ZipFile(path, "w") as archive:
            for number in range(count):
                archive.writestr(f"{number}.npy", b"")
        assert said in refused(path).message


def test_members_that_share_bytes_are_refused(tmp_path: Path) -> None:
    """One member listed many times under different names unpacks to more than there is."""
    path = tmp_path / "a.npz"
    np.savez(path, a=np.ones(3))
    data = path.read_bytes()
    start, end = data.index(b"PK\1\2"), data.index(b"PK\5\6")
    entry = data[start:end]
    entries = entry + entry.replace(b"a.npy", b"b.npy")
    tail = bytearray(data[end:])
    struct.pack_into("<HHI", tail, 8, 2, 2, len(entries))
    path.write_bytes(data[:start] + entries + tail)
    assert "overlap" in refused(path).message


def test_zip_files_of_other_things_are_refused(tmp_path: Path) -> None:
    for members in ({}, {"a.txt": b"hello"}, {"a.npy": b"", "b.txt": b""}):
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            for name, data in members.items():
                archive.writestr(name, data)
        refused(tmp_path / "a.zip")


# -- safetensors -----------------------------------------------------------------------------------


def safetensors(path: Path, header: Any, data: bytes = bytes(8)) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def entry(dtype: Any = "F32", shape: Any = (2,), place: Any = (0, 8)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": place}


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ({"a": entry("F8_E4M3", [8])}, "the type `F8_E4M3`"),
        ({"a": entry(None)}, "the type `None`"),
        ({"a": entry(shape=[3])}, "another size"),
        ({"a": entry(shape=[1 << 40], place=[0, 1 << 42])}, "and 8 are there"),
        ({"a": entry(shape=[-2])}, "no shape"),
        ({"a": entry(shape=[2.0])}, "no shape"),
        ({"a": entry(shape=[True, 2])}, "no shape"),
        ({"a": entry(shape=[1] * 40 + [2])}, "no shape"),
        ({"a": entry(shape=[10**30])}, "no shape"),
        ({"a": entry(shape="22")}, "no shape"),
        ({"a": entry(place=[8, 0])}, "another size"),
        ({"a": entry(place=[4, 12])}, "does not begin"),
        ({"a": entry(place=[0])}, "no shape or place"),
        ({"a": [1, 2]}, "no shape"),
        ({"a": entry(shape=[1], place=[0, 4])}, "have 4 bytes, and 8 are there"),
        ({"a": entry(shape=[1], place=[0, 4]), "b": entry(shape=[2], place=[0, 8])}, "does not begin"),
        ({"": entry()}, "empty name"),
        ([1], "no file of weights"),
        (b'{"a": ' + b"[" * 100_000, "cannot be read"),
        (b'{"a": 1e', "cannot be read"),
        (b'{"a": ' + b"9" * 10_000 + b"}", "cannot be read"),
        (b'{"\xff": 1}', "cannot be read"),
        (b'{"a": {"dtype": "F32", "dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}', "a name twice"),
    ],
)
def test_headers_of_safetensors_are_held_to_the_bytes_there_are(header: Any, said: str, tmp_path: Path) -> None:
    assert said in refused(safetensors(tmp_path / "a.safetensors", header)).message


def test_headers_of_safetensors_end(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    for length in (3, 1 << 20, 1 << 31, 1 << 62):
        path.write_bytes(struct.pack("<Q", length) + b"{}")
        refused(path)


# -- NumPy -----------------------------------------------------------------------------------------


def test_objects_of_numpy_are_pickles(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    np.savez(tmp_path / "a.npz", a=np.array([Evil(marker)], dtype=object))
    finding = refused(tmp_path / "a.npz")
    assert finding.code == "weights-code"
    assert not marker.exists()


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 1000000), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-3,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (__import__('os').mkdir('ran'),), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), 'shape': (3,)}",
        "{'descr': '<c8', 'fortran_order': False, 'shape': (3,), }",
        "{'descr': '<U3', 'fortran_order': False, 'shape': (1,), }",
        "{'descr': '<f3', 'fortran_order': False, 'shape': (4,), }",
        "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (" + "1, " * 40 + "3), }",
        "(" * 5000,
        "",
    ],
)
def test_headers_of_numpy_are_matched_not_evaluated(
    header: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = header.encode() + b"\n"
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text + bytes(12))
    refused(tmp_path / "a.npz")
    assert not (tmp_path / "ran").exists()


# -- HDF5 ------------------------------------------------------------------------------------------


def hdf5(path: Path, make: Callable[[h5py.File], Any]) -> Path:
    with h5py.File(path, "w") as file:
        make(file)
    return path


def layer(file: h5py.File, name: Any = "a", path: str = "layers/dense") -> Any:
    group = file.create_group(path).create_group("vars")
    group.attrs["name"] = name
    return group


def listing(file: h5py.File, names: Any, variables: Any) -> None:
    file.attrs["layer_names"] = names
    file.create_group("a").attrs["weight_names"] = variables
    file["a/a/kernel:0"] = np.ones(3)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda file: layer(file).__setitem__("0", h5py.ExternalLink("/etc/passwd", "/x")), "may lead to another"),
        (lambda file: file.__setitem__("layers", h5py.ExternalLink("/etc/passwd", "/x")), "may lead to another"),
        (lambda file: layer(file).__setitem__("0", h5py.SoftLink("/x")), "may lead to another"),
        (
            lambda file: layer(file).create_dataset("0", (4,), "u1", external=[("/etc/passwd", 0, 4)]),
            "numbers that are not read",
        ),
        (lambda file: layer(file).create_dataset("0", (4,), h5py.string_dtype()), "anything but numbers"),
        (lambda file: layer(file).create_dataset("0", (4,), "complex64"), "anything but numbers"),
        (lambda file: layer(file).create_dataset("0", (4,), [("a", "f4")]), "anything but numbers"),
        (lambda file: layer(file).create_dataset("0", (4,), "f4", compression="lzf"), "numbers that are not read"),
        (lambda file: layer(file).create_dataset("0", (1 << 40,), "f4", chunks=(1 << 10,)), "unpacks to"),
        (lambda file: layer(file).create_dataset("0", (1 << 60, 1 << 60), "f4", chunks=(1, 1)), "unpacks to"),
        (lambda file: layer(file).create_dataset("0", data=h5py.Empty("f4")), "without a shape"),
        (lambda file: layer(file).create_group("0"), "a group where an array is due"),
        (lambda file: file.create_dataset("layers", data=[1.0]), "belongs to no layer"),
        (lambda file: file.create_dataset("layers/dense/kernel", data=[1.0]), "belongs to no layer"),
        (lambda file: layer(file).create_dataset(b"\xff", data=[1.0]), "a name that is no text"),
        (lambda file: layer(file, "a\nb").create_dataset("0", data=[1.0]), "which is no name"),
        (lambda file: layer(file, b"\xff").create_dataset("0", data=[1.0]), "a name that is no text"),
        (lambda file: layer(file, [1, 2]).create_dataset("0", data=[1.0]), "a name that is no text"),
        (lambda file: layer(file, "").create_dataset("0", data=[1.0]), "an empty name"),
        (lambda file: file.__setitem__("layers", file["/"]), "at two places"),
        (lambda file: layer(file, path="layers/" + "list/" * 80 + "dense"), "levels of groups"),
        (lambda file: listing(file, ["a", "b"], ["a/kernel:0"]), "lists the layer `b`"),
        (lambda file: listing(file, ["a"], ["a/kernel:0", "a/bias:0"]), "lists `a/bias:0`"),
        (lambda file: listing(file, ["a"], ["a/kernel:0", "a/kernel:0"]), "lists `a/kernel:0`"),
        (lambda file: listing(file, [1.5], []), "that are no text"),
        (lambda file: listing(file, ["a"], [["../a"]]), "lists `../a`"),
    ],
)
def test_hdf5_holds_plain_numbers_under_names(make: Callable[[h5py.File], Any], said: str, tmp_path: Path) -> None:
    finding = refused(hdf5(tmp_path / "a.weights.h5", make))
    assert said in finding.message


def test_hdf5_files_have_so_many_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WEIGHT_PARTS", 50)

    def many(file: h5py.File) -> None:
        for number in range(60):
            layer(file, f"a{number}", f"layers/dense_{number}")

    assert "more than 50 parts" in refused(hdf5(tmp_path / "a.weights.h5", many)).message


@pytest.mark.parametrize("how", [{"compression": "gzip"}, {"compression": "gzip", "shuffle": True}])
def test_numbers_that_are_damaged_are_a_finding_when_they_are_read(how: dict[str, Any], tmp_path: Path) -> None:
    path = hdf5(
        tmp_path / "a.weights.h5",
        lambda file: layer(file).create_dataset("0", data=np.arange(4000.0), chunks=(1000,), fletcher32=True, **how),
    )
    with h5py.File(path) as file:
        chunk = file["layers/dense/vars/0"].id.get_chunk_info(2)
    data = bytearray(path.read_bytes())
    data[chunk.byte_offset + 20 : chunk.byte_offset + 60] = bytes(40)
    path.write_bytes(data)
    with open_archive(path) as archive:
        assert refusal(archive.tensors[0].read).code == "weights-refused"


def looping(path: Path) -> Path:
    """A file that the HDF5 library reads for ever: the text of an attribute lies in a heap whose entries have no size."""
    hdf5(path, lambda file: layer(file).create_dataset("0", data=[1.0]))
    data = bytearray(path.read_bytes())
    at = data.index(b"GCOL")
    data[at + 16 : at + 4096] = b"\2" + bytes(4079)
    path.write_bytes(data)
    return path


def test_a_file_that_leads_the_hdf5_library_into_a_loop_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files_hdf5, "SECONDS", 2)
    assert "astray" in refused(looping(tmp_path / "a.weights.h5")).message


@pytest.mark.parametrize("signal", [6, 11])
def test_a_crash_of_the_hdf5_library_is_a_finding(signal: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "table.py"
    fake.write_text(f"import os; os.kill(os.getpid(), {signal})")
    monkeypatch.setattr(files_hdf5.hdf5_table, "__file__", str(fake))
    path = hdf5(tmp_path / "a.weights.h5", lambda file: layer(file).create_dataset("0", data=[1.0]))
    assert "astray" in refused(path).message


def test_the_current_folder_is_not_where_libraries_come_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = hdf5(tmp_path / "a.weights.h5", lambda file: layer(file).create_dataset("0", data=[1.0]))
    for name in ("h5py", "numpy", "json"):
        (tmp_path / f"{name}.py").write_text("open('ran', 'w')")
    monkeypatch.chdir(tmp_path)
    with open_archive(path) as archive:
        assert list(archive.by_name) == ["a/kernel"]
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "config",
    [
        b"[1, 2]",
        b"null",
        b'{"class_name": ["os"], "config": {"layers": {"a": 1}}}',
        b'{"class_name": "Sequential", "config": {"layers": [1, null, {"class_name": 3}, {"config": []}]}}',
        json.dumps(
            {"module": "os", "class_name": "system", "config": {"name": "ls", "layers": [{"config": 1}]}}
        ).encode(),
    ],
)
def test_the_configuration_of_keras_is_data_of_any_shape(config: bytes, tmp_path: Path) -> None:
    inside = hdf5(tmp_path / "a.weights.h5", lambda file: layer(file).create_dataset("0", data=[1.0]))
    with zipfile.ZipFile(tmp_path / "a.keras", "w") as archive:
        archive.writestr("config.json", config)
        archive.write(inside, "model.weights.h5")
    with open_archive(tmp_path / "a.keras") as archive:
        assert list(archive.by_name) == ["a/kernel"]


def test_a_configuration_without_end_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = hdf5(tmp_path / "a.weights.h5", lambda file: layer(file).create_dataset("0", data=[1.0]))
    for config in (b"[" * 200_000, b"{", b"\xff", b"9" * 10_000):
        with zipfile.ZipFile(tmp_path / "a.keras", "w") as archive:
            archive.writestr("config.json", config)
            archive.write(inside, "model.weights.h5")
        refused(tmp_path / "a.keras")
    monkeypatch.setattr(limits, "WEIGHT_TEXT_BYTES", 1000)
    assert "10,000 bytes" in refused(tmp_path / "a.keras").message


# -- any form --------------------------------------------------------------------------------------


def good(folder: Path) -> list[Path]:
    """A small file of every form."""
    torchzip.write(folder / "a.pth", {"a.weight": ONES})
    np.savez(folder / "a.npz", **{"a.weight": np.ones(3)})
    np.savez_compressed(folder / "b.npz", **{"a.weight": np.ones(3)})
    safetensors(folder / "a.safetensors", {"a": entry()})
    hdf5(folder / "a.weights.h5", lambda file: layer(file).create_dataset("0", data=[1.0]))
    hdf5(folder / "a.h5", lambda file: listing(file, ["a"], ["a/kernel:0"]))
    with zipfile.ZipFile(folder / "a.keras", "w") as archive:
        archive.writestr("config.json", "{}")
        archive.write(folder / "a.weights.h5", "model.weights.h5")
    return sorted(folder.iterdir())


def test_every_cut_of_a_good_file_is_a_finding(tmp_path: Path) -> None:
    for path in good(tmp_path):
        with open_archive(path) as archive:
            assert len(archive.tensors) == 1
        data = path.read_bytes()
        for end in range(0, len(data), max(1, len(data) // 40)):
            path.write_bytes(data[:end])
            refused(path)


def test_a_file_that_shrinks_while_it_is_open_is_a_finding(tmp_path: Path) -> None:
    for path in (tmp_path / name for name in ("a.pth", "a.npz", "a.safetensors")):
        good(tmp_path)
        with open_archive(path) as archive:
            os.truncate(path, 10)
            assert "ends too early" in refusal(archive.tensors[0].read).message


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (
        tmp_path / "fifo",
        tmp_path,
        Path("/dev/zero"),
        tmp_path / "gone",
        tmp_path / "a\0",
        tmp_path / "\ud800",
    ):
        assert refusal(open_archive, path).code == "weights-refused"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "weights-refused"),
        (b"resspec: 1\n", "weights-refused"),
        (bytes(1000), "weights-refused"),
        (b"\x89HDF\r\n\x1a\n" + b"\xff" * 999, "weights-refused"),
        (b"PK\3\4", "weights-refused"),
        (b"PK\5\6" + bytes(18), "weights-refused"),
        (pickle.dumps({"a": 1}, 2), "weights-code"),
        (pickle.dumps({"a": 1}, 5), "weights-code"),
        (pickle.dumps(0x1950A86A20F9469CFC6C, 2), "weights-form"),
        (bytes(257) + b"ustar\x0000", "weights-form"),
    ],
)
def test_other_files_are_told_apart(content: bytes, code: str, tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(content)
    assert refused(tmp_path / "a.bin").code == code
