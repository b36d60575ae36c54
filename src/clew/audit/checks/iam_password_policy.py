"""Checks of the account's password policy, from the answer of `GetAccountPasswordPolicy`.

An account without a policy of its own has AWS's default (8 characters of three kinds, no expiry, no reuse rule), which
meets none of these checks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.audit.credentials import unknown
from clew.audit.model import Judgement, Verdict, check, is_true, why_unknown
from clew.findings import Severity
from clew.snapshot.answers import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from clew.audit.model import State

POLICY = "iam:GetAccountPasswordPolicy"


@check(
    "iam-password-policy-uppercase",
    "Passwords need an upper-case letter",
    "Passwords need no upper-case letter",
    Severity.LOW,
)
def uppercase(state: State, *, required: str = "true") -> Iterator[Judgement]:
    """Whether the password policy demands an upper-case letter.

    Finds. A password policy without `RequireUppercaseCharacters`, or no policy at all. With `required` = `false`
    it is not asked for.
    Why it matters. More kinds of characters make a password of the same length harder to guess.
    False positives. Accounts in which nobody has a console password.
    Fix. Set the requirement in the account's password policy; it holds from the next change of a password on.
    References. IAM API reference, GetAccountPasswordPolicy · IAM user guide, Set an account password policy
    """
    return _required(state, "RequireUppercaseCharacters", required)


@check(
    "iam-password-policy-lowercase",
    "Passwords need a lower-case letter",
    "Passwords need no lower-case letter",
    Severity.LOW,
)
def lowercase(state: State, *, required: str = "true") -> Iterator[Judgement]:
    """Whether the password policy demands a lower-case letter.

    Finds. A password policy without `RequireLowercaseCharacters`, or no policy at all. With `required` = `false`
    it is not asked for.
    Why it matters. More kinds of characters make a password of the same length harder to guess.
    False positives. Accounts in which nobody has a console password.
    Fix. Set the requirement in the account's password policy; it holds from the next change of a password on.
    References. IAM API reference, GetAccountPasswordPolicy · IAM user guide, Set an account password policy
    """
    return _required(state, "RequireLowercaseCharacters", required)


@check("iam-password-policy-symbol", "Passwords need a symbol", "Passwords need no symbol", Severity.LOW)
def symbol(state: State, *, required: str = "true") -> Iterator[Judgement]:
    """Whether the password policy demands a symbol.

    Finds. A password policy without `RequireSymbols`, or no policy at all. With `required` = `false`
    it is not asked for.
    Why it matters. More kinds of characters make a password of the same length harder to guess.
    False positives. Accounts in which nobody has a console password.
    Fix. Set the requirement in the account's password policy; it holds from the next change of a password on.
    References. IAM API reference, GetAccountPasswordPolicy · IAM user guide, Set an account password policy
    """
    return _required(state, "RequireSymbols", required)


@check("iam-password-policy-number", "Passwords need a number", "Passwords need no number", Severity.LOW)
def number(state: State, *, required: str = "true") -> Iterator[Judgement]:
    """Whether the password policy demands a number.

    Finds. A password policy without `RequireNumbers`, or no policy at all. With `required` = `false`
    it is not asked for.
    Why it matters. More kinds of characters make a password of the same length harder to guess.
    False positives. Accounts in which nobody has a console password.
    Fix. Set the requirement in the account's password policy; it holds from the next change of a password on.
    References. IAM API reference, GetAccountPasswordPolicy · IAM user guide, Set an account password policy
    """
    return _required(state, "RequireNumbers", required)


@check("iam-password-policy-length", "Passwords are long", "Passwords may be short", Severity.MEDIUM)
def length(state: State, *, characters: int = 14) -> Iterator[Judgement]:
    """Whether the password policy demands at least so many characters.

    Finds. A password policy whose `MinimumPasswordLength` is missing or below `characters`, or no policy at all.
    Why it matters. Length is what makes guessing hopeless.
    False positives. Accounts in which nobody has a console password.
    Fix. Raise the minimum length in the account's password policy.
    References. IAM API reference, GetAccountPasswordPolicy · IAM user guide, Set an account password policy
    """
    return _number(state, "MinimumPasswordLength", lambda set_: set_ >= characters, f"at least {characters}")


@check(
    "iam-password-policy-reuse",
    "Old passwords cannot be used again",
    "Old passwords can be used again",
    Severity.LOW,
)
def reuse(state: State, *, passwords: int = 24) -> Iterator[Judgement]:
    """Whether the password policy refuses the last passwords of a user.

    Finds. A password policy whose `PasswordReusePrevention` is missing or below `passwords`, or no policy at all.
    Why it matters. A password that was found out comes back otherwise.
    False positives. Accounts in which nobody has a console password.
    Fix. Let the account's password policy remember 24 passwords, the most that IAM takes.
    References. IAM API reference, GetAccountPasswordPolicy · IAM user guide, Set an account password policy
    """
    return _number(state, "PasswordReusePrevention", lambda set_: set_ >= passwords, f"at least {passwords}")


@check("iam-password-policy-expiry", "Passwords expire", "Passwords do not expire in time", Severity.LOW)
def expiry(state: State, *, days: int = 90) -> Iterator[Judgement]:
    """Whether the password policy lets passwords expire in time.

    Finds. A password policy whose `MaxPasswordAge` is missing, 0 or above `days`, or no policy at all.
    Why it matters. An old framework asks for it: a password that was found out stops working at some time.
    False positives. Today's advice (NIST SP 800-63B) is not to expire passwords without a reason; newer benchmarks
    dropped the control.
    Fix. Set an expiry in the account's password policy, or suppress this with that reason.
    References. IAM API reference, GetAccountPasswordPolicy · IAM user guide, Set an account password policy
    """
    return _number(state, "MaxPasswordAge", lambda set_: 0 < set_ <= days, f"at most {days}")


def _required(state: State, member: str, required: str) -> Iterator[Judgement]:
    if not is_true("required", required):
        yield Judgement(Verdict.NOT_APPLICABLE, state.account_arn, f"`{member}` is not asked for")
        return
    policy = _policy(state)
    if isinstance(policy, Judgement):
        yield policy
        return
    value = policy.get(member)
    facts = ((f"{POLICY} {member}", _written(value)),)
    if not isinstance(value, bool):
        yield unknown(state.account_arn, f"the policy does not say `{member}`", POLICY, evidence=facts)
    elif value:
        yield Judgement(Verdict.PASS, state.account_arn, f"`{member}` is on", facts)
    else:
        yield Judgement(Verdict.FAIL, state.account_arn, f"`{member}` is off", facts)


def _number(state: State, member: str, suffices: Callable[[int], bool], wanted: str) -> Iterator[Judgement]:
    policy = _policy(state)
    if isinstance(policy, Judgement):
        yield policy
        return
    value = policy.get(member)
    facts = ((f"{POLICY} {member}", _written(value)),)
    if value is None:
        message = f"`{member}` is not set; expected {wanted}"
        yield Judgement(Verdict.FAIL, state.account_arn, message, facts)
    elif not isinstance(value, int) or isinstance(value, bool):
        yield unknown(state.account_arn, f"`{member}` is no number", POLICY, evidence=facts)
    elif suffices(value):
        yield Judgement(Verdict.PASS, state.account_arn, f"`{member}` is {value}", facts)
    else:
        yield Judgement(Verdict.FAIL, state.account_arn, f"`{member}` is {value}; expected {wanted}", facts)


def _policy(state: State) -> Mapping[str, object] | Judgement:
    """The password policy, or the judgement that follows from there being none or none that could be read."""
    answer = state.answer("GetAccountPasswordPolicy")
    if answer.status is Status.ABSENT:
        facts = ((POLICY, answer.error_code or "absent"),)
        message = "the account has no password policy of its own, so AWS's default holds"
        return Judgement(Verdict.FAIL, state.account_arn, message, facts)
    found = (answer.body or {}).get("PasswordPolicy")
    if answer.status is not Status.OK or not isinstance(found, dict):
        why = f"`{POLICY}` holds no policy" if answer.status is Status.OK else why_unknown(answer)
        return unknown(state.account_arn, why, POLICY)
    return found


def _written(value: object) -> str:
    return "not set" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
