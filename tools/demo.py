"""The main job, end to end: investigate the sample incident, ask about it, and about a request."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STEPS = (
    ("An incident, explained in one command.", "clew investigate samples/incident"),
    ("Who touched this security group?", "clew events --resource sg-12341234"),
    (
        "What did the leaked key do that was not a read?",
        "clew events --access-key AKIAEXAMPLEDEPLOY001 --write-only",
    ),
    (
        "Any question, in the SQL that AWS documents.",
        'clew sql "SELECT useridentity.arn, count(*) AS calls FROM cloudtrail_logs GROUP BY 1 ORDER BY 2 DESC LIMIT 5"',
    ),
    (
        "Is the account as it should be? Yesterday, and what is new today.",
        (
            "clew --quiet audit samples/snapshots/2026-03-10T060000Z.json.gz --allow-unknown > /dev/null"
            " && clew audit samples/snapshots/2026-03-11T060000Z.json.gz --allow-unknown"
            " --severity critical --severity high --show 2"
        ),
    ),
    (
        "AWS refused it. Why, and what would help?",
        (
            "clew explain 'User: arn:aws:iam::111122223333:user/ana is not authorized to perform: ec2:DescribeVpcs"
            " because no identity-based policy allows the ec2:DescribeVpcs action' --policies samples/account"
        ),
    ),
    (
        "Does the new version of a policy allow anything that the old one did not?",
        (
            "clew check no-new-access docs/guide/policies/reports-v2.json"
            " --reference docs/guide/policies/reports-v1.json || test $? = 1"
        ),
    ),
    (
        "Why can Carlos not write there?",
        (
            "clew simulate -p arn:aws:iam::111122223333:user/carlos -a s3:PutObject"
            " -r arn:aws:s3:::carlos-logs/x --policies samples/account -c aws:SourceIp=192.0.2.7"
        ),
    ),
)


def main() -> int:
    """Run the steps, showing each command before what it prints."""
    home = Path(os.environ.get("CLEW_HOME", "build/demo"))
    if home.exists():
        shutil.rmtree(home)
    for title, command in STEPS:
        print(f"\n# {title}\n$ {command}\n", flush=True)
        code = subprocess.run(command, shell=True, cwd=ROOT, check=False).returncode  # noqa: S602  # our own commands
        if code:
            print(f"`{command}` ended with {code}", file=sys.stderr)
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
