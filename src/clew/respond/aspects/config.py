"""AWS Config in a region: its recorder, its delivery channel, and whether it records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.respond.aspects.reading import collected
from clew.respond.model import Aspect, Place, Value, Write

if TYPE_CHECKING:
    from collections.abc import Mapping

# Said by AWS, and not taken.
_DERIVED = frozenset({"arn", "recordingScope", "servicePrincipal"})


def _write(operation: str, action: str = "", **parameters: Value) -> tuple[Write, ...]:
    return (
        Write(
            "config", operation, parameters, (f"config:{action or operation}", *_PASSES.get(operation, ()))
        ),
    )


_PASSES = {"PutConfigurationRecorder": ("iam:PassRole",)}


def _first(body: Mapping[str, Value], member: str) -> Value:
    # AWS: one recorder and one channel of the customer's for each region.
    found = [each for each in body.get(member, ()) if not each.get("servicePrincipal")]
    return {n: v for n, v in found[0].items() if n not in _DERIVED} if found else None


def _filled(value: Value) -> Value:
    """The value without members that are empty: AWS says them, or not, as it likes."""
    if not isinstance(value, dict):
        return value
    found = {name: _filled(each) for name, each in value.items()}
    return {name: each for name, each in found.items() if each not in ([], {})}


def _change_recorder(_: Place, current: Value, wanted: Value) -> tuple[Write, ...]:
    if wanted is None:
        return _write("DeleteConfigurationRecorder", ConfigurationRecorderName=current["name"])
    return _write("PutConfigurationRecorder", ConfigurationRecorder=wanted)


def _change_channel(_: Place, current: Value, wanted: Value) -> tuple[Write, ...]:
    if wanted is None:
        return _write("DeleteDeliveryChannel", DeliveryChannelName=current["name"])
    return _write("PutDeliveryChannel", DeliveryChannel=wanted)


def _recording(body: Mapping[str, Value], _: Place) -> Value:
    found = [s for s in body.get("ConfigurationRecordersStatus", ()) if not s.get("servicePrincipal")]
    return {"name": found[0]["name"], "recording": found[0]["recording"]} if found else None


def _change_recording(_: Place, current: Value, wanted: Value) -> tuple[Write, ...]:
    if wanted and wanted["recording"]:
        return _write("StartConfigurationRecorder", ConfigurationRecorderName=wanted["name"])
    return _write("StopConfigurationRecorder", ConfigurationRecorderName=current["name"])


def _whether(value: Value) -> Value:
    """A recorder that is not there records as little as one that is stopped."""
    return bool(value and value["recording"])


CONFIG_RECORDER = Aspect(
    "config-recorder",
    collected("config:DescribeConfigurationRecorders"),
    lambda _: {},
    lambda body, _: _first(body, "ConfigurationRecorders"),
    _change_recorder,
    canonical=_filled,
)
DELIVERY_CHANNEL = Aspect(
    "delivery-channel",
    collected("config:DescribeDeliveryChannels"),
    lambda _: {},
    lambda body, _: _first(body, "DeliveryChannels"),
    _change_channel,
)
RECORDING = Aspect(
    "recording",
    collected("config:DescribeConfigurationRecorderStatus"),
    lambda _: {},
    _recording,
    _change_recording,
    canonical=_whether,
)
