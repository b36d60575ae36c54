"""Named laws of decisions, as properties of generated policies and requests."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st
from tests.properties.lines import FOCUSES, FULL_ACCESS, Example, documents, examples

from clew.engine.batch import evaluate_line

PLAIN = st.sampled_from(FOCUSES).flatmap(documents)
WITH_PRINCIPAL = st.sampled_from(FOCUSES).flatmap(lambda focus: documents(focus, principal=True))
LIMITS = ("permissions_boundaries", "session_policies", "vpc_endpoint_policies")
RANK = {"explicit_deny": 0, "implicit_deny": 1, "allow": 2}
WITHOUT_ACCOUNT = ("lambda.amazonaws.com", "*")


def _shuffled(value: object) -> object:
    """The documents with their lists of statements and of documents turned round; levels stay levels."""
    if isinstance(value, dict) and isinstance(value.get("Statement"), list):
        return {**value, "Statement": value["Statement"][::-1]}
    return [_shuffled(each) for each in value[::-1]] if isinstance(value, list) else value


@given(examples(most=3))
def test_the_order_of_statements_documents_and_levels_is_irrelevant(example: Example) -> None:
    """Turning round every list of a line changes no decision and no blocking gate."""
    for line in example.lines:
        turned = {key: _shuffled(value) for key, value in line.items()}
        one, other = evaluate_line(line), evaluate_line(turned)
        assert (one["decision"], one["blocked_by"]) == (other["decision"], other["blocked_by"])


@given(examples(most=3), PLAIN)
def test_an_allow_never_takes_access_away(example: Example, document: dict[str, object]) -> None:
    """With one more identity policy without Deny, no request fares worse."""
    statements = document["Statement"]
    listed = statements if isinstance(statements, list) else [statements]
    more = {**document, "Statement": [each for each in listed if each.get("Effect") != "Deny"]}
    for line in example.lines:
        richer = {**line, "identity_policies": [*line["identity_policies"], more]}
        assert RANK[evaluate_line(line)["decision"]] <= RANK[evaluate_line(richer)["decision"]]


@given(examples(most=3), WITH_PRINCIPAL)
def test_limiting_policies_never_grant(example: Example, document: dict[str, object]) -> None:
    """A boundary, session policy, SCP, RCP or endpoint policy where there was none never makes a request allowed."""
    without = {key: value for key, value in document.items() if key != "Principal"}
    for line in example.lines:
        if evaluate_line(line)["decision"] == "allow":
            continue
        federated = "federated-user" in line["request"]["principal"]
        for name in LIMITS:
            if not line.get(name) and not (federated and name == "session_policies"):
                assert evaluate_line({**line, name: [without, FULL_ACCESS]})["decision"] != "allow"
        for name in ("scps", "rcps"):
            if not line.get(name):
                assert evaluate_line({**line, name: [[document, FULL_ACCESS]]})["decision"] != "allow"


@given(examples(most=3))
def test_an_explicit_deny_wins(example: Example) -> None:
    """A Deny of everything in the identity policies denies explicitly, whoever of an account asks for whatever."""
    deny = {"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}
    for line in example.lines:
        request = line["request"]
        assume(request["action"].lower() != "sts:getcalleridentity")
        if request["principal"] in WITHOUT_ACCOUNT or request["principal"].endswith(":root"):
            continue
        answer = evaluate_line({**line, "identity_policies": [*line["identity_policies"], deny]})
        assert answer["decision"] == "explicit_deny"


@given(examples(most=3))
def test_nothing_granted_is_denied(example: Example) -> None:
    """Without identity policy, resource policy, grant and ACL nobody but the root user is allowed anything."""
    sources = ("identity_policies", "resource_policy", "grants", "acl")
    for line in example.lines:
        bare = {key: value for key, value in line.items() if key not in sources}
        request = line["request"]
        if request["action"].lower() == "sts:getcalleridentity" or request["principal"].endswith(":root"):
            continue
        answer = evaluate_line(bare)
        assert answer["decision"] != "allow"
        assert answer["blocked_by"] == []


@given(examples(most=3), st.booleans())
def test_a_blocking_gate_is_there(example: Example, unknown: bool) -> None:
    """`blocked_by` is empty for what is allowed, and names only gates that have policies or must have one."""
    for line in example.lines:
        answer = evaluate_line(line, unknown_context=unknown)
        if answer["decision"] == "allow":
            assert answer["blocked_by"] == []
        assert (answer["determined_by"] == []) or answer["decision"] != "implicit_deny"
