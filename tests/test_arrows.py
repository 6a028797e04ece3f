"""Imports point down only: the pure rooms never see a server, a clock's owner or the settings."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PURE = {"redis", "pymongo", "anyio", "service.settings", "service.streams", "service.profiles", "service.worker"}
FORBIDDEN = {
    "schemas": {"service", "redis", "anyio"},
    "service/analysis": PURE | {"service.learning", "service.tone", "service.cli", "service.http", "schemas.profile"},
    "service/learning": PURE | {"service.tone", "service.cli", "service.http"},
    "service/tone": {"service.streams", "service.profiles", "service.worker", "service.cli", "service.http"},
    "service/streams": {
        "service.worker",
        "service.profiles",
        "service.learning",
        "service.tone",
        "service.cli",
        "service.doctor",
    },
    "service/doctor": {"service.worker", "service.http", "service.cli"},
    "service/worker": {"service.cli", "service.doctor"},
    "service/telemetry": {"service.worker", "service.profiles", "service.tone", "service.cli", "service.doctor"},
    "service/http": {"service.cli", "service.doctor"},
}


def imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


@pytest.mark.parametrize("room", FORBIDDEN)
def test_arrows_point_down(room: str) -> None:
    files = list((ROOT / room).rglob("*.py"))
    assert files
    for path in files:
        for name in imports(path):
            bad = [root for root in FORBIDDEN[room] if name == root or name.startswith(f"{root}.")]
            assert not bad, f"{path.relative_to(ROOT)} imports {name}"
