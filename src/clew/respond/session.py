"""Acting in one account: reading aspects as they stand, and making calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.collect.asking import Question, ask, refused
from clew.collect.clients import Clients, start
from clew.collect.reads import Read, Scope
from clew.collect.session import Account
from clew.errors import ChangeError
from clew.respond.aspects.reading import GONE
from clew.respond.model import State
from clew.snapshot.answers import GLOBAL, Call, Status

if TYPE_CHECKING:
    from clew.collect.asking import Clock
    from clew.respond.model import Aspect, Place, Value, Write
    from clew.snapshot.answers import Answer

_SESSION_NAME = "clew-fix"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Whose credentials to use; `role` is the name of the role to assume in an account that is not the caller's."""

    profile: str | None = None
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """The clients for one account; `caller` is the ARN of who acts."""

    account: str
    caller: str
    clients: Clients
    clock: Clock

    def look(self, aspect: Aspect, place: Place) -> Value:
        """What stands there now. Errors: `ChangeError` where AWS refuses to say, or the resource is not there."""
        question = Question(aspect.read, place.account, _where(aspect.read, place), aspect.asks(place))
        answer = ask(question, self.clients, self.clock)
        if not answer.status.is_known:
            detail = f": {answer.error_message}" if answer.error_message else ""
            raise ChangeError(
                f"{question.call}: {answer.status}: {answer.error_code}{detail}; what stands there is not known"
            )
        if answer.status is Status.ABSENT and answer.error_code in GONE:
            raise ChangeError(f"{question.call}: {answer.error_code}: `{place}` does not exist")
        return aspect.view(answer.body, place) if answer.body is not None else None

    def state(self, needs: tuple[tuple[Aspect, Place], ...]) -> State:
        """Everything that an action needs. Errors: as `look`."""
        return State({(aspect.name, place): self.look(aspect, place) for aspect, place in needs})

    def make(self, write: Write, place: Place) -> Answer:
        """What AWS says to a call that changes something; nothing that it says is raised."""
        region = GLOBAL if write.service in _FOR_ACCOUNTS else place.region
        read = Read(write.service, write.operation, Scope.REGION)
        return ask(Question(read, place.account, region, write.parameters), self.clients, self.clock)


_FOR_ACCOUNTS = frozenset({"iam", "organizations", "s3", "s3control"})


def _where(read: Read, place: Place) -> str:
    return GLOBAL if read.scope is Scope.ACCOUNT else place.region


@dataclass(frozen=True, slots=True)
class Door:
    """The caller's own credentials, and the way into other accounts."""

    own: Session
    partition: str
    role: str | None

    def into(self, account: str) -> Session:
        """The session for that account. Errors: `ChangeError` where no role was named or it cannot be assumed."""
        if account in {"", self.own.account}:
            return self.own
        if self.role is None:
            raise ChangeError(
                f"the resource is in account {account}, the credentials are for {self.own.account}; "
                "give `--role NAME`, which is assumed there, or `--profile`"
            )
        return self._assumed(account, f"arn:{self.partition}:iam::{account}:role/{self.role}")

    def _assumed(self, account: str, role: str) -> Session:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            said = self.own.clients.of("sts", GLOBAL).assume_role(RoleArn=role, RoleSessionName=_SESSION_NAME)
        except ClientError as error:
            answer = refused(Call(account, GLOBAL, "sts", "AssumeRole"), (), self.own.clock, error)
            raise ChangeError(f"{role}: {answer.error_code}: {answer.error_message}") from error
        except BotoCoreError as error:
            raise ChangeError(f"{role}: {type(error).__name__}") from error
        clients = self.own.clients.with_role(said["Credentials"])
        return Session(account, said["AssumedRoleUser"]["Arn"], clients, self.own.clock)


def door(credentials: Credentials, clock: Clock, region: str | None = None) -> Door:
    """The caller's session. Errors: `InputError` without credentials, `MissingExtraError` without boto3."""
    clients, caller = start(Account(credentials.profile, region), connections=4)
    own = Session(caller.account, caller.arn, clients, clock)
    return Door(own, caller.partition, credentials.role)
