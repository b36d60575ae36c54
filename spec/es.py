"""What Amazon OpenSearch Service adds to the common law: a domain's policy does not rule the domain's configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spec.request import Request


def configures_domain(request: Request) -> bool:
    """Rule 55: the domain access policy is about requests to the domain (`es:ESHttp…`, cross-cluster search) only.

    OpenSearch Service developer guide, "Identity and Access Management in Amazon OpenSearch Service", section
    "Resource-based policies": "In resource-based policies, the `es:*` action is equivalent to `es:ESHttp*`". 0007 Q51.
    """
    to_domain = request.operation.startswith("eshttp") or request.operation == "escrossclusterget"
    return request.service == "es" and not to_domain
