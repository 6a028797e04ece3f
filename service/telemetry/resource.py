"""Who sends: the attributes of every metric and span."""

from __future__ import annotations

import os
import socket

from opentelemetry.sdk.resources import Attributes, Resource

from service.version import own_version


def resource() -> Resource:
    """Return who we are; ``OTEL_SERVICE_NAME`` and ``OTEL_RESOURCE_ATTRIBUTES`` win over our own words."""
    ours = {
        "service.name": "learnsvc",
        "service.version": own_version(),
        "service.instance.id": f"{os.environ.get('POD_NAME') or socket.gethostname()}-{os.getpid()}",
    }
    given = Resource.create().attributes
    unknown = {key for key in ours if str(given.get(key, "unknown_service")).startswith("unknown_service")}
    found = Resource.create({key: value for key, value in ours.items() if key in unknown})
    return _Hashed(found.attributes, found.schema_url)


class _Hashed(Resource):
    """A resource that is hashed once: the exporter groups spans by it, and its hash is JSON of all its attributes."""

    def __init__(self, attributes: Attributes, schema_url: str) -> None:
        super().__init__(attributes, schema_url)
        self._hash = super().__hash__()

    def __hash__(self) -> int:
        return self._hash
