"""Files of weights of every form by the names in them: nothing is loaded into a model, nothing is run."""

from __future__ import annotations

import json
import warnings
import zipfile
from pathlib import Path
from typing import Any

import h5py
import keras
import modelling
import numpy as np
import pytest
import torchzip
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from keras import layers as kl
from modelling import array, refusal
from speccing import load

from resspec.cli import main
from resspec.keras_backend.build import build
from resspec.keras_backend.save import save
from resspec.weights.archive import Archive, Tensor, open_archive
from resspec.weights.files import keras3, names, write


def contents(path: Path) -> dict[str, np.ndarray]:
    with open_archive(path) as archive:
        return {tensor.name: tensor.read() for tensor in archive.tensors}


def parts(archive: Archive) -> dict[str, list[str]]:
    """The variables of every layer."""
    return {layer: [tensor.part for tensor in members] for layer, members in archive.layers.items()}


# -- Keras -----------------------------------------------------------------------------------------

EVERYTHING = """\
resspec: 1
inputs: {image: [16, 16, 3], tokens: {shape: [7], dtype: int32}, series: [6, 4], film: [4, 8, 8, 2]}
graph:
  - {do: [{conv: {filters: 4, kernel_size: 3, use_bias: false}, as: conv}, {batch_norm: {scale: false}, as: bn}], as: stem, from: image}
  - {depthwise_conv: {kernel_size: 3, use_bias: false}, as: depthwise}
  - {separable_conv: {filters: 4, kernel_size: 3}, as: separable}
  - {group_norm: {groups: 2, center: false}, as: group}
  - {layer_norm: {}, as: layer}
  - {prelu: {}, as: slope}
  - {conv_transpose: {filters: 4, kernel_size: 2}, as: up}
  - {layer_scale: {}, as: scaled}
  - {dense: {units: 3, use_bias: false}, as: a, output: true}
  - {embedding: {input_dim: 11, output_dim: 8}, from: tokens, as: table}
  - {position_embedding: {}, as: positions}
  - {multi_head_attention: {num_heads: 2, key_dim: 4}, as: attention}
  - {grouped_query_attention: {head_dim: 4, num_query_heads: 2, num_key_value_heads: 1}, as: grouped}
  - {rms_norm: {}, as: b, output: true}
  - {lstm: {units: 3, return_sequences: true}, from: series, as: memory}
  - {gru: {units: 3, return_sequences: true}, as: gate}
  - {simple_rnn: {units: 3, return_sequences: true, use_bias: false}, as: simple}
  - {bidirectional: {units: 2, layer: gru}, as: c, output: true}
  - {conv_lstm: {filters: 2, kernel_size: 3}, from: film, as: d, output: true}
"""


@pytest.mark.parametrize("form", ["keras", "keras-weights", "keras-legacy"])
def test_the_variables_of_every_op_are_called_as_the_op_calls_them(form: str, tmp_path: Path) -> None:
    graph = load(EVERYTHING)
    model = build(graph, seed=1)
    path = tmp_path / {"keras": "model.keras", "keras-weights": "model.weights.h5", "keras-legacy": "model.h5"}[form]
    if form == "keras":
        save(model, graph, path)
    elif form == "keras-weights":
        model.save_weights(path)
    else:
        model.save(path)
    with open_archive(path) as archive:
        assert (archive.form, archive.dialect) == (form, "keras")
        found = parts(archive)
        for node in graph.nodes:
            weights = node.op.weights(*graph.operands(node))
            if weights:
                layer = archive.layers[node.path.replace("/", "_")]
                assert tuple(w.shape for w in layer) == tuple(w.shape for w in weights), node.path
                if form == "keras-weights" and node.path in ("stem/bn", "group"):
                    assert found[node.path.replace("/", "_")] == [str(k) for k in range(len(weights))]
                else:
                    assert [w.part for w in layer] == [w.name for w in weights], node.path
        for variable in model.weights:
            if "seed_generator" not in variable.path:
                tensor = archive.by_name.get(variable.path)
                if tensor is not None:
                    np.testing.assert_array_equal(tensor.read(), array(variable))
        assert sum(tensor.size for tensor in archive.tensors) == sum(
            int(np.prod(v.shape)) for v in model.weights if "seed_generator" not in v.path
        )


