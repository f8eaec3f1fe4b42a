"""The smallest value that a JSON schema allows: first enum value, null where allowed, empty lists. Pure."""

from typing import Any

_BY_FORMAT = {
    "date": "2026-01-01", "date-time": "2026-01-01T00:00:00Z", "time": "00:00:00Z", "email": "someone@example.com",
    "uri": "https://example.com/", "uuid": "00000000-0000-4000-8000-000000000000", "duration": "PT0S",
    "ipv4": "127.0.0.1", "ipv6": "::1", "hostname": "example.com",
}  # fmt: skip


def example(schema: Any, root: dict[str, Any] | None = None, depth: int = 0) -> Any:
    """A value valid for `schema` (the subset structured outputs may use: no patterns, no dependent schemas).

    Required properties are filled, optional ones left out. Raises ValueError on a schema that never ends.
    """
    if depth > 64:
        raise ValueError("the schema demands an endless value")
    if not isinstance(schema, dict):
        return None
    root = schema if root is None else root

    def inner(part: Any) -> Any:
        return example(part, root, depth + 1)

    if "$ref" in schema:
        return inner(_resolve(schema["$ref"], root))
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return None if None in schema["enum"] else schema["enum"][0]
    for choice in ("anyOf", "oneOf"):
        if schema.get(choice):
            options = schema[choice]
            return None if any(o.get("type") == "null" for o in options) else inner(options[0])
    if schema.get("allOf"):
        return inner(
            _merged(
                [_deref(part, root) for part in schema["allOf"]] + [{k: v for k, v in schema.items() if k != "allOf"}]
            )
        )
    kind = schema.get("type", "object" if "properties" in schema else "null")
    if isinstance(kind, list):
        kind = "null" if "null" in kind else kind[0]
    if kind == "object":
        properties = schema.get("properties", {})
        return {name: inner(properties.get(name, {})) for name in schema.get("required", [])}
    if kind == "array":
        prefix = [inner(part) for part in schema.get("prefixItems", [])]
        missing = max(schema.get("minItems", 0) - len(prefix), 0)
        return prefix + [inner(schema.get("items", {})) for _ in range(missing)]
    if kind == "string":
        text = _BY_FORMAT.get(schema.get("format", ""), "ok")[: schema.get("maxLength")]
        return text + "." * (schema.get("minLength", 0) - len(text))
    if kind in ("integer", "number"):
        return _number(schema, whole=kind == "integer")
    return False if kind == "boolean" else None


def _number(schema: dict[str, Any], *, whole: bool) -> float:
    """0 when the bounds allow it, else the allowed number nearest to the lower bound."""
    step = schema.get("multipleOf", 1 if whole else 0)
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    value = 0 if low is None or low < 0 else low
    if "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"]:
        value = schema["exclusiveMinimum"] + (step or 0.5)
    if high is not None and (value > high or ("exclusiveMaximum" in schema and value >= high)):
        value = high - (step or 0.5) if "exclusiveMaximum" in schema else high
    if step:
        value = -(-value // step) * step
    return int(value) if whole else value


def _resolve(reference: str, root: dict[str, Any]) -> Any:
    target: Any = root
    for name in reference.removeprefix("#").strip("/").split("/") if reference != "#" else ():
        target = target[name.replace("~1", "/").replace("~0", "~")]
    return target


def _deref(part: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    return _resolve(part["$ref"], root) if "$ref" in part else part


def _merged(parts: list[dict[str, Any]]) -> dict[str, Any]:
    whole: dict[str, Any] = {}
    for part in parts:
        properties = {**whole.get("properties", {}), **part.get("properties", {})}
        required = [*whole.get("required", []), *part.get("required", [])]
        whole = {**whole, **part}
        if properties:
            whole |= {"properties": properties, "required": list(dict.fromkeys(required))}
    return whole
