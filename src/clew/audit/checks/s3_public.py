"""Checks of who gets into S3 buckets: everybody, other accounts, and requests without TLS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.audit.buckets import (
    SETTINGS,
    Alike,
    account_block,
    asked,
    each_answer,
    each_bucket,
    settings,
    unreadable,
)
from clew.audit.grantees import Allowed, stranger_actions, strangers
from clew.audit.model import Judgement, Verdict, check, is_true, one_of
from clew.audit.resources import chosen, facts, items, listing, text, unanswered
from clew.audit.tls import http_gaps
from clew.findings import Severity
from clew.reach.public import Leg, Openness, Unread, public_access, worst

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from clew.audit.buckets import Bucket
    from clew.audit.model import State
    from clew.reach.public import Access
    from clew.snapshot.answers import Answer

_DECIDING = ("GetBucketPolicy", "GetBucketAcl", "GetBucketOwnershipControls", "GetPublicAccessBlock")


@check("s3-bucket-public-read", "Nobody outside reads buckets", "Everybody can read a bucket", Severity.HIGH)
def public_read(state: State) -> Iterator[Judgement]:
    """Whether everybody can read a bucket's objects, list them, or read who may.

    Finds. Buckets that everybody, or every AWS account, can read or list: by a statement for everybody that no
    condition holds to known callers and no Deny takes back, or by an access control list; after Object Ownership and
    the Block Public Access of bucket and account.
    Why it matters. Whoever learns the name takes the content, without an account of yours appearing anywhere.
    False positives. Websites and open data that are meant to be read; objects have access control lists of their own,
    which are not looked at.
    Fix. Set Block Public Access for the account, and serve through CloudFront with an origin access control.
    References. Amazon S3 user guide, Blocking public access to your Amazon S3 storage · AWS Config developer guide,
    s3-bucket-public-read-prohibited
    """
    yield from each_bucket(state, lambda found: judge_public(found, (Leg.READ, Leg.LIST), "read"))


@check(
    "s3-bucket-public-write",
    "Nobody outside writes buckets",
    "Everybody can write a bucket",
    Severity.CRITICAL,
)
def public_write(state: State) -> Iterator[Judgement]:
    """Whether everybody can write a bucket's objects, delete them, or change who may.

    Finds. Buckets that everybody, or every AWS account, can write or whose permissions they can change; decided as
    for reading.
    Why it matters. Strangers replace what your users download, store what you pay for, or delete everything.
    False positives. Hardly any: an upload form needs presigned requests, not an open bucket.
    Fix. Set Block Public Access for the account and remove the statement or the entry.
    References. Amazon S3 user guide, Blocking public access to your Amazon S3 storage · AWS Config developer guide,
    s3-bucket-public-write-prohibited
    """
    yield from each_bucket(state, lambda found: judge_public(found, (Leg.WRITE, Leg.PERMISSIONS), "write"))


def judge_public(found: Bucket, legs: tuple[Leg, ...], what: str) -> Judgement:
    """The judgement on what everybody can do with a bucket."""
    access = public_access(found.facts)
    chosen = [access[leg] for leg in legs]
    seen = (*_ways(chosen), *asked(*(found.said(operation) for operation in _DECIDING)))
    match worst(chosen):
        case Openness.PUBLIC:
            who = "every AWS account" if _needs_account(chosen) else "everybody"
            by = listing(sorted({str(way) for each in chosen for way in each.ways}))
            limit = ", within what conditions leave" if all(w.limited for e in chosen for w in e.ways) else ""
            return Judgement(Verdict.FAIL, found.arn, f"{who} can {what}{limit}: {by}", seen)
        case Openness.UNKNOWN:
            missing = tuple(dict.fromkeys(call for each in chosen for call in each.missing))
            message = f"whether everybody can {what} hangs on {listing(missing)}"
            return Judgement(Verdict.UNKNOWN, found.arn, message, seen, missing)
    closed = sorted({way.closed_by for each in chosen for way in each.closed})
    kept = f"; {listing(closed)} keeps out what policy or list would let in" if closed else ""
    return Judgement(Verdict.PASS, found.arn, f"not everybody can {what}{kept}", seen)


def _ways(chosen: Iterable[Access]) -> tuple[tuple[str, str], ...]:
    """Each way with what it opens and what closes it."""
    found = {
        str(way): ", ".join(way.actions[:5]) + (f" (closed by {way.closed_by})" if way.closed_by else "")
        for each in chosen
        for way in (*each.ways, *each.closed)
    }
    return tuple(found.items())


def _needs_account(chosen: Iterable[Access]) -> bool:
    return all(way.any_account for each in chosen for way in each.ways)


@check("s3-bucket-open-access", "Buckets are not open", "A bucket is open to everybody", Severity.MEDIUM)
def open_access(state: State) -> Iterator[Judgement]:
    """The permissions of each bucket as Trusted Advisor weighs them.

    Finds. High: an access control list that lets everybody upload or delete. Medium: one that lets everybody list, or a
    policy that opens anything. Low: a policy that is open and that only RestrictPublicBuckets contains.
    Why it matters. It is the first thing that strangers try.
    False positives. Websites and open data that are meant to be read.
    Fix. Set Block Public Access for the account and remove the statement or the entry.
    References. AWS Support user guide, Amazon S3 Bucket Permissions · Amazon S3 user guide, Access control list (ACL)
    overview
    """

    def judge(found: Bucket) -> Judgement:
        legs = public_access(found.facts).values()
        seen = (*_ways(legs), *asked(*(found.said(operation) for operation in _DECIDING)))
        ways = [(each.leg, way) for each in legs for way in each.ways]
        contained = [way for each in legs for way in each.closed if way.by == "policy"]
        # What only a setting contains is told by the policy, also where nobody gets in.
        unread = (found.facts.policy.call,) if isinstance(found.facts.policy, Unread) else ()
        missing = tuple(dict.fromkeys((*unread, *(call for each in legs for call in each.missing))))
        if any(way.by == "acl" and leg is Leg.WRITE for leg, way in ways):
            message = "an access control list lets everybody upload or delete"
            return Judgement(Verdict.FAIL, found.arn, message, seen, severity=Severity.HIGH)
        if missing:
            message = f"what everybody can do hangs on {listing(missing)}"
            return Judgement(Verdict.UNKNOWN, found.arn, message, seen, missing)
        if ways:
            message = f"open to everybody by {listing(sorted({str(way) for _, way in ways}))}"
            return Judgement(Verdict.FAIL, found.arn, message, seen)
        if contained:
            message = f"{contained[0]} is public, and only {contained[0].closed_by} contains it"
            return Judgement(Verdict.FAIL, found.arn, message, seen, severity=Severity.LOW)
        return Judgement(Verdict.PASS, found.arn, "open to nobody", seen)

    yield from each_bucket(state, judge)


@check(
    "s3-bucket-block-public-access",
    "Buckets block public access",
    "A bucket does not block public access",
    Severity.MEDIUM,
)
def block_public_access(state: State, *, level: str = "effective", excluded: str = "") -> Iterator[Judgement]:
    """Whether all four settings of Block Public Access hold for each bucket.

    Finds. Buckets for which a setting is off. `level` is `effective` (a setting of the account counts for every
    bucket) or `bucket` (the bucket's own alone). `excluded` names buckets, with commas, that are let off.
    Why it matters. It is the last guard between a careless policy and the public.
    False positives. Buckets that serve the public by decision; exclude them.
    Fix. `aws s3control put-public-access-block` for the account, all four.
    References. Amazon S3 user guide, Blocking public access to your Amazon S3 storage · AWS Config developer guide,
    s3-bucket-level-public-access-prohibited
    """
    is_effective = one_of("level", level, "effective", "bucket") == "effective"
    of_account = (account_block(state),) if is_effective else ()
    let_off = chosen(excluded)

    def judge(found: Bucket) -> Judgement | None:
        if found.name in let_off:
            return Judgement(Verdict.NOT_APPLICABLE, found.arn, "is excluded")
        answers = (found.said("GetPublicAccessBlock"), *of_account)
        parts = [settings(answer) for answer in answers]
        on = {name for part in parts if isinstance(part, dict) for name in SETTINGS if part[name]}
        off = [name for name in SETTINGS if name not in on]
        seen = (*((name, "true" if name in on else "false") for name in SETTINGS), *asked(*answers))
        if not off:
            return Judgement(Verdict.PASS, found.arn, "all four settings are on", seen)
        if any(isinstance(part, Unread) for part in parts):
            return unanswered(found.arn, *answers, evidence=seen)
        return Judgement(Verdict.FAIL, found.arn, f"off: {', '.join(off)}", seen)

    yield from each_bucket(state, judge)


@check(
    "s3-account-block-public-access",
    "The account blocks public access to S3",
    "The account does not block public access to S3",
    Severity.MEDIUM,
)
def account_blocks(  # AWS Config's rule has these four parameters
    state: State,
    *,
    block_public_acls: str = "true",
    ignore_public_acls: str = "true",
    block_public_policy: str = "true",
    restrict_public_buckets: str = "true",
    unset: str = "fail",
) -> Iterator[Judgement]:
    """Whether the account's Block Public Access is as it should be.

    Finds. An account of which a setting differs from the parameter (all `true` unless said). Where nothing was ever
    set, `unset` = `fail` fails, and `unknown` says, as the change-triggered rule of AWS Config does, that there is no
    data.
    Why it matters. One setting guards every bucket, also those that are made tomorrow.
    False positives. Accounts that serve the public from S3 by decision; settings of an organisation's S3 policy show
    here only as far as S3 reports them.
    Fix. `aws s3control put-public-access-block --account-id …`, all four.
    References. Amazon S3 user guide, Configuring block public access settings for your account · AWS Config developer
    guide, s3-account-level-public-access-blocks-periodic
    """
    answer = account_block(state)
    given = (block_public_acls, ignore_public_acls, block_public_policy, restrict_public_buckets)
    wanted = {name: is_true(name, value) for name, value in zip(SETTINGS, given, strict=True)}
    is_unknown = one_of("unset", unset, "fail", "unknown") == "unknown"
    found = settings(answer)
    if isinstance(found, Unread):
        yield unanswered(state.account_arn, answer)
        return
    seen = (*((name, str((found or {}).get(name, False)).lower()) for name in SETTINGS), *asked(answer))
    if found is None and is_unknown:
        message = "Block Public Access was never set for the account"
        yield Judgement(
            Verdict.UNKNOWN, state.account_arn, message, seen, ("s3control:GetPublicAccessBlock",)
        )
        return
    other = [name for name in SETTINGS if (found or {}).get(name, False) is not wanted[name]]
    if other:
        said = ", ".join(f"{name} is {'off' if wanted[name] else 'on'}" for name in other)
        yield Judgement(Verdict.FAIL, state.account_arn, said, seen)
    else:
        yield Judgement(
            Verdict.PASS, state.account_arn, "the settings of the account are as they should be", seen
        )


@check("s3-bucket-tls-only", "Buckets refuse plain HTTP", "A bucket takes plain HTTP", Severity.MEDIUM)
def tls_only(state: State) -> Iterator[Judgement]:
    """Whether the bucket's policy denies every request without TLS.

    Finds. Buckets whose policy does not deny plain HTTP to everybody, for every action that works on bucket or
    objects, and on both. The engine is asked, so every way of writing it counts (`Bool` or `BoolIfExists` of
    `aws:SecureTransport`, lists, several statements); `NumericLessThan` of `s3:TlsVersion` alone does not: a request
    without TLS lacks that key.
    Why it matters. Without TLS everybody on the way reads and changes what passes.
    False positives. Buckets that only AWS services read, which use TLS anyway.
    Fix. Add a Deny of `s3:*` for `*` on bucket and objects where `aws:SecureTransport` is `false`.
    References. Amazon S3 user guide, Security best practices for Amazon S3 · AWS Config developer guide,
    s3-bucket-ssl-requests-only
    """
    asked_once = Alike(lambda policy, arn: http_gaps(policy, arn, state.account))

    def judge(found: Bucket, answer: Answer) -> Judgement:
        policy = found.policy
        if isinstance(policy, Unread):
            return unreadable(found.arn, policy, answer)
        if policy is None:
            return Judgement(Verdict.FAIL, found.arn, "has no policy, so plain HTTP is taken", asked(answer))
        gaps = asked_once.of(policy, found.arn)
        if not gaps.is_none:
            return Judgement(Verdict.FAIL, found.arn, str(gaps), (*gaps.evidence, *asked(answer)))
        return Judgement(Verdict.PASS, found.arn, "denies plain HTTP on bucket and objects", asked(answer))

    yield from each_answer(state, "GetBucketPolicy", judge)


@check(
    "s3-bucket-acl",
    "Access control lists are not used",
    "A bucket grants by access control list",
    Severity.LOW,
)
def acl(state: State) -> Iterator[Judgement]:
    """Whether anybody but the owner gets into a bucket by its access control list.

    Finds. Buckets whose list has an entry for somebody else than the owner, while Object Ownership leaves lists on.
    Why it matters. Lists are seen in no policy, and objects have lists of their own.
    False positives. Targets of old access logs, which the log delivery group fills.
    Fix. `aws s3api put-bucket-ownership-controls` with BucketOwnerEnforced, after moving the grants into the policy.
    References. Amazon S3 user guide, Controlling ownership of objects and disabling ACLs for your bucket · AWS Config
    developer guide, s3-bucket-acl-prohibited
    """

    def judge(found: Bucket) -> Judgement:
        list_, controls = found.said("GetBucketAcl"), found.said("GetBucketOwnershipControls")
        seen = asked(list_, controls)
        if found.facts.ownership == "BucketOwnerEnforced":
            return Judgement(Verdict.PASS, found.arn, "access control lists are off", seen)
        if not list_.status.is_known:
            return unanswered(found.arn, list_, evidence=seen)
        owner = text(list_.body, "Owner.ID")
        others = [
            f"{text(grant, 'Permission')} for {text(grant, 'Grantee.URI') or text(grant, 'Grantee.ID')}"
            for grant in items(list_.body, "Grants")
            if not owner or text(grant, "Grantee.ID") != owner
        ]
        if others and not controls.status.is_known:
            return unanswered(found.arn, controls, evidence=seen)
        if others:
            return Judgement(Verdict.FAIL, found.arn, f"grants {listing(others)}", seen)
        return Judgement(Verdict.PASS, found.arn, "grants to the owner alone", seen)

    yield from each_bucket(state, judge)


@check(
    "s3-bucket-policy-grantees",
    "Bucket policies let in only who is listed",
    "A bucket policy lets in somebody else",
    Severity.MEDIUM,
)
def policy_grantees(  # AWS Config's rule has these five parameters
    state: State,
    *,
    aws_principals: str = "",
    service_principals: str = "",
    federated_users: str = "",
    ip_addresses: str = "",
    vpc_ids: str = "",
) -> Iterator[Judgement]:
    """Whether each Allow of a bucket's policy is for those who are listed.

    Finds. Statements that let in a principal outside the lists (an account that is listed covers its users and
    roles), unless they are held to listed addresses or VPCs. A bucket without a policy passes.
    Why it matters. A list of who should get in shows who should not.
    False positives. Whoever is missing in the lists.
    Fix. Take the statement out of the policy, or put the principal on the list.
    References. AWS Config developer guide, s3-bucket-policy-grantee-check · Amazon S3 user guide, Bucket policies for
    Amazon S3
    """
    allowed = Allowed.of(aws_principals, service_principals, federated_users, ip_addresses, vpc_ids)

    def judge(found: Bucket, answer: Answer) -> Judgement:
        policy = found.policy
        if isinstance(policy, Unread):
            return unreadable(found.arn, policy, answer)
        others = strangers(policy, allowed) if policy else ()
        if others:
            return Judgement(Verdict.FAIL, found.arn, f"lets in {listing(others)}", asked(answer))
        message = "lets in only who is listed" if policy else "has no policy"
        return Judgement(Verdict.PASS, found.arn, message, asked(answer))

    yield from each_answer(state, "GetBucketPolicy", judge)


@check(
    "s3-bucket-policy-actions",
    "Bucket policies keep certain actions in the account",
    "A bucket policy gives a forbidden action to another account",
    Severity.HIGH,
)
def policy_actions(
    state: State, *, actions: str = "s3:Put*Policy, s3:Put*Acl, s3:Delete*Policy"
) -> Iterator[Judgement]:
    """Whether a bucket's policy gives listed actions to other accounts.

    Finds. Allow statements for a principal outside the account with an action that one of the patterns in `actions`
    (with commas) matches. Conditions are not looked at, as AWS Config does.
    Why it matters. Whoever may change the policy of a bucket owns it.
    False positives. Statements that a condition holds to callers of your organisation.
    Fix. Take the actions out of the statement.
    References. AWS Config developer guide, s3-bucket-blacklisted-actions-prohibited · Amazon S3 user guide, Bucket
    policies for Amazon S3
    """
    patterns = tuple(pattern.strip() for pattern in actions.split(",") if pattern.strip())

    def judge(found: Bucket, answer: Answer) -> Judgement:
        policy = found.policy
        if isinstance(policy, Unread):
            return unreadable(found.arn, policy, answer)
        given = stranger_actions(policy, patterns, state.account) if policy else ()
        if given:
            return Judgement(
                Verdict.FAIL, found.arn, f"gives {listing(given)} to another account", asked(answer)
            )
        message = "gives none of these actions to another account"
        return Judgement(
            Verdict.PASS, found.arn, message, (*facts({"actions": actions}, "actions"), *asked(answer))
        )

    yield from each_answer(state, "GetBucketPolicy", judge)
