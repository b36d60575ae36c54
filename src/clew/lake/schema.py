"""The tables of the lake as data: columns, types, and how each type is spelled for DuckDB, JSON and Iceberg.

A column's name is AWS's, in lower case. `key` is the key of a CloudTrail record that the column holds. A column of type
JSON keeps open-ended parts as JSON text (its shape varies from call to call), stored as VARCHAR.
Field ids are Iceberg's: given in the order in which PyIceberg numbers a new table, so that a data file can be written
before, and by a process that never loads, the catalogue.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NAMESPACE = "clew"
TEXT = "VARCHAR"
JSON = "JSON"
BOOLEAN = "BOOLEAN"
BIGINT = "BIGINT"
TIME = "TIMESTAMPTZ"


@dataclass(frozen=True, slots=True)
class Struct:
    """A type with named parts."""

    fields: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class ListOf:
    """A type of any number of elements."""

    element: Struct


Type = str | Struct | ListOf


@dataclass(frozen=True, slots=True)
class Column:
    """A column or a part of a struct; `key` is its key in a CloudTrail record, empty when it is none of its own."""

    name: str
    type: Type = TEXT
    key: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the lake; a partitioned one holds one day of `eventtime` (UTC) in each data file."""

    name: str
    columns: tuple[Column, ...]
    partitioned: bool = False

    def column(self, name: str) -> Column:
        """The column of that name; KeyError when there is none."""
        return next((c for c in self.columns if c.name == name), None) or _missing(self.name, name)


def _missing(table: str, name: str) -> Column:
    raise KeyError(f"{table}.{name}")


def _keyed(key: str, type_: Type = TEXT) -> Column:
    return Column(key.lower(), type_, key)


def _struct(key: str, *parts: str | Column) -> Column:
    return Column(key.lower(), Struct(tuple(_keyed(p) if isinstance(p, str) else p for p in parts)), key)


_ISSUER = _struct("sessionIssuer", "type", "principalId", "arn", "accountId", "userName")
_SESSION = _struct(
    "sessionContext",
    _struct("attributes", "mfaAuthenticated", "creationDate"),
    _ISSUER,
    "ec2RoleDelivery",
    "ec2IssuedInVpc",
    "sourceIdentity",
    _struct("webIdFederationData", "federatedProvider", _keyed("attributes", JSON)),
)
_USER_IDENTITY = _struct(
    "userIdentity",
    *("type", "principalId", "arn", "accountId", "invokedBy", "accessKeyId", "userName"),
    _struct("onBehalfOf", "userId", "identityStoreArn"),
    _SESSION,
    _struct("inScopeOf", "sourceArn", "sourceAccount", "issuerType", "credentialsIssuedTo"),
    "identityProvider",
    "credentialId",
)
_RESOURCE = Struct((Column("arn", key="ARN"), *map(_keyed, ("accountId", "type", "ARNPrefix"))))
_ORIGIN = (Column("record_id"), Column("source"), Column("record_number", BIGINT))

CLOUDTRAIL = Table(
    "cloudtrail",
    (
        _keyed("eventVersion"),
        _USER_IDENTITY,
        _keyed("eventTime", TIME),
        *map(_keyed, ("eventSource", "eventName", "awsRegion", "sourceIPAddress", "userAgent")),
        *map(_keyed, ("errorCode", "errorMessage")),
        *(_keyed(key, JSON) for key in ("requestParameters", "responseElements", "additionalEventData")),
        *map(_keyed, ("requestID", "eventID")),
        _keyed("readOnly", BOOLEAN),
        _keyed("resources", ListOf(_RESOURCE)),
        *map(_keyed, ("eventType", "apiVersion")),
        _keyed("managementEvent", BOOLEAN),
        *map(_keyed, ("recipientAccountId", "sharedEventID", "annotation", "vpcEndpointId")),
        *map(_keyed, ("vpcEndpointAccountId", "eventCategory")),
        *(
            _keyed(key, JSON)
            for key in ("serviceEventDetails", "addendum", "edgeDeviceDetails", "insightDetails")
        ),
        _struct("tlsDetails", "tlsVersion", "cipherSuite", "clientProvidedHostHeader"),
        _keyed("sessionCredentialFromConsole"),
        Column("eventjson"),
        Column("conflict", BOOLEAN),
        *_ORIGIN,
    ),
    partitioned=True,
)

