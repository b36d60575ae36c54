"""The recorded answers of AWS calls: what was asked, when, and what AWS said, refusals included.

Whatever depends on an answer that is `denied` or `failed` is unknown, never a pass and never a fail. `absent` is a
fact: AWS said that there is no such thing.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

GLOBAL = "global"
"""The region of calls that concern the whole account: IAM, S3, Organizations."""

NOT_COLLECTED = "NotCollected"
"""The error code of an answer that stands for a call that was never made."""


class Status(StrEnum):
    """What came of a call."""

    OK = "ok"
    DENIED = "denied"
    FAILED = "failed"
    ABSENT = "absent"

    @property
    def is_known(self) -> bool:
        """Whether AWS gave an answer to build on: the thing itself, or that there is none."""
        return self is Status.OK or self is Status.ABSENT


class Call(NamedTuple):
    """One question put to AWS: `service` is the SDK's name of it, `operation` as AWS spells it.

    Shape: `parameters` are sorted by name; a list as a value is written with commas. `region` is `global` for calls
    that concern the whole account.
    """

    # A tuple, because a large account has 350,000 of them to make, to sort and to look up: as a dataclass they took
    # 0.4 s more of an audit (benchmarks/audit.py).

    account: str
    region: str
    service: str
    operation: str
    parameters: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        """The call as people write it, without the account."""
        given = ", ".join([f"{name}={value}" for name, value in self.parameters])
        return f"{self.service}:{self.operation}{f' ({given})' if given else ''}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What AWS said to a call; all pages of it are one body.

    Units: `collected_at` is UTC, ISO 8601. `body` is decoded JSON without response metadata, and None unless `ok`.
    `source` is the file, with line or address, that said it in AWS's place; empty for AWS's own answers.
    """

    call: Call
    collected_at: str
    status: Status
    body: Mapping[str, object] | None = field(default=None, repr=False)
    error_code: str = ""
    error_message: str = ""
    source: str = ""

    def list(self, name: str) -> tuple[Mapping[str, object], ...]:
        """The objects of a list in the body; empty where AWS left it out or there is nothing at all.

        Ask `status.is_known` first: what was denied is not empty.
        """
        value = (self.body or {}).get(name)
        return tuple(item for item in value if isinstance(item, dict)) if isinstance(value, list) else ()


class Answers:
    """Answers by their calls; the order is that of the calls, whatever the order in which they came.

    >>> call = Call("111122223333", "global", "iam", "GetAccountSummary")
    >>> Answers([]).of(call).error_code
    'NotCollected'
    """

    __slots__ = ("_by_call", "_by_code", "_by_operation", "_read")

    def __init__(self, answers: Iterable[Answer]) -> None:
        """Keep the answers; of two to the same call the last."""
        found = {answer.call: answer for answer in answers}
        self._read: dict[Call, Answer] | None = None
        self._by_call = {call: found[call] for call in sorted(found)}
        self._by_operation: dict[tuple[str, str], list[Answer]] = {}
        self._by_code: dict[str, list[Answer]] = {}
        for call, answer in self._by_call.items():
            self._by_operation.setdefault((call.service, call.operation), []).append(answer)
            if answer.error_code:
                self._by_code.setdefault(answer.error_code, []).append(answer)

    def noting(self, read: dict[Call, Answer]) -> Answers:
        """The same answers, which write down in `read` each one that somebody asks for."""
        found = copy(self)
        found._read = read  # noqa: SLF001  # a copy of its own kind
        return found

    def __iter__(self) -> Iterator[Answer]:
        return iter(self._by_call.values())

    def __len__(self) -> int:
        return len(self._by_call)

    def __contains__(self, call: object) -> bool:
        return call in self._by_call

    def of(self, call: Call) -> Answer:
        """The answer to a call; for one that was never made a `failed` answer with the code `NotCollected`."""
        found = self._by_call.get(call)
        if found is not None:
            if self._read is not None:
                self._read[call] = found
            return found
        return Answer(call, "", Status.FAILED, None, NOT_COLLECTED, f"`{call}` was not collected")

    def get(self, account: str, region: str, service: str, operation: str, **parameters: str) -> Answer:
        """As `of`, with the parts of the call."""
        return self.of(Call(account, region, service, operation, tuple(sorted(parameters.items()))))

    def coded(self, error_code: str) -> Iterator[Answer]:
        """Every answer with this error code, of all accounts and regions."""
        return self._noted(self._by_code.get(error_code, ()))

    def each(
        self, service: str, operation: str, account: str | None = None, region: str | None = None
    ) -> Iterator[Answer]:
        """Every answer to an operation, refusals included, of one account and region or of all."""
        return self._noted(
            answer
            for answer in self._by_operation.get((service, operation), ())
            if (account is None or account == answer.call.account)
            and (region is None or region == answer.call.region)
        )

    def _noted(self, answers: Iterable[Answer]) -> Iterator[Answer]:
        for answer in answers:
            if self._read is not None:
                self._read[answer.call] = answer
            yield answer

    @property
    def accounts(self) -> tuple[str, ...]:
        """The accounts that were asked, sorted."""
        return tuple(sorted({call.account for call in self._by_call}))

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions that were asked, sorted, without `global`."""
        return tuple(sorted({call.region for call in self._by_call} - {GLOBAL}))
