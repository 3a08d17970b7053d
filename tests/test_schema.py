"""The JSON Schema: made from the models, shipped, and of one mind with the checker."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import resspec
from resspec import files, yamltree
from resspec.language.jsonschema import schema
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


@pytest.mark.parametrize("path", sorted(files.SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
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
