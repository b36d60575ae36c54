"""The limits that Clew puts on input, each stated once and tested.

AWS caps an event at 256 KB (CloudTrail: "Quotas", 1 MB for enriched events); ours is far above,
so that only what cannot be an event is refused.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

MAX_UNPACKED_BYTES: Final = 256 * 1024 * 1024
"""A source file that unpacks to more is refused whole."""

MAX_RATIO: Final = 500
"""A source file that grows by more than this factor when unpacked is a gzip bomb; real log files stay below 100."""

RATIO_FREE_BYTES: Final = 4 * 1024 * 1024
"""Up to this unpacked size the ratio does not matter: it can hurt nobody."""

MAX_RECORD_BYTES: Final = 8 * 1024 * 1024
"""One record that is larger is refused; the records around it are kept."""

MAX_DEPTH: Final = 200
"""One record that is nested deeper is refused; the records around it are kept."""

EXCERPT_CHARACTERS: Final = 200
"""How much of a refused record is quoted."""

EARLIEST: Final = datetime(2013, 1, 1, tzinfo=UTC)
"""CloudTrail began in 2013; an earlier time is wrong."""

LATEST_AHEAD: Final = timedelta(days=1)
"""A time further ahead of now is wrong."""

MAX_DAMAGED_PLACES: Final = 1_000
"""After so many damaged places the rest of a file is refused as one piece: looking for the next record costs time."""

PATIENCE_FACTOR: Final = 2
PATIENCE_CHARACTERS: Final = 4 * 1024 * 1024
"""Looking for the end of damage may cost so many times the text's length, and so many characters beyond."""
