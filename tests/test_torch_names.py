"""PyTorch's files: torchvision's names for ResNet-50, and how arrays lie in PyTorch, held against its definitions."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import keras
import numpy as np
import pytest
from modelling import array, run
from speccing import load
from torchzip import dense as tensor
from torchzip import write

import resspec
from resspec.diagnostics import SpecError
from resspec.weights import naming
from resspec.weights.sources import alternatives
from resspec.weights.vectors import Vectors

RANDOM = np.random.default_rng(3)
NAME = "resnet@resnet50_v15"


def resnet50() -> dict[str, np.ndarray]:
    """A state dict with the names and shapes that torchvision documents for `resnet50`."""
    found: dict[str, tuple[int, ...]] = {}

    def conv(name: str, out: int, into: int, kernel: int) -> None:
        found[f"{name}.weight"] = (out, into, kernel, kernel)

    def norm(name: str, channels: int) -> None:
        found.update({f"{name}.{part}": (channels,) for part in ("weight", "bias", "running_mean", "running_var")})
        found[f"{name}.num_batches_tracked"] = ()

    conv("conv1", 64, 3, 7)
    norm("bn1", 64)
    channels = 64
    for stage, (width, units) in enumerate(zip((64, 128, 256, 512), (3, 4, 6, 3), strict=True), 1):
        for unit in range(units):
            path = f"layer{stage}.{unit}"
            for k, (out, into, kernel) in enumerate(
                ((width, channels, 1), (width, width, 3), (4 * width, width, 1)), 1
            ):
                conv(f"{path}.conv{k}", out, into, kernel)
                norm(f"{path}.bn{k}", out)
            if unit == 0:
                conv(f"{path}.downsample.0", 4 * width, channels, 1)
                norm(f"{path}.downsample.1", 4 * width)
            channels = 4 * width
    found |= {"fc.weight": (1000, 2048), "fc.bias": (1000,)}
    return {
        name: np.abs(RANDOM.normal(size=shape)).astype(np.float32) if shape else np.asarray(7, np.int64)
        for name, shape in found.items()
    }


@pytest.fixture(scope="module")
def state() -> dict[str, np.ndarray]:
    return resnet50()


@pytest.fixture(scope="module")
def checkpoint(state: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("torchvision") / "resnet50.pth"
    write(path, {name: tensor(str(k), value) for k, (name, value) in enumerate(state.items())})
    return path


def test_resnet50_of_torchvision_loads(state: dict[str, np.ndarray], checkpoint: Path) -> None:
    with resspec.load(NAME).weights_from(checkpoint) as found:
        values = found.require().values()
        assert found.match.naming in ("torchvision", "timm")
        assert len(found.match.loaded) == 53 + 4 * 53 + 2
        assert not found.match.unused
        kernel = values["stage3/unit5/spatial/weight"]["kernel"]()
    np.testing.assert_array_equal(kernel, state["layer3.5.conv2.weight"].transpose(2, 3, 1, 0))


def test_densenet_as_torchvision_released_it(tmp_path: Path) -> None:
    """`norm.1` where the class has `norm1`, by the expression with which torchvision renames what it loads."""
    renamed = re.compile(
        r"^(.*denselayer\d+\.(?:norm|relu|conv))\.((?:[12])\.(?:weight|bias|running_mean|running_var))$"
    )
    network = resspec.load("densenet@densenet121", growth=2)
    text = (resspec.files.SHIPPED / "densenet.weights.yaml").read_text()
    rules = naming.parse(text, "densenet.weights.yaml").namings["torchvision_released"].rules
    names = {}
    for index, weights in enumerate(network.weights):
        for rule in rules if weights else ():
            bound = rule.ours.match(network.nodes[index].path)
            if bound is not None and rule.theirs is not None:
                layer = rule.theirs[""].evaluate(bound.__getitem__)
                for piece in alternatives(Vectors(network), index, weights, "torch")[0]:
                    names[f"{layer}.{piece.arrays[0][1]}"] = np.zeros(piece.layout.stored, np.float32)
    assert sum(renamed.match(name) is not None for name in names) == 58 * (2 + 2 * 4)
    for found, wanted in (
        (names, "torchvision_released"),
        ({renamed.sub(r"\1\2", k): v for k, v in names.items()}, "torchvision"),
    ):
        np.savez(tmp_path / "w.npz", **found)
        with network.weights_from(tmp_path / "w.npz") as held:
            assert held.require().match.naming == wanted


def test_one_layer_more_loses_nothing_but_itself(checkpoint: Path, tmp_path: Path) -> None:
    """A convolution put into the units of a copy of the spec, beside a copy of the map."""
    text = (resspec.files.SHIPPED / "resnet.yaml").read_text()
    line = next(line for line in text.splitlines() if "as: spatial" in line)
    indent = line[: len(line) - len(line.lstrip())]
    more = f"{indent}- {{conv_bn: {{filters: width, kernel_size: 3}}, as: extra}}"
    (tmp_path / "longer.yaml").write_text(text.replace(line, f"{line}\n{more}", 1).partition("\nchecks:")[0] + "\n")
    (tmp_path / "longer.weights.yaml").write_text((resspec.files.SHIPPED / "resnet.weights.yaml").read_text())
    network = resspec.load(tmp_path / "longer.yaml", depth=50, stride_at="spatial")
    with network.weights_from(checkpoint, allow=["*/extra/*"]) as found:
        found.require()
        assert not found.match.unused
        assert len(found.match.loaded) == 53 + 4 * 53 + 2
        lost = {network.nodes[one.node].path for one in found.match.missing}
    assert lost == {
        f"stage{s}/unit{u}/extra/{part}"
        for s, n in enumerate((3, 4, 6, 3), 1)
        for u in range(n)
        for part in ("weight", "bn")
    }
    with pytest.raises(SpecError) as caught:
        resspec.build(network, weights=checkpoint)
    assert {one.code for one in caught.value.diagnostics} == {"weights-missing"}


# --- how arrays lie there: each against PyTorch's definition of the layer, in NumPy --------------


def loaded(text: str, arrays: dict[str, np.ndarray], layers: str, folder: Path, more: str = "") -> keras.Model:
    (folder / "net.yaml").write_text(f"resspec: 1\n{text}")
    (folder / "net.weights.yaml").write_text(f"resspec-weights: 1\ntheirs: {{{more}layers: {{{layers}}}}}\n")
    write(folder / "w.pth", {name: tensor(str(k), value) for k, (name, value) in enumerate(arrays.items())})
    return resspec.build(folder / "net.yaml", weights=folder / "w.pth")


def normal(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape).astype(np.float32)


def test_a_dense_layer_behind_a_picture_laid_flat(tmp_path: Path) -> None:
    """PyTorch lays (c, h, w) flat, Keras (h, w, c)."""
    weight, bias = normal(5, 3 * 4 * 2), normal(5)
    text = "inputs: {image: [4, 2, 3]}\ngraph: [flatten, {dropout: 0.5}, {dense: 5, as: head, output: true}]\n"
    model = loaded(text, {"fc.weight": weight, "fc.bias": bias}, "head: fc", tmp_path)
    image = normal(1, 4, 2, 3)
    flat = image.transpose(0, 3, 1, 2).reshape(1, -1)
    np.testing.assert_allclose(array(model(image)), flat @ weight.T + bias, rtol=1e-5, atol=1e-5)


PICTURE = "inputs: {image: [4, 2, 3]}\n"


def flat(image: np.ndarray) -> np.ndarray:
    """As PyTorch lays it flat: channels first."""
    return image.transpose(0, 3, 1, 2).reshape(len(image), -1)


def test_a_norm_behind_a_picture_laid_flat(tmp_path: Path) -> None:
    gamma, beta, mean, variance, weight = normal(24), normal(24), normal(24), RANDOM.uniform(0.5, 2, 24), normal(5, 24)
    arrays = {"n.weight": gamma, "n.bias": beta, "n.running_mean": mean, "n.running_var": variance, "fc.weight": weight}
    text = (
        PICTURE
        + "graph: [flatten, {batch_norm: {epsilon: 0}, as: n}, relu, {dense: {units: 5, use_bias: false}, as: fc, output: true}]\n"
    )
    model = loaded(text, arrays, "n: n, fc: fc", tmp_path)
    image = normal(3, 4, 2, 3)
    wanted = np.maximum((flat(image) - mean) / np.sqrt(variance) * gamma + beta, 0) @ weight.T
    np.testing.assert_allclose(array(model(image)), wanted, rtol=1e-4, atol=1e-4)


def test_a_picture_laid_flat_beside_other_things(tmp_path: Path) -> None:
    """Two pictures and a vector side by side, then their sum with another such picture."""
    weight, other = normal(5, 24 + 7 + 24), normal(5, 24)
    text = (
        "inputs: {image: [4, 2, 3], more: [2, 4, 3], row: [7]}\ngraph:\n"
        "  - {flatten: , from: image, as: a}\n  - {flatten: , from: more, as: b}\n"
        "  - {dense: {units: 5, use_bias: false}, as: sum, from: a}\n"
        "  - {concat: [a, row, b]}\n  - {dense: {units: 5, use_bias: false}, as: fc}\n"
        "  - {add: [fc, sum], as: out, output: true}\n"
    )
    model = loaded(text, {"fc.weight": weight, "sum.weight": other}, "fc: fc, sum: sum", tmp_path)
    image, more, row = normal(3, 4, 2, 3), normal(3, 2, 4, 3), normal(3, 7)
    wanted = np.concatenate([flat(image), row, flat(more)], axis=-1) @ weight.T + flat(image) @ other.T
    np.testing.assert_allclose(array(model([image, more, row])), wanted, rtol=1e-4, atol=1e-4)


def test_a_vector_that_becomes_a_picture(tmp_path: Path) -> None:
    """What a dense layer makes is cut into (c, h, w) there; one more layer reads the vector as it is."""
    weight, bias, scale, other = normal(24, 6), normal(24), normal(24), normal(5, 24)
    text = (
        "inputs: {x: [6]}\ngraph:\n  - {dense: 24, as: fc}\n  - {layer_scale: , as: scale}\n"
        "  - {tap: prev, as: vector}\n  - {reshape: [4, 2, 3], as: image, output: true}\n"
        "  - {dense: {units: 5, use_bias: false}, from: vector, as: side, output: true}\n"
    )
    arrays = {"fc.weight": weight, "fc.bias": bias, "scale": scale, "side.weight": other}
    model = loaded(text, arrays, "fc: fc, scale: scale, side: side", tmp_path)
    x = normal(3, 6)
    vector = (x @ weight.T + bias) * scale
    found = model(x)
    np.testing.assert_allclose(array(found["side"]), vector @ other.T, rtol=1e-4, atol=1e-4)
    wanted = vector.reshape(3, 3, 4, 2).transpose(0, 2, 3, 1)
    np.testing.assert_allclose(array(found["image"]), wanted, rtol=1e-4, atol=1e-5)


SEQUENCE = "{flatten: , as: f}, {dense: {units: 5, use_bias: false}, as: fc, output: true}"


@pytest.mark.parametrize(
    ("before", "first"),
    [
        ("{max_pool: {pool_size: 1}}", True),
        ("{multi_head_attention: {num_heads: 1, key_dim: 3}}, relu", False),
        ("relu", None),
    ],
)
@pytest.mark.parametrize("said", [None, "first", "last"])
def test_a_sequence_laid_flat(before: str, first: bool | None, said: str | None, tmp_path: Path) -> None:
    """Convolutions have channels first, attention has them last; where neither tells, the map must say it."""
    text = f"inputs: {{x: [4, 3]}}\ngraph: [{before}, {SEQUENCE}]\n"
    weight = normal(5, 12)
    more = "" if said is None else f"channels: {said}, "
    arrays = {"fc.weight": weight}
    (tmp_path / "net.yaml").write_text(f"resspec: 1\n{text}")
    maps = f"resspec-weights: 1\ntheirs: {{{more}layers: {{fc: fc, '*': null}}}}\n"
    (tmp_path / "net.weights.yaml").write_text(maps)
    write(tmp_path / "w.pth", {name: tensor(str(k), value) for k, (name, value) in enumerate(arrays.items())})
    order = {"first": True, "last": False, None: first}[said]
    network = resspec.load(tmp_path / "net.yaml")
    with network.weights_from(tmp_path / "w.pth") as found:
        if order is None:
            assert {one.code for one in found.findings} == {"weights-ambiguous"}
            assert "channels: first" in found.findings[0].message
            return
        kernel = found.require().values()["fc"]["kernel"]()
    wanted = weight.reshape(5, 3, 4).transpose(0, 2, 1).reshape(5, 12).T if order else weight.T
    np.testing.assert_array_equal(kernel, wanted)


def test_a_picture_whose_order_cannot_hold_is_refused(tmp_path: Path) -> None:
    """Means of channels that become a picture: there is nothing to put into another order."""
    text = PICTURE.replace("3]", "8]") + (
        "graph: [global_avg_pool, {batch_norm: , as: n}, {reshape: [2, 2, 2]}, {conv: 1, as: c, output: true}]\n"
    )
    arrays = {f"n.{name}": normal(8) for name in ("weight", "bias", "running_mean", "running_var")}
    with pytest.raises(SpecError) as caught:
        loaded(text, arrays | {"c.weight": normal(1, 2, 1, 1), "c.bias": normal(1)}, "n: n, c: c", tmp_path)
    assert {one.code for one in caught.value.diagnostics} == {"weights-ambiguous"}


def test_a_gru_that_resets_before_the_product_has_no_counterpart(tmp_path: Path) -> None:
    names = {"weight_ih_l0": (18, 4), "weight_hh_l0": (18, 6), "bias_ih_l0": (18,), "bias_hh_l0": (18,)}
    arrays = {f"r.{name}": normal(*shape) for name, shape in names.items()}
    text = "inputs: {x: [5, 4]}\ngraph: [{gru: {units: 6, reset_after: false}, as: r, output: true}]\n"
    with pytest.raises(SpecError) as caught:
        loaded(text, arrays, "r: r", tmp_path)
    assert {one.code for one in caught.value.diagnostics} == {"weights-ambiguous"}
    assert "reset_after: true" in caught.value.diagnostics[0].message


def test_a_dense_layer_whose_matrix_is_transposed(tmp_path: Path) -> None:
    """Square, so that no shape tells; a table of vectors lies as ever."""
    weight, bias, table = normal(4, 4), normal(4), normal(7, 4)
    text = "inputs: {text: {shape: [3], dtype: int32}}\ngraph: [{embedding: {input_dim: 7, output_dim: 4}, as: words}, {dense: 4, as: head, output: true}]\n"
    arrays = {"words.weight": table, "head.weight": weight, "head.bias": bias}
    model = loaded(text, arrays, "words: words, head: head", tmp_path, "transposed: true, ")
    words = np.asarray([[0, 6, 2]], np.int32)
    np.testing.assert_allclose(array(model(words)), table[words] @ weight + bias, rtol=1e-5, atol=1e-5)


def test_a_depthwise_convolution_with_a_multiplier(tmp_path: Path) -> None:
    """Filter c*m + j of PyTorch is filter j of channel c."""
    weight = normal(3 * 2, 1, 1, 1)
    text = "inputs: {image: [2, 2, 3]}\ngraph: [{depthwise_conv: {kernel_size: 1, depth_multiplier: 2, use_bias: false}, as: dw, output: true}]\n"
    model = loaded(text, {"a.weight": weight}, "dw: a", tmp_path)
    image = normal(1, 2, 2, 3)
    np.testing.assert_allclose(array(model(image)), np.repeat(image, 2, axis=-1) * weight[:, 0, 0, 0], rtol=1e-5)


def test_a_transposed_convolution(tmp_path: Path) -> None:
    """y[s*i + k] += x[i] w[:, :, k], with `weight` (in, out, k)."""
    weight, bias = normal(3, 2, 4), normal(2)
    text = "inputs: {x: [5, 3]}\ngraph: [{conv_transpose: {filters: 2, kernel_size: 4, strides: 2}, as: up, output: true}]\n"
    model = loaded(text, {"up.weight": weight, "up.bias": bias}, "up: up", tmp_path)
    x = normal(5, 3)
    wanted = np.tile(bias, (2 * 4 + 4, 1)).astype(np.float64)
    for i in range(5):
        for k in range(4):
            wanted[2 * i + k] += x[i] @ weight[:, :, k]
    np.testing.assert_allclose(array(model(x[None]))[0], wanted, rtol=1e-4, atol=1e-5)


def test_a_grouped_convolution(tmp_path: Path) -> None:
    weight = normal(4, 3, 1)
    text = "inputs: {x: [5, 6]}\ngraph: [{conv: {filters: 4, groups: 2, use_bias: false}, as: c, output: true}]\n"
    model = loaded(text, {"c.weight": weight}, "c: c", tmp_path)
    x = normal(5, 6)
    wanted = np.concatenate([x[:, :3] @ weight[:2, :, 0].T, x[:, 3:] @ weight[2:, :, 0].T], axis=-1)
    np.testing.assert_allclose(array(model(x[None]))[0], wanted, rtol=1e-4, atol=1e-5)


def softmax(x: np.ndarray) -> np.ndarray:
    found = np.exp(x - x.max(axis=-1, keepdims=True))
    return found / found.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("form", ["nn.MultiheadAttention", "timm", "roles", "apart", "transposed"])
def test_attention(form: str, tmp_path: Path) -> None:
    """Rows of `in_proj_weight` are queries, keys, values; within each the heads one after the other."""
    size, heads, t = 6, 2, 4
    weight, bias, out, shift = normal(3 * size, size), normal(3 * size), normal(size, size), normal(size)
    names = {
        "nn.MultiheadAttention": ("in_proj_weight", "in_proj_bias", "out_proj"),
        "timm": ("qkv.weight", "qkv.bias", "proj"),
        "roles": ("qkv.weight", "qkv.bias", "proj"),
        "transposed": ("qkv.weight", "qkv.bias", "proj"),
    }
    if form == "apart":
        arrays = {"a.o.weight": out, "a.o.bias": shift}
        for k, name in enumerate("qkv"):
            arrays |= {
                f"a.{name}.weight": weight[k * size : (k + 1) * size],
                f"a.{name}.bias": bias[k * size : (k + 1) * size],
            }
        layers = "att: {query: a.q, key: a.k, value: a.v, out: a.o}"
    else:
        kernel, offset, proj = names[form]
        arrays = {f"a.{kernel}": weight, f"a.{offset}": bias, f"a.{proj}.weight": out, f"a.{proj}.bias": shift}
        layers = "att: {qkv: a.qkv, out: a.proj}" if form in ("roles", "transposed") else "att: a"
    more = ""
    if form == "transposed":
        more, arrays = "transposed: true, ", {name: array.T for name, array in arrays.items()}
    text = f"inputs: {{x: [{t}, {size}]}}\ngraph: [{{multi_head_attention: {{num_heads: {heads}, key_dim: {size // heads}}}, as: att, output: true}}]\n"
    model = loaded(text, arrays, layers, tmp_path, more)
    x = normal(t, size)
    q, k, v = (x @ weight.T + bias).reshape(t, 3, heads, size // heads).transpose(1, 2, 0, 3)
    scores = softmax(q @ k.transpose(0, 2, 1) / np.sqrt(size // heads))
    wanted = (scores @ v).transpose(1, 0, 2).reshape(t, size) @ out.T + shift
    np.testing.assert_allclose(array(model(x[None]))[0], wanted, rtol=1e-4, atol=1e-4)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def recurrent(kind: str, arrays: dict[str, np.ndarray], x: np.ndarray, end: str = "") -> np.ndarray:
    """The last state, by the formulas in PyTorch's documentation of LSTM and GRU."""
    wi, wh = arrays[f"r.weight_ih_l0{end}"], arrays[f"r.weight_hh_l0{end}"]
    bi, bh = arrays[f"r.bias_ih_l0{end}"], arrays[f"r.bias_hh_l0{end}"]
    h = c = np.zeros(wh.shape[1])
    for step in x:
        a, b = wi @ step + bi, wh @ h + bh
        if kind == "lstm":
            i, f, g, o = np.split(a + b, 4)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
        elif kind == "gru":
            (ra, za, na), (rb, zb, nb) = np.split(a, 3), np.split(b, 3)
            z = sigmoid(za + zb)
            h = (1 - z) * np.tanh(na + sigmoid(ra + rb) * nb) + z * h
        else:
            h = np.tanh(a + b)
    return h


