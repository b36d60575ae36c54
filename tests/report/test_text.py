"""The investigation on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.report import text

if TYPE_CHECKING:
    from clew.detect.investigation import Investigation


def test_worst_finding_stands_first(hostile: Investigation) -> None:
    """Findings are told worst first."""
    shown = text.render(hostile)
    assert shown.index("CRITICAL") < shown.index("HIGH  ") < shown.index("LOW  ")


def test_no_control_character_reaches_the_terminal(hostile: Investigation) -> None:
    """Escape codes planted in a log are shown, not obeyed."""
    shown = text.render(hostile)
    assert all(character.isprintable() or character == "\n" for character in shown)


def test_colours_are_ours_alone(hostile: Investigation) -> None:
    """With colours on, the only escape codes are those of severities."""
    import re

    shown = re.sub(r"\x1b\[(0|1;3[135]|36|2)m", "", text.render(hostile, color=True))
    assert "\x1b" not in shown


def test_lines_fit_the_width(hostile: Investigation) -> None:
    """Lines keep to the width, but for single words longer than it."""
    lines = text.render(hostile, width=100).splitlines()
    assert all(len(line) <= 100 or len(line.split()[-1]) > 60 for line in lines)


def test_findings_of_one_rule_stand_together(hostile: Investigation) -> None:
    """A rule is told once, with the other actors that it found."""
    from dataclasses import replace

    same = tuple(replace(f, rule="one") for f in hostile.findings[:2])
    shown = text.render(replace(hostile, findings=same))
    assert shown.count("CloudTrail trail stopped") == 1
    assert "Also: mary (02:12:04)" in shown


def test_another_day_is_told_as_one(hostile: Investigation) -> None:
    """A finding that ends on a later day says on which; the clock alone would name the day it began."""
    from dataclasses import replace
    from datetime import timedelta

    long = replace(hostile.findings[0], last_seen=hostile.findings[0].first_seen + timedelta(days=3))
    shown = text.render(replace(hostile, findings=(long,)))
    assert f" to {long.last_seen:%Y-%m-%d %H:%M:%S} UTC" in " ".join(shown.split())


def test_rules_that_had_nothing_to_judge_are_not_called_silent(hostile: Investigation) -> None:
    """Without a CloudTrail record, no rule looked at anything, and the report says so."""
    from dataclasses import replace

    other_logs = replace(hostile, findings=(), first_event=None, last_event=None, events=7)
    assert "No rule had anything to judge" in text.render(other_logs)
    assert "None of 90 rules fired on 1 event." in text.render(replace(hostile, findings=(), events=1))
