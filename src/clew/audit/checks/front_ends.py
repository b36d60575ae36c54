"""Checks of load balancers, CloudFront distributions and certificates, and of what shields them."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING

from clew.audit.model import Judgement, Verdict, check, is_true, one_of
from clew.audit.resources import (
    chosen,
    each_resource,
    facts,
    items,
    listing,
    member,
    moment,
    partition,
    text,
    texts,
    together,
    unanswered,
)
from clew.findings import Severity
from clew.snapshot.answers import GLOBAL, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.audit.model import State
    from clew.snapshot.answers import Answer

_BALANCERS = "elbv2:DescribeLoadBalancers"
_DISTRIBUTIONS = "cloudfront:ListDistributions"
_NO_BALANCERS = "there are no load balancers"
_NO_DISTRIBUTIONS = "there are no distributions"
# Elastic Load Balancing user guide: "Security policies for your Application Load Balancer": TLS 1.2 and 1.3 only.
_MODERN = re.compile(r"ELBSecurityPolicy-(TLS13-1-[23]|TLS-1-2|FS-1-2)\b")
_CLOUDFRONT_REGION = "us-east-1"


def _listeners(state: State, balancer: Mapping[str, object], answer: Answer) -> Answer:
    return state.about(answer, "DescribeListeners", LoadBalancerArn=text(balancer, "LoadBalancerArn"))


@check("elb-https", "Load balancers take HTTPS only", "A load balancer takes plain HTTP", Severity.MEDIUM)
def elb_https(state: State, *, kinds: str = "application,classic") -> Iterator[Judgement]:
    """Application and classic load balancers that serve plain HTTP.

    Finds. A load balancer with an HTTP listener that does not redirect to HTTPS. Inside a VPC it weighs less. `kinds`
    chooses `application` or `classic` ones.
    Why it matters. Whoever is on the way reads passwords and cookies, and changes pages.
    False positives. A balancer behind CloudFront or inside a VPC where somebody else ends TLS.
    Fix. Let the HTTP listener redirect to HTTPS.
    References. Elastic Load Balancing user guide, Create an HTTPS listener for your Application Load Balancer · AWS
    Config developer guide, alb-http-to-https-redirection-check · AWS Trusted Advisor check reference, ELB Listener
    Security
    """

    def judge(balancer: Mapping[str, object], answer: Answer) -> Judgement | None:
        if text(balancer, "Type") != "application":
            return None
        listeners = _listeners(state, balancer, answer)
        name = text(balancer, "LoadBalancerArn")
        if not listeners.status.is_known:
            return unanswered(name, listeners)
        plain = [
            text(each, "Port")
            for each in items(listeners.body, "Listeners")
            if text(each, "Protocol") == "HTTP" and not _redirects(each)
        ]
        return _plain(name, plain, text(balancer, "Scheme"))

    def classic(balancer: Mapping[str, object], answer: Answer) -> Judgement:
        plain = [
            text(each, "Listener.LoadBalancerPort")
            for each in items(balancer, "ListenerDescriptions")
            if text(each, "Listener.Protocol") == "HTTP"
        ]
        region, own = answer.call.region, text(balancer, "LoadBalancerName")
        name = f"arn:{partition(state)}:elasticloadbalancing:{region}:{state.account}:loadbalancer/{own}"
        return _plain(name, plain, text(balancer, "Scheme"))

    wanted = {one_of("kinds", kind, "application", "classic") for kind in chosen(kinds)}
    parts = {
        "application": (_BALANCERS, "LoadBalancers", judge),
        "classic": ("elb:DescribeLoadBalancers", "LoadBalancerDescriptions", classic),
    }
    each = (each_resource(state, *parts[kind], none=_NO_BALANCERS) for kind in parts if kind in wanted)
    yield from together(state, *each, none=_NO_BALANCERS)


def _plain(name: str, plain: list[str], scheme: str) -> Judgement:
    seen = (("Scheme", scheme),)
    if not plain:
        return Judgement(Verdict.PASS, name, "takes no plain HTTP", seen)
    severity = None if scheme == "internet-facing" else Severity.LOW
    return Judgement(Verdict.FAIL, name, f"takes plain HTTP on {listing(plain)}", seen, severity=severity)


def _redirects(listener: Mapping[str, object]) -> bool:
    return any(
        text(action, "Type") == "redirect" and text(action, "RedirectConfig.Protocol") == "HTTPS"
        for action in items(listener, "DefaultActions")
    )


@check("elb-tls-policy", "Load balancers speak modern TLS", "A load balancer speaks old TLS", Severity.MEDIUM)
def elb_tls_policy(state: State) -> Iterator[Judgement]:
    """The security policies of HTTPS and TLS listeners.

    Finds. A listener of an application or network load balancer whose policy takes TLS 1.1 or older.
    Why it matters. Old versions have known weaknesses, and standards no longer allow them.
    False positives. Clients that cannot be updated; know who they are.
    Fix. Set ELBSecurityPolicy-TLS13-1-2-2021-06 or a newer policy on the listener.
    References. Elastic Load Balancing user guide, Security policies for your Application Load Balancer · AWS Config
    developer guide, elb-predefined-security-policy-ssl-check
    """

    def judge(balancer: Mapping[str, object], answer: Answer) -> Iterator[Judgement]:
        listeners = _listeners(state, balancer, answer)
        if not listeners.status.is_known:
            yield unanswered(text(balancer, "LoadBalancerArn"), listeners)
        for each in items(listeners.body, "Listeners"):
            if text(each, "Protocol") in {"HTTPS", "TLS"}:
                yield _spoken(each)

    yield from each_resource(state, _BALANCERS, "LoadBalancers", judge, none="no load balancer ends TLS")


def _spoken(listener: Mapping[str, object]) -> Judgement:
    policy, seen = text(listener, "SslPolicy"), facts(listener, "Port", "Protocol", "SslPolicy")
    if _MODERN.match(policy):
        return Judgement(
            Verdict.PASS, text(listener, "ListenerArn"), f"{policy} takes TLS 1.2 and newer", seen
        )
    return Judgement(Verdict.FAIL, text(listener, "ListenerArn"), f"{policy} takes TLS 1.1 or older", seen)


@check(
    "elb-waf", "Public load balancers have a web ACL", "A public load balancer has no web ACL", Severity.LOW
)
def elb_waf(state: State, *, scope: str = "public", acls: str = "") -> Iterator[Judgement]:
    """Application load balancers on the internet without web ACL.

    Finds. An internet-facing application load balancer with which no AWS WAF web ACL is associated, or, with `acls`
    (ids or ARNs, with commas), another one. `scope` = `all` also looks at those inside a VPC.
    Why it matters. Injection, scanners and floods of requests reach the application itself.
    False positives. A balancer that only CloudFront may reach, where the web ACL stands.
    Fix. Associate a web ACL with managed and rate-based rules.
    References. AWS WAF developer guide, Associating or disassociating a web ACL with an AWS resource · AWS Config
    developer guide, alb-waf-enabled
    """
    is_public = one_of("scope", scope, "public", "all") == "public"

    def judge(balancer: Mapping[str, object], answer: Answer) -> Judgement | None:
        if text(balancer, "Type") != "application":
            return None
        if is_public and text(balancer, "Scheme") != "internet-facing":
            return None
        name = text(balancer, "LoadBalancerArn")
        told = state.answers.get(
            state.account, answer.call.region, "wafv2", "GetWebACLForResource", ResourceArn=name
        )
        if not told.status.is_known:
            return unanswered(name, told)
        return guarded(name, "WebACL", text(told.body, "WebACL.ARN"), acls)

    none = (
        "no application load balancer is public" if is_public else "there are no application load balancers"
    )
    yield from each_resource(state, _BALANCERS, "LoadBalancers", judge, none=none)


def guarded(name: str, member_: str, acl: str, acls: str) -> Judgement:
    """Whether a resource has a web ACL, and one of `acls` where some are named, each by its id or its ARN."""
    wanted, seen = chosen(acls), ((member_, acl or "not given"),)
    if not acl:
        return Judgement(Verdict.FAIL, name, "has no web ACL", seen)
    if wanted and not wanted & {acl, acl.rpartition("/")[2]}:
        return Judgement(Verdict.FAIL, name, f"has another web ACL, {acl}", seen)
    return Judgement(Verdict.PASS, name, "has a web ACL", seen)


@check(
    "cloudfront-https", "Distributions take HTTPS only", "A distribution takes plain HTTP", Severity.MEDIUM
)
def cloudfront_https(state: State, *, origins: str = "judged") -> Iterator[Judgement]:
    """CloudFront distributions that serve viewers over plain HTTP, or fetch from origins over it.

    Finds. A distribution with a behaviour that allows HTTP, or a custom origin that is asked over HTTP only; `origins`
    = `ignored` leaves out the second.
    Why it matters. Whoever is on the way reads and changes what is served.
    False positives. Public files for devices that know no TLS; websites of S3, which speak HTTP only.
    Fix. Set the viewer protocol policy to redirect-to-https, and the origin protocol policy to https-only.
    References. Amazon CloudFront developer guide, Require HTTPS for communication between viewers and CloudFront ·
    AWS Config developer guide, cloudfront-viewer-policy-https
    """
    are_judged = one_of("origins", origins, "judged", "ignored") == "judged"

    def judge(item: Mapping[str, object], _: Answer) -> Judgement:
        behaviours = chain(items(item, "DefaultCacheBehavior"), items(item, "CacheBehaviors.Items"))
        plain = [
            text(each, "PathPattern") or "default"
            for each in behaviours
            if text(each, "ViewerProtocolPolicy") == "allow-all"
        ]
        asked = [
            text(each, "DomainName")
            for each in items(item, "Origins.Items")
            if text(each, "CustomOriginConfig.OriginProtocolPolicy") == "http-only"
        ]
        seen = (
            *facts(item, "DomainName", "Enabled"),
            *facts(item, "DefaultCacheBehavior.ViewerProtocolPolicy"),
        )
        if plain:
            return Judgement(Verdict.FAIL, text(item, "ARN"), f"serves plain HTTP: {listing(plain)}", seen)
        if asked and are_judged:
            return Judgement(
                Verdict.FAIL, text(item, "ARN"), f"fetches over plain HTTP: {listing(asked)}", seen
            )
        message = "serves and fetches over HTTPS" if are_judged else "serves over HTTPS"
        return Judgement(Verdict.PASS, text(item, "ARN"), message, seen)

    yield from each_resource(state, _DISTRIBUTIONS, "DistributionList.Items", judge, none=_NO_DISTRIBUTIONS)


@check(
    "cloudfront-tls-policy",
    "Distributions speak modern TLS",
    "A distribution speaks old TLS",
    Severity.MEDIUM,
)
def cloudfront_tls_policy(state: State) -> Iterator[Judgement]:
    """The oldest version of TLS that a distribution takes.

    Finds. A distribution with a certificate of its own that takes TLS 1.1 or older. With CloudFront's own name the
    version cannot be chosen, which is said.
    Why it matters. Old versions have known weaknesses, and standards no longer allow them.
    False positives. Viewers that cannot be updated.
    Fix. Choose the security policy TLSv1.2_2021 or newer.
    References. Amazon CloudFront developer guide, Supported protocols and ciphers between viewers and CloudFront
    """

    def judge(item: Mapping[str, object], _: Answer) -> Judgement:
        version, name = text(item, "ViewerCertificate.MinimumProtocolVersion"), text(item, "ARN")
        seen = facts(
            item, "ViewerCertificate.MinimumProtocolVersion", "ViewerCertificate.CloudFrontDefaultCertificate"
        )
        if member(item, "ViewerCertificate.CloudFrontDefaultCertificate") is True:
            message = "uses CloudFront's own certificate, whose versions cannot be chosen"
            return Judgement(Verdict.NOT_APPLICABLE, name, message, seen)
        if version.startswith(("TLSv1.2", "TLSv1.3")):
            return Judgement(Verdict.PASS, name, f"takes {version} and newer", seen)
        return Judgement(Verdict.FAIL, name, f"takes {version or 'an old version'}", seen)

    yield from each_resource(state, _DISTRIBUTIONS, "DistributionList.Items", judge, none=_NO_DISTRIBUTIONS)


@check(
    "cloudfront-certificate",
    "Certificates of distributions are valid and renewed",
    "A certificate of a distribution is not renewed",
    Severity.MEDIUM,
)
def cloudfront_certificate(state: State, *, days: int = 30) -> Iterator[Judgement]:
    """The certificate of each distribution: whether it is ACM's, in the right region, and valid.

    Finds. A distribution whose certificate lies in IAM, where nothing renews it, or lies in ACM outside us-east-1,
    where CloudFront does not look, or expires within `days`.
    Why it matters. Browsers refuse the site on the day on which the certificate ends.
    False positives. A certificate whose successor is ready.
    Fix. Request a certificate in us-east-1 with DNS validation, which ACM renews.
    References. Amazon CloudFront developer guide, Requirements for using SSL/TLS certificates with CloudFront
    """

    def judge(item: Mapping[str, object], _: Answer) -> Judgement:
        name, own = text(item, "ARN"), text(item, "ViewerCertificate.ACMCertificateArn")
        seen = facts(item, "ViewerCertificate.ACMCertificateArn", "ViewerCertificate.IAMCertificateId")
        if text(item, "ViewerCertificate.IAMCertificateId"):
            return Judgement(Verdict.FAIL, name, "its certificate lies in IAM, where nothing renews it", seen)
        if not own:
            return Judgement(Verdict.NOT_APPLICABLE, name, "uses CloudFront's own certificate", seen)
        if own.split(":")[3] != _CLOUDFRONT_REGION:
            return Judgement(Verdict.FAIL, name, f"its certificate lies in {own.split(':')[3]}", seen)
        told = state.answers.get(
            own.split(":")[4], _CLOUDFRONT_REGION, "acm", "DescribeCertificate", CertificateArn=own
        )
        if told.status is not Status.OK:
            return unanswered(name, told, evidence=seen) if not told.status.is_known else _lost(name, seen)
        return _valid(state, name, told, days)

    yield from each_resource(state, _DISTRIBUTIONS, "DistributionList.Items", judge, none=_NO_DISTRIBUTIONS)


def _lost(name: str, seen: tuple[tuple[str, str], ...]) -> Judgement:
    return Judgement(Verdict.FAIL, name, "its certificate is not in ACM", seen)


def _valid(state: State, name: str, told: Answer, days: int) -> Judgement:
    """Whether a certificate is issued and holds for so many days."""
    certificate = member(told.body, "Certificate")
    seen = facts(certificate, "Status", "NotAfter", "Type", "RenewalEligibility")
    until = moment(text(certificate, "NotAfter"))
    methods = {text(each, "ValidationMethod") for each in items(certificate, "DomainValidationOptions")}
    if text(certificate, "Status") not in {"", "ISSUED"}:
        return Judgement(Verdict.FAIL, name, f"the certificate is {text(certificate, 'Status')}", seen)
    if until is None:
        message = "the answer does not say when the certificate ends"
        return Judgement(Verdict.UNKNOWN, name, message, seen, ("acm:DescribeCertificate",))
    if (until - state.as_of).days < days:
        why = "; it is imported, so that nobody renews it" if text(certificate, "Type") == "IMPORTED" else ""
        why = "; it waits for mail, not for DNS" if "EMAIL" in methods else why
        return Judgement(Verdict.FAIL, name, f"the certificate ends {until:%Y-%m-%d}{why}", seen)
    return Judgement(Verdict.PASS, name, f"the certificate holds until {until:%Y-%m-%d}", seen)


@check(
    "acm-certificate-expiry", "Certificates do not expire soon", "A certificate expires soon", Severity.MEDIUM
)
def certificate_expiry(state: State, *, days: int = 30) -> Iterator[Judgement]:
    """Certificates in ACM that have expired or will soon.

    Finds. A certificate that was issued and ends within `days`, or has ended. One that nothing uses weighs little.
    Why it matters. Clients refuse to connect on the day on which it ends.
    False positives. A certificate whose successor is in use already.
    Fix. Validate by DNS, which lets ACM renew; import the successor of an imported one in time.
    References. AWS Certificate Manager user guide, Managed certificate renewal in AWS Certificate Manager · AWS Config
    developer guide, acm-certificate-expiration-check
    """

    def judge(item: Mapping[str, object], answer: Answer) -> Judgement | None:
        name = text(item, "CertificateArn")
        told = state.about(answer, "DescribeCertificate", CertificateArn=name)
        if told.status is Status.ABSENT:
            return None
        if not told.status.is_known:
            return unanswered(name, told)
        if text(told.body, "Certificate.Status") not in {"ISSUED", "EXPIRED"}:
            return Judgement(Verdict.NOT_APPLICABLE, name, f"is {text(told.body, 'Certificate.Status')}")
        found = _valid(state, name, told, days)
        users = texts(told.body, "Certificate.InUseBy")
        if found.verdict is Verdict.FAIL and not users:
            message = f"{found.message}; nothing uses it"
            return Judgement(found.verdict, name, message, found.evidence, severity=Severity.LOW)
        return found

    yield from each_resource(
        state,
        "acm:ListCertificates",
        "CertificateSummaryList",
        judge,
        none="there are no certificates in ACM",
    )


@check("cloudfront-waf", "Distributions have a web ACL", "A distribution has no web ACL", Severity.LOW)
def cloudfront_waf(state: State, *, acls: str = "") -> Iterator[Judgement]:
    """Distributions without web ACL.

    Finds. An enabled distribution without an AWS WAF web ACL, or, with `acls` (ids or ARNs, with commas), with another
    one.
    Why it matters. Injection, scanners and floods of requests reach the origin.
    False positives. Distributions of static files.
    Fix. Associate a web ACL with managed and rate-based rules.
    References. Amazon CloudFront developer guide, Use AWS WAF protections · AWS Config developer guide,
    cloudfront-associated-with-waf
    """

    def judge(item: Mapping[str, object], _: Answer) -> Judgement | None:
        if member(item, "Enabled") is False:
            return None
        return guarded(text(item, "ARN"), "WebACLId", text(item, "WebACLId"), acls)

    yield from each_resource(state, _DISTRIBUTIONS, "DistributionList.Items", judge, none=_NO_DISTRIBUTIONS)


@check("shield-advanced", "Shield Advanced is on", "Shield Advanced is off", Severity.INFORMATIONAL)
def shield_advanced(state: State, *, auto_renew: str = "false") -> Iterator[Judgement]:
    """Whether the account has AWS Shield Advanced.

    Finds. An account without subscription, or, with `auto_renew` = `true`, with one that is not renewed by itself.
    Shield Standard protects every account against common floods all the same.
    Why it matters. Only Advanced comes with a response team, protection of costs, and sight of attacks.
    False positives. Accounts with nothing that must stay reachable; it costs much.
    Fix. Subscribe once for the organisation, and protect what matters.
    References. AWS WAF and AWS Shield developer guide, AWS Shield Advanced overview · AWS Config developer guide,
    shield-advanced-enabled-autorenew
    """
    is_renewed = is_true("auto_renew", auto_renew)
    told = state.answers.get(state.account, GLOBAL, "shield", "GetSubscriptionState")
    seen = facts(told.body, "SubscriptionState")
    if not told.status.is_known:
        yield unanswered(state.account_arn, told)
    elif text(told.body, "SubscriptionState") != "ACTIVE":
        yield Judgement(Verdict.FAIL, state.account_arn, "has Shield Standard only", seen)
    elif is_renewed:
        yield _renewed(state, seen)
    else:
        yield Judgement(Verdict.PASS, state.account_arn, "is subscribed", seen)


def _renewed(state: State, seen: tuple[tuple[str, str], ...]) -> Judgement:
    """Whether the subscription is renewed by itself."""
    told = state.answers.get(state.account, GLOBAL, "shield", "DescribeSubscription")
    if not told.status.is_known:
        return unanswered(state.account_arn, told, evidence=seen)
    path = "Subscription.AutoRenew"
    seen = (*seen, *facts(told.body, path))
    if text(told.body, path) == "ENABLED":
        return Judgement(Verdict.PASS, state.account_arn, "is subscribed, and renewed by itself", seen)
    return Judgement(Verdict.FAIL, state.account_arn, "is subscribed, and not renewed by itself", seen)
