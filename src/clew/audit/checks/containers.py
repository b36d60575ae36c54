"""Checks of containers: task definitions of ECS, repositories of ECR, and the way between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.audit.checks.ec2_network import endpoint_service
from clew.audit.checks.secrets import SECRET_NAME
from clew.audit.model import Judgement, Verdict, check
from clew.audit.resources import (
    arn,
    chosen,
    each_name,
    each_resource,
    facts,
    items,
    listing,
    member,
    text,
    unanswered,
)
from clew.audit.security_groups import is_shared
from clew.aws.glob import matches
from clew.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from clew.audit.model import State
    from clew.snapshot.answers import Answer

_FAMILIES = "ecs:ListTaskDefinitionFamilies"
_CONTAINERS = "containerDefinitions"
_ROOT = frozenset({"root", "0"})


def _each_definition(
    state: State, judge: Callable[[str, Mapping[str, object]], Judgement]
) -> Iterator[Judgement]:
    """What `judge` says of the newest task definition of each family, by its ARN."""

    def described(family: str, answer: Answer) -> Judgement:
        told = state.about(answer, "DescribeTaskDefinition", taskDefinition=family)
        if not told.status.is_known:
            return unanswered(arn(state, answer, f"task-definition/{family}"), told)
        definition = member(told.body, "taskDefinition")
        found = definition if isinstance(definition, dict) else {}
        return judge(text(found, "taskDefinitionArn"), found)

    yield from each_name(state, _FAMILIES, "families", described, none="there are no task definitions")


@check("ecs-root-user", "Containers do not run as root", "A container runs as root", Severity.MEDIUM)
def root_user(state: State) -> Iterator[Judgement]:
    """Containers that run as root, or with the privileges of the host.

    Finds. A task definition with a container that is privileged, or whose user is root; where it names no user, which
    weighs less, the image decides, and most images run as root.
    Why it matters. Whoever breaks out of a container that runs as root owns the host, and all its other tasks.
    False positives. Images that set another user themselves; tasks on Windows.
    Fix. Name a user in the container definition, and a root file system that is read only.
    References. Amazon ECS developer guide, Amazon ECS task and container security best practices · AWS Config developer
    guide, ecs-task-definition-user-for-host-mode-check
    """

    def judge(name: str, definition: Mapping[str, object]) -> Judgement:
        if text(definition, "runtimePlatform.operatingSystemFamily").startswith("WINDOWS"):
            return Judgement(Verdict.NOT_APPLICABLE, name, "runs on Windows")
        containers = tuple(items(definition, _CONTAINERS))
        seen = tuple((text(c, "name"), f"user {text(c, 'user') or 'not named'}") for c in containers)
        privileged = [text(c, "name") for c in containers if member(c, "privileged") is True]
        root = [text(c, "name") for c in containers if text(c, "user").partition(":")[0] in _ROOT]
        unnamed = [text(c, "name") for c in containers if not text(c, "user")]
        if privileged:
            message = f"privileged: {listing(privileged)}"
            return Judgement(Verdict.FAIL, name, message, seen, severity=Severity.HIGH)
        if root:
            return Judgement(Verdict.FAIL, name, f"runs as root: {listing(root)}", seen)
        if unnamed:
            message = f"names no user, so that the image decides: {listing(unnamed)}"
            return Judgement(Verdict.FAIL, name, message, seen, severity=Severity.LOW)
        return Judgement(Verdict.PASS, name, "no container runs as root", seen)

    yield from _each_definition(state, judge)


@check(
    "ecs-plain-secrets", "Task definitions hold no secrets", "A task definition holds a secret", Severity.HIGH
)
def plain_secrets(state: State, *, names: str = "") -> Iterator[Judgement]:
    """Variables of containers whose name says that they hold a secret.

    Finds. A task definition with an environment variable such as DB_PASSWORD or API_TOKEN that is written in it, or,
    with `names` (with commas), with one of these names. Only names are looked at; values are never kept.
    Why it matters. Everybody who may describe task definitions, and every old revision, tells the secret.
    False positives. A variable that holds the name, ARN or path of a secret.
    Fix. Name the secret under `secrets`, with `valueFrom`, and replace it: the old one is in the old revisions.
    References. Amazon ECS developer guide, Pass sensitive data to an Amazon ECS container · AWS Config developer guide,
    ecs-no-environment-secrets
    """
    wanted = chosen(names)

    def judge(name: str, definition: Mapping[str, object]) -> Judgement:
        found = [
            f"{text(container, 'name')}/{text(variable, 'name')}"
            for container in items(definition, _CONTAINERS)
            for variable in items(container, "environment")
            if _is_secret(text(variable, "name"), wanted)
        ]
        if found:
            seen = tuple(("variable", each) for each in found)
            return Judgement(Verdict.FAIL, name, f"written in it: {listing(found)}", seen)
        return Judgement(Verdict.PASS, name, "no variable is named as a secret")

    yield from _each_definition(state, judge)


def _is_secret(name: str, wanted: frozenset[str]) -> bool:
    """Whether a variable has one of the names, or, where none are given, one that says that it holds a secret."""
    return name in wanted if wanted else bool(SECRET_NAME.search(name)) and not _is_reference(name)


def _is_reference(name: str) -> bool:
    """Whether the name says that it leads to a secret and is none: SECRET_ARN, TOKEN_URL."""
    return name.upper().endswith(("_ARN", "_NAME", "_ID", "_PATH", "_FILE", "_URL", "_URI"))


@check("ecr-scanning", "Images are scanned", "Images of a repository are not scanned", Severity.MEDIUM)
def scanning(state: State) -> Iterator[Judgement]:
    """Repositories whose images nobody scans for known holes.

    Finds. A repository that does not scan on push, in a registry whose rules do not scan it either.
    Why it matters. Base images carry holes that were published long ago.
    False positives. Images that a pipeline scans before it pushes them.
    Fix. `aws ecr put-registry-scanning-configuration` with enhanced scanning, or scan on push for all.
    References. Amazon ECR user guide, Scan images for software vulnerabilities in Amazon ECR · AWS Config developer
    guide, ecr-private-image-scanning-enabled
    """

    def judge(repository: Mapping[str, object], answer: Answer) -> Judgement:
        name, own = text(repository, "repositoryArn"), text(repository, "repositoryName")
        seen = facts(repository, "imageScanningConfiguration.scanOnPush")
        if member(repository, "imageScanningConfiguration.scanOnPush") is True:
            return Judgement(Verdict.PASS, name, "scans on push", seen)
        registry = state.about(answer, "GetRegistryScanningConfiguration")
        if not registry.status.is_known:
            return unanswered(name, registry, evidence=seen)
        if _scans(member(registry.body, "scanningConfiguration"), own):
            return Judgement(Verdict.PASS, name, "the registry scans it", seen)
        return Judgement(Verdict.FAIL, name, "is not scanned", seen)

    yield from each_resource(
        state, "ecr:DescribeRepositories", "repositories", judge, none="there are no repositories"
    )


def _scans(configuration: object, repository: str) -> bool:
    """Whether a rule of the registry scans the repository without being asked each time."""
    return any(
        text(rule, "scanFrequency") in {"SCAN_ON_PUSH", "CONTINUOUS_SCAN"}
        and any(_fits(text(each, "filter"), repository) for each in items(rule, "repositoryFilters"))
        for rule in items(configuration, "rules")
    )


def _fits(pattern: str, repository: str) -> bool:
    # Amazon ECR user guide: "Filters to choose which repositories are scanned": without `*` a part suffices.
    return matches(pattern, repository) if "*" in pattern else pattern in repository


@check(
    "ecs-vpc-endpoints",
    "Tasks fetch images through endpoints",
    "Tasks fetch images over the internet",
    Severity.LOW,
)
def task_endpoints(state: State) -> Iterator[Judgement]:
    """VPCs in which tasks run and which have no endpoints for ECR.

    Finds. A VPC with interfaces of ECS tasks and without available endpoints for `ecr.api`, `ecr.dkr` and `s3`, where
    the layers lie.
    Why it matters. Every start of a task then needs a way to the internet, which can be used for other things.
    False positives. Images of public registries, which need the internet anyway.
    Fix. Create interface endpoints for ecr.api and ecr.dkr, and a gateway endpoint for S3.
    References. Amazon ECR user guide, Amazon ECR interface VPC endpoints (AWS PrivateLink)
    """

    def judge(vpc: Mapping[str, object], answer: Answer) -> Judgement | None:
        if is_shared(state, vpc):
            return None
        name, identity = arn(state, answer, f"vpc/{text(vpc, 'VpcId')}"), text(vpc, "VpcId")
        interfaces = state.about(answer, "DescribeNetworkInterfaces")
        endpoints = state.about(answer, "DescribeVpcEndpoints")
        if not interfaces.status.is_known or not endpoints.status.is_known:
            return unanswered(name, interfaces, endpoints)
        if not any(
            ":ecs:" in text(each, "Description") and text(each, "VpcId") == identity
            for each in interfaces.list("NetworkInterfaces")
        ):
            return None
        there = {
            endpoint_service(text(each, "ServiceName"))
            for each in endpoints.list("VpcEndpoints")
            if text(each, "VpcId") == identity and text(each, "State").lower() == "available"
        }
        lacking = [each for each in ("ecr.api", "ecr.dkr", "s3") if each not in there]
        seen = (("endpoints", ", ".join(sorted(there)) or "none"),)
        if lacking:
            return Judgement(Verdict.FAIL, name, f"no endpoint for {', '.join(lacking)}", seen)
        return Judgement(Verdict.PASS, name, "has the endpoints", seen)

    yield from each_resource(state, "ec2:DescribeVpcs", "Vpcs", judge, none="no task runs in a VPC")
