"""What of the chart follows from elsewhere is what `make chart` would write; versions are one."""

import tomllib
from pathlib import Path

import yaml

from service.settings import Settings
from tests.helm.generate import (
    CHART,
    README,
    SCHEMA,
    VALUES,
    parameters,
    plain_settings,
    readme_text,
    schema_text,
    secret_settings,
    values_text,
)

STALE = "stale: run `make chart`"


def test_values_hold_every_setting_with_the_services_default() -> None:
    assert values_text() == VALUES.read_text(), STALE
    values = yaml.safe_load(VALUES.read_text())
    assert values["settings"] == plain_settings()
    assert {name.upper() for name in secret_settings()} <= set(values["secrets"]["keys"])
    assert {name.lower() for name in values["settings"]} | secret_settings() == set(Settings.model_fields)


def test_schema_is_the_values() -> None:
    assert schema_text() == SCHEMA.read_text(), STALE


def test_table_of_parameters_is_the_values() -> None:
    assert readme_text() == README.read_text(), STALE


def test_every_value_is_documented() -> None:
    documented = [name.strip("`") for _, rows in parameters() for name, _, _ in rows]
    leaves: list[str] = []

    def walk(value: object, path: str) -> None:
        if path in documented or not isinstance(value, dict) or not value:
            leaves.append(path)
            return
        for key, item in value.items():
            walk(item, f"{path}.{key}".lstrip("."))

    walk(yaml.safe_load(VALUES.read_text()), "")
    assert sorted(leaves) == sorted(documented)


def test_versions_are_one() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert chart["appVersion"] == project["version"]
