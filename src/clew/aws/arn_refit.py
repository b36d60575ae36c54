"""What a misspelled ARN, or one field of it, was most likely meant to be."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from clew.aws.arn_overlap import FIELDS, overlap
from clew.aws.catalog_nearest import nearest
from clew.aws.catalog_types import PLACEHOLDER
from clew.aws.partitions import PARTITIONS, is_region

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

DIGITS: Final = 12

_ACCOUNT: Final = re.compile(r"[0-9]{12}", re.ASCII)
_S3_URL: Final = re.compile(
    r"s3://(?P<a>.+)"
    r"|https?://(?P<b>[a-z0-9.-]+)\.s3[a-z0-9.-]*\.amazonaws\.com(?:\.cn)?(?P<c>/.*)?"
    r"|https?://s3[a-z0-9.-]*\.amazonaws\.com(?:\.cn)?/(?P<d>.+)"
)
_DIRECTIONS: Final = (
    "north", "south", "east", "west", "central", "northeast", "northwest", "southeast", "southwest",
)  # fmt: skip
_GLUED_REGION: Final = re.compile(r"([a-z]{2})(gov)?([a-z]+?)([0-9]{1,2})")


def without_spaces(text: str) -> str:
    """The ARN without white space around its fields; within the resource a space is a character like any other.

    >>> without_spaces(" arn : aws : s3 ::: examplebucket / * ")
    'arn:aws:s3:::examplebucket/*'
    """
    *head, resource = text.split(":", FIELDS - 1)
    tidy = [part.strip() for part in head]
    if tidy != head:
        # Whoever puts spaces around the colons puts them around the slashes.
        resource = re.sub(r"\s*([/:])\s*", r"\1", resource)
    return ":".join([*tidy, resource.strip()])


def with_prefix(text: str, service: str) -> str | None:
    """The ARN that a text without `arn:` means; None when it does not say. `service` is the action's.

    >>> with_prefix("s3:::logs/*", ""), with_prefix("s3://logs/2024/", "s3"), with_prefix("logs", "s3")
    ('arn:aws:s3:::logs/*', 'arn:aws:s3:::logs/2024/', 'arn:aws:s3:::logs')
    >>> with_prefix("ARN:aws:s3:::logs", ""), with_prefix("logs", "iam")
    ('arn:aws:s3:::logs', None)
    """
    if text[:4].lower() == "arn:":
        return f"arn:{text[4:]}"
    bare = text.removeprefix(":")
    if bare.partition(":")[0] in PARTITIONS:
        return f"arn:{bare}"
    found = _S3_URL.fullmatch(text)
    if found is not None:
        path = found["a"] or found["d"] or f"{found['b']}{found['c'] or ''}"
        return f"arn:aws:s3:::{path}"
    if ":" in bare:
        return f"arn:aws:{bare}"
    is_bucket = service == "s3" and re.fullmatch(r"[a-z0-9*?][a-z0-9.*?-]{2,62}(/.*)?", bare) is not None
    return f"arn:aws:s3:::{bare}" if is_bucket else None


def order_faults(text: str, knows: Callable[[str], bool]) -> tuple[str, str] | None:
    """Code and message when fields are missing, too many or in another's place; None when each is where it belongs."""
    fields = text.split(":", FIELDS - 1)
    partition, service = (*fields, "", "", "")[1:3]
    if partition not in PARTITIONS and partition and (knows(partition) or service in PARTITIONS):
        return "INVALID_PARTITION", f"`{partition}` stands where the partition belongs"
    if len(fields) < FIELDS:
        return "MISSING_ARN_FIELD", f"{len(fields)} of {FIELDS} fields separated by colons"
    region, account, resource = fields[3:]
    if resource.startswith(":"):
        return "INVALID_ARN_RESOURCE", "one colon too many before the resource"
    if _ACCOUNT.fullmatch(region):
        return "INVALID_ARN_REGION", f"account `{region}` stands where the region belongs"
    if is_region(account):
        return "INVALID_ARN_ACCOUNT", f"region `{account}` stands where the account belongs"
    if not service and (knows(region) or knows(account)):
        return "INVALID_SERVICE", "one colon too many before the service"
    if account and ":" not in account and not account[:1].isdigit() and is_word_of_resource(account):
        return "MISSING_ARN_FIELD", f"`{account}` stands where the account belongs"
    return None


def is_word_of_resource(field: str) -> bool:
    """Whether a text where an account belongs is the type or the path of a resource.

    >>> is_word_of_resource("role/Admin"), is_word_of_resource("function"), is_word_of_resource("ACCOUNT-ID")
    (True, True, False)
    """
    return "/" in field or field in {
        "alarm", "cluster", "crawler", "db", "function", "layer", "log-group", "parameter", "secret", "snapshot",
        "stateMachine", "subgrp", "task-definition",
    }  # fmt: skip


