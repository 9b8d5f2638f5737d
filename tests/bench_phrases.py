"""What a list of names gains where they are said, and spoils where they are not."""

from tests.bench_words import Errors
from tests.measuring import SPEECH, captioned, finals, listening, manifest, row, surrounded, table
from utils import audio
from utils.asr import Tuning
from utils.captions.pipeline import Captioner

# Twenty names that are said in the recordings, by eight of the ten readers.
NAMES = (
    "Quilter",
    "Ruggedo",
    "Kaliko",
    "Brion",
    "Bartley",
    "Mainhall",
    "Hilda",
    "Nestorius",
    "Apollinaris",
    "Theodosius",
    "Cosette",
    "Valjean",
    "Shimerda",
    "Ambrosch",
    "Antonia",
    "Yulka",
    "Phoebe",
    "Hepzibah",
    "Pyncheon",
    "Moling",
)
WITHOUT_NAMES = 60  # utterances to see what the list spoils


def bench_phrases(every: int) -> None:
    """What `--phrases` with twenty names gains where they are said, and spoils elsewhere.

    Parameters
    ----------
    every : of the utterances with a name, and of those without, takes each so many'th
    """
    rows = manifest(1)
    having = [r for r in rows if names_in(r["text"])]
    lacking = [r for r in rows if not names_in(r["text"])]
    spaced = lacking[:: len(lacking) // WITHOUT_NAMES]
    having, lacking = having[::every], spaced[:WITHOUT_NAMES:every]
    count = f"{len(having)} utterances with and {len(lacking)} without"
    table(f"Phrases: {len(NAMES)} names, {count}", [])
    for which, tuning in (("no list", Tuning()), ("list", Tuning(phrases=NAMES))):
        with listening(live=False, tuning=tuning) as captioner:
            right, said, _, rate = names_heard(captioner, having)
            row(f"{which}: names that are said and written", f"{right} of {said}")
            row(f"{which}: word error rate where a name is said", rate)
            _, _, invented, rate = names_heard(captioner, lacking)
            row(f"{which}: word error rate where none is", rate)
            row(f"{which}: names written where none is said", str(invented))


def names_in(text: str) -> list[str]:
    """The names of the list that stand in a text, as often as they do."""
    known = {name.lower() for name in NAMES}
    words = (word.strip('.,;:!?"').removesuffix("'s") for word in text.lower().split())
    return [word for word in words if word in known]


def names_heard(captioner: Captioner, rows: list[dict[str, str]]) -> tuple[int, int, int, str]:
    """Names written where they are said, names said, names written beyond that, error rate."""
    right = n_said = n_written = start = 0
    errors = Errors()
    for r in rows:
        samples = surrounded(audio.load(SPEECH / r["path"]))
        heard = finals(captioned(captioner, samples, start))
        start += len(samples)
        errors.add(r["speaker_id"], r["text"].lower(), heard)
        said, written = names_in(r["text"]), names_in(heard)
        right += sum(min(said.count(name), written.count(name)) for name in set(said))
        n_said, n_written = n_said + len(said), n_written + len(written)
    return right, n_said, n_written - right, errors.rate
