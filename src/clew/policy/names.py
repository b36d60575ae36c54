"""Names that AWS does not know: services, actions and condition keys, each with the nearest one that it does.

The catalogue is of a day; a name that AWS added since is unknown here too, so the message says how old it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from clew.aws.catalog_globals import GLOBAL_KEYS
from clew.aws.spoken import actions_meant
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
_SCHEMES: Final = frozenset({"https", "http"})
# What stands between two actions that were written into one text.
_SEVERAL: Final = re.compile(r"(?<=[A-Za-z0-9*])\s*[,;]\s*|(?<=[A-Za-z0-9*])\s+(?=[a-z0-9-]+:)")
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
    service, colon, _ = text.partition(":")
    if text == "*":
        return
    if len(_SEVERAL.split(text.strip())) > 1:
        message = f"`{shown(text)}` is several actions in one text; write them as a list of texts"
        problems.add("INVALID_ACTION", message, word.path, word.node)
    elif not colon or text != text.strip():
        _tell_shape(word, home, known, problems)
    elif "*" in service or "?" in service:
        message = f"wildcard in the service `{shown(service)}`; name the service"
        advice = FindingType.SUGGESTION
        problems.add("WILDCARD_IN_SERVICE_NAME", message, word.path, word.node, finding_type=advice)
    elif catalog.service(service) is None:
        _tell_service(word, known, problems)
    elif catalog.action(text) is None and not catalog.mask(text):
        _tell_action(word, known, problems)


def _tell_shape(word: Word, home: str, known: Names, problems: Problems) -> None:
    """Note an action that has no colon, or white space around it; without a service it is of `home`."""
    catalog, text = known.catalog, word.text
    has_colon = ":" in text
    tidy = ":".join(part.strip() for part in text.split(":")) if has_colon else f"{home}:{text.strip()}"
    found = catalog.action(tidy)
    meant: str | None = found.full_name if found is not None else tidy
    if found is None and not catalog.mask(tidy):
        meant = known.nearest(catalog.nearest_action, tidy)
    message = f"`{shown(text)}` is no action; expected `service:action`{_suggestion(meant)}"
    problems.add("INVALID_ACTION", message, word.path, word.node, corrected=meant)


def _tell_action(word: Word, known: Names, problems: Problems) -> None:
    """Note an action that its service has not, and what an operation of that name takes."""
    service, _, name = word.text.partition(":")
    meant = known.nearest(known.catalog.nearest_action, word.text)
    taken = actions_meant(service, name)
    advice = _suggestion(meant)
    if len(taken) > 1:
        advice = f"; it takes {' and '.join(f'`{each}`' for each in taken)}"
    message = f"unknown action `{shown(word.text)}`{_of(known.catalog)}{advice}"
    problems.add("INVALID_ACTION", message, word.path, word.node, corrected=meant)


def _tell_service(word: Word, known: Names, problems: Problems) -> None:
    """Note an action of a service that there is not."""
    catalog = known.catalog
    service, _, name = word.text.partition(":")
    meant = known.nearest(catalog.nearest_service, service)
    whole = f"{meant}:{name}" if meant else None
    if whole is not None and not catalog.mask(whole):
        near = known.nearest(catalog.nearest_action, whole)
        whole = near if near is not None and near.startswith(f"{meant}:") else None
    message = f"unknown service `{shown(service)}`{_of(catalog)}{_suggestion(whole or meant)}"
    if service == "arn":
        message = f"`{shown(word.text)}` is an ARN, which `Resource` takes; expected `service:action`"
    problems.add("INVALID_SERVICE_IN_ACTION", message, word.path, word.node, corrected=whole)


class _Fault(NamedTuple):
    """What is wrong with a condition key, and what to write instead; None where nobody knows."""

    code: str
    message: str
    meant: str | None = None


def _check_key(key: Word, known: Names, problems: Problems) -> None:
    text = key.text
    fault = _misshapen(text, known.catalog) or _tagless(text, known.catalog) or _unknown(text, known)
    if fault is not None:
        message = f"{fault.message}{_suggestion(fault.meant)}"
        problems.add(fault.code, message, key.path, key.node, corrected=fault.meant, written=text)


def _misshapen(text: str, catalog: Catalog) -> _Fault | None:
    """A key without its service, with white space around it, or with the scheme of a URL."""
    prefix, colon, rest = text.partition(":")
    message = f"`{shown(text)}` is no condition key; expected `service:name`"
    if not colon or text != text.strip():
        found = catalog.condition_key(f"aws:{text.strip()}" if not colon else text.strip())
        return _Fault("INVALID_CONDITION_KEY_FORMAT", message, found.name if found else None)
    if prefix.lower() in _SCHEMES and rest.startswith("//"):
        message = f"`{shown(text)}` is no condition key: the provider stands without `{prefix}://`"
        return _Fault("INVALID_CONDITION_KEY_FORMAT", message, rest.removeprefix("//"))
    return None


def _tagless(text: str, catalog: Catalog) -> _Fault | None:
    """A key of tags that names none, or has a colon before the tag."""
    lowered = text.lower().removesuffix("/")
    is_of_service = catalog.condition_key(text) is None and _is_known(text, catalog) and "/" not in text
    if lowered in _TAG_KEYS or is_of_service:
        expected = lowered if lowered in _TAG_KEYS else text
        message = f"`{shown(text)}` names no tag; expected `{expected}/KEY`"
        return _Fault("MISSING_TAG_KEY_IN_CONDITION", message)
    head, _, tag = text.rpartition(":")
    if tag and head.lower() in _TAG_KEYS:
        message = f"unknown condition key `{shown(text)}`{_of(catalog)}"
        return _Fault("INVALID_GLOBAL_CONDITION_KEY", message, f"{head}/{tag}")
    return None


def _unknown(text: str, known: Names) -> _Fault | None:
    """A key that nobody has, or of a service that there is not."""
    catalog = known.catalog
    prefix = text.partition(":")[0]
    message = f"unknown condition key `{shown(text)}`{_of(catalog)}"
    if text.lower() == _OLD_ARN or _is_known(text, catalog):
        return None
    if prefix.lower() == "aws":
        return _Fault("INVALID_GLOBAL_CONDITION_KEY", message, _nearest_key(text, known))
    if catalog.service(prefix) is not None:
        is_listed = bool(catalog.condition_keys(prefix))
        code = "INVALID_SERVICE_CONDITION_KEY"
        return _Fault(code, message, _nearest_key(text, known)) if is_listed else None
    if "." in prefix or prefix.lower() in _NO_SERVICES:
        return None
    message = f"unknown service `{shown(prefix)}` of the condition key `{shown(text)}`{_of(catalog)}"
    return _Fault("INVALID_SERVICE", message, _of_nearest_service(text, known))


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