S3_ACCESS = Table(
    "s3_access",
    (
        Column("eventtime", TIME),
        *map(Column, ("bucketowner", "bucket_name", "requestdatetime", "remoteip", "requester", "requestid")),
        *map(Column, ("operation", "key", "request_uri", "httpstatus", "errorcode")),
        *(Column(name, BIGINT) for name in ("bytessent", "objectsize", "totaltime", "turnaroundtime")),
        *map(Column, ("referrer", "useragent", "versionid", "hostid", "sigv", "ciphersuite", "authtype")),
        *map(Column, ("endpoint", "tlsversion", "accesspointarn", "aclrequired", "sourceregion")),
        Column("extra", JSON),
        Column("rawline"),
        *_ORIGIN,
    ),
    partitioned=True,
)

S3_ACCESS_FIELDS = tuple(
    c for c in S3_ACCESS.columns if c not in _ORIGIN and c.name not in {"eventtime", "extra", "rawline"}
)
"""The fields of a line that AWS documents, in its order."""

_FLOW_NUMBERS = ("version", "srcport", "dstport", "protocol", "packets", "bytes", "start_time", "end_time")
_FLOW_FIELDS = (
    *(
        "version",
        "account_id",
        "interface_id",
        "srcaddr",
        "dstaddr",
        "srcport",
        "dstport",
        "protocol",
        "packets",
    ),
    *("bytes", "start_time", "end_time", "action", "log_status"),
    *("vpc_id", "subnet_id", "instance_id", "tcp_flags", "type", "pkt_srcaddr", "pkt_dstaddr"),
    *("region", "az_id", "sublocation_type", "sublocation_id"),
    *("pkt_src_aws_service", "pkt_dst_aws_service", "flow_direction", "traffic_path"),
    *("ecs_cluster_arn", "ecs_cluster_name", "ecs_container_instance_arn", "ecs_container_instance_id"),
    *(
        "ecs_container_id",
        "ecs_second_container_id",
        "ecs_service_name",
        "ecs_task_definition_arn",
        "ecs_task_arn",
    ),
    *("ecs_task_id", "reject_reason", "resource_id", "encryption_status"),
)
VPC_FLOW = Table(
    "vpc_flow",
    (
        Column("eventtime", TIME),
        *(
            Column(
                name,
                BIGINT
                if name in (*_FLOW_NUMBERS, "tcp_flags", "traffic_path", "encryption_status")
                else TEXT,
            )
            for name in _FLOW_FIELDS
        ),
        Column("extra", JSON),
        Column("rawline"),
        *_ORIGIN,
    ),
    partitioned=True,
)

SOURCES = Table(
    "sources",
    (
        *map(Column, ("source", "path", "kind")),
        *(
            Column(n, BIGINT)
            for n in ("records", "stored", "duplicates", "conflicts", "quarantined", "size_bytes")
        ),
        Column("modified_ns", BIGINT),
        Column("ingested_at", TIME),
    ),
)
QUARANTINE = Table(
    "quarantine",
    (
        *map(Column, ("path", "source")),
        Column("record_number", BIGINT),
        *map(Column, ("reason", "detail", "excerpt")),
        Column("size_bytes", BIGINT),
        Column("found_at", TIME),
    ),
)
OCCURRENCES = Table(
    "occurrences",
    (
        Column("kind"),
        Column("record_id"),
        Column("source"),
        Column("record_number", BIGINT),
        Column("kept_source"),
        Column("kept_record_number", BIGINT),
        Column("conflict", BOOLEAN),
    ),
)

