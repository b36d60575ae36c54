"""Facts about who acts on whom, and from where."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

from clew.detect.facts.fields import integer, is_false, items, mappings, request, text_at, value_at

if TYPE_CHECKING:
    from collections.abc import Mapping

# AWS managed policies that make their holder, in one or two steps, an administrator.
# AWS: "AWS managed policies for job functions".
ADMIN_POLICIES = frozenset({"AdministratorAccess", "PowerUserAccess", "IAMFullAccess"})

WRITES_RECORDED = ("All", "WriteOnly")


def user_acts_on_other_user(event: Mapping[str, object]) -> bool:
    """Whether the call names an IAM user that is not the caller.

    **Finds** a `userName` in the request that differs from the caller's own, or any when a role or root calls.
    **Why it matters** credentials made for another user outlive the loss of one's own.
    **False positives** administrators and account-provisioning automation.
    **Fix** delete what was created and ask the owner of the other user.
    **References** AWS: "Manage access keys for IAM users".
    """
    target = text_at(event, "requestParameters", "userName")
    own = text_at(event, "userIdentity", "userName")
    is_user = text_at(event, "userIdentity", "type") == "IAMUser"
    return bool(target) and not (is_user and target.lower() == own.lower())


def attached_admin_policy(event: Mapping[str, object]) -> bool:
    """Whether the policy that is attached makes its holder an administrator.

    **Finds** AdministratorAccess, PowerUserAccess and IAMFullAccess of AWS, in every partition.
    **Why it matters** one call turns a small foothold into the whole account.
    **False positives** the set-up of an administrator role.
    **Fix** detach it: `aws iam detach-user-policy`.
    **References** AWS: "AWS managed policies for job functions".
    """
    parts = text_at(event, "requestParameters", "policyArn").split(":")
    managed_by_aws = len(parts) > 5 and parts[4] == "aws"  # noqa: PLR2004  # an ARN has six parts
    return managed_by_aws and parts[-1].rsplit("/", 1)[-1] in ADMIN_POLICIES


def source_network(event: Mapping[str, object]) -> str | None:
    """The network of the caller, the first 24 bits of an IPv4 or 48 bits of an IPv6 address; None for a service.

    **Finds** the neighbourhood that a load-balanced way out shares.
    **Why it matters** single addresses change with every NAT gateway, networks seldom do.
    **False positives** none: this only states where the call came from.
    **Fix** nothing.
    **References** AWS: "CloudTrail record contents", sourceIPAddress.
    """
    address = _address(event)
    if address is None:
        return None
    bits = 24 if address.version == 4 else 48  # noqa: PLR2004  # the IP version
    return str(ip_network((address, bits), strict=False))


def _address(event: Mapping[str, object]) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text_at(event, "sourceIPAddress"))
    except ValueError:
        return None


def role_account_differs(event: Mapping[str, object]) -> bool:
    """Whether the credentials of a role are used in an account that the role does not belong to.

    **Finds** an assumed role whose issuer's account is not the account that the call was made in.
    **Why it matters** instance and function credentials have no business in other accounts.
    **False positives** resource policies that admit the role from another account.
    **Fix** revoke the role's sessions.
    **References** AWS: "CloudTrail userIdentity element".
    """
    issuer = text_at(event, "userIdentity", "sessionContext", "sessionIssuer", "accountId")
    here = text_at(event, "recipientAccountId")
    return bool(issuer and here) and issuer != here


def lifecycle_min_days(event: Mapping[str, object]) -> int | None:
    """The days after which the shortest enabled lifecycle rule deletes objects, or None when none deletes.

    **Finds** `Expiration` and `NoncurrentVersionExpiration` days of enabled rules.
    **Why it matters** an expiry of a day empties a bucket without a single delete call.
    **False positives** scratch buckets.
    **Fix** `aws s3api delete-bucket-lifecycle`, then look for what has expired.
    **References** AWS: "Expiring objects".
    """
    rules = mappings(value_at(request(event), "LifecycleConfiguration", "Rule"))
    rules += mappings(value_at(request(event), "LifecycleConfiguration", "Rules"))
    days = [
        integer(value_at(rule, kind, field))
        for rule in rules
        if text_at(rule, "Status") != "Disabled"
        for kind, field in (("Expiration", "Days"), ("NoncurrentVersionExpiration", "NoncurrentDays"))
    ]
    return min((each for each in days if each is not None), default=None)


def trail_events_dropped(event: Mapping[str, object]) -> bool:
    """Whether the trail's new selectors leave out management events that change something.

    **Finds** selectors none of which records the write events of management.
    **Why it matters** the trail looks switched on and is blind to what an attacker does next.
    **False positives** a second trail that records data events only.
    **Fix** `aws cloudtrail put-event-selectors` with management events and readWriteType All.
    **References** AWS: "Logging management events".
    """
    parameters = request(event)
    basic = mappings(parameters.get("eventSelectors"))
    advanced = mappings(parameters.get("advancedEventSelectors"))
    return not (any(map(_records_management, basic)) or any(map(_selects_management, advanced)))


def _records_management(selector: Mapping[str, object]) -> bool:
    writes = selector.get("readWriteType", "All") in WRITES_RECORDED
    return writes and not is_false(selector.get("includeManagementEvents"))


def _selects_management(selector: Mapping[str, object]) -> bool:
    wanted = {
        text_at(field, "field"): items(field.get("equals"))
        for field in mappings(selector.get("fieldSelectors"))
    }
    only_reads = "true" in wanted.get("readOnly", [])
    narrowed = wanted.keys() - {"eventCategory", "readOnly"}
    return "Management" in wanted.get("eventCategory", []) and not only_reads and not narrowed
