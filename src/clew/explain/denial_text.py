r"""Reads refusals out of any text: a pasted message, a log, a stack trace, JSON with escapes, XML.

The wording is taken leniently, conclusions strictly: what the text does not say stays None, and what was not understood
is kept in `unread`. AWS: "Troubleshoot access denied error messages" for the grammar of the long form.

>>> found, = read("User: arn:aws:iam::111122223333:user/ana is not authorized to perform: s3:GetObject on resource: "
...               '"arn:aws:s3:::logs/a" with an explicit deny in a service control policy')
>>> found.action, found.resource, found.policy_type.value, found.explicit
('s3:GetObject', 'arn:aws:s3:::logs/a', 'scp', True)
"""

from __future__ import annotations

import bisect
import html
import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from clew.explain import denial_call
from clew.explain.denial import Denial, Meaning
from clew.explain.denial_forms import BARE, FORMS, SERVICES, policy_type
from clew.explain.denial_services import OF_SERVICES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clew.explain.denial_form import Form

MOST_CHARACTERS = 16 << 20
"""Longer texts are refused: nobody pastes them, and logs are read file by file."""

_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
# Terraform draws a line beside what it folds; mail and comments set a sign before each line.
_BESIDE = re.compile(r"^[ \t]*(?:[│┃║]|[>#](?= ))", re.MULTILINE)
# JSON in JSON has its quotation marks escaped more than once.
_BACKSLASHES = re.compile(r"""(?<!\\)\\++(?:(["'/])|u0027|u0022|[nrt])""")
_WRITTEN_OUT = {"u0027": "'", "u0022": '"'}

# SES opens quotations with a grave accent and closes them with an apostrophe; Markdown sets stars around;
# CloudWatch names itself in words.
_MARKS = r"[`\"'*]{0,2}"
_USER = re.compile(
    rf"(?:[Uu]ser:?\s+{_MARKS}(?P<principal>[^\s\"'`*]{{1,2048}}){_MARKS}"
    r"|(?P<subject>(?:[A-Z]\w{1,40}\s){0,2}[A-Z]\w{1,40}))"
    rf"\s+is\s+not\s+authorized\s+to\s+perform:?\s+{_MARKS}(?P<action>[\w-]{{1,64}}:[\w*]{{1,128}}){_MARKS}"
)
# What the console lets users copy for their administrator; some copies have no white space between the lines.
_GAP = r"(?:\s|<br ?/?>)*"
_CONSOLE = re.compile(
    r"(?:Access denied to (?s:.{1,500}?)access denied errors\.?\s*)?"
    rf"User:\s*(?P<principal>arn:[\w-]{{3,12}}:\w{{3}}::[\w*-]{{0,20}}:[\w+=,.@/-]{{1,512}}?){_GAP}(?:Service:\s*(?P<service>[\w-]{{1,64}}?){_GAP})?"
    rf"Action:\s*(?P<action>(?:[\w-]{{1,64}}:)?\w{{1,128}}?){_GAP}"
    rf"(?:On resource(?:\(s\))?:\s*(?P<resource>[^\s<]{{1,2048}}?){_GAP})?"
    r"Context:\s*(?:no\s+(?P<missing>[\w\s-]{3,60}?)\s+allows\s+the\s+(?:[\w-]+:\w+\s+)?action"
    r"|an?\s+(?P<explicit>[\w\s-]{3,60}?)\s+explicitly\s+denies\s+the\s+(?:[\w-]+:\w+\s+)?action)"
)
_QUOTED = (
    r"\"(?P<double>[^\"\n]{0,2048})\"|'(?P<single>[^'\n]{0,2048})'|`(?P<grave>[^`'\n]{0,2048})[`']"
    r"|[“„](?P<curly>[^”“\n]{0,2048})[”“]"
)
_KINDS = (
    r"(?:role|user|group|policy|instance\s+profile|access\s+key(?:\s+ID)?|server\s+certificate|SAML\s+provider|"
    r"MFA\s+device|virtual\s+mfa\s+device|account\s+alias)"
)
_RESOURCE = re.compile(
    rf"\s+on\s+(?:the\s+)?resources?(?::\s*|\s+(?!because\b|with\b))(?:{_QUOTED}|(?P<named>{_KINDS}\s+[^\s\"',;]{{1,512}})"
    r"|(?P<ciphertext>associated\s+with\s+this\s+ciphertext)|(?P<bare>[^\s\"',;]{1,2048}))",
    re.IGNORECASE,
)
_UNNAMED = re.compile(r"\s+on\s+the\s+resource\b")
_MISSING = re.compile(
    r"\s+because\s+no\s+(?P<type>[\w\s-]{3,60}?)\s+allows?\s+the\s+(?:[`'*]{0,2}(?P<action>[\w-]{1,64}:[\w*]{1,128})[`'*]{0,2}\s+)?action\b",
    re.IGNORECASE,
)
_TYPE = r"(?:[\w-]+\s+){0,4}?(?:policy|policies|boundary)\b"
_EXPLICIT = re.compile(
    rf"\s+with\s+an?\s+explicit\s+deny(?:\s+in\s+(?:an?|the)\s+(?P<type>{_TYPE}))?"
    rf"(?:\s+transitively\s+through\s+(?:an?|the)\s+(?P<through>{_TYPE}))?",
    re.IGNORECASE,
)
_OTHER_REASON = re.compile(r"\s+because\s+(?P<words>[^.\n\"]{1,300})", re.IGNORECASE)
_POLICY_ARN = re.compile(r":\s+(?P<arn>arn:[\w-]+:[\w-]+:[\w-]*:[\w-]*:[^\s\"',;<)]{1,512})")
_TOKEN = re.compile(
    r"\.?\s*Encoded\s+authorization\s+failure\s+message:\s*(?P<token>[\w+/=-]{1,10240})", re.IGNORECASE
)
_ENDING = ".,;:!)]}>"

