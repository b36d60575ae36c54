"""The principals of a statement examined: accounts, ARNs, ids, services and providers, each written as AWS takes it.

Source: AWS, "AWS JSON policy elements: Principal".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from clew.aws import arn_refit
from clew.policy.arns import note
from clew.policy.model import FindingType, shown

if TYPE_CHECKING:
    from clew.policy.arns import Doctor
    from clew.policy.problems import Problems
    from clew.policy.words import StatementWords, Word

# What an ARN of a principal names; groups, providers, and resources of other services are none.
_PRINCIPAL: Final = re.compile(
    r"arn:[^:]*:(?:iam::[^:]*:(?:root$|user/|role/|assumed-role/)|sts::[^:]*:(?:assumed-role|federated-user)/)"
)
_OF_PROVIDER: Final = re.compile(r"arn:[^:]*:iam::[^:]*:(?:oidc|saml)-provider/")
_ACCOUNT: Final = re.compile(r"[0-9]{12}", re.ASCII)
_LIKE_ACCOUNT: Final = re.compile(r"[0-9\s.-]+")
_UNIQUE_ID: Final = re.compile(r"A(?:IDA|ROA)[A-Z0-9]{12,}")
# Of `amazon.com` are principals of Alexa only; those of other services are of `amazonaws.com`.
_ALEXA: Final = re.compile(r"alexa-[a-z-]+\.amazon\.com")
_SERVICE_PRINCIPAL: Final = re.compile(
    r"[a-z0-9][a-z0-9.-]*\.(?:amazonaws\.com(?:\.cn)?|amazonaws\.eu|amazon\.com)"
)


def check(
    statement: StatementWords, doctor: Doctor, problems: Problems, *, is_of_endpoint: bool = False
) -> None:
    """Note what is wrong with the statement's principals.

    In policies of endpoints, AWS's data perimeter samples let anybody of a provider through: `{"Federated": "*"}`.
    """
    for element in ("Principal", "NotPrincipal"):
        for kind, word in statement.principals(element):
            if is_of_endpoint and kind == "Federated" and word.text == "*":
                continue
            if kind == "AWS":
                _check_aws(word, doctor, problems)
            else:
                _check_other(kind, word, doctor, problems)


def _check_other(kind: str, word: Word, doctor: Doctor, problems: Problems) -> None:
    text = word.text
    if kind in {"Service", "Federated", "CanonicalUser"} and ("*" in text or "?" in text):
        message = f"`{shown(text)}` holds a wildcard; principals of the kind {kind} are named in full"
        problems.add("UNSUPPORTED_WILDCARD_IN_PRINCIPAL", message, word.path, word.node)
    elif kind == "Service" and not _is_service(text, doctor):
        meant = _service_meant(text, doctor)
        message = f"`{shown(text)}` is no service principal; expected `SERVICE.amazonaws.com`"
        problems.add("INVALID_SERVICE_PRINCIPAL_FORMAT", message, word.path, word.node, corrected=meant)


def _check_aws(word: Word, doctor: Doctor, problems: Problems) -> None:
    text = word.text
    if text == "*" or _ACCOUNT.fullmatch(text):
        return
    if _UNIQUE_ID.fullmatch(text):
        code = "INVALID_USER_REFERENCE" if text.startswith("AIDA") else "INVALID_ROLE_REFERENCE"
        message = f"`{text}` is the id of a user or role that may no longer exist; write its ARN"
        problems.add(code, message, word.path, word.node, finding_type=FindingType.WARNING)
    elif "*" in text or "?" in text:
        message = f"`{shown(text)}` holds a wildcard; a principal is named in full, or `*` alone"
        problems.add("UNSUPPORTED_WILDCARD_IN_PRINCIPAL", message, word.path, word.node)
    elif _SERVICE_PRINCIPAL.fullmatch(text):
        message = f'`{shown(text)}` is a service; write `{{"Service": "{shown(text)}"}}`'
        problems.add("INVALID_ARN_PREFIX", message, word.path, word.node)
    elif _LIKE_ACCOUNT.fullmatch(text):
        message, meant = arn_refit.account_meant(text)
        problems.add("INVALID_ARN_ACCOUNT", message, word.path, word.node, corrected=meant)
    else:
        _check_arn(word, doctor, problems)


def _check_arn(word: Word, doctor: Doctor, problems: Problems) -> None:
    found = doctor.examine(word.text)
    for each in found:
        note(each, word, problems, FindingType.ERROR)
    if not found and _PRINCIPAL.match(word.text) is None:
        message = f"`{shown(word.text, 120)}` is no principal; {_meant(word.text, doctor)}"
        problems.add("INVALID_ARN_RESOURCE", message, word.path, word.node)


def _meant(text: str, doctor: Doctor) -> str:
    """What to write for an ARN that names a provider of identities, or what a service acts for."""
    if _OF_PROVIDER.match(text):
        return '`{"Federated": …}` names a provider'
    service = text.split(":")[2]
    if service in {"iam", "sts"} or doctor.catalog.service(service) is None:
        return "expected an account, a user, a role or a session"
    return f'name the service as `{{"Service": "{service}.amazonaws.com"}}`, and the ARN by `aws:SourceArn`, or a role'


def _is_service(text: str, doctor: Doctor) -> bool:
    if _SERVICE_PRINCIPAL.fullmatch(text) is None:
        return False
    is_amazon = text.endswith(".amazon.com") and _ALEXA.fullmatch(text) is None
    return not (is_amazon and doctor.catalog.service(text.partition(".")[0]) is not None)


def _service_meant(text: str, doctor: Doctor) -> str | None:
    """The service principal that was meant by a service's name, by capitals, or by another domain."""
    lowered = text.strip().lower()
    label = lowered.partition(".")[0]
    if doctor.catalog.service(label) is None:
        return lowered if lowered != text and _SERVICE_PRINCIPAL.fullmatch(lowered) else None
    return lowered if lowered.endswith(".amazonaws.com") else f"{label}.amazonaws.com"
