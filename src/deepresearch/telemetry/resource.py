"""Who speaks: the name of the service and of this process, the same in metrics and traces."""

from __future__ import annotations

import os
import socket
import uuid
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource

#: Attributes of the resource that every series carries as labels ``service_name`` and ``service_instance_id``.
LABELLED_ATTRIBUTES = frozenset({"service.name", "service.instance.id"})


@cache
def _instance_of(process: int) -> str:
    return f"{socket.gethostname()}:{process}:{uuid.uuid4().hex[:8]}"


def service_instance_id() -> str:
    """Name of this process among all that ever run: ``host:pid:random``, another one after a fork."""
    return _instance_of(os.getpid())


def service_resource(service_name: str) -> Resource:
    """The OpenTelemetry resource of this process."""
    from opentelemetry.sdk.resources import Resource

    from deepresearch import __version__

    return Resource.create(
        {
            "service.name": service_name,
            "service.version": __version__,
            "service.instance.id": service_instance_id(),
        }
    )
