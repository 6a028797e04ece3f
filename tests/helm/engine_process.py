"""Helm's own engine as a process: a JSON request a line in, a JSON answer a line out. Needs Python 3.12 or newer.

PyPI `helm-sdkpy` has no `template`, so a chart is installed into a stub API server on loopback, with Helm's storage in
memory. What the server was asked to store is what a cluster would have got; `lookup` sees it at an upgrade.
values.schema.json, kubeVersion and `fail` are enforced, with their text.

Request: chart, values, kube, and values_before for an upgrade. Answer: objects, hooks, notes, problems; or error.
`problems` are what `kubernetes-validate --strict` says of the core kinds.
"""

import asyncio
import itertools
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import helm_sdkpy
import kubernetes_validate
import yaml

KINDS = {
    "v1": "Namespace Pod Service ConfigMap Secret ServiceAccount",
    "apps/v1": "Deployment StatefulSet",
    "batch/v1": "Job CronJob",
    "autoscaling/v2": "HorizontalPodAutoscaler",
    "policy/v1": "PodDisruptionBudget",
    "networking.k8s.io/v1": "NetworkPolicy",
    "keda.sh/v1alpha1": "ScaledObject TriggerAuthentication",
    "monitoring.coreos.com/v1": "PodMonitor PrometheusRule",
}
KUBECONFIG = """apiVersion: v1
kind: Config
clusters: [{{name: s, cluster: {{server: 'http://127.0.0.1:{port}'}}}}]
users: [{{name: s, user: {{}}}}]
contexts: [{{name: s, context: {{cluster: s, user: s, namespace: testing}}}}]
current-context: s
"""
_numbers = itertools.count()


def resources(kinds: str) -> list[dict[str, Any]]:
    """What discovery says of `kinds`, in the old form and in the aggregated one."""
    found = []
    for kind in kinds.split():
        lower = kind.lower()
        plural = lower[:-1] + "ies" if lower.endswith("y") else lower + "s"
        verbs = ["get", "list", "create", "patch", "delete"]
        found.append(
            {"name": plural, "singularName": lower, "namespaced": kind != "Namespace", "kind": kind, "verbs": verbs}
        )
    return found


class Cluster(BaseHTTPRequestHandler):
    """Enough of an API server for Helm: version, discovery, and a store of objects by path."""

    protocol_version = "HTTP/1.1"
    kube: str
    objects: dict[str, Any]

    def log_message(self, *_: Any) -> None:
        pass

    def answer(self, code: int, value: Any, kind: str = "application/json") -> None:
        data = json.dumps(value).encode()
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.partition("?")[0].rstrip("/")
        group = path.removeprefix("/apis/").removeprefix("/api/")
        if path == "/version":
            major, minor, _ = self.kube.split(".")
            self.answer(200, {"major": major, "minor": minor, "gitVersion": f"v{self.kube}"})
        elif path in ("/api", "/apis"):
            self.answer(200, aggregated(path), "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")
        elif group in KINDS:
            self.answer(200, {"kind": "APIResourceList", "groupVersion": group, "resources": resources(KINDS[group])})
        elif self.command == "POST":
            value = json.loads(body)
            self.objects[f"{path}/{value['metadata']['name']}"] = value
            self.answer(201, value)
        elif path in self.objects:
            self.answer(200, self.objects[path])
        else:
            self.answer(404, {"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404})

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = any


def aggregated(path: str) -> dict[str, Any]:
    items = []
    for version, kinds in KINDS.items():
        if ("/" in version) != (path == "/apis"):
            continue
        group, _, number = version.rpartition("/")
        found = [
            {
                "resource": one["name"],
                "singularResource": one["singularName"],
                "scope": "Namespaced" if one["namespaced"] else "Cluster",
                "responseKind": {"group": group, "version": number, "kind": one["kind"]},
                "verbs": one["verbs"],
            }
            for one in resources(kinds)
        ]
        items.append({"metadata": {"name": group}, "versions": [{"version": number, "resources": found}]})
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "items": items}


@contextmanager
def cluster(kube: str) -> Iterator[tuple[int, dict[str, Any]]]:
    objects: dict[str, Any] = {}
    handler = type("Handler", (Cluster,), {"kube": kube, "objects": objects})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield server.server_port, objects
    finally:
        server.shutdown()
        server.server_close()


async def render(request: dict[str, Any]) -> dict[str, Any]:
    chart, values, kube = request["chart"], request["values"], request["kube"]
    namespace = f"testing-{next(_numbers)}"  # the storage in memory outlives a configuration
    with cluster(kube) as (port, objects):
        config = helm_sdkpy.Configuration(namespace=namespace, kubeconfig=KUBECONFIG.format(port=port))
        before = request.get("values_before")
        release = await helm_sdkpy.Install(config).run(
            "rel", chart, values=values if before is None else before, wait=False
        )
        if before is not None:
            for live in objects.values():
                if live["kind"] == "Deployment":
                    live["spec"]["replicas"] = request["live_replicas"]
            release = await helm_sdkpy.Upgrade(config).run("rel", chart, values=values, wait=False)
    manifest = [one for one in yaml.safe_load_all(release["manifest"]) if one]
    hooks = [yaml.safe_load(hook["manifest"]) for hook in release.get("hooks") or []]
    found = [problem for one in manifest + hooks for problem in problems(one, kube)]
    return {"objects": manifest, "hooks": hooks, "notes": release["info"].get("notes", ""), "problems": found}


def problems(value: dict[str, Any], kube: str) -> list[str]:
    if "." in value["apiVersion"].partition("/")[0] and not value["apiVersion"].startswith(("networking.k8s.io/",)):
        return []  # a custom resource: the tests have its schema
    try:
        kubernetes_validate.validate(value, kube.rpartition(".")[0], strict=True)
    except kubernetes_validate.ValidationError as error:
        return [f"{value['kind']} {value['metadata']['name']}: {'.'.join(map(str, error.path))}: {error.message}"]
    return []


def main() -> None:
    for line in sys.stdin:
        try:
            answer = asyncio.run(render(json.loads(line)))
        except helm_sdkpy.HelmError as error:
            answer = {"error": str(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
