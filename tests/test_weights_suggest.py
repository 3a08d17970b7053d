"""Maps that are proposed for files that nobody described: they load everything, and insertions do not derail them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from speccing import load
from test_torch_names import resnet50
from torchzip import dense as tensor
from torchzip import write

import resspec
from resspec import api, files
from resspec.cli import main
from resspec.weights import naming
from resspec.weights.archive import open_archive
from resspec.weights.home import Home
from resspec.weights.loading import open_weights
from resspec.weights.suggest import Proposal, suggest


def proposed(network: api.Network, path: Path) -> Proposal:
    with open_archive(path) as archive:
        return suggest(network, archive)


def loads(network: api.Network, path: Path, proposal: Proposal, *allow: str) -> int:
    """How many weights the proposed map finds; all must be found but what is allowed."""
    mapping = path.with_name("net.weights.yaml")
    mapping.write_text(proposal.yaml(network.name, path.name))
    assert network.document is not None
    home = Home(network.document, path.parent, network.params)
    with open_weights(network, path, home, weights_map=str(mapping), allow=allow) as found:
        return len(found.require().match.loaded)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("torchvision") / "resnet50.pth"
    return write(path, {name: tensor(str(k), value) for k, (name, value) in enumerate(resnet50().items())})


def test_the_shipped_map_of_resnet50_is_found_by_itself(checkpoint: Path) -> None:
    """As many lines, and each says of every path what the shipped one says."""
    network = resspec.load("resnet@resnet50_v15")
    proposal = proposed(network, checkpoint)
    assert loads(network, checkpoint, proposal) == 53 + 4 * 53 + 2
    assert not proposal.ours
    assert not proposal.theirs
    text = (files.SHIPPED / "resnet.weights.yaml").read_text()
    shipped = naming.parse(text, "resnet.weights.yaml").namings["torchvision"]
    assert len(proposal.lines) <= len(shipped.rules)
    with network.weights_from(checkpoint, weights_map="torchvision") as found:
        wanted = {network.nodes[one.node].path: one.tensors[0].layer for one in found.match.loaded}
    assert dict(proposal.pairs) == wanted


def test_a_layer_more_on_either_side_is_passed_over(checkpoint: Path, tmp_path: Path) -> None:
    text = (files.SHIPPED / "resnet.yaml").read_text().partition("\nchecks:")[0] + "\n"
    more = "  - {conv_bn: {filters: 256, kernel_size: 3}, as: extra}\n"
    (tmp_path / "net.yaml").write_text(text.replace("  - [global_avg_pool", f"{more}  - [global_avg_pool"))
    network = resspec.load(tmp_path / "net.yaml", depth=50, stride_at="spatial")
    if "extra/weight" not in network.index:
        pytest.fail("the spec has changed; the step could not be inserted")
    state = resnet50()
    state["fc.weight"] = np.zeros((1000, 256), np.float32)
    state["neck.weight"] = np.zeros((7, 3, 5, 5), np.float32)
    path = write(tmp_path / "w.pth", {name: tensor(str(k), value) for k, (name, value) in enumerate(state.items())})
    proposal = proposed(network, path)
    assert set(proposal.ours) == {"extra/weight", "extra/bn"}
    assert proposal.theirs == ("neck",)
    assert loads(network, path, proposal, "extra/*", "neck") == 53 + 4 * 53 + 2


MANY = """
resspec: 1
params: {n: int = 6}
inputs: {x: [8]}
graph:
  - {repeat: n, as: block$i, do: [{dense: 8, as: mix}, {layer_norm: , as: norm}, {dense: 8, as: out}]}
  - {dense: 3, as: head, output: true}
