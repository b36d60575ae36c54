"""Every call of the table, in every account and region that is asked for: accounts in turn, calls side by side.

In turn, since the clients of one account in all regions take up to 400 MB, and credentials of a role an hour.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from clew.collect.asking import Question, ask, failed, refused
from clew.collect.clients import Caller, Clients, start
from clew.collect.reads import IN_REGION, Read, Scope
from clew.collect.session import Account, error_code, error_message
from clew.collect.table import ORGANIZATION, REGIONS
from clew.errors import InputError
from clew.snapshot.answers import GLOBAL, Answer, Answers, Call, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from concurrent.futures import Future

    from clew.collect.asking import Clock
    from clew.collect.reads import Each

_SESSION_NAME = "clew-collect"


@dataclass(frozen=True, slots=True)
class Scale:
    """Where to ask: no regions means all that are enabled; without a role only the caller's own account."""

    account: Account = field(default_factory=Account)
    regions: tuple[str, ...] = ()
    role: str | None = None
    accounts: tuple[str, ...] = ()
    organization: bool = False
    workers: int = 16


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is: calls answered, calls known so far, and the last one."""

    done: int
    known: int
    call: Call


@dataclass(frozen=True, slots=True)
class _Target:
    """An account with its clients and regions, and the answers that finding these took."""

    account: str
    clients: Clients | None
    regions: tuple[str, ...]
    answers: tuple[Answer, ...]


def collect(
    reads: tuple[Read, ...],
    scale: Scale,
    clock: Clock,
    advance: Callable[[Progress], None] = lambda _: None,
) -> Answers:
    """The answers to these reads. Errors: `InputError` and `MissingExtraError`, before the first read only."""
    clients, caller = start(scale.account, connections=scale.workers)
    found: list[Answer] = []
    accounts = _accounts(clients, caller, scale)
    tellers = _tellers(clients, caller, clock) if accounts != (caller.account,) else accounts
    with ThreadPoolExecutor(scale.workers, thread_name_prefix="clew-collect") as pool:
        try:
            for account in accounts:
                target = _target(account, clients, caller, scale, clock)
                of_account = reads if account in tellers else tuple(filter(_is_for_members, reads))
                found += _Run(of_account, target, pool, clock, advance, len(found)).answers()
            return Answers(found)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def collect_as(
    clients: Clients,
    account: str,
    reads: tuple[Read, ...],
    clock: Clock,
    *,
    regions: tuple[str, ...] = (),
    workers: int = 16,
) -> Answers:
    """The answers to these reads by credentials that are at hand; no regions means all that are enabled."""
    target = _with_regions(account, clients, regions, (), clock)
    with ThreadPoolExecutor(workers, thread_name_prefix="clew-collect") as pool:
        return Answers(_Run(reads, target, pool, clock, lambda _: None, 0).answers())


def _accounts(clients: Clients, caller: Caller, scale: Scale) -> tuple[str, ...]:
    """The accounts to ask, without repetition: those named, those of the organisation, or the caller's own."""
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    if not scale.organization:
        return tuple(dict.fromkeys(scale.accounts)) or (caller.account,)
    try:
        pages = clients.of("organizations", GLOBAL).get_paginator("list_accounts").paginate()
        found = [each["Id"] for page in pages for each in page["Accounts"] if each["Status"] == "ACTIVE"]
    except ClientError as error:
        raise InputError(
            f"organizations:ListAccounts: {error_code(error)}: {error_message(error)}; "
            "ask from the management account or a delegated administrator, or name the accounts with --accounts"
        ) from error
    except (BotoCoreError, ResponseParserError) as error:
        raise InputError(f"organizations:ListAccounts: {type(error).__name__}") from error
    return tuple(dict.fromkeys((caller.account, *found, *scale.accounts)))


def _tellers(clients: Clients, caller: Caller, clock: Clock) -> tuple[str, ...]:
    """The accounts that may tell of their organisation: the caller's, and the management account.

    AWS: Organizations API Reference: all but "DescribeOrganization" can be called only from the management account or
    from a delegated administrator, which the caller may be.
    """
    said = ask(Question(ORGANIZATION, caller.account, GLOBAL, ORGANIZATION.given), clients, clock)
    described = (said.body or {}).get("Organization")
    management = described.get("MasterAccountId") if isinstance(described, dict) else None
    return (caller.account, str(management or ""))


def _is_for_members(read: Read) -> bool:
    return read.service != ORGANIZATION.service or read == ORGANIZATION


def _target(account: str, clients: Clients, caller: Caller, scale: Scale, clock: Clock) -> _Target:
    """The account with credentials for it and its regions; without credentials only the refusal is recorded."""
    assumed: tuple[Answer, ...] = ()
    if account != caller.account:
        found = _assumed(account, clients, caller, scale, clock)
        if isinstance(found, Answer):
            return _Target(account, None, (), (found,))
        clients, answer = found
        assumed = (answer,)
    return _with_regions(account, clients, scale.regions, assumed, clock)