# How SDKs and tools say what was called and what the service answered.
_WHERE = 600
_NEAR = 200
_LONG = 2_000
_CLI = re.compile(
    r"error\s+occurred\s+\((?P<code>[\w.]{1,80})\)\s+when\s+calling\s+the\s+(?P<operation>\w{1,80})\s+operation"
)
_GO = re.compile(r"operation\s+error\s+(?P<service>[\w\s]{1,60}?):\s+(?P<operation>\w{1,80}),")
_GO_CODE = re.compile(r"api\s+error\s+(?P<code>[\w.]{1,80}):")
_PHP = re.compile(r"Error executing \"(?P<operation>\w{1,80})\" on")
_JAVA = re.compile(
    r"\(Service:\s*(?P<service>[\w\s]{1,60}?)[;,]\s*Status\s+Code:\s*\d{3}"
    r"(?:[;,]\s*Error\s+Code:\s*(?P<code>[\w.]{1,80}))?(?:[;,]\s*Request\s+ID:\s*(?P<request>[\w-]{8,64}))?"
)
_XML = re.compile(r"<Code>(?P<code>[\w.]{1,80})</Code>")
_CODE = re.compile(
    r"\b(?P<code>(?:Client\.)?(?:AccessDenied(?:Exception|Fault)?|UnauthorizedOperation|KMSAccessDeniedException|"
    r"InvalidIdentityToken|ValidationError|InvalidParameterException|ExpiredToken(?:Exception)?|InvalidClientTokenId|"
    r"SignatureDoesNotMatch|UnrecognizedClientException|AuthorizationError|VpceAccessDenied|AllAccessDisabled))\b"
)
_REQUEST_ID = re.compile(
    r"(?:Request[\s_]*Id|x-amzn?-request-?id)[\"'>:=\s]{1,6}(?P<request>[\w-]{8,64})",
    re.IGNORECASE,
)


# The rest of the line; the line that the Go SDK of old puts below its messages; frames and fields of a stack trace.
_REST = re.compile(
    r"[^\n]*(?:\n(?:[ \t]+(?:status code: \d{3}|at |'?[$\w]{1,40}'?:|\})|\w*[Ii]d: |Code: )[^\n]*){0,30}"
)


class _Found(NamedTuple):
    start: int
    end: int
    denial: Denial


def read(text: str) -> tuple[Denial, ...]:
    """Every refusal in the text, in its order; empty when there is none that anybody here understands.

    Errors: `ValueError` when the text is longer than `MOST_CHARACTERS`.
    """
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"the text has {len(text):,} characters; at most {MOST_CHARACTERS:,} are read")
    plain = plainly(text)
    users = [*_users(plain), *_copied(plain)]
    # A record's message is mostly one clause from end to end: 0.4 ms less for each (benchmarks/explain.py).
    is_whole = bool(users) and users[0].start == 0 and users[0].end == len(plain.rstrip())
    found = sorted(_told(plain, [*users, *(() if is_whole else _forms(plain))]), key=lambda each: each.start)
    starts = [match.start() for match in re.finditer("\n", plain)]
    around = [-1, *(each.end for each in found)]
    after = [*(each.start for each in found[1:]), len(plain)]
    return tuple(
        _placed(plain, each, bisect.bisect_left(starts, each.start) + 1, around[index], after[index])
        for index, each in enumerate(found)
    )


def plainly(text: str) -> str:
    r"""The text without terminal escapes, backslashes before quotation marks, and entities of XML.

    >>> plainly('\x1b[31mUser: \\"a\\"&quot;')
    'User: "a""'
    """
    return html.unescape(_BESIDE.sub("", _BACKSLASHES.sub(_unescaped, _ESCAPES.sub("", text))))


