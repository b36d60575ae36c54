"""A function reaches what it works with: objects, keys, secrets and databases, by its execution role and its network.

AWS Lambda developer guide: "Defining Lambda function permissions with an execution role", "Giving Lambda functions
access to resources in an Amazon VPC"; Secrets Manager user guide: "Secret encryption and decryption in AWS Secrets
Manager"; RDS user guide: "Creating and using an IAM policy for IAM database access", "Controlling access with security
groups".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clew.audit.buckets import asked
from clew.audit.resources import items, member, partition, text, texts
from clew.errors import UsageError
from clew.explain.doctor import Doctor, Found, Patient, link, unanswered
from clew.explain.links import Link, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_WAYS: Final = ("object", "write-object", "key", "secret", "database")


def _links(patient: Patient) -> Iterator[Link]:
    if not any(patient.given.get(way) for way in _WAYS):
        raise UsageError(f"say what the function works with: {', '.join(f'`--{way}`' for way in _WAYS)}")
    first, found = patient.find(
        "function",
        "lambda:ListFunctions",
        "Functions",
        patient.given["function"],
        "FunctionName",
        "FunctionArn",
    )
    yield first
    if found is None:
        return
    role = found.text("Role")
    yield patient.trusted("role-trust", role, "lambda.amazonaws.com")
    for way, action in (("object", "s3:GetObject"), ("write-object", "s3:PutObject"), ("key", "kms:Decrypt")):
        if patient.given.get(way):
            yield patient.permitted(way, role, action, _arn(patient.given[way]))
    if patient.given.get("secret"):
        yield from _secret(patient, role, patient.given["secret"])
    if patient.given.get("database"):
        yield from _database(patient, found, role, patient.given["database"])


def _arn(said: str) -> str:
    """The ARN of what was told; an `s3://` address is an object's."""
    return f"arn:aws:s3:::{said.removeprefix('s3://')}" if said.startswith("s3://") else said


def _secret(patient: Patient, role: str, wanted: str) -> Iterator[Link]:
    """The secret's value, and the key under which it is, where that is the account's own."""
    first, found = patient.find("secret", "secretsmanager:ListSecrets", "SecretList", wanted, "ARN", "Name")
    yield first
    if found is None:
        return
    arn, key = found.text("ARN"), found.text("KmsKeyId")
    yield patient.permitted("secret-value", role, "secretsmanager:GetSecretValue", arn)
    if key and not key.endswith("alias/aws/secretsmanager"):
        region, account = arn.split(":")[3:5]
        place = (
            key
            if key.startswith("arn:")
            else f"arn:{partition(patient.state)}:kms:{region}:{account}:key/{key}"
        )
        context = {
            "kms:ViaService": f"secretsmanager.{region}.amazonaws.com",
            "kms:EncryptionContext:SecretARN": arn,
        }
        yield patient.permitted("secret-key", role, "kms:Decrypt", place, **context)


def _database(patient: Patient, function: Found, role: str, wanted: str) -> Iterator[Link]:
    """The network between function and database, and the permission to sign in where it takes IAM."""
    first, found = patient.find(
        "database", "rds:DescribeDBInstances", "DBInstances", wanted, "DBInstanceIdentifier", "DBInstanceArn"
    )
    yield first
    if found is None:
        return
    own = texts(function.data, "VpcConfig.SecurityGroupIds")
    public = member(found.data, "PubliclyAccessible") is True
    if not own:
        says = (
            "the function is in no VPC, and the database has a public address",
            "the function is in no VPC",
        )
        fix = "aws lambda update-function-configuration --vpc-config, with subnets and groups of the database's VPC"
        yield link("network", holds=public, says=says, fix=fix)
        return
    yield _same_vpc(function, found)
    yield _let_in(patient, found, own)
    if member(found.data, "IAMDatabaseAuthenticationEnabled") is True:
        user = patient.given.get("database-user", "*")
        name = f"{found.text('DbiResourceId')}/{user}"
        place = f"arn:{partition(patient.state)}:rds-db:{found.region}:{patient.state.account}:dbuser:{name}"
        yield patient.permitted("database-sign-in", role, "rds-db:connect", place)


def _same_vpc(function: Found, database: Found) -> Link:
    ours, theirs = function.text("VpcConfig.VpcId"), database.text("DBSubnetGroup.VpcId")
    says = f"function and database are in {ours}", f"the function is in {ours}, the database in {theirs}"
    fix = "put the function into the database's VPC, or peer the two with routes both ways"
    if ours and theirs and ours != theirs:
        settle = "clew audit --framework network-review, for peering and routes between them"
        return Link("network", Verdict.UNKNOWN, says[1], settle=f"{settle}; else {fix}")
    return Link("network", Verdict.HOLDS, says[0])


def _let_in(patient: Patient, database: Found, own: tuple[str, ...]) -> Link:
    """A group of the database must let a group of the function in on its port."""
    said = patient.state.answers.get(patient.state.account, database.region, "ec2", "DescribeSecurityGroups")
    if not said.status.is_known:
        return unanswered("database-security-group", said)
    port = member(database.data, "Endpoint.Port")
    theirs = {text(each, "VpcSecurityGroupId") for each in items(database.data, "VpcSecurityGroups")}
    rules = [
        rule
        for group in items(said.body, "SecurityGroups")
        if text(group, "GroupId") in theirs
        for rule in items(group, "IpPermissions")
        if _holds_port(rule, port)
    ]
    by_group = any(text(each, "GroupId") in own for rule in rules for each in items(rule, "UserIdGroupPairs"))
    names = ", ".join(sorted(theirs))
    if not by_group and any(items(rule, "IpRanges") for rule in rules):
        says = (
            f"{names} let addresses in on port {port}; whether the function's subnets are among them is open"
        )
        settle = f"aws ec2 describe-security-groups --group-ids {' '.join(sorted(theirs))}"
        return Link("database-security-group", Verdict.UNKNOWN, says, asked(said), settle=settle)
    says_both = (
        f"{names} let the function in on port {port}",
        f"{names} let no group of the function in on port {port}",
    )
    fix = f"aws ec2 authorize-security-group-ingress, on port {port} from {own[0]}"
    return link("database-security-group", holds=by_group, says=says_both, evidence=asked(said), fix=fix)


def _holds_port(rule: Mapping[str, object], port: object) -> bool:
    first, last = member(rule, "FromPort"), member(rule, "ToPort")
    if text(rule, "IpProtocol") == "-1" or not isinstance(first, int) or not isinstance(last, int):
        return text(rule, "IpProtocol") == "-1"
    return isinstance(port, int) and first <= port <= last


DOCTOR = Doctor(
    "lambda-access",
    "A function reaches what it works with",
    _links,
    needs=("function",),
    may=(*_WAYS, "database-user"),
    looks="the role's trust, objects, keys, a secret and its key, a database: network, group, signing in",
)
