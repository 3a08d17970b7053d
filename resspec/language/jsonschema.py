"""The JSON Schema of the language, made from the models: what editors complete and check with.

An op's arguments come from its class. Where a spec may write an expression for a number, the schema
says so; names of blocks are any other key. `ownschema` makes that of one file, which knows its blocks.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from resspec.language.merges import ALIGN, PROJECT
from resspec.language.schema import BESIDE, VERSION, SpecFile
from resspec.language.warning_codes import WARNINGS
from resspec.ops.base import Op
from resspec.ops.merge import Merge

Schema = dict[str, Any]

EXPRESSION = {"$ref": "#/$defs/expression"}
MATCH = {"$ref": "#/$defs/match"}
DOLLAR = {"type": "string", "pattern": r"\$"}
STEPS = {"type": "array", "items": {"$ref": "#/$defs/Step"}}
NAME = {"type": "string", "pattern": r"^[A-Za-z$][A-Za-z0-9_$()+*/ .%-]*$"}


def schema(ops: Iterable[type[Op]]) -> Schema:
    """The schema of spec files with the given ops, as plain data."""
    ops = sorted(ops, key=lambda op: op.kind)
    models: list[type[BaseModel]] = [SpecFile, *ops]
    _, whole = models_json_schema([(model, "validation") for model in models])
    definitions: Schema = whole["$defs"]
    spec = definitions.pop("SpecFile")
    for op in ops:
        definitions[op.__name__] = _arguments(op, definitions[op.__name__])
    for name in ("InitializerConfig", "RegularizerConfig", "ConstraintConfig"):
        if name in definitions:
            definitions[name] = _with_expressions(definitions[name])
    definitions |= {
        "expression": {
            "type": "string",
            "description": "an expression: numbers, names, + - * / // % **, comparisons, and/or/not, "
            "`a if c else b`, min max round ceil floor abs len sum round_to, `.channels` of a tensor",
        },
        "match": {
            "type": "object",
            "required": ["match"],
            "description": "{match: depth, 50: ..., else: ...}: the case that equals the value",
        },
        "Step": _step(ops),
        "Defaults": {
            "type": "object",
            "description": "arguments that ops take where a step gives none",
            "properties": {op.kind: {**_loose(op)} for op in ops},
            "additionalProperties": False,
        },
    }
    properties = spec["properties"]
    properties["defaults"] = {"$ref": "#/$defs/Defaults"}
    properties["resspec"]["const"] = VERSION
    reasons = properties["allow"].pop("additionalProperties")
    properties["allow"] |= {"properties": dict.fromkeys(sorted(WARNINGS), reasons), "additionalProperties": False}
    for name in ("InputDecl", "Param", "Block"):
        definitions[name] = _shorthand(name, definitions[name])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "resspec",
        "description": "A neural network architecture as data.",
        **{key: value for key, value in spec.items() if key not in ("title", "description")},
        "$defs": dict(sorted(definitions.items())),
    }


def _arguments(op: type[Op], found: Schema) -> Schema:
    """The arguments of an op as a file may write them; what is required may stand under `defaults`."""
    loose: Schema = _with_expressions(found)
    loose.pop("required", None)
    if issubclass(op, Merge):
        loose["properties"] = {
            "of": {"type": "array", "items": {"type": "string"}, "description": "the tensors to merge"},
            "align": {"enum": list(ALIGN), "description": "mend spatial sizes that differ; `error` does not"},
            "project": {"enum": list(PROJECT), "description": "bring the others to the first one's shape"},
            **loose.get("properties", {}),
        }
    loose["description"] = _doc(op)
    return loose


def _loose(op: type[Op]) -> Schema:
    """An op's arguments of which none is required."""
    return {
        "type": "object",
        "description": f"defaults of `{op.kind}`",
        "properties": {name: {"$ref": f"#/$defs/{op.__name__}/properties/{name}"} for name in op.model_fields},
        "additionalProperties": False,
    }


