"""A folder of exports, templates and plans to the answers that a snapshot file keeps.

What each file is, its name or its content tells. A file that is none of these is named, and left out.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clew.aws.partitions import partition_of
from clew.errors import InputError
from clew.snapshot import config_files, history, load
from clew.snapshot.offline import (
    cli_outputs,
    cloudformation,
    config_answers,
    declared_iam,
    declared_network,
    declared_s3,
    declared_services,
    terraform,
    terraform_types,
)
from clew.snapshot.offline.declared import Place, Stack
from clew.snapshot.offline.told import Told, document, whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from clew.snapshot.answers import Answers
    from clew.snapshot.items import Item
    from clew.snapshot.model import Source
    from clew.snapshot.offline.declared import Resource, Teller

NO_ACCOUNT = "000000000000"
"""The account of templates and plans where nobody says into which they will be deployed."""

_NO_REGION = "us-east-1"
_SUFFIXES = (".json", ".yaml", ".yml", ".template", ".csv", ".json.gz", ".tfplan.json")
_TELLERS: Mapping[str, Teller] = {
    **declared_s3.TELLERS,
    **declared_iam.TELLERS,
    **declared_network.TELLERS,
    **declared_services.TELLERS,
}
_PARTS = declared_iam.PARTS | declared_network.PARTS | declared_services.PARTS
_BUCKET = re.compile(r"^arn:aws[a-z-]*:s3:::([^/*?]+)")


@dataclass(frozen=True, slots=True)
class Read:
    """What a folder told: the answers, how many files of each kind, and what was left out or taken for granted."""

    answers: Answers
    kinds: Mapping[str, int]
    notes: tuple[str, ...]
    account: str


def read(paths: Sequence[str], *, time: str, account: str = "", region: str = "") -> Read:
    """Everything that the files in these folders, or these files, tell.

    Units: `time` is UTC, ISO 8601. `account` and `region` are where templates and plans will be deployed; without them
    the account is the one that other exports name, else `NO_ACCOUNT`, the region us-east-1. Errors: `InputError`.
    """
    sources = [load.read(name) for name in _files(paths)]
    kinds = [(_kind(source), source) for source in sources]
    exports = [source for kind, source in kinds if kind in {"AWS CLI output", "AWS Config"}]
    owner = account or _owner(exports)
    told = Told(time)
    _tell_exports(told, kinds, owner, region)
    place = Place(owner, region or _NO_REGION, partition_of(region) or "aws")
    _tell_declared(told, kinds, place)
    if not account and owner == NO_ACCOUNT:
        told.notes.append(f"no file names an account: {NO_ACCOUNT} stands for it; give `--account ID`")
    counts = Counter(kind for kind, _ in kinds if kind)
    return Read(told.answers(), counts, tuple(told.notes), owner)


def _files(paths: Sequence[str]) -> Iterator[str]:
    found = False
    for name in paths:
        path = Path(name)
        if not path.is_dir():
            found = True
            yield name
            continue
        for each in sorted(path.rglob("*")):
            if each.is_file() and each.name.endswith(_SUFFIXES):
                found = True
                yield str(each)
    if not found:
        raise InputError(f"`{', '.join(paths)[:200]}` holds no .json, .yaml, .template or .csv file")


def _kind(source: Source) -> str:
    """What the file is; empty for nothing that is read."""
    if terraform.is_plan(source):
        return "Terraform plan"
    if cloudformation.is_template(source):
        return "CloudFormation template"
    if cli_outputs.command(source) is not None:
        return "AWS CLI output"
    if config_files.is_config(source):
        return "AWS Config"
    return "S3 policy" if _policy_bucket(source) is not None else ""


def _owner(exports: Sequence[Source]) -> str:
    """The account that most ARNs of the exports name."""
    counted = Counter(account for source in exports for account in cli_outputs.accounts_in(source))
    return counted.most_common(1)[0][0] if counted else NO_ACCOUNT


def _tell_exports(told: Told, kinds: Sequence[tuple[str, Source]], account: str, region: str) -> None:
    items: list[Item] = []
    for kind, source in kinds:
        command = cli_outputs.command(source) if kind == "AWS CLI output" else None
        if command is not None:
            own = next(cli_outputs.accounts_in(source), account)
            where = cli_outputs.region_of(source) or region or _NO_REGION
            cli_outputs.tell(told, source, command, own, where)
        elif kind == "AWS Config":
            items += config_files.items(source)
        elif kind == "S3 policy":
            _tell_policy(told, source, account)
        elif not kind:
            told.notes.append(f"{source.file}: neither an export nor a template; it is left out")
    latest = {key: each[-1] for key, each in history.by_resource(items).items()}
    config_answers.tell(told, latest.values())


def _policy_bucket(source: Source) -> str | None:
    """The one bucket that a policy document is about; empty where it is about several, None for no policy."""
    try:
        content = json.loads(source.text)
    except (ValueError, RecursionError):
        return None
    statements = content.get("Statement") if isinstance(content, dict) else None
    if statements is None:
        return None
    named = set()
    for statement in statements if isinstance(statements, list) else [statements]:
        given = statement.get("Resource") if isinstance(statement, dict) else None
        for resource in given if isinstance(given, list) else [given]:
            found = _BUCKET.match(str(resource))
            named.add(found[1] if found else "")
    return named.pop() if len(named) == 1 else ""


def _tell_policy(told: Told, source: Source, account: str) -> None:
    bucket = _policy_bucket(source)
    if not bucket:
        told.notes.append(
            f"{source.file}: a policy of no single bucket; name it get-bucket-policy.BUCKET.json"
        )
        return
    told.lists(whole(account, "s3", "ListBuckets"), "Buckets", {"Name": bucket}, source.file)
    policy = document(json.loads(source.text))
    told.says(whole(account, "s3", "GetBucketPolicy", Bucket=bucket), {"Policy": policy}, source.file)


def _tell_declared(told: Told, kinds: Sequence[tuple[str, Source]], place: Place) -> None:
    """The resources of all templates and plans together: a policy may stand in another file than its bucket."""
    resources: list[Resource] = []
    for kind, source in kinds:
        if kind == "CloudFormation template":
            resources += cloudformation.resources(source, place)
        elif kind == "Terraform plan":
            made, rest = terraform_types.resources(terraform.planned(source), place)
            resources += made
            _note_left(told, source, (each.type for each in rest))
    stack = Stack(place, resources)
    for resource in resources:
        if resource.type in _TELLERS:
            _TELLERS[resource.type](told, stack, resource)
    left = [each for each in resources if each.type not in _TELLERS and each.type not in _PARTS]
    for kind, source in kinds:
        own = (each.type for each in left if each.source.rpartition(":")[0] == source.file)
        _note_left(told, source, own if kind == "CloudFormation template" else ())


def _note_left(told: Told, source: Source, types: Iterator[str] | tuple[str, ...]) -> None:
    counted = Counter(types)
    if counted:
        named = ", ".join(f"{type_} ({count})" for type_, count in sorted(counted.items()))
        told.notes.append(f"{source.file}: types that are not read: {named}")
