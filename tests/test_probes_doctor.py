"""`doctor` on networks that are sick on purpose: it names the sickness and the step. And on healthy shipped ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import resspec
from resspec.cli import main
from resspec.diagnostics import SpecError
from resspec.probes.diagnosis import Diagnosis

SIGMOID = """
resspec: 1
inputs: {x: [40]}
graph:
  - repeat: 60
    as: layer$i
    do:
      - {dense: 32, as: map}
      - {sigmoid: , as: act}
  - {dense: 10, as: logits, output: true}
"""

RELU = """
resspec: 1
inputs: {image: [8, 8, 3]}
graph:
  - {conv: {filters: 8, kernel_size: 3, padding: same}, as: stem}
  - repeat: 4
    as: unit$i
    do:
      - {conv: {filters: 8, kernel_size: 3, padding: same, use_bias: false}, as: one}
      - {batch_norm: , as: norm}
      - {relu: , as: last}
      - {add: [prev, in], as: sum}
  - [global_avg_pool, {dense: 10, as: logits, output: true}]
"""

DEAD = """
resspec: 1
inputs: {x: [40]}
graph:
  - {dense: 32, as: stem}
  - repeat: 3
    as: unit$i
    do: [batch_norm, relu, {dense: 32, as: map}, {add: [prev, in], as: sum}]
  - as: odd
    do:
      - relu
      - {scale: -1, as: flipped}
      - {relu: , as: switch}
      - {dense: 32, as: map}
      - {add: [prev, in], as: sum}
  - {dense: 10, as: logits, output: true}
"""

GROWING = """
resspec: 1
inputs: {x: [40]}
graph:
  - {dense: 32, as: stem}
  - repeat: 20
    as: unit$i
    do: [relu, {dense: {units: 32, kernel_initializer: he_normal}, as: map}, {add: [prev, in], as: sum}]
  - {dense: 10, as: logits, output: true}
"""

ZERO = """
resspec: 1
inputs: {x: [40]}
graph:
  - {dense: 32, as: stem}
  - repeat: 4
    as: unit$i
    do: [batch_norm, relu, {dense: {units: 32, use_bias: false}, as: map}, {batch_norm: {gamma_initializer: zeros}}, {add: [prev, in], as: sum}]
  - {dense: 10, as: logits, output: true}
"""

WALL = """
resspec: 1
inputs: {x: [40]}
graph:
  - {dense: 32, as: stem}
  - as: unit
    do: [batch_norm, relu, {dense: {units: 32, kernel_initializer: zeros}}, {add: [prev, in], as: sum}]
  - {dense: {units: 32, kernel_initializer: zeros}, as: wall}
  - relu
  - {dense: 10, as: logits, output: true}
"""

UNUSED = """
resspec: 1
inputs: {x: [40]}
graph:
  - {dense: 32, as: stem}
  - {dense: 32, from: stem, as: side}
  - {dense: 10, from: stem, as: logits, output: true}
"""


def diagnosed(text: str, folder: Path) -> Diagnosis:
    path = folder / "net.yaml"
    path.write_text(text.lstrip())
    found = resspec.doctor(path)
    assert [line.about for line in found.lines] == ["gradients", "shatter", "variance", "paths", "spec"]
    assert len(str(found).splitlines()) == 5
    return found


def step(found: Diagnosis, about: str, text: str) -> str:
    """The line of the spec that a sick line points at."""
    verdict = next(line.verdict for line in found.lines if line.about == about)
    assert verdict.ok is False, verdict.text
    assert verdict.help
    assert verdict.place is not None
    return text.lstrip().splitlines()[verdict.place.line - 1]


def test_sixty_sigmoids_without_normalization(tmp_path: Path) -> None:
    found = diagnosed(SIGMOID, tmp_path)
    assert "sigmoid" in step(found, "gradients", SIGMOID)
    assert "vanish" in str(found)
    assert "dense: 32" in step(found, "paths", SIGMOID)
    assert "gets a gradient" not in str(found)


def test_weights_of_zeros_on_the_way_that_all_take(tmp_path: Path) -> None:
    found = diagnosed(WALL, tmp_path)
    assert "as: wall" in step(found, "gradients", WALL)
    assert "no gradient gets past `wall`" in str(found)
    assert "gets a gradient" not in str(found)


def test_what_is_unused_makes_nothing_sick(tmp_path: Path) -> None:
    found = diagnosed(UNUSED, tmp_path)
    assert found.healthy, str(found)
    assert "unused-value" in str(found)


def test_a_relu_before_the_sum(tmp_path: Path) -> None:
    found = diagnosed(RELU, tmp_path)
    assert "relu" in step(found, "spec", RELU)
    assert "relu-before-add" in str(found)


def test_a_dead_branch(tmp_path: Path) -> None:
    found = diagnosed(DEAD, tmp_path)
    assert "as: switch" in step(found, "spec", DEAD)
    assert "`odd/map`" in str(found)


def test_growing_residual_branches(tmp_path: Path) -> None:
    found = diagnosed(GROWING, tmp_path)
    assert "add: [prev, in]" in step(found, "variance", GROWING)


def test_a_factor_that_starts_at_zero_is_not_dead(tmp_path: Path) -> None:
    found = diagnosed(ZERO, tmp_path)
    assert found.healthy, str(found)


@pytest.mark.parametrize("spec", ["resnet_cifar", "mobilenet_v2"])
def test_shipped_networks_are_healthy(spec: str) -> None:
    found = resspec.doctor(spec)
    assert found.healthy, str(found)


@pytest.mark.probes
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(
    "spec", ["resnet_cifar@resnet110", "resnet_cifar@preact110", "mobilenet_v2", "unet", "resnet", "densenet_cifar"]
)
def test_shipped_networks_are_healthy_whatever_the_seed(spec: str, seed: int) -> None:
    found = resspec.doctor(spec, seed=seed)
    assert found.healthy, str(found)


@pytest.mark.probes
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_plain_network_of_110_layers_is_sick(seed: int) -> None:
    found = resspec.doctor("resnet_cifar@plain110", seed=seed)
    sick = {line.about for line in found.lines if line.verdict.ok is False}
    assert sick == {"gradients", "shatter", "paths"}, str(found)


def test_the_command_prints_five_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dead.yaml").write_text(DEAD.lstrip())
    done = CliRunner().invoke(main, ["doctor", "dead.yaml"])
    assert done.exit_code == 1
    assert len(done.stdout.splitlines()) == 5
    told = CliRunner().invoke(main, ["doctor", "dead.yaml", "--json"])
    assert json.loads(told.stdout)["healthy"] is False
    assert json.loads(told.stdout)["lines"][4]["place"] == "dead.yaml:12:10"


def test_a_network_of_one_layer_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "one.yaml"
    path.write_text("{resspec: 1, inputs: {x: [8]}, graph: [{dense: 4}]}")
    with pytest.raises(SpecError, match="nothing to examine"):
        resspec.doctor(path)
