"""What one read-only call to AWS is, as data; `table` lists them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

Value = str | bool | int | tuple[str, ...] | dict[str, tuple[str, ...]]
"""A parameter's value; `{account}` in a text stands for the id of the account that is asked."""

IN_REGION = "region"
"""The parameter of a follow-up that says where to ask instead of what."""

NO_ACTION = "none"
"""The action of a call that tells what is asked of it without any permission."""

_PREFIXES: Mapping[str, str] = MappingProxyType(
    {
        "accessanalyzer": "access-analyzer",
        "apigatewayv2": "apigateway",
        "efs": "elasticfilesystem",
        "elb": "elasticloadbalancing",
        "elbv2": "elasticloadbalancing",
        "s3control": "s3",
        "sso-admin": "sso",
    }
)
"""The prefix of a service's actions where it is not the SDK's name of the service."""


class Scope(StrEnum):
    """How often a call is made: once for the account, or in each region."""

    ACCOUNT = "account"
    REGION = "region"


@dataclass(frozen=True, slots=True)
class Each:
    """The call is made for each item in the answers to `of` (`service:Operation`).

    `items` is a JMESPath expression over an answer's body that gives one object of parameters for each item. `carry`
    names parameters of the other call that this one has as well, since its answer does not repeat them. `of_arn` names
    parameters for which the answer has an ARN and the call takes what stands after its last colon.
    """

    of: str
    items: str
    carry: tuple[str, ...] = ()
    of_arn: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class First:
    """An operation that is repeated until `member` of its answer is `value`, before the call itself is made."""

    operation: str
    member: str
    value: str


@dataclass(frozen=True, slots=True)
class Job:
    """An operation that is given the call's parameters and starts a job, for whose outcome the call then asks.

    `id` is the member of its answer that the call is given instead. The call is repeated while `status` of its answer
    is `working`; `done` is the only other value that stands for an outcome.
    """

    operation: str
    id: str
    status: str
    working: str
    done: str


@dataclass(frozen=True, slots=True)
class Read:
    """One call of the table.

    `absent` are the errors by which AWS says that there is no such thing: a code, or `Code: part of the message`.
    `action` is the IAM action where it is not the operation's own name, or `NO_ACTION`. `page_size` is for operations
    that give no token of a next page, and so leave out what is beyond the first, unless they are asked for pages.
    `place` is the region that answers for whole accounts where that is not the partition's home; other partitions have
    no such call. `headers` are the headers by member of the answer, for what AWS tells in the header of a refusal too.
    """

    service: str
    operation: str
    scope: Scope = Scope.REGION
    given: Mapping[str, Value] = field(default_factory=dict)
    each: tuple[Each, ...] = ()
    absent: tuple[str, ...] = ()
    action: str = ""
    first: First | None = None
    job: Job | None = None
    page_size: int | None = None
    place: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The call as `Each.of` names it: `s3:ListBuckets`."""
        return f"{self.service}:{self.operation}"

    @property
    def group(self) -> str:
        """The service that `--only` chooses it by: the prefix of its actions."""
        return _PREFIXES.get(self.service, self.service)

    @property
    def actions(self) -> tuple[str, ...]:
        """The IAM actions that the call needs."""
        if self.action == NO_ACTION:
            return ()
        own = self.action or f"{self.group}:{self.operation}"
        before = (each.operation for each in (self.first, self.job) if each is not None)
        return (own, *(f"{self.group}:{operation}" for operation in before))
