"""The short form in which the policy of a REST API names what it rules: `execute-api:/stage/METHOD/path`.

AWS: "API Gateway resource policy examples": API Gateway writes it out, with the Region, the account and the API that
the policy is attached to, when the policy is saved; files hold what was written before that.
https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies-examples.html
"""

from __future__ import annotations

from typing import Final

SHORT_API: Final = "execute-api:/"
_OWN_API: Final = "arn:aws:execute-api:::/"
_ANY_API: Final = "arn:*:execute-api:*:*:*/"
_FIELDS: Final = 6


def is_short(text: str) -> bool:
    """Whether the text, a Resource of an API's policy, is in the short form."""
    return text.startswith(SHORT_API)


def of_own_api(pattern: str) -> str:
    """The pattern in the short form as an ARN, to be compared with what `in_own_api` says of a resource.

    >>> of_own_api("execute-api:/test/*")
    'arn:aws:execute-api:::/test/*'
    """
    return _OWN_API + pattern.removeprefix(SHORT_API)


def in_own_api(resource: str) -> str:
    """The ARN of a part of an API without its Region, account and API; any other text as it is.

    >>> in_own_api("arn:aws:execute-api:us-east-2:123456789012:aabbccddee/test/GET/pets")
    'arn:aws:execute-api:::/test/GET/pets'
    >>> in_own_api("arn:aws:sqs:us-east-2:123456789012:q")
    'arn:aws:sqs:us-east-2:123456789012:q'
    """
    fields = resource.split(":", _FIELDS - 1)
    if len(fields) < _FIELDS or fields[0] != "arn" or fields[2] != "execute-api":
        return resource
    return _OWN_API + fields[-1].partition("/")[2]


def of_any_api(pattern: str) -> str:
    """The pattern in the short form as one for whatever API; other patterns as they are.

    >>> of_any_api("execute-api:/*"), of_any_api("*")
    ('arn:*:execute-api:*:*:*/*', '*')
    """
    return _ANY_API + pattern.removeprefix(SHORT_API) if is_short(pattern) else pattern
