"""Generated values satisfy their schema, as an independent validator sees it."""

import jsonschema
import pytest

from omnify.simulator.schema_example import example

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "boss": {"anyOf": [{"$ref": "#/$defs/person"}, {"type": "null"}]}},
    "required": ["name", "boss"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string"},
        {"type": "string", "minLength": 5},
        {"type": "string", "maxLength": 1},
        {"type": "string", "format": "date-time"},
        {"type": "integer", "minimum": 3, "maximum": 9},
        {"type": "integer", "exclusiveMinimum": 3},
        {"type": "integer", "maximum": -2},
        {"type": "integer", "minimum": 4, "multipleOf": 5},
        {"type": "number", "minimum": 0.2, "maximum": 1},
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        {"type": ["integer", "null"]},
        {"type": "boolean"},
        {"enum": ["b", "a"]},
        {"const": 7},
        {"type": "array", "items": {"type": "string"}, "minItems": 2},
        {"type": "array", "prefixItems": [{"const": 1}, {"const": 2}], "items": {"type": "integer"}, "minItems": 3},
        {"allOf": [{"$ref": "#/$defs/a"}, {"properties": {"y": {"const": 2}}, "required": ["y"]}],
         "$defs": {"a": {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}}},
        {"$ref": "#/$defs/person", "$defs": {"person": PERSON}},
        {"oneOf": [{"type": "object", "properties": {"k": {"const": "x"}}, "required": ["k"]}, {"type": "integer"}]},
    ],
)  # fmt: skip
def test_the_smallest_value_is_a_valid_one(schema):
    jsonschema.validate(example(schema), schema)


def test_an_enum_gives_its_first_value_and_null_wins_where_allowed():
    assert example({"enum": ["neutral", "happy"]}) == "neutral"
    assert example({"anyOf": [{"type": "string"}, {"type": "null"}]}) is None


def test_a_schema_without_an_end_is_refused():
    endless = {"$defs": {"a": {"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}, "required": ["a"]}}}
    with pytest.raises(ValueError):
        example({**endless, "$ref": "#/$defs/a"})
