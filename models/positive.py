"""Which of two classes is the positive one: what was stated, else what the names say. It reads no data.

Sensitivity is the share of positive images that are found. Called of the healthy, it would hide that the ill
are missed. So a class is taken for positive by its name only where the two names differ in what they say.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from models.errors import InputError
from user_files.printable import printable
from user_files.wording import listed

_TWO = 2
_ASSUMED = 1


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# In English, German, Spanish, French, Italian, Portuguese, Dutch, Chinese, Japanese and Korean, in small
# letters and without accents.
_NORMAL = _set("""
    normal normals negative negatives neg healthy control controls unremarkable absent absence none
    gesund gesunde gesunder unauffallig normalbefund negativ kontrolle kontrollen
    sano sana sanos sanas saludable saludables negativo negativa negativos negativas controles ausente
    sain saine sains saines negatif temoin temoins normale normaux
    normali sani controllo controlli saudavel saudaveis normais gezond gezonde normaal negatief
    正常 阴性 陰性 健康 健常 정상
""")
_BENIGN = _set("""
    benign gutartig gutartige benigno benigna benignos benignas benin benigne benins goedaardig 良性
""")
_FINDING = _set("""
    positive positives pos abnormal abnormality malignant malignancy cancer cancerous carcinoma tumor tumors
    tumour tumours disease diseased sick ill patient patients infected infection lesion pathology
    pathological finding findings affected present defect fracture fractured pneumonia covid tuberculosis tb
    effusion pneumothorax melanoma parasitized
    krank kranke positiv auffallig bosartig bosartige krebs befund pathologisch
    enfermo enferma enfermos enfermas positivo positiva positivos positivas anormal maligno maligna malignos
    malignas neumonia malade malades positif positifs malin maligne pathologique pneumonie
    malato malati polmonite anormale doente doentes ziek zieke positief kwaadaardig abnormaal
    阳性 陽性 异常 異常 恶性 悪性
""")
_NOT = (
    "non", "not", "no", "none", "without", "un", "kein", "keine", "ohne", "nicht", "sin", "sans", "pas",
    "senza", "nessun", "nessuna", "sem", "nenhum", "geen", "zonder", "niet",
)  # fmt: skip


@dataclass(frozen=True)
class Positive:
    """The positive class of two."""

    label: int
    """Its label."""
    sentence: str
    """Which class it is, and how that is known."""


def positive_class(names: Sequence[str], stated: str | None, noun: str = "the data has") -> Positive | None:
    """Return the positive class: the one `stated` with --positive, or by the names, or else label 1.

    It is None unless there are two classes. Raises InputError for a stated class that does not exist; `noun`
    begins what the message says of the classes.
    """
    if stated is not None:
        return Positive(_stated(names, stated, noun), f"'{stated}' is the positive class, as stated.")
    if len(names) != _TWO:
        return None
    known = by_names(names)
    if known is None:
        return Positive(
            _ASSUMED,
            f"Nothing says which class is positive: label {_ASSUMED}, '{names[_ASSUMED]}', counts as "
            f"positive; if it is '{names[0]}', state it with --positive {_quoted(names[0])}.",
        )
    return Positive(
        known,
        f"'{names[known]}' is the positive class, '{names[1 - known]}' the negative one, by their names; "
        "--positive states another.",
    )


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[\w.-]+", name) else f'"{name}"'


def _stated(names: Sequence[str], stated: str, noun: str) -> int:
    shown = [*map(printable, names)]
    either = " or ".join(f"'{name}'" for name in shown)
    if len(names) != _TWO:
        raise InputError(
            f"--positive {printable(stated)}: {noun} {len(names)} classes ({listed(shown)}), and one of two "
            "alone can be positive; leave it out"
        )
    if stated not in names:
        raise InputError(f"--positive {printable(stated)}: {noun} no such class; choose {either}")
    return list(names).index(stated)


def by_names(names: Sequence[str]) -> int | None:
    """Return which of two classes is positive by what their names say; None where they do not tell."""
    first, second = names
    ranks = _rank(first, second), _rank(second, first)
    return None if ranks[0] == ranks[1] else int(ranks[1] > ranks[0])


def _rank(name: str, other: str) -> int:
    """Return how far a name says that there is a finding: -2 normal, -1 benign, 0 nothing, 1 a finding."""
    words, others = _words(name), _words(other)
    if any("".join(words) == negation + "".join(others) for negation in _NOT):
        return _negated(_of_words(others))
    if len(words) > 1 and words[0] in _NOT:
        return _negated(_of_words(words[1:]))
    if len(words) > 1 and words[-1] == "free":
        return _negated(_of_words(words[:-1]))
    joined = (word.removeprefix(negation) for word in words[:1] for negation in _NOT if word != negation)
    negated = [word for word in joined if word != words[0] and word in _NORMAL | _BENIGN | _FINDING]
    return _negated(_of_words(negated)) if negated else _of_words(words)


def _negated(rank: int) -> int:
    return 1 if rank < 0 else -2


def _of_words(words: Sequence[str]) -> int:
    if _NORMAL.intersection(words) or tuple(words) in (("no",), ("false",)):
        return -2
    if _BENIGN.intersection(words):
        return -1
    return int(bool(_FINDING.intersection(words)) or tuple(words) in (("yes",), ("true",)))


def _words(name: str) -> list[str]:
    """Return the words of a name, small and without accents: those of noFinding are no, finding."""
    plain = unicodedata.normalize("NFKD", re.sub(r"([a-z])([A-Z])", r"\1 \2", name))
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter)).lower()
    return re.findall(r"[^\W\d_]+|\d+", letters)
