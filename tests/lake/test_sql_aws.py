"""The queries of AWS's documentation, over a small lake of the three kinds of log."""

from __future__ import annotations

import importlib.util
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.case_files import read_case_file

from clew.lake.ingest import ingest
from clew.lake.reader import open_lake

CASES = Path(__file__).parents[1] / "cases" / "sql"
QUERIES = list(read_case_file(CASES / "aws.yaml"))
SAMPLES = list(read_case_file(CASES / "samples.yaml"))


def _sibling(name: str):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory):
    """A lake with the sample of `tests/cases/sql/lake`."""
    path = tmp_path_factory.mktemp("sql") / "lake"
    report = ingest(path, [CASES / "lake"], now=datetime(2024, 1, 1, tzinfo=UTC), workers=1)
    assert report.events == 18
    return open_lake(path)


@pytest.mark.parametrize("case", QUERIES, ids=[case["id"] for case in QUERIES])
def test_a_query_of_the_documentation_runs_unchanged(lake, case):
    """A query pasted from AWS's pages answers what it says there."""
    cases = _sibling("test_sql_cases")
    names, rows = cases.ask(lake, case["sql"])
    assert cases.same(rows, case["rows"]), rows
    assert names == case.get("columns", names)
    assert case["source"]


@pytest.fixture(scope="module")
def samples_lake(tmp_path_factory: pytest.TempPathFactory):
    """A lake with the records of `tests/cases/sql/samples`."""
    path = tmp_path_factory.mktemp("samples") / "lake"
    report = ingest(path, [CASES / "samples"], now=datetime(2024, 1, 1, tzinfo=UTC), workers=1)
    assert report.events == 15
    return open_lake(path)


@pytest.mark.parametrize("case", SAMPLES, ids=[case["id"] for case in SAMPLES])
def test_a_sample_query_of_cloudtrail_lake_runs_unchanged(samples_lake, case):
    """A sample query of CloudTrail Lake answers what was worked out by hand."""
    cases = _sibling("test_sql_cases")
    names, rows = cases.ask(samples_lake, case["sql"])
    assert cases.same(rows, case["rows"]), rows
    assert names == case.get("columns", names)
    assert case["source"]
