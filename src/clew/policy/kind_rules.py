"""What AWS asks of a kind of policy beyond the shape of its statements: versions, Sids, sizes, actions, principals."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from clew.policy import kinds
from clew.policy.model import FindingType, PolicyKind, shown

if TYPE_CHECKING:
    from clew.aws.catalog import Catalog
    from clew.policy.json_positions import Node
    from clew.policy.kinds import Rules
    from clew.policy.problems import Problems
    from clew.policy.words import StatementWords, Word

_NOT_PLAIN: Final = re.compile("[^A-Za-z0-9]")
_VARIABLE: Final = "${"
_SCP_QUOTA: Final = {"POLICY_SIZE_EXCEEDS_SCP_QUOTA", "POLICY_SIZE_EXCEEDS_RCP_QUOTA"}


class Size(NamedTuple):
    """How long a document is, in characters; `quota` is that of its resource type, 0 where it is not known."""

    characters: int
    without_space: int
    quota: int = 0


def check(
    document: Node,
    statements: list[StatementWords],
    kind: PolicyKind,
    size: Size,
    catalog: Catalog,
    problems: Problems,
) -> None:
    """Note each breach of the kind's rules."""
    rules = kinds.RULES[kind]
    _check_version(document, statements, kind, problems)
    _check_sids(statements, rules, problems)
    _check_size(document, size, rules, problems)
    for statement in statements:
        _check_elements(statement, kind, rules, problems)
        _check_federated(statement, kind, problems)
        _check_actions(statement, kind, rules, problems)
        if kind is PolicyKind.RCP:
            _check_rcp(statement, catalog, problems)


def _check_version(
    document: Node, statements: list[StatementWords], kind: PolicyKind, problems: Problems
) -> None:
    node = document.get("Version")
    newest = kinds.VERSIONS[0]
    if node is None:
        message = f"`Version` is missing, which means `{kinds.VERSIONS[1]}`: without variables"
        is_needed = kinds.RULES[kind].version_required
        weight = FindingType.ERROR if is_needed else FindingType.WARNING
        problems.add("MISSING_VERSION", message, (), document, finding_type=weight)
    elif node.text not in kinds.RULES[kind].versions and node.text in kinds.VERSIONS:
        message = f"{kinds.WORDS[kind]} has version `{newest}`, not `{shown(node.text)}`"
        problems.add("INVALID_VERSION", message, ("Version",), node, corrected=newest)
    if node is None or node.text == kinds.VERSIONS[1]:
        for statement in statements:
            _check_variables(statement, problems)


def _check_variables(statement: StatementWords, problems: Problems) -> None:
    words = [*statement.words("Resource"), *statement.words("NotResource")]
    words += [value for _, _, values in statement.condition_keys() for value in values]
    for word in words:
        if _VARIABLE in word.text:
            message = f"variables need version `{kinds.VERSIONS[0]}`; here `{shown(word.text)}` is plain text"
            problems.add("VARIABLE_UNSUPPORTED_IN_VERSION", message, word.path, word.node)


def _check_sids(statements: list[StatementWords], rules: Rules, problems: Problems) -> None:
    seen: set[str] = set()
    for statement in statements:
        for sid in statement.words("Sid"):
            if rules.plain_sids and _NOT_PLAIN.search(sid.text):
                meant = _NOT_PLAIN.sub("", sid.text)
                message = f"Sid `{shown(sid.text)}` holds more than letters and digits"
                problems.add("UNSUPPORTED_SID", message, sid.path, sid.node, corrected=meant)
            if sid.text and sid.text in seen:
                code = "UNIQUE_SIDS_REQUIRED" if rules.unique_sids else "UNIQUE_SIDS_RECOMMENDED"
                weight = FindingType.ERROR if rules.unique_sids else FindingType.WARNING
                message = f"Sid `{shown(sid.text)}` stands twice"
                problems.add(code, message, sid.path, sid.node, finding_type=weight)
            seen.add(sid.text)


def _check_size(document: Node, size: Size, rules: Rules, problems: Problems) -> None:
    counted = size.without_space if rules.without_space else size.characters
    quota = size.quota or rules.size
    if counted > quota:
        weight = FindingType.ERROR if rules.size_code in _SCP_QUOTA else FindingType.WARNING
        message = f"{counted:,} characters; the quota is {quota:,}"
        problems.add(rules.size_code, message, (), document, finding_type=weight)