@pytest.fixture(scope="module")
def composite() -> keras.Model:
    """Models within models and wrappers, with the state of an optimizer."""
    inner = keras.Sequential([keras.Input((4,)), kl.Dense(3, name="first"), kl.Dense(4, name="second")], name="inner")
    image = keras.Input((6, 4))
    body = keras.Model(image, kl.BatchNormalization(name="norm")(kl.Conv1D(4, 1, name="mix")(image)), name="body")
    x = keras.Input((6, 4), name="x")
    y = kl.Bidirectional(kl.LSTM(3, return_sequences=True, name="walk"), name="both")(x)
    y = kl.TimeDistributed(inner, name="each")(kl.Dense(4, name="fit")(y))
    y = kl.SpectralNormalization(kl.Conv1D(4, 1, name="held"), name="bounded")(body(y))
    model = keras.Model(x, kl.Dense(2, name="head")(kl.Dropout(0.1, name="drop")(y)), name="whole")
    model.compile("adam", "mse", metrics=["mae"])
    model.optimizer.build(model.trainable_variables)
    return model


@pytest.mark.parametrize("name", ["m.keras", "m.weights.h5", "m.h5"])
def test_layers_within_layers_are_found_by_their_own_names(name: str, composite: keras.Model, tmp_path: Path) -> None:
    (composite.save_weights if name == "m.weights.h5" else composite.save)(tmp_path / name)
    with open_archive(tmp_path / name) as archive:
        assert set(archive.layers) == {"both", "fit", "first", "second", "mix", "norm", "held", "bounded", "head"}
        for variable in composite.weights:
            if "seed_generator" in variable.path:
                continue
            layer, part = names.split(variable.path, "keras")
            members = {tensor.part: tensor for tensor in archive.layers[layer.rpartition("/")[2]]}
            tensor = members.get(part) or archive.layers["held"][part == "bias"]  # a wrapped layer's class is not said
            np.testing.assert_array_equal(tensor.read(), array(variable))


def test_two_layers_of_one_name_go_by_their_whole_paths(tmp_path: Path) -> None:
    def side(name: str) -> keras.Model:
        return keras.Sequential(
            [keras.Input((4,)), kl.Dense(3, name="same"), kl.Dense(2, name=f"{name}_own")], name=name
        )

    x = keras.Input((4,))
    keras.Model(x, kl.Add()([side("left")(x), side("right")(x)])).save(tmp_path / "m.keras")
    with open_archive(tmp_path / "m.keras") as archive:
        assert set(archive.layers) == {"left/same", "left_own", "right/same", "right_own"}
        assert "left/same/kernel" in archive.by_name
        assert archive.by_name["right/right_own/bias"].layer == "right_own"


class Stack(keras.Model):
    """Layers in attributes and in lists, which Keras writes under the names of the attributes."""

    def __init__(self) -> None:
        super().__init__(name="stack")
        self.entry = kl.Dense(4, name="opening")
        self.blocks = [kl.Dense(4, name="one"), kl.Dense(4, name="two")]
        self.token = self.add_weight(shape=(4,), name="token")

    def call(self, x: Any) -> Any:
        for layer in (self.entry, *self.blocks):
            x = layer(x)
        return x + self.token


def test_models_of_ones_own_are_read_by_the_names_of_their_layers(tmp_path: Path) -> None:
    model = Stack()
    model(np.ones((1, 4)))
    model.save(tmp_path / "m.keras")
    with open_archive(tmp_path / "m.keras") as archive:
        assert {layer: [t.part for t in members] for layer, members in archive.layers.items()} == {
            "stack": ["0"],
            "one": ["kernel", "bias"],
            "two": ["kernel", "bias"],
            "opening": ["0", "1"],
        }
        np.testing.assert_array_equal(archive.by_name["opening/0"].read(), array(model.entry.kernel))


