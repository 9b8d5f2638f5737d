"""What each corpus calls an emotion, and what it is called here: one table for all."""

LABELS = ("neutral", "calm", "happy", "sad", "angry", "fear", "disgust", "surprised")
"""Every emotion that a corpus here can teach."""

SHIPPED = ("neutral", "happy", "sad", "angry", "fear", "disgust")
"""The classes of the model that ships."""

# Corpus -> its own name or code -> ours, or None where we have no class for it.
TABLE: dict[str, dict[str, str | None]] = {
    "ravdess": {  # third number of the file name
        "01": "neutral",
        "02": "calm",
        "03": "happy",
        "04": "sad",
        "05": "angry",
        "06": "fear",
        "07": "disgust",
        "08": "surprised",
    },
    "tess": {  # last word of the file name
        "neutral": "neutral",
        "happy": "happy",
        "sad": "sad",
        "angry": "angry",
        "fear": "fear",
        "disgust": "disgust",
        "ps": "surprised",  # "pleasant surprise"
    },
    "crema-d": {  # third word of the file name
        "NEU": "neutral",
        "HAP": "happy",
        "SAD": "sad",
        "ANG": "angry",
        "FEA": "fear",
        "DIS": "disgust",
    },
    "savee": {  # letters of the file name
        "n": "neutral",
        "h": "happy",
        "sa": "sad",
        "a": "angry",
        "f": "fear",
        "d": "disgust",
        "su": "surprised",
    },
    "emodb": {  # sixth letter of the file name, from the German word
        "N": "neutral",
        "F": "happy",  # Freude
        "T": "sad",  # Trauer
        "W": "angry",  # Wut
        "A": "fear",  # Angst
        "E": "disgust",  # Ekel
        "L": None,  # Langeweile, boredom
    },
    "iemocap": {  # label of the turn in EmoEvaluation
        "neu": "neutral",
        "hap": "happy",
        "exc": "happy",  # excited, merged with happy as most work on IEMOCAP does
        "sad": "sad",
        "ang": "angry",
        "fea": "fear",
        "dis": "disgust",
        "sur": "surprised",
        "fru": None,  # frustrated
        "oth": None,
        "xxx": None,  # the raters did not agree
    },
    "thai-ser": {  # majority_emo in emotion_label.json
        "Neutral": "neutral",
        "Happy": "happy",
        "Sad": "sad",
        "Angry": "angry",
        "Frustrated": None,
        "Other": None,
        "None": None,  # the raters did not agree
    },
    "kesdy18": {  # Emotion of the total evaluation
        "neutral": "neutral",
        "happy": "happy",
        "sad": "sad",
        "angry": "angry",
        "fear": "fear",
        "disgust": "disgust",
        "surprise": "surprised",
    },
    "aihub-korean": {  # what each of the five raters wrote
        "neutral": "neutral",
        "happiness": "happy",
        "sadness": "sad",
        "angry": "angry",
        "fear": "fear",
        "disgust": "disgust",
        "surprise": "surprised",
    },
    "nemo-polish": {
        "neutral": "neutral",
        "happiness": "happy",
        "sadness": "sad",
        "anger": "angry",
        "fear": "fear",
        "surprised": "surprised",
    },
    "korean-emotional": {
        "neutral": "neutral",
        "happy": "happy",
        # Published the wrong way round: `korean_emotional` shows the evidence.
        "angry": "sad",
        "sad": "angry",
    },
}

# What people call their own files and folders -> ours. Whole words alone; nothing is guessed.
WORDS: dict[str, str] = {
    word: label
    for label, words in {
        "neutral": "neutral 중립",
        "calm": "calm 평온",
        "happy": "happy happiness joy joyful 행복 기쁨",
        "sad": "sad sadness 슬픔",
        "angry": "angry anger 분노 화남",
        "fear": "fear fearful afraid scared 공포 두려움",
        "disgust": "disgust disgusted 혐오",
        "surprised": "surprised surprise 놀람",
    }.items()
    for word in words.split()
}


def label_of(corpus: str, name: str) -> str:
    """Our class for a corpus's own name.

    Raises
    ------
    KeyError : the corpus has no such name, or we have no class for it
    """
    if (label := TABLE[corpus][name]) is None:
        raise KeyError(name)
    return label
