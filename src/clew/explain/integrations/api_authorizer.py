"""An API lets its callers in by its authorizer: the route, the kind of authorizer, and both sides of each call.

API Gateway developer guide: "Control access to HTTP APIs with AWS Lambda authorizers" (the function's policy, or a
role that API Gateway assumes; without either the caller sees a 500), "Control access to a REST API with IAM
permissions", "Control access to a REST API with API Gateway resource policies".
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from clew.audit.buckets import asked
from clew.audit.resources import items, member, partition, text
from clew.explain.doctor import Doctor, Found, Patient, link, unanswered
from clew.explain.links import Link, Verdict
from clew.snapshot.model import Document

if TYPE_CHECKING:
    from collections.abc import Iterator

_SERVICE: Final = "apigateway.amazonaws.com"


def _links(patient: Patient) -> Iterator[Link]:
    wanted = patient.given["api"]
    rest, found = patient.find("api", "apigateway:GetRestApis", "items", wanted, "id", "name")
    if found is None:
        http, found = patient.find("api", "apigatewayv2:GetApis", "Items", wanted, "ApiId", "Name")
        if found is None:
            yield rest if rest.verdict is Verdict.UNKNOWN else http
            return
    yield Link("api", Verdict.HOLDS, f"`{wanted}` exists", asked(found.answer))
    api = found.text("id") or found.text("ApiId")
    routes = _rest(patient, found, api) if found.text("id") else _http(patient, found, api)
    if isinstance(routes, Link):
        yield routes
        return
    named = patient.given.get("route", "")
    chosen = {key: each for key, each in routes.items() if not named or key == named}
    says = (
        f"{len(chosen)} routes are looked at",
        f"the API has no route `{named}`; it has {', '.join(sorted(routes))}",
    )
    yield link("route", holds=bool(chosen), says=says, fix="correct the route: METHOD and path")
    for key, (kind, authorizer) in sorted(chosen.items()):
        yield from _route(patient, found, api, key, kind, authorizer)


_Routes = dict[str, tuple[str, str]]


def _rest(patient: Patient, found: Found, api: str) -> _Routes | Link:
    """The methods of a REST API: for each `METHOD /path` the kind of its authorizer and the authorizer's id."""
    said = patient.state.about(found.answer, "GetResources", embed="methods", restApiId=api)
    if not said.status.is_known:
        return unanswered("route", said)
    routes: _Routes = {}
    for each in items(said.body, "items"):
        methods = member(each, "resourceMethods")
        for method, how in (methods if isinstance(methods, dict) else {}).items():
            routes[f"{method} {text(each, 'path')}"] = (
                text(how, "authorizationType"),
                text(how, "authorizerId"),
            )
    return routes


def _http(patient: Patient, found: Found, api: str) -> _Routes | Link:
    said = patient.state.about(found.answer, "GetRoutes", ApiId=api)
    if not said.status.is_known:
        return unanswered("route", said)
    return {
        text(each, "RouteKey"): (text(each, "AuthorizationType") or "NONE", text(each, "AuthorizerId"))
        for each in items(said.body, "Items")
    }


def _route(patient: Patient, found: Found, api: str, key: str, kind: str, authorizer: str) -> Iterator[Link]:
    yield link(
        "authorizer",
        holds=kind not in {"", "NONE"},
        says=(f"`{key}` asks {kind} {authorizer}".rstrip(), f"`{key}` asks nobody who they are"),
        fix="give the route an authorizer, or AWS_IAM",
    )
    place = f"arn:{partition(patient.state)}:execute-api:{found.region}:{patient.state.account}:{api}"
    match kind:
        case "CUSTOM":
            yield from _function(patient, f"{place}/authorizers/{authorizer}")
        case "AWS_IAM":
            yield _signed(patient, found, place, key)
        case "JWT" | "COGNITO_USER_POOLS":
            says = f"`{key}` takes a token: issuer and audience must be those of the authorizer, its time not over"
            settle = f"decode the token; get-authorizers of the API {api} tells what it must hold"
            yield Link("token", Verdict.UNKNOWN, says, settle=settle)


def _function(patient: Patient, source: str) -> Iterator[Link]:
    """A Lambda authorizer: the function must let API Gateway in, unless the authorizer has a role for that."""
    name = patient.given.get("function", "")
    if not name:
        settle = (
            "give `--function`; aws apigateway get-authorizers tells which it is, and whether it has a role"
        )
        yield Link(
            "authorizer-function",
            Verdict.UNKNOWN,
            "which function authorizes is not collected",
            settle=settle,
        )
        return
    there, found = patient.find(
        "authorizer-function", "lambda:ListFunctions", "Functions", name, "FunctionName", "FunctionArn"
    )
    yield there
    if found is not None:
        fix = f"aws lambda add-permission --principal {_SERVICE} --source-arn {source}; or give the authorizer a role"
        account = patient.state.account
        arn = found.text("FunctionArn")
        yield patient.permitted(
            "function-policy",
            _SERVICE,
            "lambda:InvokeFunction",
            arn,
            fix,
            source_arn=source,
            source_account=account,
        )


def _signed(patient: Patient, found: Found, place: str, key: str) -> Link:
    """A signed call: the caller's own policies, and the resource policy of a REST API."""
    who = patient.given.get("principal", "")
    if not who:
        return Link("caller", Verdict.UNKNOWN, "who calls is not told", settle="give `--principal`")
    method, _, path = key.partition(" ")
    resource = f"{place}/{patient.given.get('stage', 'prod')}/{method}{path}"
    written = found.text("policy")
    document = Document("resource policy of the API", json.loads(_unescaped(written))) if written else None
    return patient.knowing(resource, document).permitted("caller", who, "execute-api:Invoke", resource)


def _unescaped(policy: str) -> str:
    """GetRestApis gives the policy with its quotation marks escaped."""
    return policy.replace('\\"', '"') if policy.startswith('{\\"') else policy


DOCTOR = Doctor(
    "api-authorizer",
    "An API lets its callers in by its authorizer",
    _links,
    needs=("api",),
    may=("route", "function", "principal", "stage"),
    looks="the route, its authorizer, the function and its policy, or the caller's permission and the API's policy",
)
