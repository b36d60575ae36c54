"""OpenSearch Service: the policy of a domain is about what is sent to the domain, not about its configuration.

AWS OpenSearch Service Developer Guide: "Identity and Access Management in Amazon OpenSearch Service", resource-based
policies. https://docs.aws.amazon.com/opensearch-service/latest/developerguide/ac.html
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from clew.engine.law import IDENTITY_ALONE, IDENTITY_CANNOT, NOBODY

if TYPE_CHECKING:
    from clew.engine.law import Law
    from clew.engine.services.model import Subject

_HTTP: Final = "es:eshttp"
_SEARCH_ACROSS: Final = "es:escrossclusterget"
_NAME: Final = "a domain's policy is about es:ESHttp* alone: identity policies decide on its configuration"
_OWN: Final = replace(IDENTITY_ALONE, name=_NAME)


def is_about_configuration(action: str) -> bool:
    """Whether the action (in lower case) is one of the configuration API, on which no domain's policy has a say."""
    return action.startswith("es:") and not action.startswith(_HTTP) and action != _SEARCH_ACROSS


def law(subject: Subject) -> Law | None:
    """Identity policies alone for the configuration of domains; the common law for requests to them."""
    if not is_about_configuration(subject.action):
        return None
    if not subject.caller.is_person_of_account:
        return NOBODY
    return _OWN if subject.same_account else IDENTITY_CANNOT
