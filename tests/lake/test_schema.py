"""The tables as data: field ids, names, and agreement with the decoders."""

from __future__ import annotations

import json

import pytest
from pyiceberg.schema import assign_fresh_schema_ids

from clew.events import s3_access, vpc_flow
from clew.lake import schema
from clew.lake.store import iceberg_schema


@pytest.mark.parametrize("table", schema.TABLES.values(), ids=lambda t: t.name)
def test_field_ids_are_those_that_iceberg_gives(table: schema.Table):
    """A new Iceberg table has the ids that our data files carry."""
    ours = iceberg_schema(table)
    assert assign_fresh_schema_ids(ours).as_struct() == ours.as_struct()


def test_names_are_lower_case_and_keys_are_awss():
    """Columns are lower case; each key of a record is the column's name in AWS's capitals."""
    for column in schema.CLOUDTRAIL.columns:
        assert column.name == column.name.lower()
        assert column.key.lower() in {"", column.name}
    assert set(
        json.loads(schema.transform_structure(schema.CLOUDTRAIL.columns))["userIdentity"]["onBehalfOf"]
    ) == {
        "userId",
        "identityStoreArn",
    }


def test_flow_log_columns_are_those_of_the_decoder():
    """Every documented flow log field has a column of its type."""
    types = {c.name: c.type for c in schema.VPC_FLOW.columns}
    assert set(vpc_flow.COLUMNS) <= set(types)
    assert {n for n in vpc_flow.COLUMNS if types[n] == schema.BIGINT} == set(vpc_flow.INTEGER_COLUMNS)


def test_access_log_columns_are_those_of_the_decoder():
    """Every documented server access log field has a column of its type."""
    types = {c.name: c.type for c in schema.S3_ACCESS.columns}
    assert set(s3_access.COLUMNS) <= set(types)
    assert {n for n in s3_access.COLUMNS if types[n] == schema.BIGINT} == set(s3_access.NUMBERS)


def test_an_unknown_column_is_an_error():
    """Asking a table for a column that it has not is a KeyError naming both."""
    with pytest.raises(KeyError, match=r"cloudtrail\.nothing"):
        schema.CLOUDTRAIL.column("nothing")