def _doc(op: type[Op]) -> str:
    return (inspect.getdoc(op) or "").split("\n\n")[0].replace("\n", " ")


def _with_expressions(node: Any) -> Any:
    """Every number and switch may also be an expression or a `match`; a word stays a word."""
    if isinstance(node, list):
        return [_with_expressions(item) for item in node]
    if not isinstance(node, dict):
        return node
    if node.get("type") in ("integer", "number", "boolean"):
        keep = {key: node[key] for key in ("description", "default", "title") if key in node}
        bare = {key: value for key, value in node.items() if key not in keep}
        return {**keep, "anyOf": [bare, EXPRESSION, MATCH]}
    if "enum" in node or "const" in node:
        return {
            **{k: v for k, v in node.items() if k not in ("enum", "const", "type")},
            "anyOf": [_pick(node), DOLLAR, MATCH],
        }
    if "prefixItems" in node:
        node = {key: value for key, value in node.items() if key not in ("minItems", "maxItems")}
    return {key: _with_expressions(value) if key != "default" else value for key, value in node.items()}


def _pick(node: Schema) -> Schema:
    return {key: node[key] for key in ("enum", "const", "type") if key in node}


def _step(ops: Iterable[type[Op]]) -> Schema:
    calls: Schema = {}
    names = []
    for op in ops:
        names.append(op.kind)
        shapes: list[Schema] = [{"$ref": f"#/$defs/{op.__name__}"}]
        if issubclass(op, Merge):
            shapes += [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]
        elif op.primary is not None:
            shapes.append({"$ref": f"#/$defs/{op.__name__}/properties/{op.primary}"})
        shapes.append({"type": "null"})
        calls[op.kind] = {"description": _doc(op), "anyOf": shapes}
    beside = {
        "as": {**NAME, "description": "a name for the result; one built with `$` is visible outside its loop"},
        "from": {
            "description": "the input, instead of the previous step's result",
            "type": ["string", "array", "object"],
        },
        "when": {"description": "the step is passed over when false", "type": ["boolean", "string"]},
        "output": {"description": "mark the result as an output of the network", "type": "boolean"},
        "let": {"description": "local values", "type": "object"},
        "do": {**STEPS, "description": "the body of a loop, or a body that stands alone"},
        "share": {"description": "one set of weights for all steps with this key", "type": "string"},
        "trainable": {"description": "false freezes the weights", "type": ["boolean", "string"]},
    }
    assert set(beside) == BESIDE
    structural = {
        "repeat": {
            "description": "the body this many times; `i` counts from 0",
            "anyOf": [{"type": "integer"}, EXPRESSION],
        },
        "for": {"description": "walks lists side by side: {width: [64, 128]}", "type": "object"},
        "tap": {"description": "fetches a value by its name", "type": "string"},
        "expect": {"description": "asserts a shape: [H/32, W/32, 2048]", "type": "array"},
    }
    return {
        "description": "an op or block by name, a list of steps, or a mapping with one op and what stands beside it",
        "anyOf": [
            {"enum": names, "description": "an op without arguments"},
            {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_.]*$", "description": "a block without arguments"},
            STEPS,
            {
                "type": "object",
                "properties": {**beside, **structural, **calls},
                "additionalProperties": {"description": "the call of a block, or `keras.<Class>`"},
                "minProperties": 1,
            },
        ],
    }


def _shorthand(name: str, found: Mapping[str, Any]) -> Schema:
    """The short forms that the models take: a list for an input or block, `int = 4` for a parameter."""
    short: dict[str, Schema] = {
        "InputDecl": {"type": "array", "items": {"type": ["integer", "string"]}, "description": "shape of one example"},
        "Param": {"type": "string", "description": "type and default: `int = 4`, `list[int]`, `str? = null`"},
        "Block": {**STEPS, "description": "a block without params"},
    }
    cases = [MATCH] if name == "InputDecl" else []
    return {"description": found.get("description", ""), "anyOf": [short[name], *cases, dict(found)]}