def _unescaped(match: re.Match[str]) -> str:
    written = match[0].lstrip("\\")
    return match[1] or _WRITTEN_OUT.get(written, {"n": "\n", "r": "\n", "t": " "}.get(written, written))


def _told(plain: str, found: list[_Found]) -> Iterator[_Found]:
    """Those that stand for themselves: neither inside another, nor a bare phrase near a more telling one."""
    kept = sorted((each for each in found if each.denial.form not in BARE), key=lambda each: each.start)
    for form in BARE:
        for bare in (each for each in found if each.denial.form == form):
            if not _beside(plain, bare, kept):
                bisect.insort(kept, bare, key=lambda each: (each.start, -each.end))
    ends = 0
    for each in kept:
        if each.start >= ends:
            ends = each.end
            yield each


def _beside(plain: str, bare: _Found, kept: list[_Found]) -> bool:
    """Whether another refusal stands near, as one message; with an encoded message of its own it stands for itself."""
    at = bisect.bisect_left(kept, bare.start, key=lambda each: each.start)
    near = kept[max(at - 1, 0) : at + 1]
    gaps = ((min(each.end, bare.end), max(each.start, bare.start)) for each in near)
    return bare.denial.token is None and any(
        (start - end < _NEAR and "\n" not in plain[end:start])
        or (start - end < _LONG and _ONE_MESSAGE.fullmatch(plain, end, max(start, end)))
        for end, start in gaps
    )


# What lies between two tellings of one refusal: blanks, an answer in XML, the frames and fields of a stack trace.
_ONE_MESSAGE = re.compile(
    r"\s*|[^\n]*(?:\n[ \t]*(?:<[^\n]*|at [^\n]*|\w*Denied \(client\)[^\n]*|[{}\])][^\n]*)?"
    r"|\n[ \t]+'?[$\w]{1,40}'?:[^\n]*)+"
)


def _users(plain: str) -> Iterator[_Found]:
    for match in _USER.finditer(plain):
        end, denial = _clauses(plain, match)
        yield _Found(match.start(), end, denial)


def _copied(plain: str) -> Iterator[_Found]:
    """What was copied from the console's box."""
    for match in _CONSOLE.finditer(plain):
        words = match["missing"] or match["explicit"]
        known, action = policy_type(words), match["action"]
        if ":" not in action and match["service"]:
            action = f"{match['service']}:{action}"
        denial = Denial(
            "",
            0,
            "console",
            principal=match["principal"],
            action=action if ":" in action else None,
            resource=match["resource"],
            policy_type=known,
            explicit=match["explicit"] is not None,
            unread=() if known else (words,),
        )
        yield _Found(match.start(), match.end(), denial)


def _clauses(plain: str, user: re.Match[str]) -> tuple[int, Denial]:
    """What follows the action: the resource, the reason, the policy's ARN, the encoded message; each may be missing."""
    who = user["principal"] or SERVICES.get(
        (user["subject"].rpartition("\n")[2], user["action"].partition(":")[0].lower())
    )
    denial = Denial("", 0, "user-action", principal=who, action=user["action"])
    end = user.end()
    resource = _RESOURCE.match(plain, end)
    if resource is not None:
        value, end = _resource(resource)
        denial = replace(denial, resource=value)
    elif (unnamed := _UNNAMED.match(plain, end)) is not None:
        end = unnamed.end()
    end, denial = _reason(plain, end, denial)
    arn = _POLICY_ARN.match(plain, end)
    if arn is not None:
        written = arn["arn"].rstrip(_ENDING)
        end, denial = arn.start("arn") + len(written), replace(denial, policy_arn=written)
    token = _TOKEN.match(plain, end)
    if token is not None:
        end, denial = token.end(), replace(denial, token=token["token"])
    return end, denial


def _resource(match: re.Match[str]) -> tuple[str | None, int]:
    if match["ciphertext"]:
        return None, match.end()
    for group in ("double", "single", "grave", "curly"):
        if match[group] is not None:
            return match[group], match.end()
    group = "named" if match["named"] else "bare"
    written = match[group].rstrip(_ENDING)
    return " ".join(written.split()), match.start(group) + len(written)


def _reason(plain: str, at: int, denial: Denial) -> tuple[int, Denial]:
    missing = _MISSING.match(plain, at)
    if missing is not None:
        known = policy_type(missing["type"])
        unread = () if known else (missing["type"],)
        said = replace(
            denial, policy_type=known, explicit=False, reason_action=missing["action"], unread=unread
        )
        return missing.end(), said
    explicit = _EXPLICIT.match(plain, at)
    if explicit is not None:
        words = explicit["type"] or ""
        known = policy_type(words)
        through = policy_type(explicit["through"] or "")
        unread = (words,) if words and known is None else ()
        return explicit.end(), replace(
            denial, policy_type=known, explicit=True, through=through, unread=unread
        )
    other = _OTHER_REASON.match(plain, at)
    if other is not None:
        return _other_reason(other, denial)
    return at, denial