def _with_regions(
    account: str, clients: Clients, regions: tuple[str, ...], answers: tuple[Answer, ...], clock: Clock
) -> _Target:
    enabled = ask(Question(REGIONS, account, GLOBAL, REGIONS.given), clients, clock)
    known = (each for each in enabled.list("Regions") if each.get("OptInStatus") != "not-opted-in")
    names = tuple(str(each["RegionName"]) for each in known)
    # Without the list only what was named, or the home region, is asked; the refusal stays on record.
    return _Target(account, clients, regions or names or (clients.home_region,), (*answers, enabled))


def _assumed(
    account: str, clients: Clients, caller: Caller, scale: Scale, clock: Clock
) -> tuple[Clients, Answer] | Answer:
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    arn = f"arn:{caller.partition}:iam::{account}:role/{scale.role}"
    call = Call(account, GLOBAL, "sts", "AssumeRole", (("RoleArn", arn),))
    try:
        said = clients.of("sts", GLOBAL).assume_role(RoleArn=arn, RoleSessionName=_SESSION_NAME)
        return clients.with_role(said["Credentials"]), Answer(call, clock.stamp(), Status.OK, {})
    except ClientError as error:
        return refused(call, (), clock, error)
    except (BotoCoreError, ResponseParserError) as error:
        return failed(call, clock, error)


class _Run:
    """The collection of one account: questions on their way, and answers; `done` counts those of accounts before."""

    def __init__(
        self,
        reads: tuple[Read, ...],
        target: _Target,
        pool: ThreadPoolExecutor,
        clock: Clock,
        advance: Callable[[Progress], None],
        done: int,
    ) -> None:
        self._reads, self._target, self._pool = reads, target, pool
        self._clock, self._advance, self._done = clock, advance, done
        self._followers = _followers(reads)
        self._asked: set[Call] = set()
        # A queue, since to wait for the first of many futures looks at each of them: 1.2 s of 5.7 s for
        # 1,500 calls (benchmarks/audit.py --collect), and four times that for twice as many.
        self._finished: SimpleQueue[tuple[Question, Future[Answer]]] = SimpleQueue()
        self._running = 0

    def answers(self) -> Iterator[Answer]:
        """Each answer as it comes."""
        yield from self._target.answers
        self._asked.update(answer.call for answer in self._target.answers)
        for question in _first_questions(self._reads, self._target):
            self._put(question)
        while self._running:
            question, future = self._finished.get()
            self._running -= 1
            answer = future.result()
            for following in self._following(question, answer):
                self._put(following)
            self._done += 1
            self._advance(Progress(self._done, self._done + self._running, answer.call))
            yield answer

    def _put(self, question: Question) -> None:
        clients = self._target.clients
        if clients is not None and question.call not in self._asked:
            self._asked.add(question.call)
            self._running += 1
            future = self._pool.submit(ask, question, clients, self._clock)
            future.add_done_callback(lambda done: self._finished.put((question, done)))

    def _following(self, question: Question, answer: Answer) -> Iterator[Question]:
        """The questions about each item of an answer."""
        if answer.body is None:
            return
        for read, each, items in self._followers.get(question.read.name, ()):
            carried = {name: question.parameters[name] for name in each.carry}
            for item in items.search(answer.body) or ():
                found = {
                    name: str(value).rpartition(":")[2] if name in each.of_arn else value
                    for name, value in item.items()
                    if value is not None
                }
                region = str(found.pop(IN_REGION, question.region))
                given = {**_given(read, question.account), **carried, **found}
                yield Question(
                    read, question.account, GLOBAL if read.scope is Scope.ACCOUNT else region, given
                )


def _followers(reads: tuple[Read, ...]) -> dict[str, list[tuple[Read, Each, Any]]]:
    """The calls that follow each call, with how they follow it and where its answer has their items."""
    import jmespath  # type: ignore[import-untyped]  # part of boto3, ships no types

    found: dict[str, list[tuple[Read, Each, Any]]] = {}
    for read in reads:
        for each in read.each:
            found.setdefault(each.of, []).append((read, each, jmespath.compile(each.items)))
    return found


def _first_questions(reads: tuple[Read, ...], target: _Target) -> Iterator[Question]:
    """The questions that need no other answer first."""
    if target.clients is None:
        return
    for read in reads:
        if not read.each and (not read.place or target.clients.reaches(read.place)):
            for region in (GLOBAL,) if read.scope is Scope.ACCOUNT else target.regions:
                yield Question(read, target.account, region, _given(read, target.account))


def _given(read: Read, account: str) -> Mapping[str, Any]:
    return {
        name: value.replace("{account}", account) if isinstance(value, str) else value
        for name, value in read.given.items()
    }
