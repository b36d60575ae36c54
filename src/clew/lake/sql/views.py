"""The tables a query may name, in AWS's own shapes, over the raw tables of the lake.

Sources: Athena user guide, "Create a table for CloudTrail logs in Athena using partition projection"; CloudTrail user
guide, "CloudTrail Lake SQL constraints", event schema; Amazon S3 user guide, "Using Amazon S3 server access logs to
identify requests"; Athena user guide, "Create and query a table for Amazon VPC flow logs"; AWS Config developer guide,
"Components of a configuration item".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from clew.lake import s3_requests
from clew.lake.schema import S3_ACCESS_FIELDS
from clew.lake.sql.dialect import is_data_store
from clew.lake.sql.types import Type, parse

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

_IDENTITY = (
    "row(type varchar, principalid varchar, arn varchar, accountid varchar, invokedby varchar, accesskeyid varchar,"
    " username varchar, onbehalfof row(userid varchar, identitystorearn varchar), sessioncontext row(attributes"
    " row(mfaauthenticated varchar, creationdate varchar), sessionissuer row(type varchar, principalid varchar,"
    " arn varchar, accountid varchar, username varchar), ec2roledelivery varchar, ec2issuedinvpc varchar,"
    " sourceidentity varchar, webidfederationdata row(federatedprovider varchar, attributes varchar)), inscopeof"
    " row(sourcearn varchar, sourceaccount varchar, issuertype varchar, credentialsissuedto varchar),"
    " identityprovider varchar, credentialid varchar)"
)
# AWS's schema of event data stores has a timestamp here, the tables for Athena a string.
_LAKE_IDENTITY = _IDENTITY.replace("creationdate varchar", "creationdate timetext")
_RESOURCES = "array(row(arn varchar, accountid varchar, type varchar))"
_LAKE_RESOURCES = "array(row(arn varchar, accountid varchar, type varchar, arnprefix varchar))"
_TLS = "row(tlsversion varchar, ciphersuite varchar, clientprovidedhostheader varchar)"
_ADDENDUM = "row(reason varchar, updatedfields varchar, originalrequestid varchar, originaleventid varchar)"
_MAP = "map(varchar, varchar)"


@dataclass(frozen=True, slots=True)
class View:
    """A relation that a query may name.

    `columns` maps a column to its type and its DuckDB expression over the raw table (empty: the column itself).
    `time`, `time_text`, `day` (yyyy/MM/dd) and `date` name the columns that tell when, empty where there is none.
    `made_from` is the query behind a `raw` relation that is no table of the lake.
    """

    name: str
    raw: str
    columns: Mapping[str, tuple[Type, str]]
    time: str = ""
    time_text: str = ""
    day: str = ""
    date: str = ""
    made_from: str = ""

    @property
    def types(self) -> dict[str, Type]:
        """The type of each column, in order."""
        return {
            name: replace(type_, text_column=f"clew_{name}") if type_.name == "map" else type_
            for name, (type_, _) in self.columns.items()
        }

    @property
    def within(self) -> str:
        """The macro that gives only the rows of a half-open interval of time."""
        return f"clew_{self.name}"

    def statements(self, named: Collection[str]) -> Iterator[str]:
        """The DuckDB statements that make the view and its macro over an interval, as far as they are named."""
        if self.made_from and not {self.name, self.within}.isdisjoint(named):
            yield f"CREATE VIEW {self.raw} AS {self.made_from}"
        if self.name in named:
            yield f"CREATE VIEW {self.name} AS {self._body()}"
        if self.within in named:
            yield (
                f"CREATE MACRO {self.within}(since, before) AS TABLE {self._body()}"
                f" WHERE {self.raw}.eventtime >= since AND {self.raw}.eventtime < before"
            )

    def _body(self) -> str:
        written = [f'{sql or _quoted(name)} AS "{name}"' for name, (_, sql) in self.columns.items()]
        written += [
            f'{name} AS "{type_.text_column}"' for name, type_ in self.types.items() if type_.text_column
        ]
        return f"SELECT {', '.join(written)} FROM {self.raw}"


def _quoted(name: str) -> str:
    return f'"{name}"'


def _day(pattern: str) -> str:
    return f"strftime(eventtime, '{pattern}')"


def _as_text(name: str) -> str:
    # The data files say JSON; Athena's column is a string.
    return f"CAST({name} AS VARCHAR)"


def _to_map(name: str) -> str:
    return f"CAST(CAST({name} AS JSON) AS MAP(VARCHAR, VARCHAR))"


_RESOURCES_SQL = (
    "list_transform(resources, lambda r: struct_pack(arn := r.arn, accountid := r.accountid, type := r.type))"
)
_ADDENDUM_SQL = (
    "CASE WHEN addendum IS NOT NULL THEN struct_pack(reason := addendum ->> '$.reason', updatedfields :="
    " addendum ->> '$.updatedFields', originalrequestid := addendum ->> '$.originalRequestID', originaleventid :="
    " addendum ->> '$.originalEventID') END"
)


def _columns(*rows: tuple[str, str, str] | tuple[str, str] | str) -> dict[str, tuple[Type, str]]:
    """Columns by name: the bare name is a varchar; then come the type and the DuckDB expression."""
    full = ((item,) if isinstance(item, str) else item for item in rows)
    return {
        name: (parse(rest[0] if rest else "varchar"), rest[1] if len(rest) > 1 else "")
        for name, *rest in full
    }


_PARTITIONS = (
    ("account", "varchar", "recipientaccountid"),
    ("region", "varchar", "awsregion"),
    ("year", "varchar", _day("%Y")),
    ("month", "varchar", _day("%m")),
    ("day", "varchar", _day("%d")),
    ("timestamp", "varchar", _day("%Y/%m/%d")),
)

CLOUDTRAIL_LOGS = View(
    "cloudtrail_logs",
    "raw_cloudtrail",
    _columns(
        "eventversion",
        ("useridentity", _IDENTITY),
        ("eventtime", "varchar", _day("%Y-%m-%dT%H:%M:%SZ")),
        *(
            "eventsource",
            "eventname",
            "awsregion",
            "sourceipaddress",
            "useragent",
            "errorcode",
            "errormessage",
        ),
        *(
            (n, "varchar", _as_text(n))
            for n in ("requestparameters", "responseelements", "additionaleventdata")
        ),
        *("requestid", "eventid"),
        ("readonly", "varchar", "CAST(readonly AS VARCHAR)"),
        ("resources", _RESOURCES, _RESOURCES_SQL),
        *("eventtype", "apiversion", "recipientaccountid"),
        ("serviceeventdetails", "varchar", _as_text("serviceeventdetails")),
        "sharedeventid",
        *("vpcendpointid", "vpcendpointaccountid", "eventcategory"),
        ("addendum", _ADDENDUM, _ADDENDUM_SQL),
        "sessioncredentialfromconsole",
        ("edgedevicedetails", "varchar", _as_text("edgedevicedetails")),
        ("tlsdetails", _TLS),
        *_PARTITIONS,
    ),
    time_text="eventtime",
    day="timestamp",
)

CLOUDTRAIL_LAKE = View(
    "cloudtrail_lake",
    "raw_cloudtrail",
    _columns(
        "eventversion",
        ("useridentity", _LAKE_IDENTITY),
        ("eventtime", "timestamp", "timezone('UTC', eventtime)"),
        *(
            "eventsource",
            "eventname",
            "awsregion",
            "sourceipaddress",
            "useragent",
            "errorcode",
            "errormessage",
        ),
        *((n, _MAP, _to_map(n)) for n in ("requestparameters", "responseelements", "additionaleventdata")),
        *("requestid", "eventid"),
        ("readonly", "boolean"),
        ("resources", _LAKE_RESOURCES),
        *("eventtype", "apiversion"),
        ("managementevent", "boolean"),
        *("recipientaccountid", "sharedeventid", "annotation", "vpcendpointid", "vpcendpointaccountid"),
        *(
            (n, _MAP, _to_map(n))
            for n in ("serviceeventdetails", "addendum", "edgedevicedetails", "insightdetails")
        ),
        "eventcategory",
        ("tlsdetails", _TLS),
        *("sessioncredentialfromconsole", "eventjson"),
        ("eventjsonchecksum", "varchar", "sha256(eventjson)"),
    ),
    time="eventtime",
)

S3_ACCESS_LOGS = View(
    "s3_access_logs",
    "raw_s3_access",
    _columns(
        *((column.name, str(column.type).lower()) for column in S3_ACCESS_FIELDS),
        ("extra", "varchar", _as_text("extra")),
        "rawline",
        ("timestamp", "varchar", _day("%Y/%m/%d")),
    ),
    time_text="requestdatetime",
    day="timestamp",
)

_FLOW_TEXT = (
    *("type", "pkt_srcaddr", "pkt_dstaddr", "region", "az_id", "sublocation_type", "sublocation_id"),
    *("pkt_src_aws_service", "pkt_dst_aws_service", "flow_direction"),
)
_FLOW_LATER = (
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
VPC_FLOW_LOGS = View(
    "vpc_flow_logs",
    "raw_vpc_flow",
    _columns(
        ("version", "bigint"),
        *("account_id", "interface_id", "srcaddr", "dstaddr"),
        *((n, "bigint") for n in ("srcport", "dstport", "protocol", "packets", "bytes")),
        ("start", "bigint", "start_time"),
        ("end", "bigint", "end_time"),
        *("action", "log_status", "vpc_id", "subnet_id", "instance_id"),
        ("tcp_flags", "bigint"),
        *_FLOW_TEXT,
        ("traffic_path", "bigint"),
        *_FLOW_LATER,
        ("extra", "varchar", _as_text("extra")),
        "rawline",
        ("accid", "varchar", "account_id"),
        ("date", "date", "CAST(eventtime AS DATE)"),
        ("year", "varchar", _day("%Y")),
        ("month", "varchar", _day("%m")),
        ("day", "varchar", _day("%Y/%m/%d")),
        ("hour", "varchar", _day("%H")),
    ),
    day="day",
    date="date",
)

S3_REQUESTS = View(
    "s3_requests",
    s3_requests.RAW_NAME,
    _columns(
        *(
            (name, type_, "timezone('UTC', eventtime)" if name == "eventtime" else "")
            for name, type_ in s3_requests.COLUMNS.items()
        )
    ),
    made_from=s3_requests.SELECT,
)

_ITEM_PARTS = ("configuration", "supplementaryconfiguration", "relationships", "tags", "relatedevents")
CONFIG_ITEMS = View(
    "config_items",
    "timed_config_items",
    _columns(
        *("arn", "accountid", "awsregion", "resourcetype", "resourceid", "resourcename"),
        ("configurationitemcapturetime", "timestamp", "timezone('UTC', eventtime)"),
        ("configurationitemstatus", "varchar", "status"),
        "resourcecreationtime",
        *((n, "varchar", _as_text(n)) for n in _ITEM_PARTS),
        ("unknown", "varchar", _as_text("unknown")),
        *("recorder", "path"),
    ),
    time="configurationitemcapturetime",
    # What a snapshot covered is kept beside its items, and is no resource.
    made_from="SELECT *, capturetime AS eventtime FROM raw_config_items WHERE resourcetype <> 'Clew::Collection'",
)

VIEWS = {
    v.name: v
    for v in (CLOUDTRAIL_LOGS, CLOUDTRAIL_LAKE, S3_ACCESS_LOGS, VPC_FLOW_LOGS, S3_REQUESTS, CONFIG_ITEMS)
}
# Names that AWS's pages and console give to the same tables.
_PAGE_NAMES = (
    (re.compile(r"cloudtrail_(?:logs_\w+|(?:\w+_)?table(?:_partitioned)?)"), CLOUDTRAIL_LOGS),
    (
        re.compile(r"(?:s3_)?access_logs|(?:my|amzn_s3_demo_)?bucket\d*_logs|s3_access_logs_\w+"),
        S3_ACCESS_LOGS,
    ),
    (re.compile(r"(?:test_table_)?vpc_?(?:flow)?_?logs\w*"), VPC_FLOW_LOGS),
)
_DATABASES = frozenset({"default", "awsdatacatalog", "s3_access_logs_db", "s3_cloudtrail_events_db", "clew"})


def find(name: str, *qualifiers: str) -> View | None:
    """The view behind a table's name; None when it is none of ours.

    AWS's own names for these tables count, and so does the id or ARN of an event data store.
    """
    if any(q.lower() not in _DATABASES for q in qualifiers if q):
        return None
    lowered = name.lower()
    if lowered in VIEWS:
        return VIEWS[lowered]
    if is_data_store(name):
        return CLOUDTRAIL_LAKE
    return next((view for pattern, view in _PAGE_NAMES if pattern.fullmatch(lowered)), None)