def without_names(source: Path, target: Path) -> Path:
    """A `.keras` file as Keras wrote it before 3.6."""
    with zipfile.ZipFile(source) as old:
        config, weights = old.read("config.json"), old.read("model.weights.h5")
    inside = target.with_name("inside.weights.h5")
    inside.write_bytes(weights)
    with h5py.File(inside, "a") as file:
        file.visititems(lambda _, part: part.attrs.pop("name", None) and None)
    with zipfile.ZipFile(target, "w") as new:
        new.writestr("config.json", config)
        new.write(inside, "model.weights.h5")
    return target


def test_older_keras_files_have_their_names_in_the_configuration(tmp_path: Path) -> None:
    graph = load(EVERYTHING)
    save(build(graph, seed=1), graph, tmp_path / "new.keras")
    old = without_names(tmp_path / "new.keras", tmp_path / "old.keras")
    with open_archive(tmp_path / "new.keras") as wanted, open_archive(old) as archive:
        assert [t.name for t in archive.tensors] == [t.name for t in wanted.tensors]
    finding = refusal(open_archive, tmp_path / "inside.weights.h5")
    assert finding.code == "weights-unnamed"
    assert "`.keras`" in (finding.help or "")


def test_the_variables_of_keras_are_those_of_the_table() -> None:
    """Every class of the table with all its variables, in Keras's order."""
    arguments = {
        "Attention": {"use_scale": True, "score_mode": "concat"},
        "EinsumDense": {"equation": "abcd,de->abce", "output_shape": (None, None, 3), "bias_axes": "e"},
        "ReversibleEmbedding": {"tie_weights": False},
        "GroupNormalization": {"groups": 2},
    }
    usual = {"filters": 2, "kernel_size": 2, "units": 3, "input_dim": 5, "output_dim": 3}
    checked = set()
    for name in dir(kl):
        made = getattr(kl, name)
        kind = keras3.snake(name)
        if kind not in keras3.VARIABLES or made.__name__ != name or kind == "spectral_normalization":
            continue
        wanted = [entry.partition("?")[0] for entry in keras3.VARIABLES[kind].split()]
        known = made.__init__.__code__.co_varnames
        layer = made(**{key: value for key, value in usual.items() if key in known}, **arguments.get(name, {}))
        dims = next((n for n in (1, 2, 3) if f"{n}d" in kind), 2)
        shape: Any = (2, *(8,) * dims, 4) if "cell" not in kind and "embedding" not in kind else (2, 4)
        layer.build([shape, shape] if kind in ("attention", "additive_attention") else shape)
        variables = layer._trainable_variables + layer._non_trainable_variables
        assert [variable.name for variable in variables] == wanted, name
        checked.add(kind)
    assert keras3.VARIABLES.keys() - checked <= {"conv_lstm_cell", "spectral_normalization"}


def test_names_of_old_files_are_those_of_today(tmp_path: Path) -> None:
    """Keras 1 as in the files of VGG16, Keras 2 with its `:0`, and lists of names cut into pieces."""
    with h5py.File(tmp_path / "old.h5", "w") as file:
        file.attrs["layer_names0"] = [b"block1_conv1", b"pool"]
        file.attrs["layer_names1"] = [b"bn", b"nested", b"scaled"]
        for layer, listed in {
            "block1_conv1": ["block1_conv1_W_1:0", "block1_conv1_b_1:0"],
            "pool": [],
            "bn": ["bn/gamma:0", "bn/moving_mean:0"],
            "nested": ["inner/attention/query/kernel:0", "lstm/lstm_cell_3/kernel:0"],
            "scaled": ["Variable:0"],
        }.items():
            file.create_group(layer).attrs["weight_names"] = [name.encode() for name in listed]
            for name in listed:
                file[layer][name] = np.ones(3, ">f4")
    with open_archive(tmp_path / "old.h5") as archive:
        assert archive.form == "keras-legacy"
        assert parts(archive) == {
            "block1_conv1": ["kernel", "bias"],
            "bn": ["gamma", "moving_mean"],
            "attention": ["query/kernel"],
            "lstm": ["lstm_cell_3/kernel"],
            "scaled": ["Variable"],
        }
        assert archive.tensors[0].read().dtype == np.dtype("float32")


