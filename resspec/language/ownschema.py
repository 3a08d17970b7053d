"""The JSON Schema of one spec file: the language's, with the file's own blocks and parameters in it.

A key of a step that is no op, no block and no word of the language is refused here, where the schema of
the language has to let it pass. Names in expressions are not looked at: `resspec check` does that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from resspec.language.document import Document
from resspec.language.jsonschema import DOLLAR, EXPRESSION, MATCH, Schema, schema
from resspec.language.schema import Block, Param
from resspec.ops.base import Op

FOREIGN = r"^keras\.[A-Za-z0-9]+$"


def schema_of(document: Document, ops: Iterable[type[Op]]) -> Schema:
    """The schema of the very file that `document` was read from, as plain data."""
    found = schema(ops)
    blocks = {name: block for name in document.block_names if (block := _block(document, name)) is not None}
    definitions = found["$defs"]
    definitions["Step"] = _step(definitions["Step"], blocks)
    definitions |= {_definition(name): _call(name, block) for name, block in blocks.items()}
    settings = _settings(document.spec.params)
    found["properties"]["variants"] |= {"additionalProperties": settings}
    definitions["Check"]["properties"]["with"] = {**settings, "description": "parameters to set"}
    return {**found, "title": f"resspec: {document.name}", "$defs": dict(sorted(definitions.items()))}


def _block(document: Document, name: str) -> Block | None:
    found = document.block(name)
    return found[1] if found else None


def _definition(name: str) -> str:
    return f"block.{name}"


def _step(general: Schema, blocks: Mapping[str, Block]) -> Schema:
    """What a step may be: the blocks by name, and nothing that is not known."""
    words, _, several, mapping = general["anyOf"]
    bare = [name for name, block in blocks.items() if not _required(block)]
    calls = {name: _arguments(name, block) for name, block in blocks.items()}
    return {
        **general,
        "anyOf": [
            # a block that bears the name of an op stands for it
            {**words, "enum": [*(name for name in words["enum"] if name not in blocks), *bare]},
            {"type": "string", "pattern": FOREIGN, "description": "a layer of Keras without arguments"},
            several,
            {
                **mapping,
                "properties": {**mapping["properties"], **calls},
                "patternProperties": {FOREIGN: {"description": "a layer of Keras", "type": ["object", "null"]}},
                "additionalProperties": False,
            },
        ],
    }


def _required(block: Block) -> list[str]:
    return [name for name, param in block.params.items() if param.required]


def _arguments(name: str, block: Block) -> Schema:
    """What may stand behind the block's name in a step."""
    shapes: list[Schema] = [{"$ref": f"#/$defs/{_definition(name)}"}]
    if block.params:
        first = next(iter(block.params))
        if not set(_required(block)) - {first}:
            shapes.append({"$ref": f"#/$defs/{_definition(name)}/properties/{first}"})
    if not _required(block):
        shapes.append({"type": "null"})
    return {"description": _description(name, block), "anyOf": shapes}


def _description(name: str, block: Block) -> str:
    return block.doc or f"the block `{name}`"


def _call(name: str, block: Block) -> Schema:
    return {
        "type": "object",
        "description": _description(name, block),
        "properties": {key: _parameter(param, written=True) for key, param in block.params.items()},
        "required": _required(block),
        "additionalProperties": False,
    }


def _settings(params: Mapping[str, Param]) -> Schema:
    """Values for the parameters of the file, as a variant or check gives them: data, no expressions."""
    return {
        "type": "object",
        "properties": {name: _parameter(param, written=False) for name, param in params.items()},
        "additionalProperties": False,
    }


_TYPES = {"int": "integer", "float": "number", "bool": "boolean", "str": "string"}


def _parameter(param: Param, *, written: bool) -> Schema:
    """The values that a parameter takes; `written` in a step, where they may be expressions as well."""
    item: Schema = {"type": _TYPES[param.item]}
    item |= {key: limit for key, limit in (("minimum", param.min), ("maximum", param.max)) if limit is not None}
    bare: Schema = {"type": "array", "items": _or_text(item, param) if written else item} if param.is_list else item
    if param.enum is not None:
        bare = {"enum": [*param.enum]}
    shapes = [bare]
    if param.nullable:
        shapes.append({"type": "null"})
    if written:
        shapes += [DOLLAR if param.item == "str" else EXPRESSION, MATCH]
    about: Schema = {"description": param.doc} if param.doc else {}
    if not param.required:
        about["default"] = param.default
    return {**about, **(shapes[0] if len(shapes) == 1 else {"anyOf": shapes})}


def _or_text(item: Schema, param: Param) -> Schema:
    """An item of a list may be an expression by itself."""
    return {"anyOf": [item, DOLLAR if param.item == "str" else EXPRESSION]}
