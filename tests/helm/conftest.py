"""Helm's engine for the tests: `helm` on PATH, else the environment that tests/helm/prepare makes; else they skip."""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pytest
import yaml

HERE = Path(__file__).parent
CHART = HERE.parents[1] / "helm" / "learnsvc"
KUBE = "1.34.1"
APIS = ("keda.sh/v1alpha1", "monitoring.coreos.com/v1")
REFERENCE = {"secrets": {"existingSecret": "learnsvc"}}


class Refused(Exception):
    """The chart refused the values; the text says why."""


@dataclass
class Rendered:
    """What the chart makes of some values."""

    objects: list[dict[str, Any]]
    hooks: list[dict[str, Any]] = field(default_factory=list)
    notes: str = ""
    problems: list[str] = field(default_factory=list)

    def of(self, kind: str, suffix: str = "") -> dict[str, Any]:
        """The one object of `kind` whose name ends with `suffix`."""
        found = [one for one in self.objects if one["kind"] == kind and one["metadata"]["name"].endswith(suffix)]
        assert len(found) == 1, f"{len(found)} objects of kind {kind}, one expected"
        return found[0]

    @property
    def kinds(self) -> set[str]:
        return {one["kind"] for one in self.objects}

    @property
    def worker(self) -> dict[str, Any]:
        """The pod of the worker."""
        deployments = [one for one in self.objects if one["kind"] == "Deployment"]
        worker = [one for one in deployments if one["metadata"]["name"] == "rel-learnsvc"]
        pod: dict[str, Any] = worker[0]["spec"]["template"]
        return pod


class Render(Protocol):
    def __call__(self, values: dict[str, Any], *, kube: str = KUBE, **upgrade: Any) -> Rendered: ...


def tools() -> Path | None:
    """The environment of tests/helm/prepare."""
    named = os.environ.get("LEARNSVC_HELM_TOOLS")
    digest = hashlib.sha256((HERE / "requirements.txt").read_bytes()).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    path = Path(named) if named else cache / "learnsvc" / f"helm-{digest}"
    return path if (path / "ready").exists() else None


@pytest.fixture(scope="session")
def tool() -> Callable[[str], str]:
    """The path of a checker in the environment of tests/helm/prepare."""

    def path(name: str) -> str:
        folder = tools()
        if folder is None:
            pytest.skip("run tests/helm/prepare first: it installs the checkers, and needs Python 3.12 or newer")
        return str(folder / "bin" / name)

    return path


@pytest.fixture(scope="session")
def render() -> Iterator[Render]:
    folder, helm = tools(), shutil.which("helm")
    with ExitStack() as stack:
        engine = stack.enter_context(_by_process(folder)) if folder else None
        if helm:
            yield _by_template(helm, engine)
        elif engine:
            yield engine
        else:
            pytest.skip("no Helm: run tests/helm/prepare (Python 3.12 or newer), or put helm on PATH")


@contextmanager
def _by_process(folder: Path) -> Iterator[Render]:
    command = [str(folder / "bin" / "python"), str(HERE / "engine_process.py")]
    environment = {**os.environ, "HELM_DRIVER": "memory"}
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def render(values: dict[str, Any], *, kube: str = KUBE, **upgrade: Any) -> Rendered:
            request = {"chart": str(CHART), "values": values, "kube": kube, **upgrade}
            print(json.dumps(request), file=process.stdin, flush=True)
            line = process.stdout.readline() if process.stdout else ""
            assert line, "the engine's process ended: its error is above"
            answer = json.loads(line)
            if "error" in answer:
                raise Refused(answer["error"])
            return Rendered(**answer)

        try:
            yield render
        finally:
            process.kill()


def _by_template(helm: str, engine: Render | None) -> Render:
    def render(values: dict[str, Any], *, kube: str = KUBE, **upgrade: Any) -> Rendered:
        if upgrade and engine:
            return engine(values, kube=kube, **upgrade)
        if upgrade:
            pytest.skip("helm template looks nothing up: an upgrade needs tests/helm/prepare")
        command = [
            helm,
            "template",
            "rel",
            str(CHART),
            "--namespace",
            "testing",
            "--kube-version",
            kube,
            "--values",
            "-",
        ]
        for api in APIS:
            command += ["--api-versions", api]
        done = subprocess.run(command, input=yaml.safe_dump(values), capture_output=True, text=True)
        if done.returncode:
            raise Refused(done.stderr)
        objects = [one for one in yaml.safe_load_all(done.stdout) if one]
        hooks = [one for one in objects if "helm.sh/hook" in one["metadata"].get("annotations", {})]
        return Rendered([one for one in objects if one not in hooks], hooks)

    return render


def with_values(*parts: dict[str, Any]) -> dict[str, Any]:
    """`parts` merged, the later ones winning."""
    merged: dict[str, Any] = {}
    for part in parts:
        for key, value in part.items():
            old = merged.get(key)
            merged[key] = with_values(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged
