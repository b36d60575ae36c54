"""A real refusal, its explanation, its fix, and the call that then succeeds, over an emulator that enforces IAM.

The emulator enforces identity policies only; the other gates are proven by the scenarios.
"""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from clew.explain.cause import CauseId
from clew.explain.explanation import of_text
from clew.reach.predict import Predictor
from clew.snapshot import details
from clew.snapshot.model import Snapshot, Source

moto = pytest.importorskip("moto")
_core = pytest.importorskip("moto.core")
_ADMIN = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
_BEFORE_ENFORCEMENT = 5


def _iam(key: dict[str, str] | None = None) -> Any:
    given = key or {"AccessKeyId": "testing", "SecretAccessKey": "testing"}
    return boto3.client(
        "iam",
        region_name="us-east-1",
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
    )


def _user(name: str) -> Any:
    nobody = _iam()
    nobody.create_user(UserName=name)
    return _iam(nobody.create_access_key(UserName=name)["AccessKey"])


@moto.mock_aws
@_core.set_initial_no_auth_action_count(_BEFORE_ENFORCEMENT)
def test_the_fix_of_a_real_refusal_lets_the_call_through() -> None:
    """What the SDK prints is explained, and what the explanation says to add is enough."""
    ana, admin = _user("ana"), _user("admin")
    _iam().put_user_policy(UserName="admin", PolicyName="All", PolicyDocument=json.dumps(_ADMIN))
    with pytest.raises(ClientError) as refusal:
        ana.list_groups()
    collected = details.Collected()
    told = admin.get_account_authorization_details()
    assert collected.add(Source("details.json", json.dumps(told, default=str)))
    (found,) = of_text(str(refusal.value), Predictor(Snapshot(collected.accounts())))
    assert found.cause.id is CauseId.NOTHING_ALLOWS
    document = {"Version": "2012-10-17", "Statement": [found.fixes[0].statement]}
    admin.put_user_policy(UserName="ana", PolicyName="ClewFix", PolicyDocument=json.dumps(document))
    assert ana.list_groups()["Groups"] == []