def _check_elements(statement: StatementWords, kind: PolicyKind, rules: Rules, problems: Problems) -> None:
    if rules.resource is kinds.Presence.FORBIDDEN:
        for element in ("Resource", "NotResource"):
            node = statement.elements.get(element)
            if node is not None:
                message = f"{kinds.WORDS[kind]} has no `{element}`: it speaks of the role it belongs to"
                problems.add(rules.resource_code, message, (*statement.path, element), node)
    not_action = statement.elements.get("NotAction")
    if rules.not_action_code and not_action is not None:
        message = f"{kinds.WORDS[kind]} has no `NotAction`"
        problems.add(rules.not_action_code, message, (*statement.path, "NotAction"), not_action)


def _check_federated(statement: StatementWords, kind: PolicyKind, problems: Problems) -> None:
    if kind is PolicyKind.TRUST or kinds.RULES[kind].principal is kinds.Presence.FORBIDDEN:
        return
    for who, word in statement.principals("Principal"):
        # AWS's samples of endpoint policies for STS let `{"Federated": "*"}` through.
        is_of_endpoint = kind is PolicyKind.ENDPOINT and word.text == "*"
        if who == "Federated" and not is_of_endpoint:
            message = f"`{shown(word.text)}`: federated principals stand in role trust policies only"
            problems.add("FEDERATED_PRINCIPAL_NOT_SUPPORTED", message, word.path, word.node)


def _check_actions(statement: StatementWords, kind: PolicyKind, rules: Rules, problems: Problems) -> None:
    for word in statement.words("Action"):
        lowered = word.text.lower()
        is_foreign = bool(rules.service) and ":" in lowered and lowered.partition(":")[0] != rules.service
        if kind is PolicyKind.TRUST:
            is_foreign = ":" in lowered and not lowered.startswith("sts:")
        if is_foreign:
            service = "sts" if kind is PolicyKind.TRUST else rules.service
            message = (
                f"`{shown(word.text)}` has no place in {kinds.WORDS[kind]}; expected actions of `{service}`"
            )
            problems.add("UNSUPPORTED_ACTION_IN_POLICY", message, word.path, word.node)


def _is_everybody(kind: str, word: Word) -> bool:
    return word.text == "*" and kind in {"*", "AWS"}


def _is_full(statement: StatementWords) -> bool:
    """Whether the statement is that of RCPFullAWSAccess: everything, on everything, for everybody, always."""
    is_all = [word.text for word in statement.words("Action")] == ["*"]
    is_all = is_all and [word.text for word in statement.words("Resource")] == ["*"]
    is_for_all = all(_is_everybody(kind, word) for kind, word in statement.principals("Principal"))
    return is_all and is_for_all and "Condition" not in statement.elements


def _check_rcp(statement: StatementWords, catalog: Catalog, problems: Problems) -> None:
    """AWS: "RCP syntax": the only Allow is that of RCPFullAWSAccess; a Deny names everybody, and services in reach."""
    effect = statement.elements.get("Effect")
    actions = statement.words("Action")
    if effect is not None and effect.text == "Allow":
        if not _is_full(statement):
            message = "a resource control policy allows nothing by itself; `Allow` stands with `*` on `*` for `*` only"
            problems.add("RCP_SYNTAX_ERROR_ALLOW", message, (*statement.path, "Effect"), effect)
        return
    for kind, word in statement.principals("Principal"):
        if not _is_everybody(kind, word):
            message = f"principal `{shown(word.text)}`; expected `*`: name principals in a condition"
            problems.add("RCP_SYNTAX_ERROR_PRINCIPAL", message, word.path, word.node)
    for word in actions:
        service = word.text.lower().partition(":")[0]
        if word.text == "*":
            # AWS: "RCP syntax": `*` alone is for RCPFullAWSAccess.
            problems.add(
                "RCP_SYNTAX_ERROR_ACTION",
                "`*` is of no service; name services, as in `s3:*`",
                word.path,
                word.node,
            )
        elif catalog.service(service) is not None and service not in catalog.rcp_services:
            message = f"resource control policies do not reach service `{shown(service)}`"
            problems.add("RCP_SYNTAX_ERROR_ACTION", message, word.path, word.node)
