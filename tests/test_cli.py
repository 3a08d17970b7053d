"""The command line as a user meets it: what it prints, what it writes, how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import resspec
from resspec.cli import main

SMALL = """\
resspec: 1
name: small
params: {width: int = 4}
variants: {wide: {width: 8}}
inputs: {image: [H, W, 3]}
graph:
  - {conv: {filters: width, kernel_size: 3}, as: stem}
  - global_avg_pool
  - {dense: 2, as: logits, output: true}
checks:
  - {with: {width: 4}, params: 122}
"""


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(SMALL)
    return "small.yaml"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def data(*arguments: str) -> Any:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_check_says_what_it_did(spec: str) -> None:
    result = run("check", spec)
    assert (result.exit_code, result.stdout) == (0, "small.yaml: ok (3 networks, 1 check)\n")


def test_check_takes_many_files_folders_and_patterns(spec: str, tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "other.yaml").write_text(SMALL)
    result = run("check", spec, "more", "m*/*.yaml", "resnet_v2")
    assert result.exit_code == 0
    assert [line.split(":")[0] for line in result.stdout.splitlines()] == ["small.yaml", "more/other.yaml", "resnet_v2"]


def test_a_finding_ends_with_1_and_points_at_the_place(spec: str, tmp_path: Path) -> None:
    (tmp_path / spec).write_text(SMALL.replace("params: 122", "params: 123"))
    result = run("check", spec)
    assert result.exit_code == 1
    assert "error[check-failed]: expected 123 trainable parameters at width = 4, found 122" in result.stderr
    assert "small.yaml:11:32" in result.stderr


def test_findings_as_json_and_for_github(spec: str, tmp_path: Path) -> None:
    (tmp_path / spec).write_text(SMALL.replace("filters: width", "filters: widht"))
    found = json.loads(run("check", "--json", spec).stdout)
    assert [(one["code"], one["place"]["line"], one["place"]["column"]) for one in found] == [("unknown-name", 7, 22)]
    assert found[0]["help"] == "did you mean `width`?"
    line = run("check", "--format", "github", spec).stdout
    assert line.startswith("::error file=small.yaml,line=7,col=22,endLine=7,title=unknown-name::")


@pytest.mark.parametrize(
    "arguments",
    [("check",), ("summary",), ("check", "x*.yaml"), ("summary", "resnet_v2", "-p", "depth"), ("nonsense",)],
)
def test_wrong_usage_ends_with_2(arguments: tuple[str, ...], spec: str) -> None:
    assert run(*arguments).exit_code == 2


@pytest.mark.parametrize("name", ["no/such.yaml", "resnet_v3", "resnet_v2@resnet51_v2"])
def test_what_is_not_there_is_a_finding(name: str) -> None:
    result = run("summary", name)
    assert result.exit_code == 1
    assert "error[" in result.stderr
    assert "Traceback" not in result.output


def test_summary_has_what_a_machine_reads(spec: str) -> None:
    found = data("summary", spec, "--json", "--at", "H=32,W=32", "-p", "width=8")
    assert found["name"] == "small"
    assert found["outputs"] == {"logits": [2]}
    assert found["params"] == {"total": 242, "trainable": 242, "non_trainable": 0}
    assert found["macs"] == 30 * 30 * 27 * 8 + 16
    assert set(found) >= {
        "name", "digest", "inputs", "outputs", "params", "macs", "flops", "activation_bytes", "layers", "depth",
        "receptive_field",
    }  # fmt: skip
    assert set(found["activation_bytes"]) == {"training", "inference"}


def test_unknown_sizes_are_reported_as_such(spec: str) -> None:
    found = data("summary", spec, "--json")
    assert (found["macs"], found["inputs"]) == (None, {"image": ["H", "W", 3]})
    text = run("summary", spec).stdout
    assert "H >= 3" in text
    assert "--at H=... --at W=..." in text


def test_sizes_that_are_not_legal_are_a_finding_with_the_nearest_legal_ones() -> None:
    result = run("summary", "unet", "--at", "H=570,W=572")
    assert result.exit_code == 1
    assert "H = 570 is not legal" in result.stderr
    assert "556 and 572" in result.stderr


def test_show_folds_equal_neighbours() -> None:
    text = run("show", "resnet_v2").stdout
    assert "×23" in text
    assert "×35" in text
    assert len(text.splitlines()) < 100


def test_expand_prints_the_canonical_form(spec: str) -> None:
    found = data("expand", spec, "--json")
    assert [node["path"] for node in found["nodes"]] == ["image", "stem", "global_avg_pool0", "logits"]
    assert found["nodes"][1]["at"] == "small.yaml:7:5"


def test_expand_yaml_is_itself_legal(spec: str, tmp_path: Path) -> None:
    assert run("expand", "--yaml", spec, "-o", "flat.yaml").exit_code == 0
    assert run("check", "flat.yaml").exit_code == 0
    assert data("summary", "flat.yaml", "--json")["digest"] == data("summary", spec, "--json")["digest"]


def test_no_command_overwrites_its_own_input(spec: str, tmp_path: Path) -> None:
    assert run("expand", spec, "-o", spec).exit_code == 2
    assert (tmp_path / spec).read_text() == SMALL


def test_list_of_a_variant_is_that_one() -> None:
    (found,) = data("list", "--json", "resnet@resnet18")
    assert (found["spec"], found["variant"], found["depth"]) == ("resnet", "resnet18", 18)


def test_list_names_every_variant_with_its_counts() -> None:
    found = data("list", "--json")
    names = {f"{row['spec']}@{row['variant']}": row for row in found}
    assert names["resnet_v2@resnet200_v2"]["params"] == 64_666_152
    assert {row["spec"] for row in found} == set(resspec.shipped())


def test_new_writes_a_spec_that_passes(spec: str) -> None:
    assert run("new", "mine.yaml").exit_code == 0
    assert run("check", "mine.yaml").exit_code == 0
    assert run("new", "mine.yaml").exit_code == 2
    assert run("new", "copy.yaml", "--like", "unet").exit_code == 0
    assert run("check", "copy.yaml").exit_code == 0


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str) -> None:
    assert "_RESSPEC_COMPLETE" in run("completion", shell).stdout


def test_build_writes_a_model_and_what_it_came_from(spec: str, tmp_path: Path) -> None:
    found = data("build", spec, "-o", "small.keras", "--json", "-i", "image=16,None,3")
    assert found["params"] == 122
    sidecar = json.loads(Path(found["sidecar"]).read_text())
    assert sidecar["digest"] == found["digest"]
    assert sidecar["spec"] == SMALL
    import keras

    model = keras.saving.load_model(tmp_path / "small.keras")
    assert model.input_shape == (None, 16, None, 3)


def test_too_many_parameters_are_refused_before_anything_is_built(spec: str) -> None:
    result = run("build", spec, "-p", "width=1000000", "--max-params", "1000")
    assert result.exit_code == 1
    assert "too-many-parameters" in result.stderr


def fresh(code: str) -> str:
    env = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "call",
    [
        "import resspec",
        "import resspec; resspec.load('unet').summary()",
        "from resspec.cli import main; main(['check', 'resnet_v2'], standalone_mode=False)",
        "from resspec.cli import main; main(['summary', 'resnet_v2'], standalone_mode=False)",
        "from resspec.cli import main; main(['expand', 'unet', '--json'], standalone_mode=False)",
        "from resspec.cli import main; main(['show', 'unet'], standalone_mode=False)",
        "from resspec.cli import main; main(['list', 'unet'], standalone_mode=False)",
        "from resspec.cli import main; main(['schema'], standalone_mode=False)",
        "from resspec.cli import main; main(['weights', 'convert', '--help'], standalone_mode=False)",
    ],
)
def test_nothing_but_building_imports_keras(call: str) -> None:
    fresh(f"{call}\nimport sys\nassert not {{'keras', 'tensorflow', 'jax', 'torch', 'numpy'}} & set(sys.modules)")


def test_the_same_spec_gives_the_same_bytes_under_any_hash_seed(spec: str) -> None:
    command = [sys.executable, "-m", "resspec.cli", "expand", "--json", "densenet_cifar"]
    outputs = {
        subprocess.run(command, capture_output=True, env={**os.environ, "PYTHONHASHSEED": seed}).stdout
        for seed in ("0", "1", "2")
    }
    assert len(outputs) == 1
    assert outputs != {b""}


def test_sizes_lists_what_is_legal_around_a_size() -> None:
    done = run("sizes", "unet", "--near", "512", "-n", "3")
    assert "legal   H = 12 (mod 16), H >= 188" in done.output
    rows = [line.split()[:3] for line in done.output.splitlines() if line[:1].isdigit()]
    assert rows == [["492", "492", "(308,"], ["508", "508", "(324,"], ["524", "524", "(340,"]]


def test_sizes_takes_the_sizes_of_a_spec_as_unknown() -> None:
    data = json.loads(run("sizes", "hourglass", "--near", "H=300,W=64", "--json").output)
    assert data["classes"]["H"] == {
        "period": 64,
        "classes": [{"residue": 0, "least": 64, "most": None}, {"residue": 63, "least": 63, "most": None}],
    }
    assert data["near"][0]["at"] == {"H": 255, "W": 63}


def test_sizes_knows_no_other_unknown() -> None:
    done = run("sizes", "unet", "--near", "Q=4")
    assert done.exit_code == 2
    assert "H, W" in done.output


BROKEN = """\
resspec: 1
inputs: {image: [32, 32, 3]}
graph:
  - {Conv2D: {filters: 8, kernel: 3, stride: 2, padding: SAME}, as: stem}
  - nn.BatchNorm2d
  - {relu: , from: stm}
