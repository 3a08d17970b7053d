"""The JSON Schema: made from the models, shipped, and of one mind with the checker."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner

import resspec
from resspec import files, yamltree
from resspec.cli import main
from resspec.language import document as documents
from resspec.language.jsonschema import schema
from resspec.language.ownschema import schema_of
from resspec.ops import OPS
from resspec.starter import starter

SCHEMA: dict[str, Any] = schema(OPS)
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
COMMITTED = Path(resspec.__file__).with_name("spec.schema.json")


def valid(text: str) -> bool:
    return VALIDATOR.is_valid(yamltree.to_data(yamltree.parse(text, "spec.yaml")))


def test_the_committed_schema_is_the_generated_one() -> None:
    assert json.loads(COMMITTED.read_text()) == SCHEMA, "run `make schema`"


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    "path", sorted(p for p in files.SHIPPED.glob("*.yaml") if "." not in p.stem), ids=lambda path: path.stem
)
def test_every_shipped_spec_is_valid(path: Path) -> None:
    VALIDATOR.validate(yamltree.to_data(yamltree.parse(path.read_text(), path.name)))


def test_the_starter_is_valid() -> None:
    assert valid(starter("net"))


def test_every_op_and_argument_is_there_with_its_description_and_default() -> None:
    calls = SCHEMA["$defs"]["Step"]["anyOf"][3]["properties"]
    for op in OPS:
        assert calls[op.kind]["description"], op.kind
        assert set(op.model_fields) <= set(SCHEMA["$defs"][op.__name__].get("properties", {})), op.kind
    assert SCHEMA["$defs"]["Conv"]["properties"]["use_bias"]["default"] is True


HEAD = "resspec: 1\ninputs: {x: [8, 8, 3]}\ngraph: "


@pytest.mark.parametrize(
    "graph",
    [
        "[{conv: 4*width}, relu, {my_block: {width: 3}}, [batch_norm, relu], {add: [a, prev]}]",
        "[{conv: {filters: 4, kernel_size: [3, k], padding: $pad, use_bias: not first}}]",
        "[{repeat: n, as: stage$i, do: [{conv: {match: n, 1: 4, else: 8}}]}]",
        "[{max_pool: {pool_size: 2, padding: 1}}, {keras.UnitNormalization: }]",
    ],
)
def test_what_the_language_allows_is_valid(graph: str) -> None:
    assert valid(HEAD + graph)


@pytest.mark.parametrize(
    "graph",
    [
        "[{conv: {filters: 4, kernal_size: 3}}]",
        "[{conv: {filters: 0}}]",
        "[{conv: {filters: 4, padding: smae}}, {max_pool: {padding: {}}}]",
        "[3]",
        "[{relu: , as: 3}]",
        "[{add: {of: [a, b], align: clip}}]",
    ],
)
def test_what_it_refuses_is_not(graph: str) -> None:
    assert not valid(HEAD + graph)


# -- the schema of one file ------------------------------------------------------------------------


def own(text: str, root: Path = files.SHIPPED) -> Any:
    """A function that says whether data fits the schema of the spec `text`."""
    document, _ = documents.load(text, "spec.yaml", root)
    found = schema_of(document, OPS)
    jsonschema.Draft202012Validator.check_schema(found)
    validator = jsonschema.Draft202012Validator(found)
    return lambda other: validator.is_valid(yamltree.to_data(yamltree.parse(other, "spec.yaml")))


@pytest.mark.parametrize(
    "path", sorted(p for p in files.SHIPPED.rglob("*.yaml") if "." not in p.stem), ids=lambda path: path.stem
)
def test_every_shipped_file_is_valid_by_its_own_schema(path: Path) -> None:
    text = path.read_text()
    assert own(text)(text)


def test_the_starter_is_valid_by_its_own_schema() -> None:
    assert own(starter("net"))(starter("net"))


OWN = """\
resspec: 1
params: {depth: {type: int, min: 1, max: 9, default: 3}, act: {type: str, enum: [relu, gelu], default: relu}, n: int? = null}
variants: {deep: {depth: 9}}
use: {se: resspec:blocks/attention.yaml, gate: resspec:blocks/attention.yaml#attention_gate}
inputs: {x: [8, 8, 3]}
blocks:
  norm: [batch_norm, relu]
  unit:
    doc: a unit
    params: {filters: {type: int, min: 1}, act: str = relu, sizes: 'list[int] = [1, 2]', fast: bool = true}
    graph: [norm, {conv: filters}, activation: $act]
  bare: {params: {rate: float = 0.5}, graph: [dropout: rate]}
graph: STEPS
checks: [{with: {depth: 2}, depth: 1}]
"""


def with_steps(steps: str) -> str:
    return OWN.replace("STEPS", steps)


OWN_VALID = own(with_steps("[unit: 4]"))


@pytest.mark.parametrize(
    "steps",
    [
        "[norm, bare, se, {norm: , as: a}, {bare: 0.1}, {bare: {rate: depth / 10}}, {bare: {}}]",
        "[unit: 4, {unit: {filters: 2*depth, act: gelu, sizes: [1, depth], fast: false}, as: u$i, when: depth > 2}]",
        "[{unit: {filters: {match: depth, 3: 4, else: 5}, act: $act}}, {unit: {match: depth, 3: 4, else: 5}}]",
        "[{se: 8}, {se: {ratio: 4, gate: tanh}}, {gate: {filters: 4}, from: [x, prev]}]",
        "[keras.UnitNormalization, {keras.UnitNormalization: {axis: -1}}, {repeat: 2, do: [unit: 4]}, [relu, norm]]",
        "[{do: [{unit: 4}, relu]}, {tap: x}, {expect: [8, 8, 3]}]",
    ],
)
def test_calls_of_own_blocks_are_valid(steps: str) -> None:
    assert OWN_VALID(with_steps(steps))


@pytest.mark.parametrize(
    "steps",
    [
        "[nrom]", "[unit]", "[{nuit: 4}]", "[{unit: {filter: 4}}]", "[{unit: {filters: 0}}]", "[{unit: {act: relu}}]",
        "[{unit: {filters: [4]}}]", "[{unit: {filters: 4, fast: 3}}]", "[{unit: {filters: 4, sizes: 3}}]",
        "[{unit: }]", "[{norm: 3}]", "[{se: {ration: 4}}]", "[{se: 0}]", "[{cnov: 4}]", "[{conv: 4, form: x}]",
        "[{repeat: 2, do: [nuit: 4]}]", "[[relu, nrom]]", "[{keras: {}}]",
    ],
)  # fmt: skip
def test_typos_in_calls_of_own_blocks_are_refused(steps: str) -> None:
    assert not OWN_VALID(with_steps(steps))


@pytest.mark.parametrize(
    ("old", "new", "fits"),
    [
        ("{deep: {depth: 9}}", "{deep: {depth: 5, act: gelu, n: null}}", True),
        ("{deep: {depth: 9}}", "{deep: {depht: 9}}", False),
        ("{deep: {depth: 9}}", "{deep: {depth: 10}}", False),
        ("{deep: {depth: 9}}", "{deep: {depth: 2*4}}", False),
        ("{deep: {depth: 9}}", "{deep: {act: tanh}}", False),
        ("with: {depth: 2}", "with: {depht: 2}", False),
        ("with: {depth: 2}", "with: {n: 3}", True),
    ],
)
def test_variants_and_checks_know_the_params_of_the_file(old: str, new: str, fits: bool) -> None:
    assert OWN_VALID(with_steps("[relu]").replace(old, new)) is fits


def test_the_description_and_the_default_of_a_block_are_there() -> None:
    document, _ = documents.load(with_steps("[relu]"), "spec.yaml", files.SHIPPED)
    found = schema_of(document, OPS)
    assert found["title"] == "resspec: spec.yaml"
    unit = found["$defs"]["block.unit"]
    assert unit["description"] == "a unit"
    assert unit["required"] == ["filters"]
    assert unit["properties"]["fast"]["default"] is True
    assert "Hu et al. 2018" in found["$defs"]["block.se"]["description"]


def test_the_command_prints_both(tmp_path: Path) -> None:
    def printed(*arguments: str) -> Any:
        result = CliRunner().invoke(main, ["schema", *arguments])
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    assert printed() == SCHEMA
    assert "block.unit" in printed("resnet_cifar")["$defs"]
    (tmp_path / "net.yaml").write_text(with_steps("[relu]"))
    assert "block.unit" in printed(str(tmp_path / "net.yaml"))["$defs"]


# -- the schema beside a new spec ------------------------------------------------------------------


def new(*arguments: str) -> None:
    result = CliRunner().invoke(main, ["new", *arguments])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("more", [(), ("--like", "unet")])
def test_a_new_spec_names_the_schema_beside_it(tmp_path: Path, more: tuple[str, ...]) -> None:
    new(str(tmp_path / "net.yaml"), *more)
    line, _, text = (tmp_path / "net.yaml").read_text().partition("\n")
    _, _, named = line.partition("# yaml-language-server: $schema=")
    assert json.loads((tmp_path / named).read_text()) == SCHEMA
    assert VALIDATOR.is_valid(yamltree.to_data(yamltree.parse(text, "net.yaml")))


def test_a_schema_that_is_there_is_kept(tmp_path: Path) -> None:
    (tmp_path / "resspec.schema.json").write_text("{}")
    new(str(tmp_path / "net.yaml"))
    assert (tmp_path / "resspec.schema.json").read_text() == "{}"


def test_a_new_spec_without_a_schema(tmp_path: Path) -> None:
    new(str(tmp_path / "net.yaml"), "--no-schema")
    assert [path.name for path in tmp_path.iterdir()] == ["net.yaml"]
    assert (tmp_path / "net.yaml").read_text().startswith("resspec: 1")


def test_the_schema_is_refreshed_by_the_command_that_help_names(tmp_path: Path) -> None:
    new(str(tmp_path / "net.yaml"))
    written = (tmp_path / "resspec.schema.json").read_bytes()
    result = CliRunner().invoke(main, ["schema", "-o", str(tmp_path / "resspec.schema.json")])
    assert result.exit_code == 0
    assert (tmp_path / "resspec.schema.json").read_bytes() == written
