"""Asks STS what an encoded authorization message says."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from clew.collect.clients import start
from clew.collect.session import error_code, error_message, sdk_failure
from clew.errors import InputError
from clew.snapshot.answers import GLOBAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.collect.clients import Clients
    from clew.collect.session import Account

_CALL = "sts:DecodeAuthorizationMessage"


def decoder(account: Account) -> Callable[[str], str]:
    """What decodes messages, JSON in a string as STS gives it; credentials are looked up once, with the first message.

    Errors of the call: `InputError` where STS refuses or nobody answers. Needs `sts:DecodeAuthorizationMessage`.
    AWS: STS API reference, "DecodeAuthorizationMessage".
    """
    started = cache(lambda: start(account, connections=1)[0])
    return lambda token: _decoded(started(), token)


def _decoded(clients: Clients, token: str) -> str:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        told = clients.of("sts", GLOBAL).decode_authorization_message(EncodedMessage=token)
    except ClientError as error:
        raise InputError(f"{_CALL}: {error_code(error)}: {error_message(error)}") from error
    except BotoCoreError as error:
        raise sdk_failure(_CALL, error) from error
    return str(told["DecodedMessage"])