@pytest.mark.parametrize(("kind", "gates"), [("lstm", 4), ("gru", 3), ("simple_rnn", 1)])
@pytest.mark.parametrize("both", [False, True])
def test_recurrence(kind: str, gates: int, both: bool, tmp_path: Path) -> None:
    units, channels, t = 3, 2, 5
    arrays = {}
    for end in ("", "_reverse") if both else ("",):
        arrays |= {
            f"r.weight_ih_l0{end}": normal(gates * units, channels),
            f"r.weight_hh_l0{end}": normal(gates * units, units),
        }
        arrays |= {f"r.bias_ih_l0{end}": normal(gates * units), f"r.bias_hh_l0{end}": normal(gates * units)}
    step = f"bidirectional: {{units: {units}, layer: {kind}}}" if both else f"{kind}: {units}"
    model = loaded(
        f"inputs: {{x: [{t}, {channels}]}}\ngraph: [{{{step}, as: rnn, output: true}}]\n", arrays, "rnn: r", tmp_path
    )
    x = normal(t, channels)
    wanted = recurrent(kind, arrays, x)
    if both:
        wanted = np.concatenate([wanted, recurrent(kind, arrays, x[::-1], "_reverse")])
    np.testing.assert_allclose(array(model(x[None]))[0], wanted, rtol=1e-4, atol=1e-4)


