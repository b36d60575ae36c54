"""Asks STS what an encoded authorization message says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.collect.clients import start
from clew.collect.session import error_code, error_message, sdk_failure
from clew.errors import InputError
from clew.snapshot.answers import GLOBAL

if TYPE_CHECKING:
    from clew.collect.session import Account

_CALL = "sts:DecodeAuthorizationMessage"


def decoded_message(account: Account, token: str) -> str:
    """The decoded message, JSON in a string as STS gives it. Errors: `InputError` where STS refuses or nobody answers.

    Needs `sts:DecodeAuthorizationMessage`. AWS: STS API reference, "DecodeAuthorizationMessage".
    """
    clients, _ = start(account, connections=1)
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        told = clients.of("sts", GLOBAL).decode_authorization_message(EncodedMessage=token)
    except ClientError as error:
        raise InputError(f"{_CALL}: {error_code(error)}: {error_message(error)}") from error
    except BotoCoreError as error:
        raise sdk_failure(_CALL, error) from error
    return str(told["DecodedMessage"])
