"""Names that AWS does not know: services, actions and condition keys, each with the nearest one that it does.

The catalogue is of a day; a name that AWS added since is unknown here too, so the message says how old it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.aws.catalog_globals import GLOBAL_KEYS
from clew.policy.model import FindingType, shown
from clew.policy.variables import has_variables

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.aws.catalog import Catalog
    from clew.policy.problems import Problems
    from clew.policy.words import StatementWords, Word

MOST_SUGGESTIONS: Final = 100
"""For how many names of a document the nearest known one is looked for."""

_OLD_ARN: Final = "aws:arn"
# Prefixes of keys that are no service's: SAML, and keys that AWS's own pages use across services.
_NO_SERVICES: Final = frozenset({"saml"})

_TAG_KEYS: Final = frozenset(key.name.partition("/")[0].lower() for key in GLOBAL_KEYS if key.is_template)


class Names:
    """The names of one document against the catalogue; the nearest name is looked for a limited number of times."""

    def __init__(self, catalog: Catalog) -> None:
        """Ask the catalogue."""
        self.catalog = catalog
        self._left = MOST_SUGGESTIONS

    def nearest(self, look: Callable[[str], str | None], name: str) -> str | None:
        """What the look-up gives for the name; None once too many were looked up: each compares thousands of names."""
        self._left -= 1
        return look(name) if self._left >= 0 else None


def check(statement: StatementWords, known: Names, problems: Problems) -> None:
    """Note each action and each condition key of the statement that is unknown."""
    home = _home(statement)
    for element in ("Action", "NotAction"):
        for word in statement.words(element):
            if not has_variables(word.text):  # told as VARIABLE_UNSUPPORTED_IN_ELEMENT
                _check_action(word, home, known, problems)
    for _, key, _ in statement.condition_keys():
        _check_key(key, known, problems)


def _home(statement: StatementWords) -> str:
    """The one service that all ARNs of the statement name; empty when there is no one such."""
    fields = [word.text.split(":") for word in statement.words("Resource")]
    services = {parts[2].strip() for parts in fields if len(parts) > 3}  # noqa: PLR2004  # arn:partition:service:...
    return services.pop() if len(services) == 1 else ""


def _check_action(word: Word, home: str, known: Names, problems: Problems) -> None:
    catalog = known.catalog
    text = word.text
    service, colon, name = text.partition(":")
    if text == "*":
        return
    if not colon or text != text.strip():
        tidy = f"{home}:{text.strip()}" if not colon else ":".join(part.strip() for part in text.split(":"))
        found = catalog.action(tidy)
        meant = (
            found.full_name
            if found
            else tidy
            if catalog.mask(tidy)
            else known.nearest(catalog.nearest_action, tidy)
        )
        message = f"`{shown(text)}` is no action; expected `service:action`{_suggestion(meant)}"
        problems.add("INVALID_ACTION", message, word.path, word.node, corrected=meant)
    elif "*" in service or "?" in service:
        message = f"wildcard in the service `{shown(service)}`; name the service"
        advice = FindingType.SUGGESTION
        problems.add("WILDCARD_IN_SERVICE_NAME", message, word.path, word.node, finding_type=advice)
    elif catalog.service(service) is None:
        meant = known.nearest(catalog.nearest_service, service)
        whole = f"{meant}:{name}" if meant else None
        message = f"unknown service `{shown(service)}`{_of(catalog)}{_suggestion(whole)}"
        problems.add("INVALID_SERVICE_IN_ACTION", message, word.path, word.node, corrected=whole)
    elif catalog.action(text) is None and not catalog.mask(text):
        meant = known.nearest(catalog.nearest_action, text)
        message = f"unknown action `{shown(text)}`{_of(catalog)}{_suggestion(meant)}"
        problems.add("INVALID_ACTION", message, word.path, word.node, corrected=meant)


def _check_key(key: Word, known: Names, problems: Problems) -> None:
    catalog = known.catalog
    text = key.text
    prefix, colon, _ = text.partition(":")
    lowered = text.lower().removesuffix("/")
    code, meant = "", None
    message = f"unknown condition key `{shown(text)}`{_of(catalog)}"
    if not colon or text != text.strip():
        code, message = (
            "INVALID_CONDITION_KEY_FORMAT",
            f"`{shown(text)}` is no condition key; expected `service:name`",
        )
        found = catalog.condition_key(f"aws:{text.strip()}" if not colon else text.strip())
        meant = found.name if found else None
    elif lowered in _TAG_KEYS:
        code, message = (
            "MISSING_TAG_KEY_IN_CONDITION",
            f"`{shown(text)}` names no tag; expected `{lowered}/KEY`",
        )
    elif text.lower() == _OLD_ARN or _is_known(text, catalog):
        return
    elif prefix.lower() == "aws":
        code, meant = "INVALID_GLOBAL_CONDITION_KEY", _nearest_key(text, known)
    elif catalog.service(prefix) is not None and catalog.condition_keys(prefix):
        code, meant = "INVALID_SERVICE_CONDITION_KEY", _nearest_key(text, known)
    elif catalog.service(prefix) is None and "." not in prefix and prefix.lower() not in _NO_SERVICES:
        code, meant = "INVALID_SERVICE", _of_nearest_service(text, known)
        message = f"unknown service `{shown(prefix)}` of the condition key `{shown(text)}`{_of(catalog)}"
    if code:
        message = f"{message}{_suggestion(meant)}"
        problems.add(code, message, key.path, key.node, corrected=meant, written=text)


def _is_known(text: str, catalog: Catalog) -> bool:
    return catalog.condition_key(text) is not None or catalog.condition_key(_any_tag(text)) is not None


def _of_nearest_service(text: str, known: Names) -> str | None:
    """The key with the service that was most likely meant, where that service has it."""
    prefix, _, name = text.partition(":")
    service = known.nearest(known.catalog.nearest_service, prefix)
    return f"{service}:{name}" if service and known.catalog.condition_key(f"{service}:{name}") else None


def _any_tag(text: str) -> str:
    # Secrets Manager's page writes its tag keys with the word `tag-key` where others have a placeholder.
    return f"{text.partition('/')[0]}/tag-key"


def _nearest_key(text: str, known: Names) -> str | None:
    head, slash, tag = text.partition("/")
    look = known.catalog.nearest_condition_key
    found = known.nearest(look, f"{head}/${{TagKey}}" if slash else text)
    if found is None or "${" not in found:
        return found
    return f"{found.partition('/')[0]}/{tag}" if tag else None


def _of(catalog: Catalog) -> str:
    return f" (catalogue of {catalog.source.updated.isoformat()})"


def _suggestion(meant: str | None) -> str:
    return f"; did you mean `{meant}`?" if meant is not None else ""
