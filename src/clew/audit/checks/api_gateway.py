"""Checks of APIs in API Gateway: who may call them, how often, and what is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.audit.checks.front_ends import guarded
from clew.audit.model import Judgement, Verdict, check, one_of
from clew.audit.resources import (
    each_resource,
    facts,
    items,
    listing,
    member,
    partition,
    text,
    texts,
    together,
    unanswered,
)
from clew.findings import Severity
from clew.snapshot.answers import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from clew.audit.model import State
    from clew.snapshot.answers import Answer

    _OfStage = Callable[[str, Mapping[str, object]], Judgement]

_REST = "apigateway:GetRestApis"
_HTTP = "apigatewayv2:GetApis"
_NONE = "there are no APIs"
_NO_STAGES = "there are no stages"
_ALL_METHODS = "*/*"


def _arn(state: State, answer: Answer, path: str) -> str:
    return f"arn:{partition(state)}:apigateway:{answer.call.region}::/{path}"


@check(
    "apigateway-authorizer",
    "Methods of APIs need authorization",
    "Anybody may call a method",
    Severity.MEDIUM,
)
def authorizer(state: State) -> Iterator[Judgement]:
    """Methods and routes that anybody may call.

    Finds. A REST API with a method, or an HTTP or WebSocket API with a route, that needs no authorization; an API key
    is none. OPTIONS, which browsers send first, is not judged. A private API, or one with a resource policy, weighs
    less.
    Why it matters. Whatever is behind the method is open to everybody who finds the address.
    False positives. Public APIs; methods whose function checks tokens itself; mutual TLS.
    Fix. Add an IAM, Cognito, JWT or Lambda authorizer.
    References. Amazon API Gateway developer guide, Control and manage access to REST APIs in API Gateway · AWS Security
    Hub user guide, APIGateway.8
    """

    def rest(api: Mapping[str, object], answer: Answer) -> Judgement:
        identity = text(api, "id")
        name = _arn(state, answer, f"restapis/{identity}")
        told = state.about(answer, "GetResources", embed="methods", restApiId=identity)
        if not told.status.is_known:
            return unanswered(name, told)
        guarded = "PRIVATE" in texts(api, "endpointConfiguration.types") or bool(text(api, "policy"))
        return _open(name, list(_open_methods(told)), guarded=guarded)

    def http(api: Mapping[str, object], answer: Answer) -> Judgement:
        name = _arn(state, answer, f"apis/{text(api, 'ApiId')}")
        told = state.about(answer, "GetRoutes", ApiId=text(api, "ApiId"))
        if not told.status.is_known:
            return unanswered(name, told)
        open_ = [
            text(route, "RouteKey")
            for route in items(told.body, "Items")
            if text(route, "AuthorizationType") in {"", "NONE"} and _needs(api, text(route, "RouteKey"))
        ]
        return _open(name, open_, guarded=False)

    yield from together(
        state,
        each_resource(state, _REST, "items", rest, none=_NONE),
        each_resource(state, _HTTP, "Items", http, none=_NONE),
        none=_NONE,
    )


def _open_methods(told: Answer) -> Iterator[str]:
    for resource in items(told.body, "items"):
        methods = member(resource, "resourceMethods")
        for name, method in methods.items() if isinstance(methods, dict) else ():
            if name != "OPTIONS" and text(method, "authorizationType") in {"", "NONE"}:
                yield f"{name} {text(resource, 'path')}"


def _needs(api: Mapping[str, object], route: str) -> bool:
    """Whether a route is one that a caller begins with: of a WebSocket API only `$connect` can be authorized."""
    if text(api, "ProtocolType") == "WEBSOCKET":
        return route == "$connect"
    return not route.startswith("OPTIONS ")


def _open(name: str, methods: list[str], *, guarded: bool) -> Judgement:
    if not methods:
        return Judgement(Verdict.PASS, name, "every method needs authorization")
    limit = "; a private endpoint or a resource policy limits who reaches it" if guarded else ""
    severity = Severity.LOW if guarded else None
    message = f"no authorization: {listing(methods)}{limit}"
    return Judgement(
        Verdict.FAIL, name, message, tuple(("method", each) for each in methods[:20]), severity=severity
    )


def _each_stage(state: State, rest: _OfStage, http: _OfStage | None) -> Iterator[Judgement]:
    """What `rest` says of each stage of REST APIs by its ARN, and `http` of those of HTTP and WebSocket APIs."""

    def stages(api: Mapping[str, object], answer: Answer) -> Iterator[Judgement]:
        identity = text(api, "id")
        told = state.about(answer, "GetStages", restApiId=identity)
        if not told.status.is_known:
            yield unanswered(_arn(state, answer, f"restapis/{identity}"), told)
        for stage in items(told.body, "item"):
            yield rest(_arn(state, answer, f"restapis/{identity}/stages/{text(stage, 'stageName')}"), stage)

    def http_stages(api: Mapping[str, object], answer: Answer) -> Iterator[Judgement]:
        identity = text(api, "ApiId")
        told = state.about(answer, "GetStages", ApiId=identity)
        if not told.status.is_known:
            yield unanswered(_arn(state, answer, f"apis/{identity}"), told)
        for stage in items(told.body, "Items"):
            if http:
                yield http(_arn(state, answer, f"apis/{identity}/stages/{text(stage, 'StageName')}"), stage)

    kinds = [each_resource(state, _REST, "items", stages, none=_NO_STAGES)]
    kinds += [each_resource(state, _HTTP, "Items", http_stages, none=_NO_STAGES)] if http else []
    yield from together(state, *kinds, none=_NO_STAGES)


@check("apigateway-throttling", "Stages of APIs are throttled", "A stage is not throttled", Severity.LOW)
def throttling(state: State) -> Iterator[Judgement]:
    """Stages without a limit of requests of their own.

    Finds. A stage of a REST, HTTP or WebSocket API whose default has no rate or no burst limit of its own.
    Why it matters. One stage then takes the whole account's limit, and what is behind it gets all of it.
    False positives. APIs with usage plans that throttle every key.
    Fix. Set default rate and burst limits on the stage.
    References. Amazon API Gateway developer guide, Throttle requests to your REST APIs
    """

    def rest(name: str, stage: Mapping[str, object]) -> Judgement:
        settings = member(stage, "methodSettings")
        default = settings.get(_ALL_METHODS) if isinstance(settings, dict) else None
        return _limited(name, default, "throttlingRateLimit", "throttlingBurstLimit")

    def http(name: str, stage: Mapping[str, object]) -> Judgement:
        default = member(stage, "DefaultRouteSettings")
        return _limited(name, default, "ThrottlingRateLimit", "ThrottlingBurstLimit")

    yield from _each_stage(state, rest, http)


def _limited(name: str, settings: object, rate: str, burst: str) -> Judgement:
    seen = facts(settings, rate, burst)
    limits = [member(settings, each) for each in (rate, burst)]
    # A limit of -1 stands for none.
    if all(isinstance(each, int | float) and each >= 0 for each in limits):
        return Judgement(Verdict.PASS, name, f"{limits[0]:g} requests a second", seen)
    return Judgement(Verdict.FAIL, name, "has no limit of its own", seen)


@check(
    "apigateway-cache-encrypted",
    "Caches of APIs are encrypted",
    "A cache of an API is not encrypted",
    Severity.LOW,
)
def cache_encrypted(state: State, *, cache: str = "optional") -> Iterator[Judgement]:
    """Stages that keep answers in a cache that is not encrypted.

    Finds. A stage of a REST API whose cache is on, where a method's settings keep its answers without encryption;
    `cache` = `required` also finds stages and methods without cache.
    Why it matters. Answers lie there for up to an hour, with whatever personal data they hold.
    False positives. Answers that are public.
    Fix. Set `cacheDataEncrypted` for every method.
    References. Amazon API Gateway developer guide, Cache settings for REST APIs in API Gateway · AWS Config developer
    guide, api-gw-cache-enabled-and-encrypted
    """
    is_required = one_of("cache", cache, "optional", "required") == "required"

    def rest(name: str, stage: Mapping[str, object]) -> Judgement:
        seen = facts(stage, "cacheClusterEnabled", "cacheClusterSize")
        if member(stage, "cacheClusterEnabled") is not True:
            verdict = Verdict.FAIL if is_required else Verdict.NOT_APPLICABLE
            return Judgement(verdict, name, "has no cache", seen)
        settings = member(stage, "methodSettings")
        pairs = settings.items() if isinstance(settings, dict) else ()
        uncached = [key for key, each in pairs if member(each, "cachingEnabled") is not True]
        if uncached and is_required:
            return Judgement(Verdict.FAIL, name, f"not cached: {listing(uncached)}", seen)
        plain = [key for key, each in pairs if _is_plain(each)]
        if plain or not any(key == _ALL_METHODS for key, _ in pairs):
            return Judgement(Verdict.FAIL, name, f"not encrypted: {listing(plain or [_ALL_METHODS])}", seen)
        return Judgement(Verdict.PASS, name, "the cache is encrypted", seen)

    yield from _each_stage(state, rest, None)


def _is_plain(settings: object) -> bool:
    return (
        member(settings, "cachingEnabled") is not False and member(settings, "cacheDataEncrypted") is not True
    )


@check("apigateway-waf", "Stages of REST APIs have a web ACL", "A stage has no web ACL", Severity.LOW)
def web_acl(state: State, *, acls: str = "") -> Iterator[Judgement]:
    """Stages of REST APIs without web ACL.

    Finds. A stage of a REST API with which no AWS WAF web ACL is associated, or, with `acls` (ids or ARNs, with
    commas), another one.
    Why it matters. Injection, scanners and floods of requests reach the application itself.
    False positives. Private APIs; APIs that only CloudFront may reach, where the web ACL stands.
    Fix. Associate a web ACL with managed and rate-based rules.
    References. Amazon API Gateway developer guide, Use AWS WAF to protect your REST APIs in API Gateway ·
    AWS Config developer guide, api-gw-associated-with-waf
    """

    def rest(name: str, stage: Mapping[str, object]) -> Judgement:
        return guarded(name, "webAclArn", text(stage, "webAclArn"), acls)

    yield from _each_stage(state, rest, None)


@check(
    "cognito-unauthenticated",
    "Identity pools admit nobody unknown",
    "An identity pool admits guests",
    Severity.MEDIUM,
)
def cognito_unauthenticated(state: State) -> Iterator[Judgement]:
    """Identity pools that give credentials to guests, and what the guests' role is.

    Finds. A pool that allows unauthenticated identities and has a role for them.
    Why it matters. Whoever reads the pool's id in a web page or an app gets credentials of AWS with that role.
    False positives. Guests who may do only what is harmless; `clew simulate` tells what the role allows.
    Fix. Turn guests off, or leave their role with the few actions that they need.
    References. Amazon Cognito developer guide, Identity pools console overview, Authenticated and unauthenticated
    identities · Amazon Cognito developer guide, IAM roles
    """

    def judge(pool: Mapping[str, object], answer: Answer) -> Judgement | None:
        identity = text(pool, "IdentityPoolId")
        name = f"arn:{partition(state)}:cognito-identity:{answer.call.region}:{state.account}:identitypool/{identity}"
        told = state.about(answer, "DescribeIdentityPool", IdentityPoolId=identity)
        if told.status is Status.ABSENT:
            return None
        roles = state.about(answer, "GetIdentityPoolRoles", IdentityPoolId=identity)
        if not told.status.is_known:
            return unanswered(name, told)
        seen = facts(told.body, "IdentityPoolName", "AllowUnauthenticatedIdentities", "AllowClassicFlow")
        if member(told.body, "AllowUnauthenticatedIdentities") is not True:
            return Judgement(Verdict.PASS, name, "admits no guests", seen)
        if not roles.status.is_known:
            return unanswered(name, roles, evidence=seen)
        role = text(roles.body, "Roles.unauthenticated")
        if not role:
            return Judgement(Verdict.PASS, name, "admits guests, and has no role for them", seen)
        return Judgement(Verdict.FAIL, name, f"guests get {role.rpartition(':')[2]}", (*seen, ("role", role)))

    yield from each_resource(
        state,
        "cognito-identity:ListIdentityPools",
        "IdentityPools",
        judge,
        none="there are no identity pools",
    )