"""


def test_units_alike_are_told_apart_by_what_most_of_them_do(tmp_path: Path) -> None:
    """Of two layers of one shape in a unit the first goes with the first, in every unit."""
    network = load(MANY)
    arrays: dict[str, np.ndarray] = {}
    for k in range(6):
        arrays |= {f"h.{k}.a.weight": np.ones((8, 8)), f"h.{k}.a.bias": np.ones(8)}
        arrays |= {f"h.{k}.ln.weight": np.ones(8), f"h.{k}.ln.bias": np.ones(8)}
        arrays |= {f"h.{k}.b.weight": np.ones((8, 8)), f"h.{k}.b.bias": np.ones(8)}
    arrays |= {"top.weight": np.ones((3, 8)), "top.bias": np.ones(3)}
    np.savez(tmp_path / "w.npz", **arrays)
    proposal = proposed(network, tmp_path / "w.npz")
    assert dict(proposal.lines) == {
        "block{s}/mix": "h.{s}.a", "block{s}/norm": "h.{s}.ln", "block{s}/out": "h.{s}.b", "head": "top",
    }  # fmt: skip
    assert loads(network, tmp_path / "w.npz", proposal) == 38


def test_attention_is_two_layers_in_files_of_pytorch(tmp_path: Path) -> None:
    network = load(
        "resspec: 1\ninputs: {x: [4, 6]}\ngraph:\n"
        "  - {repeat: 2, as: b$i, do: [{multi_head_attention: {num_heads: 2, key_dim: 3}, as: att}]}\n"
    )
    arrays: dict[str, np.ndarray] = {}
    for k in range(2):
        arrays |= {f"l.{k}.q3.weight": np.ones((18, 6)), f"l.{k}.q3.bias": np.ones(18)}
        arrays |= {f"l.{k}.o.weight": np.ones((6, 6)), f"l.{k}.o.bias": np.ones(6)}
    np.savez(tmp_path / "w.npz", **arrays)
    proposal = proposed(network, tmp_path / "w.npz")
    assert dict(proposal.lines) == {"b{s}/att": '{out: "l.{s}.o", qkv: "l.{s}.q3"}'}
    assert loads(network, tmp_path / "w.npz", proposal) == 16


@pytest.mark.parametrize("name", ["a: b", "x #y", "{z}", "- w", '"q"', "l[0]", "no", "7", "*"])
def test_a_proposal_is_yaml_whatever_the_file_calls_its_layers(name: str, tmp_path: Path) -> None:
    network = load("resspec: 1\ninputs: {x: [6]}\ngraph: [{dense: 3, as: head, output: true}]\n")
    np.savez(tmp_path / "w.npz", **{f"{name}.weight": np.ones((3, 6)), f"{name}.bias": np.ones(3)})
    proposal = proposed(network, tmp_path / "w.npz")
    naming.parse(proposal.yaml("net", "w.npz"), "net.weights.yaml")
    if proposal.pairs:
        assert loads(network, tmp_path / "w.npz", proposal) == 2


def test_a_map_says_when_it_is_hardly_one(tmp_path: Path) -> None:
    steps = ", ".join(f"{{dense: {units}, as: d{units}}}" for units in range(8, 16))
    (tmp_path / "net.yaml").write_text(f"resspec: 1\ninputs: {{x: [4]}}\ngraph: [{steps}]\n")
    np.savez(tmp_path / "w.npz", **{"a.weight": np.ones((8, 4)), "a.bias": np.ones(8), "b.weight": np.ones((70, 3))})
    done = suggested(tmp_path)
    assert "# 1 of 8 steps with weights: most likely the file is of another network" in done.stdout
    done = suggested(tmp_path, "-o", str(tmp_path / "net.weights.yaml"))
    assert "note: 1 of 8 steps" in done.stderr


def test_a_map_is_not_needed_where_one_describes_the_file(tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text(
        "resspec: 1\nparams: {act: {type: str, enum: [relu, silu], default: relu}}\ninputs: {x: [4]}\n"
        "graph: [{dense: 8, as: fc}, {activation: $act}]\n"
    )
    mapping = tmp_path / "net.weights.yaml"
    mapping.write_text("resspec-weights: 1\ntheirs:\n  when: act == 'silu'\n  layers: {fc: a}\n")
    np.savez(tmp_path / "w.npz", **{"a.weight": np.ones((8, 4)), "a.bias": np.ones(8)})
    assert "use `-p act=silu`" in suggested(tmp_path).stdout
    assert "the file loads under the names of `theirs`" in suggested(tmp_path, "-p", "act=silu").stdout
    mapping.write_text("broken")
    assert suggested(tmp_path).exit_code == 0
    assert suggested(tmp_path, "-o", str(mapping)).exit_code == 2  # it is there, and maps are edited by hand
    assert mapping.read_text() == "broken"
    assert suggested(tmp_path, "-f", "-o", str(mapping)).exit_code == 0
    assert "fc: a" in mapping.read_text()


def suggested(folder: Path, *more: str) -> Result:
    return CliRunner().invoke(main, ["weights", "suggest", str(folder / "net.yaml"), str(folder / "w.npz"), *more])
