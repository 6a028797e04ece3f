"""What of the chart follows from elsewhere: `make chart` writes it, a test holds it equal.

* the block `settings` of values.yaml and of values.schema.json, from `service.settings.Settings`;
* the rest of values.schema.json, from the defaults in values.yaml and the few rules below;
* the table of parameters in the chart's README, from the comments in values.yaml, in the form of Bitnami's
  readme-generator-for-helm (npm), which writes the same.
"""

import json
import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import SecretStr

from service.settings import Settings

CHART = Path(__file__).parents[2] / "helm" / "learnsvc"
VALUES, SCHEMA, README = CHART / "values.yaml", CHART / "values.schema.json", CHART / "README.md"
IN_A_POD = {"learning_http_host": "0.0.0.0"}  # where the chart's default is not the service's
_BLOCK = re.compile(r"(?<=# --- settings: generated from service/settings.py\n).*(?=# --- end of settings)", re.S)
_PARAMETER = re.compile(r"## @param (\S+) (?:\[(\w+)\] )?(.+)")
_SECTION = re.compile(r"## @section (.+)")
_FREE: dict[str, Any] = {"type": "object"}
# Beyond "of the same type as its default". Free-form: the cluster checks these, as it does in a manifest.
_RULES: dict[str, dict[str, Any]] = {
    "image.pullPolicy": {"enum": ["Always", "IfNotPresent", "Never"]},
    "image.pullSecrets": {"type": "array", "items": {"type": "string"}},
    "args": {"type": "array", "items": {"type": "string"}, "minItems": 1},
    "replicaCount": {"type": "integer", "minimum": 0},
    "terminationGracePeriodSeconds": {"type": "integer", "minimum": 1},
    "resources": _FREE,
    "probes.startup": _FREE,
    "probes.liveness": _FREE,
    "probes.readiness": _FREE,
    "podSecurityContext": _FREE,
    "securityContext": _FREE,
    "podDisruptionBudget.maxUnavailable": {"type": ["integer", "string"]},
    "metrics.dashboard.labels": _FREE,
    "autoscaling.mode": {"enum": ["none", "hpa", "keda"]},
    "autoscaling.hpa.minReplicas": {"type": "integer", "minimum": 1},
    "autoscaling.hpa.behavior": _FREE,
    "autoscaling.keda.minReplicas": {"type": "integer", "minimum": 0},
    "autoscaling.keda.maxReplicas": {"type": "integer", "minimum": 1},
    "autoscaling.keda.entriesPerReplica": {"type": "integer", "minimum": 1},
    "autoscaling.keda.behavior": _FREE,
    "autoscaling.keda.redis.type": {"enum": ["redis-streams", "redis-cluster-streams", "redis-sentinel-streams"]},
    "autoscaling.keda.redis.addresses": {
        "type": "array",
        "items": {"type": "string", "pattern": r"^[^\s,:/]+:[0-9]+$"},
    },
    "autoscaling.keda.redis.authentication": {"type": "object", "additionalProperties": {"type": "string"}},
    "autoscaling.keda.cron": {
        "type": "array",
        "items": {
            "type": "object",
            "additionalProperties": False,
            "required": ["timezone", "start", "end", "desiredReplicas"],
            "properties": {
                "timezone": {"type": "string"},
                "start": {"type": "string"},
                "end": {"type": "string"},
                "desiredReplicas": {"type": "integer", "minimum": 1},
            },
        },
    },
}


def plain_settings() -> dict[str, Any]:
    """The settings that are no secrets, by variable, with the chart's defaults."""
    fields = Settings.model_fields.items()
    return {
        name.upper(): IN_A_POD.get(name, "" if field.default is None else field.default)
        for name, field in fields
        if name not in secret_settings()
    }


def secret_settings() -> set[str]:
    return {name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}


def settings_block() -> str:
    lines = [
        "",
        "## @section Settings of the service",
        "",
        "# Environment variables of the same names. A name taken out (null) leaves the service's own default.",
        "settings:",
    ]
    for name, value in plain_settings().items():
        field = Settings.model_fields[name.lower()]
        assert not isinstance(value, SecretStr)
        shown = json.dumps(value) if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else value
        lines += [f"  ## @param settings.{name} {field.description}", f"  {name}: {shown}"]
    return "\n".join(lines) + "\n\n"


def values_text() -> str:
    return _BLOCK.sub(lambda _: settings_block(), VALUES.read_text())


def settings_schema() -> dict[str, Any]:
    model = Settings.model_json_schema()["properties"]
    properties = {}
    for name in plain_settings():
        rules = next(iter(model[name.lower()].get("anyOf", [model[name.lower()]])))
        kept = ("type", "enum", "minimum", "maximum", "minLength", "pattern")
        properties[name] = {key: rules[key] for key in kept if key in rules}
        if Settings.model_fields[name.lower()].default is None:
            properties[name] = {"anyOf": [properties[name], {"const": ""}]}  # empty: not set
    properties["LEARNING_HTTP_PORT"] |= {"minimum": 1024}  # the probes need it, and the user is not root
    return {"type": "object", "additionalProperties": False, "properties": properties}


def schema_of(value: Any, path: str = "") -> dict[str, Any]:
    if path == "settings":
        return settings_schema()
    if path in _RULES:
        return _RULES[path]
    if isinstance(value, dict) and value:
        inner = {key: schema_of(item, f"{path}.{key}".lstrip(".")) for key, item in value.items()}
        return {"type": "object", "additionalProperties": False, "properties": inner}
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return {"type": kinds[type(value)]}


def schema_text() -> str:
    schema = schema_of(yaml.safe_load(values_text()))
    schema["properties"]["global"] = {"type": "object"}  # Helm hands it to every subchart
    return json.dumps({"$schema": "http://json-schema.org/draft-07/schema#", **schema}, indent=2) + "\n"


def parameters() -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Section by section: name, description, default of each documented parameter."""
    sections: list[tuple[str, list[tuple[str, str, str]]]] = []
    values = yaml.safe_load(values_text())
    for line in values_text().splitlines():
        if section := _SECTION.match(line.strip()):
            sections.append((section[1], []))
        elif parameter := _PARAMETER.match(line.strip()):
            name, kind, description = parameter.groups()
            value = values
            for part in name.split("."):
                value = value[part]
            shown = {"array": "[]", "object": "{}"}.get(kind) or (
                json.dumps(value) if value in ("", True, False) or not isinstance(value, str) else value
            )
            sections[-1][1].append((f"`{name}`", description, f"`{shown}`"))
    return sections


def parameters_table() -> str:
    parts = []
    for title, rows in parameters():
        table = [("Name", "Description", "Value"), *rows]
        width = [max(len(row[column]) for row in table) for column in range(3)]
        cells = [
            "| " + " | ".join(cell.ljust(size) for cell, size in zip(row, width, strict=True)) + " |" for row in table
        ]
        cells.insert(1, "| " + " | ".join("-" * size for size in width) + " |")
        parts.append(f"### {title}\n\n" + "\n".join(cells) + "\n")
    return "\n".join(parts)


def readme_text() -> str:
    return re.sub(
        r"(?<=\n## Parameters\n\n).*?(?=\n## |\Z)", lambda _: parameters_table(), README.read_text(), flags=re.S
    )


def main() -> None:
    VALUES.write_text(values_text())
    SCHEMA.write_text(schema_text())
    README.write_text(readme_text())


if __name__ == "__main__":
    main()
