"""Alerts and dashboard: they parse, they fire, and they ask only for metrics that the worker emits."""

import json
import re
import shutil
from pathlib import Path

from tests.observability.promtool import promtool
from tests.telemetry.test_metrics import FULL, samples

ROOT = Path(__file__).parents[2]
FILES = ROOT / "helm" / "learnsvc" / "files"
RULES = FILES / "alerts.yaml"


def expressions() -> list[str]:
    dashboard = json.loads((FILES / "dashboard.json").read_text())
    return [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]


def test_every_metric_asked_for_is_emitted() -> None:
    emitted = {name for name, *_ in samples(FULL)}
    for source in (RULES.read_text().partition("groups:")[2], *expressions()):
        asked = set(re.findall(r"\b(?:learnsvc|messaging)_[a-z_]+", source))
        assert asked
        assert asked <= emitted


def test_the_rules_fire_when_they_should(tmp_path: Path) -> None:
    shutil.copy(RULES, tmp_path)
    shutil.copy(Path(__file__).parent / "alerts.test.yaml", tmp_path)
    promtool("check", "rules", RULES)
    promtool("test", "rules", tmp_path / "alerts.test.yaml")


def test_every_expression_of_the_dashboard_parses(tmp_path: Path) -> None:
    rules = [{"record": f"panel:{number}", "expr": expr} for number, expr in enumerate(expressions())]
    path = tmp_path / "panels.yaml"
    path.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    promtool("check", "rules", path)
