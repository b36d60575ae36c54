"""Messages to webhooks as JSON, and to Slack as text; an address is a secret and never shown."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

from clew.errors import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from clew.notify.destination import Destination
    from clew.notify.message import Message

_SECONDS = 10
_WAITS = (1.0, 4.0)
"""Seconds before the second and the third attempt; there is no fourth."""
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
# Slack: "Sending messages using incoming webhooks": at most 40,000 characters.
_MOST_CHARACTERS = 39_000


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry findings to somebody else."""

    def redirect_request(self, *_: object) -> None:
        """No request follows."""


_OPENER = urllib.request.build_opener(_NoRedirect)


def post(destination: Destination, body: Mapping[str, object], sleep: Callable[[float], None]) -> None:
    """Post the body as JSON, up to three times. Errors: `DeliveryError`."""
    request = urllib.request.Request(  # noqa: S310  # `destination` takes https, and http to this machine
        destination.address,
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json; charset=utf-8", "User-Agent": "clew"},
        method="POST",
    )
    for wait in (*_WAITS, None):
        problem, is_final = _attempt(request)
        if not problem:
            return
        if is_final or wait is None:
            raise DeliveryError(f"{destination.shown}: {problem}")
        sleep(wait)


def _attempt(request: urllib.request.Request) -> tuple[str, bool]:
    """What was wrong, empty when nothing was; and whether trying again cannot help."""
    try:
        with _OPENER.open(request, timeout=_SECONDS):
            return "", True
    except urllib.error.HTTPError as error:
        with error:
            return f"HTTP {error.code}", error.code not in _AGAIN
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        reason = getattr(error, "reason", error)
        return f"not reached: {type(reason).__name__}", False


def slack(message: Message) -> dict[str, object]:
    """The message as Slack takes it: nothing in it mentions anybody, links or unfolds.

    Slack: "Formatting text for app surfaces", escaping text.
    """
    text = f"{message.subject}\n{message.text}"
    inert = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    cut = (
        inert
        if len(inert) <= _MOST_CHARACTERS
        else f"{inert[:_MOST_CHARACTERS].rpartition(chr(10))[0]}\n[cut]"
    )
    return {"text": cut, "mrkdwn": False, "unfurl_links": False, "unfurl_media": False}