def test_bfloat16_is_read_as_float32(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((4,)), kl.Dense(3, name="a", dtype=keras.DTypePolicy("bfloat16"))])
    for name, store in {"m.keras": model.save, "m.weights.h5": model.save_weights, "m.h5": model.save}.items():
        store(tmp_path / name)
        with open_archive(tmp_path / name) as archive:
            kernel = archive.layers["a"][0]
            assert kernel.dtype == "bfloat16"
            assert kernel.read().dtype == np.dtype("float32")
            np.testing.assert_array_equal(kernel.read(), np.asarray(array(model.layers[0].kernel), "float32"))


# -- PyTorch ---------------------------------------------------------------------------------------


def views() -> st.SearchStrategy[torchzip.View]:
    """Windows on storages: any type, offset, shape, and strides, those of views that overlap themselves included."""

    def of(
        dtype: str, shape: list[int], strides: list[int], offset: int, beyond: int, parameter: bool
    ) -> torchzip.View:
        strides = strides[: len(shape)]
        last = offset + sum((size - 1) * step for size, step in zip(shape, strides, strict=True))
        count = (last + 1 if 0 not in shape else 0) + beyond
        numbers = np.arange(count) * 37 % 120
        held = numbers.astype("uint16" if dtype == "bfloat16" else dtype)
        return torchzip.View(torchzip.Storage("0", held, dtype), offset, tuple(shape), tuple(strides), parameter)

    return st.builds(
        of,
        st.sampled_from(list(torchzip.STORAGES)),
        st.lists(st.integers(0, 4), max_size=4),
        st.lists(st.integers(0, 9), min_size=4, max_size=4),
        st.integers(0, 20),
        st.integers(0, 5),
        st.booleans(),
    )


def numbers(view: torchzip.View) -> np.ndarray:
    """What a view shows, by indexing one number after another."""
    found = np.empty(view.shape, view.storage.numbers.dtype)
    for at in np.ndindex(view.shape):
        found[at] = view.storage.numbers[view.offset + sum(i * step for i, step in zip(at, view.stride, strict=True))]
    if view.storage.dtype == "bfloat16":
        return (found.astype("uint32") << 16).view("float32")
    return found


@given(st.lists(views(), min_size=1, max_size=4), st.sampled_from(["little", "big"]))
def test_any_view_of_any_storage_comes_out_right(tmp_path_factory: Any, found: list[torchzip.View], order: str) -> None:
    path = tmp_path_factory.mktemp("torch") / "a.pth"
    named = {}
    for number, view in enumerate(found):
        storage = torchzip.Storage(str(number), view.storage.numbers, view.storage.dtype)
        named[f"layer.{number}"] = torchzip.View(storage, view.offset, view.shape, view.stride, view.parameter)
    torchzip.write(path, named, order=order)
    with open_archive(path) as archive:
        for name, view in named.items():
            tensor = archive.by_name[name]
            assert (tensor.shape, tensor.dtype) == (view.shape, view.storage.dtype)
            np.testing.assert_array_equal(tensor.read(), numbers(view), strict=True)


ONES = torchzip.dense("0", np.ones((2, 3), "float32"))
WEIGHTS = {"conv.weight": ONES, "conv.bias": torchzip.dense("1", np.zeros(2, "float32"))}


@pytest.mark.parametrize(
    ("checkpoint", "said"),
    [
        ({"state_dict": WEIGHTS, "epoch": 3, "best": ONES}, ["under `state_dict`", "`epoch`, `best`"]),
        ({"model": {"state_dict": WEIGHTS}}, ["under `model/state_dict`"]),
        (
            {"model": WEIGHTS, "model_ema": WEIGHTS, "optimizer": {"state": {0: {"step": ONES}}}},
            ["`model_ema`, `optimizer`"],
        ),
        ({"ema": WEIGHTS, "lr": [0.1, None, (1, True)]}, ["under `ema`"]),
        ({f"module.{name}": view for name, view in WEIGHTS.items()}, ["begins with `module.`"]),
        ({"model_state_dict": {f"_orig_mod.{name}": view for name, view in WEIGHTS.items()}}, ["`_orig_mod.`"]),
        ({**WEIGHTS, "config": {"a": 1}}, ["left out: `config`"]),
        (torchzip.Call("collections", "OrderedDict", (list(WEIGHTS.items()),)), []),
    ],
)
def test_weights_are_found_in_a_checkpoint_and_what_else_there_was_is_said(
    checkpoint: Any, said: list[str], tmp_path: Path
) -> None:
    with open_archive(torchzip.write(tmp_path / "a.pth", checkpoint)) as archive:
        assert (archive.form, archive.dialect) == ("torch", "torch")
        assert parts(archive) == {"conv": ["weight", "bias"]}
        for words in said:
            assert words in "; ".join(archive.notes)
        assert said or not archive.notes


