"""Generated batch lines: policies and requests from a small vocabulary, so that most statements nearly match.

The values are chosen so that interesting things meet: patterns that match and that nearly do, keys that are present,
absent, lists or of another type, accounts that are the same or not. Plain values of the public contract come out;
neither the engine nor the law is known here.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from hypothesis import strategies as st

HOME = "111122223333"
OTHER = "444455556666"

PRINCIPALS = (
    f"arn:aws:iam::{HOME}:user/alice",
    f"arn:aws:iam::{HOME}:user/path/bob",
    f"arn:aws:iam::{HOME}:role/deploy",
    f"arn:aws:sts::{HOME}:assumed-role/deploy/session-1",
    f"arn:aws:sts::{HOME}:federated-user/alice",
    f"arn:aws:iam::{HOME}:root",
    f"arn:aws:sts::{HOME}:assumed-role/AWSServiceRoleForECS/ecs",
    "lambda.amazonaws.com",
    "*",
)

# action, resources that suit it
ACTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("s3:GetObject", ("arn:aws:s3:::logs/2024/a.txt", "arn:aws:s3:::logs/Secret?", "arn:aws:s3:::alice/x")),
    ("s3:PutObject", ("arn:aws:s3:::logs/2024/a.txt", "arn:aws:s3:::other/*")),
    ("s3:ListBucket", ("arn:aws:s3:::logs", "arn:aws:s3:::alice")),
    ("s3:ListAllMyBuckets", ("*", "arn:aws:s3:::logs")),
    ("sqs:SendMessage", (f"arn:aws:sqs:us-east-1:{HOME}:q1", f"arn:aws:sqs:us-east-1:{OTHER}:q1")),
    (
        "kms:Decrypt",
        (
            f"arn:aws:kms:us-east-1:{HOME}:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            f"arn:aws:kms:us-east-1:{OTHER}:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        ),
    ),
    ("sts:AssumeRole", (f"arn:aws:iam::{HOME}:role/deploy", f"arn:aws:iam::{OTHER}:role/audit")),
    ("lambda:InvokeFunction", (f"arn:aws:lambda:us-east-1:{HOME}:function:f",)),
    ("ec2:DescribeInstances", ("*",)),
    ("ec2:StartInstances", (f"arn:aws:ec2:us-east-1:{HOME}:instance/i-0abc",)),
    ("iam:PassRole", (f"arn:aws:iam::{HOME}:role/deploy", f"arn:aws:iam::{OTHER}:role/audit")),
    ("sts:GetCallerIdentity", ("*",)),
    ("s3:PutBucketPolicy", ("arn:aws:s3:::logs",)),
    (
        "kms:RetireGrant",
        (
            f"arn:aws:kms:us-east-1:{HOME}:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            f"arn:aws:kms:us-east-1:{OTHER}:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        ),
    ),
    ("kms:ScheduleKeyDeletion", (f"arn:aws:kms:us-east-1:{OTHER}:key/1234abcd-12ab-34cd-56ef-1234567890ab",)),
    ("kms:UpdateAlias", (f"arn:aws:kms:us-east-1:{HOME}:alias/payroll",)),
    ("sqs:DeleteQueue", (f"arn:aws:sqs:us-east-1:{HOME}:q1", f"arn:aws:sqs:us-east-1:{OTHER}:q1")),
    (
        "execute-api:Invoke",
        (
            f"arn:aws:execute-api:us-east-1:{HOME}:a1b2c3d4e5/prod/GET/pets",
            f"arn:aws:execute-api:us-east-1:{OTHER}:a1b2c3d4e5/alice/prod/GET/pets",
        ),
    ),
    ("sts:AssumeRoot", (f"arn:aws:iam::{OTHER}:root",)),
    ("es:ESHttpGet", (f"arn:aws:es:us-east-1:{HOME}:domain/d/logs/_search",)),
    (
        "es:UpdateDomainConfig",
        (f"arn:aws:es:us-east-1:{HOME}:domain/d", f"arn:aws:es:us-east-1:{OTHER}:domain/d"),
    ),
)

ACTION_PATTERNS = (
    "*", "s3:*", "s3:Get*", "S3:getobject", "s3:???Object", "s3:List*", "sqs:SendMessage", "sqs:*", "kms:Decrypt",
    "kms:*", "sts:AssumeRole", "sts:*", "lambda:InvokeFunction", "ec2:*", "ec2:Start*", "ec2:Describe*", "iam:PassRole",
    "sts:GetCallerIdentity", "*:*", "s3*", "ec2:StopInstances", "execute-api:Invoke",
    "es:*", "es:ESHttp*",
)  # fmt: skip

RESOURCE_PATTERNS = (
    "*", "arn:aws:s3:::logs/*", "arn:aws:s3:::logs", "arn:aws:s3:::*", "arn:aws:s3:::logs/2024/*",
    "arn:aws:s3:::logs/Secret?", "arn:aws:s3:::logs/secret?", "arn:aws:s3:::${aws:username}/*",
    "arn:aws:s3:::${aws:PrincipalTag/team, 'logs'}/*", "arn:aws:s3:::logs/Secret${?}", "arn:aws:s3:::other/${*}",
    f"arn:aws:sqs:*:{HOME}:*", "arn:aws:sqs:us-east-1:*:q1", "arn:aws:kms:*:*:key/*", f"arn:aws:kms:us-east-1:{HOME}:*",
    "arn:aws:iam::*:role/*", f"arn:aws:iam::{HOME}:role/deploy", f"arn:aws:iam::{OTHER}:role/audit",
    f"arn:aws:lambda:us-east-1:{HOME}:function:*", "arn:aws:ec2:*:*:instance/*", "arn:*:*:*:*:*", "arn:aws:s3:::lo?s*",
    "execute-api:/*", "execute-api:/prod/GET/*", "execute-api:/${aws:username}/*", "execute-api:/*/GET/pet?",
    "arn:aws:execute-api:*:*:*/prod/*", "arn:aws:es:*:*:domain/d*",
)  # fmt: skip

PRINCIPAL_ELEMENTS: tuple[object, ...] = (
    "*",
    {"AWS": "*"},
    {"AWS": HOME},
    {"AWS": f"arn:aws:iam::{HOME}:root"},
    {"AWS": [f"arn:aws:iam::{OTHER}:root", f"arn:aws:iam::{HOME}:user/alice"]},
    {"AWS": f"arn:aws:iam::{HOME}:user/alice"},
    {"AWS": f"arn:aws:iam::{HOME}:user/path/bob"},
    {"AWS": f"arn:aws:iam::{HOME}:role/deploy"},
    {"AWS": [f"arn:aws:sts::{HOME}:assumed-role/deploy/session-1", f"arn:aws:iam::{HOME}:role/deploy", HOME]},
    {"AWS": f"arn:aws:sts::{HOME}:assumed-role/deploy/session-1"},
    {"AWS": f"arn:aws:sts::{HOME}:federated-user/alice"},
    {"Service": "lambda.amazonaws.com"},
    {"Service": ["ec2.amazonaws.com", "lambda.amazonaws.com"], "AWS": OTHER},
    {"Federated": "cognito-identity.amazonaws.com"},
    {"CanonicalUser": "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"},
)

Key = tuple[str, tuple[object, ...], tuple[object, ...]]

# operators of one type; for each key: what a request may carry, what a policy may say
TYPES: tuple[tuple[tuple[str, ...], tuple[Key, ...]], ...] = (
    (
        (
            "StringEquals",
            "StringNotEquals",
            "StringEqualsIgnoreCase",
            "StringNotEqualsIgnoreCase",
            "StringLike",
            "StringNotLike",
        ),
        (
            (
                "aws:username",
                ("alice", "Alice", "bob*", ["alice", "bob"]),
                ("alice", "ALICE", "a*", "a?ice", "${aws:username}", ["bob", "alice"], "bob${*}"),
            ),
            (
                "aws:PrincipalTag/team",
                ("logs", "Logs", ""),
                ("logs", "l*", "${aws:RequestTag/team}", "${aws:RequestTag/team, 'logs'}", ["a", "logs"]),
            ),
            (
                "aws:TagKeys",
                (["team"], ["team", "cost"], [], ["Team", "x"], "team"),
                (["team", "cost"], "team", "t*", "${aws:username}"),
            ),
            ("s3:prefix", ("home/alice/", "home/", ""), ("home/${aws:username}/*", "home/*", "", "home/?")),
        ),
    ),
    (
        (
            "NumericEquals",
            "NumericNotEquals",
            "NumericLessThan",
            "NumericLessThanEquals",
            "NumericGreaterThan",
            "NumericGreaterThanEquals",
        ),
        (
            ("s3:max-keys", ("10", "10.0", "x", 5, ["1", "20"]), ("10", 10, "9.5", "ten", ["1", "10"])),
            ("s3:TlsVersion", ("1.2", "1.20", "-1"), ("1.2", 1.2, "-1")),
        ),
    ),
    (
        (
            "DateEquals",
            "DateNotEquals",
            "DateLessThan",
            "DateLessThanEquals",
            "DateGreaterThan",
            "DateGreaterThanEquals",
        ),
        (
            (
                "aws:CurrentTime",
                ("2024-06-01T00:00:00Z", "2024-06-01T02:00:00+02:00", "2024-05-31T23:59:59Z", "soon"),
                (
                    "2024-06-01T00:00:00Z",
                    "2024-06-01",
                    "1717200000",
                    ["2023-01-01T00:00:00Z", "2024-06-01T00:00:00Z"],
                ),
            ),
            ("aws:EpochTime", ("1717200000", 1717200001), ("1717200000", 1717200000, "2024-06-01T00:00:00Z")),
        ),
    ),
    (
        ("Bool",),
        (
            (
                "aws:MultiFactorAuthPresent",
                ("true", "false", "True", True, "yes"),
                ("true", "false", True, "TRUE"),
            ),
            ("aws:SecureTransport", ("true", "false"), ("false", ["true", "false"])),
        ),
    ),
    (
        ("IpAddress", "NotIpAddress"),
        (
            (
                "aws:SourceIp",
                ("192.0.2.7", "198.51.100.1", "2001:db8::1", "nowhere"),
                (
                    "192.0.2.0/24",
                    "192.0.2.7",
                    "2001:db8::/32",
                    ["198.51.100.0/25", "2001:DB8::1/128"],
                    "192.0.2.999",
                ),
            ),
        ),
    ),
    (
        ("ArnEquals", "ArnNotEquals", "ArnLike", "ArnNotLike"),
        (
            (
                "aws:SourceArn",
                (
                    "arn:aws:sns:us-east-1:111122223333:topic",
                    "arn:aws:s3:::logs",
                    "arn:aws:iam::1:role/a:b",
                    "no",
                ),
                (
                    "arn:aws:sns:*:111122223333:*",
                    "arn:aws:s3:::*",
                    "arn:aws:s3:*",
                    "arn:*:sns:us-east-?:*:t*",
                    "arn:aws:sns:us-east-1:${aws:username}:topic",
                    "*",
                ),
            ),
            (
                "aws:PrincipalArn",
                (f"arn:aws:iam::{HOME}:role/deploy", f"arn:aws:iam::{HOME}:user/alice"),
                ("arn:aws:iam::*:role/*", f"arn:aws:iam::{HOME}:user/${{aws:username}}"),
            ),
        ),
    ),
    (
        ("BinaryEquals",),
        (("kms:RecipientAttestation", ("QmluYXJ5", "!!"), ("QmluYXJ5", "QmluYXJ5Cg==", "?")),),
    ),
    (
        ("Null",),
        (
            ("aws:TokenIssueTime", ("2024-06-01T00:00:00Z", []), ("true", "false", True)),
            ("aws:username", ("alice",), ("false", "true")),
        ),
    ),
)

KEYS: dict[str, tuple[object, ...]] = {
    key: values for _, keys in TYPES for key, values, _ in reversed(keys)
} | {"aws:RequestTag/team": ("logs", "a", ["logs"])}

BAD_STATEMENTS: tuple[dict[str, object], ...] = (
    {"Effect": "allow", "Action": "*", "Resource": "*"},
    {
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
        "Condition": {"StringEqual": {"aws:username": "alice"}},
    },
    {"Effect": "Allow", "Resource": "*"},
    {"Effect": "Deny", "Action": "*", "NotAction": "s3:*", "Resource": "*"},
    {"Effect": "Deny", "Action": "*", "Resource": "*", "Surprise": 1},
    {"Effect": "Allow", "Action": 7, "Resource": "*"},
)


@dataclass(frozen=True)
class Focus:
    """What most requests of one example are about, and the patterns that are near it."""

    action: str
    resources: tuple[str, ...]
    action_patterns: tuple[str, ...]
    resource_patterns: tuple[str, ...]


def _focus(action: str, resources: tuple[str, ...]) -> Focus:
    near = tuple(each for each in ACTION_PATTERNS if fnmatchcase(action.lower(), each.lower()))
    on = tuple(
        each
        for each in RESOURCE_PATTERNS
        if any(fnmatchcase(resource, each) for resource in resources)
        or "${" in each
        or each.startswith(f"{action.partition(':')[0]}:/")
    )
    # What is near is drawn more often than what is not.
    return Focus(action, resources, near * 4 + ACTION_PATTERNS, on * 4 + RESOURCE_PATTERNS)


FOCUSES = tuple(_focus(action, resources) for action, resources in ACTIONS)


def _one_or_list(values: st.SearchStrategy[str]) -> st.SearchStrategy[object]:
    return st.one_of(values, st.lists(values, min_size=1, max_size=3))


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, dict[str, object]]:
    """A condition block of one to three lines."""
    block: dict[str, dict[str, object]] = {}
    for _ in range(draw(st.integers(1, 3))):
        operators, keys = draw(st.sampled_from(TYPES))
        operator = draw(st.sampled_from(operators))
        key, _, written = draw(st.sampled_from(keys))
        if operator != "Null":
            operator = draw(st.sampled_from(("", "", "", "ForAllValues:", "ForAnyValue:"))) + operator
            operator += draw(st.sampled_from(("", "", "IfExists")))
        spelled = draw(st.sampled_from((key, key, key.upper())))
        block.setdefault(operator, {})[spelled] = draw(st.sampled_from(written))
    return {operator: _without_twins(keys) for operator, keys in block.items()}


def _without_twins(keys: dict[str, object]) -> dict[str, object]:
    """One key may not stand twice in one block, whatever its case."""
    return dict({key.lower(): (key, value) for key, value in keys.items()}.values())


@st.composite
def statements(
    draw: st.DrawFn, focus: Focus, *, principal: bool, resource: str = "required"
) -> dict[str, object]:
    """One statement; with `principal` it has Principal or (rarely) NotPrincipal."""
    if draw(st.integers(0, 60)) == 0:
        return draw(st.sampled_from(BAD_STATEMENTS))
    statement: dict[str, object] = {"Effect": draw(st.sampled_from(("Allow", "Allow", "Deny")))}
    if draw(st.booleans()):
        statement["Sid"] = draw(st.sampled_from(("One", "Two", "Three")))
    negated = draw(st.integers(0, 6)) == 0
    statement["NotAction" if negated else "Action"] = draw(
        _one_or_list(st.sampled_from(focus.action_patterns))
    )
    if resource == "required" or draw(st.booleans()):
        negated = draw(st.integers(0, 6)) == 0
        statement["NotResource" if negated else "Resource"] = draw(
            _one_or_list(st.sampled_from(focus.resource_patterns))
        )
    if principal and draw(st.integers(0, 30)) != 0:
        negated = draw(st.integers(0, 8)) == 0
        statement["NotPrincipal" if negated else "Principal"] = draw(st.sampled_from(PRINCIPAL_ELEMENTS))
    if draw(st.integers(0, 2)) == 0:
        statement["Condition"] = draw(conditions())
    return statement


@st.composite
def documents(
    draw: st.DrawFn, focus: Focus, *, principal: bool = False, resource: str = "required"
) -> dict[str, object]:
    """One policy document of one to three statements."""
    written = draw(
        st.lists(statements(focus, principal=principal, resource=resource), min_size=1, max_size=3)
    )
    document: dict[str, object] = {
        "Statement": written[0] if len(written) == 1 and draw(st.booleans()) else written
    }
    version = draw(st.sampled_from(("2012-10-17", "2012-10-17", "2012-10-17", "2008-10-17", None)))
    return document if version is None else {"Version": version, **document}


FULL_ACCESS: dict[str, object] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}


def _lists(element: st.SearchStrategy[object], most: int = 2) -> st.SearchStrategy[list[object]]:
    return st.lists(st.one_of(element, st.just(FULL_ACCESS)), max_size=most)


@st.composite
def grants(draw: st.DrawFn) -> list[dict[str, object]]:
    """KMS grants in the shape of ListGrants."""
    constraint = {"department": "it"}
    constraints = draw(
        st.sampled_from(
            (None, {}, {"EncryptionContextSubset": constraint}, {"EncryptionContextEquals": constraint})
        )
    )
    grant: dict[str, object] = {
        "GranteePrincipal": draw(st.sampled_from(PRINCIPALS[:5])),
        "Operations": draw(
            st.sampled_from((["Decrypt"], ["Encrypt"], ["Decrypt", "GenerateDataKey"], ["RetireGrant"]))
        ),
    }
    if draw(st.booleans()):
        grant["RetiringPrincipal"] = draw(st.sampled_from(PRINCIPALS[:5]))
    return [grant if constraints is None else {**grant, "Constraints": constraints}]


@st.composite
def policies(draw: st.DrawFn, focus: Focus) -> dict[str, object]:
    """The policies of a line: each gate there or not."""
    plain, with_principal = documents(focus), documents(focus, principal=True)
    line: dict[str, object] = {"identity_policies": draw(_lists(plain, 3))}
    optional: tuple[tuple[str, int, st.SearchStrategy[object]], ...] = (
        ("resource_policy", 1, documents(focus, principal=True, resource="optional")),
        ("permissions_boundaries", 3, _lists(plain)),
        ("session_policies", 4, _lists(plain)),
        ("scps", 3, st.lists(_lists(plain), max_size=3)),
        ("rcps", 4, st.lists(_lists(with_principal), max_size=2)),
        ("vpc_endpoint_policies", 5, _lists(with_principal)),
        ("grants", 6, grants()),
        ("management_account", 8, st.booleans()),
        (
            "block_public_access",
            6,
            st.fixed_dictionaries(
                {},
                optional={
                    name: st.booleans()
                    for name in (
                        "BlockPublicAcls",
                        "IgnorePublicAcls",
                        "BlockPublicPolicy",
                        "RestrictPublicBuckets",
                    )
                },
            ),
        ),
    )
    for name, rarity, strategy in optional:
        if draw(st.integers(0, rarity)) == 0:
            line[name] = draw(strategy)
    return line


@st.composite
def requests(draw: st.DrawFn, focus: Focus) -> dict[str, object]:
    """One request, most often about the focus, with a context of up to five keys."""
    other = draw(st.sampled_from(FOCUSES))
    action, resources = draw(
        st.sampled_from([(focus.action, focus.resources)] * 4 + [(other.action, other.resources)])
    )
    keys = draw(st.lists(st.sampled_from(sorted(KEYS)), max_size=5, unique=True))
    request: dict[str, object] = {
        "principal": draw(st.sampled_from(PRINCIPALS)),
        "action": draw(st.sampled_from((action, action, action.lower()))),
        "resource": draw(st.sampled_from(resources)),
        "context": {key: draw(st.sampled_from(KEYS[key])) for key in keys},
    }
    if draw(st.booleans()):
        request["resource_account"] = draw(st.sampled_from((HOME, OTHER)))
    return request


@dataclass(frozen=True)
class Example:
    """One set of policies and the requests that are made against it."""

    policies: dict[str, object]
    requests: tuple[dict[str, object], ...]

    @property
    def lines(self) -> tuple[dict[str, object], ...]:
        """The batch lines: each request with the policies."""
        return tuple(
            {"id": str(number), "request": request, **self.policies}
            for number, request in enumerate(self.requests)
        )


@st.composite
def examples(draw: st.DrawFn, *, most: int = 4) -> Example:
    """Policies with `most` requests at most, usually as many."""
    focus = draw(st.sampled_from(FOCUSES))
    asked = draw(st.lists(requests(focus), min_size=1, max_size=most))
    return Example(draw(policies(focus)), tuple(asked))
