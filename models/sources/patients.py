"""Which patient an image shows, where its name says so. It knows names, never what is in a file."""

import re
from pathlib import PurePath

# One pattern per habit of naming, each seen in a public collection of X-rays.
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
    """The patient in the file's name, or in that of a folder on the way from the class's folder to it."""
    for part in (path.stem, *reversed(path.parts[:-1])):
        for pattern in PATTERNS:
            found = pattern.match(part)
            if found:
                return found.group(1)
    return None
