"""Log files into the lake: each record exactly once, its text kept, whatever cannot be read named with its reason."""

from clew.lake.ingest.inputs import input_file
from clew.lake.ingest.messages import InputFile
from clew.lake.ingest.report import IngestReport
from clew.lake.ingest.run import Progress, ingest

__all__ = ["IngestReport", "InputFile", "Progress", "ingest", "input_file"]