def test_one_of_several_state_dicts_is_not_guessed(tmp_path: Path) -> None:
    finding = refusal(open_archive, torchzip.write(tmp_path / "gan.pth", {"generator": WEIGHTS, "critic": WEIGHTS}))
    assert "`generator`, `critic`" in finding.message


@pytest.mark.backends
def test_what_pytorch_itself_saves_is_read(tmp_path: Path) -> None:
    """`make test-backends` runs it, which installs PyTorch."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed; `make test-backends` installs it")
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.LSTM(4, 5))
    base = torch.arange(24.0).reshape(4, 6)
    odd = {
        **{"turned": base.t(), "cut": base[1:3, ::2], "scalar": base[2, 3], "empty": torch.zeros(0, 3)},
        **{"wide": torch.ones(1).expand(5, 3), "half": base.half(), "brain": base.bfloat16(), "truth": base > 3},
        **{
            "short": torch.arange(3).to(torch.uint16),
            "parameter": torch.nn.Parameter(base[0]),
            "double": base.double(),
        },
    }
    optimizer = torch.optim.Adam(net.parameters())
    for protocol in (2, 4):
        saved = {"state_dict": {**net.state_dict(), **odd}, "optimizer": optimizer.state_dict(), "epoch": 1}
        torch.save(saved, tmp_path / "a.pth", pickle_protocol=protocol)
        with open_archive(tmp_path / "a.pth") as archive:
            assert set(archive.by_name) == set(saved["state_dict"])
            for name, tensor in saved["state_dict"].items():
                wanted = (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).detach().numpy()
                np.testing.assert_array_equal(archive.by_name[name].read(), wanted, strict=True)
    torch.save(net, tmp_path / "whole.pth")
    assert "torch.nn.modules.container.Sequential" in refusal(open_archive, tmp_path / "whole.pth").message
    torch.save(odd, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch itself advises against TorchScript by now
        torch.jit.script(net).save(tmp_path / "program.pt")
    for name in ("old.pth", "program.pt"):
        assert refusal(open_archive, tmp_path / name).code == "weights-form"


# -- containers of named arrays --------------------------------------------------------------------


def tensor(name: str, numbers: np.ndarray, dtype: str | None = None) -> Tensor:
    return Tensor(name, *names.split(name, "torch"), numbers.shape, dtype or numbers.dtype.name, lambda: numbers)


TYPES = [
    "float16",
    "float32",
    "float64",
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
]
SHAPES = [(2, 3), (), (0, 4), (5,)]


@pytest.mark.parametrize("suffix", [".safetensors", ".npz"])
def test_what_is_written_is_read_back_in_the_same_order(suffix: str, tmp_path: Path) -> None:
    arrays = [
        tensor(f"block.{number}.{dtype}", (np.arange(np.prod(shape)) % 2).reshape(shape).astype(dtype))
        for number, shape in enumerate(SHAPES)
        for dtype in TYPES
    ]
    arrays.append(tensor("turned", np.arange(6.0).reshape(2, 3).T))
    arrays.append(tensor("brain", np.array([1, -2.5], "float32"), "bfloat16"))
    for name in ("a", "b"):
        write.write(tmp_path / f"{name}{suffix}", arrays, "torch")
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
    with open_archive(tmp_path / f"a{suffix}") as archive:
        assert archive.form == suffix[1:]
        assert [t.name for t in archive.tensors] == [t.name for t in arrays]
        for before, after in zip(arrays, archive.tensors, strict=True):
            kept = before.dtype if suffix == ".safetensors" or before.dtype != "bfloat16" else "float32"
            assert (after.dtype, after.shape) == (kept, before.shape)
            np.testing.assert_array_equal(after.read(), before.read(), strict=True)


def test_the_library_of_safetensors_reads_what_is_written_and_writes_what_is_read(tmp_path: Path) -> None:
    library = pytest.importorskip("safetensors.numpy", reason="safetensors is not installed; `make test` installs it")
    arrays = {"a.weight": np.arange(6, dtype="float32").reshape(2, 3), "a.count": np.array(3), "b": np.ones(3, "int8")}
    write.write(tmp_path / "ours.safetensors", [tensor(name, held) for name, held in arrays.items()], "torch")
    for name, held in library.load_file(tmp_path / "ours.safetensors").items():
        np.testing.assert_array_equal(held, arrays[name], strict=True)
    library.save_file(arrays, tmp_path / "theirs.safetensors", metadata={"format": "pt"})
    for name, held in contents(tmp_path / "theirs.safetensors").items():
        np.testing.assert_array_equal(held, arrays[name], strict=True)


def test_numpy_reads_what_is_written_and_writes_what_is_read(tmp_path: Path) -> None:
    arrays = {
        "a.weight": np.arange(6.0).reshape(2, 3),
        "turned": np.arange(6.0).reshape(2, 3).T,
        "big": np.ones(2, ">i4"),
    }
    for store in (np.savez, np.savez_compressed):
        store(tmp_path / "theirs.npz", **arrays)
        for name, held in contents(tmp_path / "theirs.npz").items():
            np.testing.assert_array_equal(held, arrays[name])
            assert held.dtype.isnative
    write.write(tmp_path / "ours.npz", [tensor(name, held) for name, held in arrays.items()], "torch")
    with np.load(tmp_path / "ours.npz", allow_pickle=False) as found:
        for name, held in arrays.items():
            np.testing.assert_array_equal(found[name], held)


@pytest.mark.parametrize(
    ("found", "dialect", "layers"),
    [
        (["layer4.0.conv1.weight", "layer4.0.bn1.running_mean"], "torch", {"layer4.0.conv1", "layer4.0.bn1"}),
        (["block/attn/query/kernel", "block/norm/gamma"], "keras", {"attn", "norm"}),
        (["conv1.kernel", "bn.moving_mean"], "keras", {"conv1", "bn"}),
        (["both/forward_lstm_3/lstm_cell/kernel", "gru/gru_cell/bias"], "keras", {"both", "gru"}),
        (["a/kernel:0", "b/a/kernel:0"], "keras", {"a", "b/a"}),
        (["pos_embed", "cls_token"], "torch", {""}),
    ],
)
@pytest.mark.parametrize("suffix", [".safetensors", ".npz"])
def test_names_tell_whose_they_are(
    found: list[str], dialect: str, layers: set[str], suffix: str, tmp_path: Path
) -> None:
    path = tmp_path / f"a{suffix}"
    if suffix == ".npz":
        np.savez(path, **{name: np.ones(2) for name in found})
    else:
        write.write(path, [tensor(name, np.ones(2)) for name in found], "torch")
        data = path.read_bytes().replace(b'{"format":"pt"}', b'{"format":"np"}')
        path.write_bytes(data)
    with open_archive(path) as archive:
        assert archive.dialect == dialect
        assert [t.name for t in archive.tensors] == found
        if not (
            dialect == "keras" and len({names.split(n, "keras")[0].rpartition("/")[2] for n in found}) < len(found)
        ):
            assert set(archive.layers) == layers


# -- the commands ----------------------------------------------------------------------------------


def test_show_lists_layers_and_what_is_left_out(tmp_path: Path) -> None:
    path = torchzip.write(tmp_path / "a.pth", {"state_dict": {**WEIGHTS, "conv.norm.weight": ONES}, "epoch": 3})
    done = CliRunner().invoke(main, ["weights", "show", str(path)])
    assert done.exit_code == 0, done.output
    assert "weight 2x3, bias 2" in done.output
    assert "a checkpoint of PyTorch: 2 layers, 3 arrays, 14 numbers" in done.output
    assert "note: the weights are those under `state_dict`" in done.output
    together = CliRunner().invoke(main, ["weights", "show", str(path), "--depth", "1"]).output
    assert "3 in 2 layers" in together
    plain = json.loads(CliRunner().invoke(main, ["weights", "show", str(path), "--json"]).output)
    assert plain["form"] == "torch"
    assert plain["numbers"] == 14
    assert plain["tensors"][0] == {
        "name": "conv.weight",
        "layer": "conv",
        "part": "weight",
        "shape": [2, 3],
        "dtype": "float32",
    }


def test_convert_keeps_names_and_numbers(composite: keras.Model, tmp_path: Path) -> None:
    composite.save(tmp_path / "m.keras")
    for source, target in (("m.keras", "m.safetensors"), ("m.safetensors", "m.npz"), ("m.npz", "again.safetensors")):
        done = CliRunner().invoke(main, ["weights", "convert", str(tmp_path / source), str(tmp_path / target)])
        assert done.exit_code == 0, done.output
        before, after = contents(tmp_path / source), contents(tmp_path / target)
        assert list(before) == list(after)
        for name, held in before.items():
            np.testing.assert_array_equal(held, after[name], strict=True)
    with open_archive(tmp_path / "m.keras") as one, open_archive(tmp_path / "m.npz") as other:
        assert parts(one) == parts(other)
    assert (tmp_path / "m.safetensors").read_bytes() == (tmp_path / "again.safetensors").read_bytes()


def test_convert_spares_what_it_reads_and_says_what_it_writes(tmp_path: Path) -> None:
    path = torchzip.write(tmp_path / "a.pth", WEIGHTS)
    data = path.read_bytes()
    assert CliRunner().invoke(main, ["weights", "convert", str(path), str(path)]).exit_code == 2
    done = CliRunner().invoke(main, ["weights", "convert", str(path), str(tmp_path / "a.h5")])
    assert done.exit_code == 1
    assert "`.safetensors` or `.npz`" in done.output
    assert path.read_bytes() == data
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.pth"]
    (tmp_path / "b.npz").write_text("mine")
    assert CliRunner().invoke(main, ["weights", "convert", str(path), str(tmp_path / "b.npz")]).exit_code == 2
    assert (tmp_path / "b.npz").read_text() == "mine"
    assert CliRunner().invoke(main, ["weights", "convert", str(path), str(tmp_path / "b.npz"), "-f"]).exit_code == 0


def test_a_file_that_cannot_be_read_to_its_end_leaves_nothing_behind(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", first=np.ones(3), last=np.arange(5000.0))
    data = bytearray((tmp_path / "a.npz").read_bytes())
    at = data.rindex(b"last.npy", 0, data.rindex(b"last.npy")) + 400
    data[at : at + 8] = bytes(8)
    (tmp_path / "a.npz").write_bytes(data)
    done = CliRunner().invoke(main, ["weights", "convert", str(tmp_path / "a.npz"), str(tmp_path / "b.npz")])
    assert done.exit_code == 1
    assert "error[weights-refused]" in done.output
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.npz"]


@pytest.mark.parametrize("name", ["a.pth", "a.safetensors", "a.npz", "a.h5"])
def test_looking_at_a_file_imports_no_library_that_made_it(name: str, tmp_path: Path) -> None:
    torchzip.write(tmp_path / "a.pth", WEIGHTS)
    with open_archive(tmp_path / "a.pth") as archive:
        for suffix in write.WRITERS:
            write.write(tmp_path / f"a{suffix}", archive.tensors, "torch")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs["layer_names"] = ["a"]
        file.create_group("a").attrs["weight_names"] = ["a/kernel:0"]
        file["a/a/kernel:0"] = np.ones(3)
    found = modelling.run(
        f"from resspec.cli import main; main(['weights', 'show', {str(tmp_path / name)!r}], standalone_mode=False)\n"
        "import sys; print(sorted({'keras', 'tensorflow', 'jax', 'torch', 'h5py', 'safetensors'} & set(sys.modules)))"
    )
    assert found.splitlines()[-1] == "[]"