CONFIG_ITEMS = Table(
    "config_items",
    (
        Column("item_id"),
        Column("capturetime", TIME),
        *map(Column, ("status", "accountid", "awsregion", "resourcetype", "resourceid", "recorder")),
        *map(Column, ("resourcename", "arn", "resourcecreationtime")),
        *(Column(n, JSON) for n in ("configuration", "supplementaryconfiguration", "relationships", "tags")),
        *(Column(n, JSON) for n in ("relatedevents", "unknown")),
        Column("path"),
    ),
)

EVENT_TABLES = (CLOUDTRAIL, S3_ACCESS, VPC_FLOW)
TABLES = {t.name: t for t in (*EVENT_TABLES, SOURCES, QUARANTINE, OCCURRENCES, CONFIG_ITEMS)}


def duckdb_type(type_: Type) -> str:
    """The type as DuckDB spells it; JSON text is VARCHAR.

    >>> duckdb_type(_RESOURCE)
    'STRUCT(arn VARCHAR, accountid VARCHAR, type VARCHAR, arnprefix VARCHAR)'
    """
    if isinstance(type_, ListOf):
        return f"{duckdb_type(type_.element)}[]"
    if isinstance(type_, Struct):
        return f"STRUCT({', '.join(f'{c.name} {duckdb_type(c.type)}' for c in type_.fields)})"
    return TEXT if type_ == JSON else type_


def empty_relation(table: Table) -> str:
    """A query with the table's columns and types, and no rows."""
    columns = ", ".join(f'NULL::{duckdb_type(c.type)} AS "{c.name}"' for c in table.columns)
    return f"SELECT {columns} WHERE false"


def transform_structure(columns: tuple[Column, ...]) -> str:
    """The structure argument of DuckDB's json_transform for the columns that are keys of the record.

    Times are read as text and booleans as JSON: what is neither must be seen, not become something.

    >>> transform_structure((Column("eventname", key="eventName"), Column("source")))
    '{"eventName": "VARCHAR"}'
    """
    return json.dumps(_structure(Struct(columns)))


def _structure(type_: Type) -> object:
    if isinstance(type_, ListOf):
        return [_structure(type_.element)]
    if isinstance(type_, Struct):
        return {c.key: _structure(c.type) for c in type_.fields if c.key}
    return {TIME: TEXT, BOOLEAN: JSON}.get(type_, type_)


@dataclass(frozen=True, slots=True)
class FieldId:
    """An Iceberg field id with those of the parts below it, by name (`element` for a list)."""

    number: int
    parts: Mapping[str, FieldId]


def field_ids(table: Table) -> Mapping[str, FieldId]:
    """The table's field ids as Iceberg gives them: a level first, then each of its structs in order."""
    return _numbered(Struct(table.columns), itertools.count(1))


def _numbered(type_: Type, counter: Iterator[int]) -> Mapping[str, FieldId]:
    if isinstance(type_, ListOf):
        number = next(counter)
        return {"element": FieldId(number, _numbered(type_.element, counter))}
    if isinstance(type_, Struct):
        numbers = [next(counter) for _ in type_.fields]
        pairs = zip(type_.fields, numbers, strict=True)
        return {c.name: FieldId(number, _numbered(c.type, counter)) for c, number in pairs}
    return {}


def copy_field_ids(table: Table) -> str:
    """The FIELD_IDS option of DuckDB's COPY, so that Iceberg readers find each column by number."""
    return _copy_ids(field_ids(table))


def _copy_ids(ids: Mapping[str, FieldId]) -> str:
    return "{" + ", ".join(f"{name}: {_copy_id(field)}" for name, field in ids.items()) + "}"


def _copy_id(field: FieldId) -> str:
    if not field.parts:
        return str(field.number)
    return "{" + f"__duckdb_field_id: {field.number}, " + _copy_ids(field.parts)[1:]