# --- other channels, other classes ----------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 2, 4, 6])
def test_a_grey_picture_gives_what_it_gave_with_three_channels(channels: int, tmp_path: Path) -> None:
    text = "params: {channels: int = 3}\ninputs: {image: [4, 4, channels]}\ngraph: [{conv: {filters: 5, kernel_size: 3}, as: stem, output: true}]\n"
    before = loaded(text, {"c.weight": normal(5, 3, 3, 3), "c.bias": normal(5)}, "stem: c", tmp_path)
    after = resspec.build(
        tmp_path / "net.yaml", weights=tmp_path / "w.pth", channels=channels, adapt={"stem": "channels"}
    )
    grey = normal(1, 4, 4, 1)
    wanted = array(before(np.repeat(grey, 3, axis=-1)))
    np.testing.assert_allclose(array(after(np.repeat(grey, channels, axis=-1))), wanted, rtol=1e-4, atol=1e-5)


def test_a_head_of_other_classes_starts_anew(state: dict[str, np.ndarray], checkpoint: Path) -> None:
    with resspec.load(NAME, classes=10).weights_from(checkpoint, adapt={"logits": "fresh"}) as found:
        assert not found.findings
        assert "logits" not in found.values()
        assert "adapted to fresh values: logits" in found.summary


@pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="PyTorch is not installed; make test-parity runs it"
)
def test_a_state_dict_of_pytorch_itself(tmp_path: Path) -> None:
    """Written by `torch.save`, read here without it."""
    path = tmp_path / "w.pth"
    run(
        f"import torch; net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4)); torch.save(net.state_dict(), {str(path)!r})",
        KERAS_BACKEND="torch",
    )
    network = load("graph: [{conv: {filters: 4, kernel_size: 3}, as: a}, {batch_norm: , as: b}]")
    (tmp_path / "m.weights.yaml").write_text("resspec-weights: 1\nt: {layers: {a: '0', b: '1'}}\n")
    with network.weights_from(path, weights_map=str(tmp_path / "m.weights.yaml")) as found:
        assert not found.findings
