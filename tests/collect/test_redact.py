"""What is kept of answers that hold secrets."""

from __future__ import annotations

from clew.collect.redact import REDACTED, redacted


def test_containers_keep_names_and_lose_values() -> None:
    """Of a task definition the names of variables and the references to secrets stay; values and commands do not."""
    container = {
        "name": "app",
        "environment": [{"name": "DB_PASSWORD", "value": "hunter2"}],
        "secrets": [{"name": "TOKEN", "valueFrom": "arn:aws:ssm:eu-west-1:111122223333:parameter/token"}],
        "command": ["serve", "--token", "hunter2"],
        "entryPoint": ["sh", "-c", "hunter2"],
    }
    [kept] = redacted({"taskDefinition": {"containerDefinitions": [container]}})["taskDefinition"][  # type: ignore[index]
        "containerDefinitions"
    ]
    assert "hunter2" not in str(kept)
    assert kept["environment"] == [{"name": "DB_PASSWORD", "value": REDACTED}]
    assert kept["secrets"] == container["secrets"]
    assert kept["command"] == [REDACTED] * 3
