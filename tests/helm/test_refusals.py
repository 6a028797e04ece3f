"""What cannot work is refused with a sentence that says what to do."""

from typing import Any

import pytest

from tests.helm.conftest import REFERENCE, Refused, Render, with_values
from tests.helm.test_chart import MODES

CASES: dict[str, tuple[dict[str, Any], str]] = {
    "no servers": ({"secrets": {"existingSecret": ""}}, "needs to know its Redis"),
    "both kinds of secret": ({"secrets": {"redisUrl": "redis://r:6379/0"}}, "inline secrets are both set"),
    "try-out with a secret": ({"tryout": {"enabled": True}}, "cannot be combined"),
    "try-out with scaling": (
        {"secrets": {"existingSecret": ""}, "tryout": {"enabled": True}, "autoscaling": {"mode": "hpa"}},
        "cannot be combined",
    ),
    "grace under drain": ({"terminationGracePeriodSeconds": 34}, "must be at least LEARNING_GRACE_SECONDS"),
    "grace under drain and sleep": ({"lifecycle": {"preStop": {"sleep": {"seconds": 15}}}}, "preStop sleep"),
    "lease under renewal": ({"settings": {"LEARNING_LEASE_SECONDS": 7}}, "leaves no time to renew"),
    "Gemini over the job": ({"settings": {"GEMINI_TIMEOUT_SECONDS": 60}}, "slow Gemini fails jobs"),
    "prefetch": ({"settings": {"LEARNING_PREFETCH": 4}}, "LEARNING_PREFETCH must be at least"),
    "hpa and keda": ({"autoscaling": {"hpa": {"enabled": True}, "keda": {"enabled": True}}}, "fight"),
    "hpa beside keda": (with_values(MODES["keda"], {"autoscaling": {"hpa": {"enabled": True}}}), "set the mode alone"),
    "keda to zero": (
        with_values(MODES["keda"], {"autoscaling": {"keda": {"minReplicas": 0}}}),
        "must be there then",
    ),
    "keda without address": ({"autoscaling": {"mode": "keda"}}, "cannot read REDIS_URL"),
    "keda without master": (
        with_values(MODES["keda"], {"autoscaling": {"keda": {"redis": {"type": "redis-sentinel-streams"}}}}),
        "sentinelMaster",
    ),
    "keda cools too fast": (
        with_values(MODES["keda"], {"autoscaling": {"keda": {"cooldownPeriod": 90}}}),
        "cooldownPeriod must be longer",
    ),
    "keda upside down": (
        with_values(MODES["keda"], {"autoscaling": {"keda": {"minReplicas": 11}}}),
        "above maxReplicas",
    ),
    "hpa upside down": ({"autoscaling": {"mode": "hpa", "hpa": {"minReplicas": 11}}}, "above maxReplicas"),
    "no digest": ({"image": {"digest": "md5:0"}}, "must start with sha256:"),
    "unknown key": ({"replicas": 3}, "replicas"),
    "unknown setting": ({"settings": {"LEARNING_SPEED": 3}}, "LEARNING_SPEED"),
    "setting out of range": ({"settings": {"LEARNING_QUEUE_CONCURRENCY": 0}}, "LEARNING_QUEUE_CONCURRENCY"),
    "no port for the probes": ({"settings": {"LEARNING_HTTP_PORT": 0}}, "LEARNING_HTTP_PORT"),
    "address with a scheme": (
        with_values(MODES["keda"], {"autoscaling": {"keda": {"redis": {"addresses": ["redis://r:6379"]}}}}),
        "addresses",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_refused(render: Render, name: str) -> None:
    values, sentence = CASES[name]
    with pytest.raises(Refused, match=sentence):
        render(with_values(REFERENCE, values))


def test_an_older_kubernetes_is_refused(render: Render) -> None:
    with pytest.raises(Refused, match="kubeVersion"):
        render(REFERENCE, kube="1.26.9")


def test_as_a_subchart_the_schema_takes_global_values(render: Render) -> None:
    assert render(with_values(REFERENCE, {"global": {"region": "eu"}})).problems == []
