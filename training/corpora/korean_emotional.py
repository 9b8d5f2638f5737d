"""The public sample of EmotionTTS Open DB: emotional speech in Korean.

Its README, and the manifest made from it, call recordings 00201 to 00300 of each speaker
angry (화남) and 00301 to 00400 sad (슬픔). It is the other way round:

- The wording. Five of the eight speakers read sentences written for the emotion. All 25 rows
  called angry are sad ("마음이 아프다", my heart aches; "너무 우울해", I am so depressed;
  "애석한 마음을 금할 길이 없습니다", my condolences), and all 25 called sad scold or
  complain ("놀기만 할 거니?", will you do nothing but play?; "그게 그렇게 어렵습니까?", is
  that so hard?).
- The voice, also of the three who read the same plain sentences in every emotion. Of 40 pairs
  of clips with the same speaker and place in the list, the one called sad has the higher
  median F0 in 40, more energy above 1 kHz against below in 40, the wider range of F0 in 38
  and the faster speech in 34. The one called angry has a lower F0 than the neutral one in 40.
- A model that has heard only acted English scores those called angry more as sad than as
  angry in 28 of 40, and those called sad more as angry than as sad in 34 of 40.

So `TABLE` swaps the two. Neutral and happy stay as published. For the speakers of sentences
written for the emotion, the wording confirms that; for the three others, the voice of the
happy clips is close to that of the angry ones and decides nothing.
"""

import re
from pathlib import Path

from training.corpora import layout
from training.corpora.clip import Clip
from training.corpora.labels import label_of
from utils.errors import DataError

EXAMPLE = "nea/nea00201.flac"
MANIFEST = "manifest.csv"
NAME = re.compile(r"(em[abfgh]|ne[abcdeklmno])(00[0-3]\d\d|00400)")  # speaker and number
PUBLISHED = ("neutral", "happy", "angry", "sad")  # numbers 1 to 100, 101 to 200, …
WOMEN = frozenset({"ema", "emb", "nea", "neb", "nec", "ned", "nee"})  # by the README


def read(folder: Path) -> list[Clip]:
    """Clips of the Korean sample in folders by speaker, with a manifest.csv.

    The label follows the number in the file name and `TABLE`, so that a manifest with the two
    labels put right reads the same. Speakers em… read plain sentences in each emotion,
    speakers ne… sentences written for it. KAIST and Selvas AI, EmotionTTS Open DB,
    https://github.com/emotiontts/emotiontts_open_db, 2020. CC BY-NC-SA 4.0, research only.

    Raises
    ------
    DataError : no such folder or manifest, a manifest without the columns, or a row with an
        unexpected name, a label that does not fit it, or no recording
    """
    layout.existing(folder, EXAMPLE)
    rows = layout.table(folder / MANIFEST, ("path", "emotion", "speaker_id"))
    return [_clip(row, folder / row["path"]) for row in rows]


def parse(path: Path) -> Clip:
    """The clip that a name stands for. ValueError: it is none of this corpus."""
    match = NAME.fullmatch(path.stem)
    if match is None or match[2] == "00000":
        raise ValueError(path.name)
    label = label_of("korean-emotional", _published(match[2]))
    gender = "female" if match[1] in WOMEN else "male"
    speaker = f"korean-emotional-{match[1]}"
    return Clip(path, label, speaker, "korean-emotional", "ko", gender)


def _clip(row: dict[str, str], path: Path) -> Clip:
    try:
        clip = parse(path)
    except ValueError:
        clip = None
    if clip is None or path.stem[:3] != row["speaker_id"]:
        raise DataError(
            f"{path}: unexpected file name for speaker {row['speaker_id']}, "
            f"expected one like {EXAMPLE}"
        )
    published = _published(path.stem[3:])
    if row["emotion"] not in (published, clip.label):
        raise DataError(
            f"{path}: labelled {row['emotion']}, but recordings with this number are {published}"
        )
    if not path.is_file():
        raise DataError(f"{path}: no such file, though the manifest has it; fetch the corpus again")
    return clip


def _published(number: str) -> str:
    return PUBLISHED[(int(number) - 1) // 100]
