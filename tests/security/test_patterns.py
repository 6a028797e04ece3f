"""No text of a writer ever becomes a pattern: regular expressions are constants, or what they embed is escaped."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "service").rglob("*.py")) + sorted((ROOT / "schemas").rglob("*.py"))
MAKERS = {"compile", "search", "match", "fullmatch", "split", "sub", "subn", "findall", "finditer"}


def unsafe(tree: ast.Module) -> Iterator[int]:
    """Lines inside functions that make a pattern of anything but a literal or an escaped text."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for call in ast.walk(function):
            if isinstance(call, ast.Call) and _makes_pattern(call) and not _is_safe(call.args[0]):
                yield call.lineno


def _makes_pattern(call: ast.Call) -> bool:
    target = call.func
    if not isinstance(target, ast.Attribute) or target.attr not in MAKERS:
        return False
    return isinstance(target.value, ast.Name) and target.value.id in ("re", "regex")


def _is_safe(pattern: ast.expr) -> bool:
    if isinstance(pattern, ast.Constant):
        return True
    return any(isinstance(node, ast.Attribute) and node.attr == "escape" for node in ast.walk(pattern))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_patterns_are_constants(path: Path) -> None:
    assert list(unsafe(ast.parse(path.read_text()))) == []


def test_the_rule_finds_one() -> None:
    assert list(unsafe(ast.parse("def f(text):\n    return re.search(text + '$', 'x')"))) == [2]
    assert list(unsafe(ast.parse("def f(text):\n    return re.search(re.escape(text), 'x')"))) == []