def refit(text: str, knows: Callable[[str], bool], fits: Callable[[str], bool]) -> str | None:
    """The ARN with each field in its place; None when no order fits a resource of its service.

    >>> refit("arn:aws:s3::::mybucket/*", {"s3"}.__contains__, lambda arn: True)
    'arn:aws:s3:::mybucket/*'
    >>> refit("arn:aws:iam:us-east-1:role/x:111122223333", {"iam"}.__contains__, lambda arn: arn.endswith("role/x"))
    'arn:aws:iam:us-east-1:111122223333:role/x'
    >>> refit("arn:aws:config:*:*::config-rule/*", {"config"}.__contains__, lambda arn: arn.count(":") == 5)
    'arn:aws:config:*:*:config-rule/*'
    """
    fields = [field for field in text.split(":")[1:] if field]
    partition = _pop(fields[:2], fields, PARTITIONS.__contains__) or _star(fields) or "aws"
    service = _pop(fields[:2], fields, lambda field: knows(field.lower()))
    if service is None:
        return None
    region = _pop(fields[:3], fields, is_region) or _star(fields)
    account = _pop(fields, fields, lambda field: _ACCOUNT.fullmatch(field) is not None) or _star(fields)
    resource = ":".join(fields)
    shapes = [(region, account), ("", account), (region, ""), ("", "")]
    shapes += [(region or "*", account or "*"), ("", account or "*")]
    candidates = [f"arn:{partition}:{service}:{first}:{second}:{resource}" for first, second in shapes]
    return next((each for each in candidates if fits(each)), candidates[0] if resource else None)


def _pop(among: Sequence[str], fields: list[str], wanted: Callable[[str], bool]) -> str | None:
    found = next((field for field in among if wanted(field)), None)
    if found is not None:
        fields.remove(found)
    return found


def _star(fields: list[str]) -> str:
    """The asterisk that stands first, taken away; empty where none does, or where it is all there is."""
    return fields.pop(0) if len(fields) > 1 and fields[0] == "*" else ""


def region_meant(written: str) -> str | None:
    """The region that a misspelled one means; None when it does not say.

    >>> region_meant("US_East_1"), region_meant("us-east-1a"), region_meant("useast1"), region_meant("eu-wset-1")
    ('us-east-1', 'us-east-1', 'us-east-1', 'eu-west-1')
    >>> region_meant("us-esat-1"), region_meant("global") is None
    ('us-east-1', True)
    """
    text = re.sub(r"[_.\s]", "-", written.lower()).strip("-")
    if is_region(text[:-1]) and text[-1:].isalpha():
        return text[:-1]
    glued = _GLUED_REGION.fullmatch(text)
    if glued is not None:
        text = "-".join(part for part in glued.groups() if part)
    *head, direction, number = ["", *text.split("-")] if text.count("-") else ["", "", ""]
    swapped = next((each for each in _DIRECTIONS if sorted(each) == sorted(direction)), None)
    direction = swapped or nearest(direction, _DIRECTIONS) or direction
    found = "-".join([*head[1:], direction, number])
    return found if is_region(found) else None


def account_meant(written: str) -> tuple[str, str | None]:
    """What is wrong with an account that is none, and the account that it means where it says so.

    >>> account_meant("1111-2222-3333")
    ('account `1111-2222-3333` holds more than digits', '111122223333')
    >>> account_meant("11223344")[0], account_meant("ACCOUNT-ID")[0]
    ('account `11223344` has 8 digits; expected 12', 'account `ACCOUNT-ID` is a placeholder; put the 12 digits there')
    """
    digits = re.sub(r"[\s.-]", "", written)
    if digits.isascii() and digits.isdigit():
        if len(digits) == DIGITS:
            return f"account `{written}` holds more than digits", digits
        return (
            f"account `{written[:40]}` has {len(digits)} digit{'s' * (len(digits) > 1)}; expected {DIGITS}",
            None,
        )
    return f"account `{written[:40]}` is a placeholder; put the {DIGITS} digits there", None


def resource_meant(written: str, templates: Iterable[str]) -> str | None:
    """The resource part that fits one of the templates and is nearest to what was written; None when none is near.

    >>> resource_meant("users/bob", ["user/${Name}", "role/${Name}"]), resource_meant("function/f", ["function:${N}"])
    ('user/bob', 'function:f')
    """
    known = list(templates)
    words = {found[0]: template for template in known if (found := _type_word(template))}
    parts = re.match(r"([^/:]*)([/:]?)(.*)", written, re.DOTALL)
    if parts is None:
        return None
    word, _, rest = parts.groups()
    near = nearest(word, words) or nearest(word.removesuffix("s"), words)
    candidates = [f"{near}{words[near][len(near)]}{rest or '*'}"] if near is not None else []
    return next(
        (each for each in candidates if each != written and any(overlap(known_, each) for known_ in known)),
        None,
    )


def _type_word(template: str) -> re.Match[str] | None:
    """The type that a template begins with, when a separator and a placeholder follow."""
    literal = PLACEHOLDER.split(template)[0]
    return re.match(r"[^/:]+(?=[/:])", literal)


def neighbours(arn: str) -> Iterator[str]:
    """ARNs that differ from this one by its last part: with everything below it, or without it.

    >>> list(neighbours("arn:aws:s3:::logs/2024"))
    ['arn:aws:s3:::logs/2024/*', 'arn:aws:s3:::logs/2024:*', 'arn:aws:s3:::logs', 'arn:aws:s3:::logs/2024*']
    """
    *head, resource = arn.split(":", FIELDS - 1)
    cuts = [found.start() for found in re.finditer("[/:]", resource)]
    separator = resource[cuts[0]] if cuts else "/"
    yield f"{arn}{separator}*"
    yield f"{arn}{':' if separator == '/' else '/'}*"
    yield from (":".join([*head, resource[:cut]]) for cut in (*cuts[:1], *reversed(cuts[1:][-8:])))
    yield f"{arn}*"
