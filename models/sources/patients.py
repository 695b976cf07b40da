"""Finds the patient of an image by its name. It knows names, and opens no file."""

import re
from pathlib import PurePath

# One pattern for each way of naming in a public collection of X-rays.
PATTERNS = (
    re.compile(r"^(person\d+)_"),  # Kermany / Kaggle chest_xray: person1_bacteria_1.jpeg
    re.compile(r"^((?:NORMAL\d*-)?IM-\d+)-\d+"),  # the same: NORMAL2-IM-0373-0001.jpeg, IM-0115-0001.jpeg
    re.compile(r"^((?:NORMAL|BACTERIA|VIRUS)-\d+)-\d+"),  # its first release: BACTERIA-1083680-0001.jpeg
    re.compile(r"^(\d{8})_\d{3}$"),  # NIH ChestX-ray14: 00000001_000.png
    re.compile(r"^(sub-[A-Za-z0-9]+)(?:_|$)"),  # BIDS: sub-01_view-pa.png
    re.compile(
        r"^((?:patient|pat|subject)[-_]?\d+)(?:\D|$)", re.IGNORECASE
    ),  # CheXpert, MURA: patient00001/...
)


def patient_of(path: PurePath) -> str | None:
    """Return the patient in the name of the file, or of a folder between the class's folder and the file."""
    for part in (path.stem, *reversed(path.parts[:-1])):
        for pattern in PATTERNS:
            if match := pattern.match(part):
                return match.group(1)
    return None