def _other_reason(other: re.Match[str], denial: Denial) -> tuple[int, Denial]:
    """A reason in words of its own: one of the known wordings, or words that nobody here knows."""
    words = other["words"].rstrip()
    end = other.start("words") + len(words)
    form = next((form for form in FORMS if form.pattern.search(words)), None)
    if form is None:
        return end, replace(denial, unread=(words,))
    return end, replace(denial, form=form.id, says=form.says, policy_type=form.policy_type)


def _forms(plain: str) -> Iterator[_Found]:
    for form in FORMS:
        for match in form.pattern.finditer(plain):
            token = _TOKEN.match(plain, match.end())
            end = token.end() if token is not None else match.end()
            yield _Found(
                match.start(), end, _worded(form, match.groupdict(), token["token"] if token else None)
            )


def _worded(form: Form, named: Mapping[str, str | None], token: str | None) -> Denial:
    """What a wording says, and what the parts that it names say."""
    asked = named.get("action") or _called(named) or form.action
    resource = (named.get("resource") or "").rstrip(_ENDING) or None
    if named.get("bucket"):
        key = named.get("key")
        resource = f"arn:aws:s3:::{named['bucket']}" + (f"/{key}" if key else "")
    return Denial(
        "",
        0,
        form.id,
        meaning=form.meaning,
        says=form.says,
        principal=named.get("principal") or form.principal or None,
        action=asked,
        resource=resource,
        policy_type=form.policy_type,
        explicit=True if named.get("explicit") else form.explicit,
        token=token,
    )


def _called(named: Mapping[str, str | None]) -> str | None:
    """The action of a wording that names service and operation apart, or a stream and the operation on it."""
    service, operation = named.get("service"), named.get("operation")
    if operation and not service:
        service = next(iter((named.get("resource") or "").split(":")[2:3]), None)
    return f"{service.lower()}:{operation}" if service and operation else None


def _placed(plain: str, found: _Found, line: int, before: int, after: int) -> Denial:
    """The refusal with its place, and with what the text around it, up to its neighbours, says of the call."""
    start = max(before, found.start - _WHERE, 0)
    ahead = plain[start : found.start]
    # What stands before may be some lines up; after the message only its own line is about it.
    rest = _REST.match(plain, found.end, min(after, found.end + _LONG))[0]  # type: ignore[index]  # it always matches
    around = plain[start : found.end] + rest
    code, service, operation, request = _call(ahead, around)
    denial = replace(
        found.denial,
        raw=plain[found.start : found.end],
        line=line,
        code=code,
        service=service,
        operation=operation,
        request_id=request,
    )
    return _completed(denial, around)


def _call(ahead: str, around: str) -> tuple[str | None, str | None, str | None, str | None]:
    """Code, service, operation and request id; of several the one nearest before the message."""
    cli = _last(_CLI, around) if _last(_CLI, ahead) is None else _last(_CLI, ahead)
    go, java = _last(_GO, around), _JAVA.search(around)
    go_code = _last(_GO_CODE, ahead) or _GO_CODE.search(around)
    xml, word = _XML.search(around), _last(_CODE, ahead) or _CODE.search(around)
    request = _REQUEST_ID.search(around)
    code = next((m["code"] for m in (cli, go_code, java, xml, word) if m is not None and m["code"]), None)
    service = next((m["service"] for m in (go, java) if m is not None), None)
    php = _last(_PHP, ahead)
    operation = next((m["operation"] for m in (cli, go, php) if m is not None), None)
    return code, service, operation, request["request"] if request else None


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    found = None
    for found in pattern.finditer(text):  # noqa: B007  # the last match is wanted
        pass
    return found


def _completed(denial: Denial, around: str) -> Denial:
    """The refusal with the action and the object of S3 that the words around it name, where it names none itself."""
    if denial.meaning is not Meaning.DENIED:
        return denial
    if denial.action is None and denial.operation and denial.form not in OF_SERVICES:
        says_no_more = denial.form in BARE and denial.code in {None, "AccessDenied", "Forbidden", "403"}
        if denial.service or says_no_more:
            denial = replace(denial, action=denial_call.action(denial.service, denial.operation))
    if denial.resource is None and (denial.action or "s3:").lower().startswith("s3:"):
        denial = replace(denial, resource=denial_call.s3_object(around, denial.action or ""))
    return denial
