"""What the evidence covers, and what it cannot have seen.

`measure.measure` counts what the lake holds, `kinds.KINDS` says what each kind of evidence records and how soon,
`blind_spots.blind_spots` names what an answer "nothing found" leaves open, `recorders.recorders` says which evidence
would have recorded a call.
"""

from clew.lake.coverage.blind_spots import BlindSpot, Question, blind_spots
from clew.lake.coverage.kinds import KINDS, EvidenceKind
from clew.lake.coverage.measure import Coverage, measure
from clew.lake.coverage.recorders import Recorder, recorders

__all__ = [
    "KINDS",
    "BlindSpot",
    "Coverage",
    "EvidenceKind",
    "Question",
    "Recorder",
    "blind_spots",
    "measure",
    "recorders",
]
