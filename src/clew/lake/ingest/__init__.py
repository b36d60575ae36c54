"""Log files into the lake: each record exactly once, its text kept, whatever cannot be read named with its reason."""

from clew.lake.ingest.inputs import input_file
from clew.lake.ingest.messages import InputFile, Missing, Progress
from clew.lake.ingest.report import IngestReport, ThisRun
from clew.lake.ingest.run import ingest, report_on

__all__ = ["IngestReport", "InputFile", "Missing", "Progress", "ThisRun", "ingest", "input_file", "report_on"]
