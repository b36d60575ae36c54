from __future__ import annotations

import json
import re
from datetime import datetime, timedelta

import typer

from clew.cli.main import app
from clew.detect.catalog import load_builtin
from clew.detect.explain import Story, explanation, next_steps
from clew.events.patterns.sigma_model import SigmaCorrelation


def story(events):
    """What a finding made of these events is told from."""
    times = [datetime.fromisoformat(event["eventTime"]) for event in events]
    keys = [event["userIdentity"].get("accessKeyId") for event in events]
    return Story(
        events=events,
        texts=[json.dumps(event) for event in events],
        actor=events[0]["userIdentity"].get("arn", "anonymous"),
        count=len(events),
        figure=len(events),
        first=min(times),
        last=max(times),
        window=timedelta(minutes=10),
        source_ips=tuple(dict.fromkeys(event["sourceIPAddress"] for event in events)),
        access_keys=tuple(dict.fromkeys(key for key in keys if key)),
        regions=tuple(dict.fromkeys(event["awsRegion"] for event in events)),
        accounts=("111122223333",),
    )


def test_findings_know_what_they_speak_of(detection_cases):
    """Told of the events that set it off, no rule speaks of an unknown value, in its explanation or its next steps."""
    catalog = load_builtin()
    lacking = []
    for case in (case for case in detection_cases if case.fires):
        rule = catalog.rule(case.rule)
        # A long finding is told from its last events.
        events = case.events[-20:] if isinstance(rule.sigma, SigmaCorrelation) else case.events
        whole = explanation(rule.sigma.extras["explain"], rule.title, story(events))
        told = re.split(r" (?:One|[0-9]+) events? (?:at|between) ", whole)[0]
        steps = next_steps(rule.sigma.extras["next_steps"], story(events))
        lacking += [f"{case}: {text}" for text in (told, *steps) if "unknown " in text or "`<" in text]
    assert lacking == []


def test_commands_exist():
    """Every `clew` command that a next step offers has the options that it names."""
    commands = typer.main.get_command(app).commands
    wrong = []
    for rule in load_builtin().reporting:
        for step in rule.sigma.extras["next_steps"]:
            for name, rest in re.findall(r"`clew ([a-z]+)([^`]*)`", step):
                known = {option for parameter in commands[name].params for option in parameter.opts}
                wrong += [
                    f"{rule.id}: {name} {option}"
                    for option in re.findall(r" (--[a-z-]+)", rest)
                    if option not in known
                ]
    assert wrong == []