"""


def test_fix_carries_out_what_is_certain(spec: str) -> None:
    Path("broken.yaml").write_text(BROKEN)
    done = run("check", "broken.yaml")
    assert done.exit_code == 1
    assert "of these can be mended: 2 with --fix, 1 more with --fix --unsafe-fixes" in done.output
    done = run("check", "--fix", "broken.yaml")
    assert done.exit_code == 1
    assert "broken.yaml: 5 fixes made, 1 error" in done.output
    assert (
        "{conv: {filters: 8, kernel_size: 3, strides: 2, padding: same}, as: stem}" in Path("broken.yaml").read_text()
    )
    assert "from: stm" in Path("broken.yaml").read_text()
    done = run("check", "--fix", "--unsafe-fixes", "broken.yaml")
    assert done.exit_code == 0
    assert "from: stem" in Path("broken.yaml").read_text()


def test_a_file_of_blocks_is_checked_without_a_network() -> None:
    done = run("check", str(resspec.files.SHIPPED / "blocks"))
    assert done.exit_code == 0
    assert "ok (blocks only)" in done.output


def test_explain_shows_a_bad_and_a_good_example() -> None:
    done = run("explain", "unknown-op")
    assert done.exit_code == 0
    assert done.output.startswith("# unknown-op\n")
    assert "```yaml" in done.output
    assert "# error:" not in done.output
    assert "unknown-op" in run("explain").output
    assert "did you mean `unknown-op`?" in run("explain", "unkown-op").output


def test_render_draws_every_format(spec: str) -> None:
    outs = [f"net{suffix}" for suffix in (".svg", ".png", ".pdf", ".tex", ".html", ".dot", ".mmd", ".txt")]
    done = run("render", spec, *(part for out in outs for part in ("-o", out)))
    assert done.exit_code == 0, done.output
    assert all(Path(out).stat().st_size > 300 for out in outs)
    assert done.output.count("written") == len(outs)


def test_render_never_overwrites_what_it_reads(spec: str) -> None:
    before = Path(spec).read_text()
    assert run("render", spec, "-o", spec).exit_code != 0
    assert Path(spec).read_text() == before
    assert run("render", spec).exit_code == 0
    assert run("render", spec).exit_code == 2  # small.svg is there


def test_render_puts_two_networks_side_by_side(spec: str) -> None:
    done = run("render", "resnet@plain34", "--compare", "resnet@resnet34", "-o", "both.svg")
    assert done.exit_code == 0, done.output
    text = Path("both.svg").read_text()
    assert "plain34" in text
    assert "resnet34" in text
    done = run("render", "vgg", "--compare", "alexnet", "-o", "both.html")
    assert done.exit_code == 1
    assert "unknown-format" in done.output
