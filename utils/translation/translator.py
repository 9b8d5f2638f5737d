"""A loaded model that translates: SentencePiece cuts the words, CTranslate2 runs the network."""

import re
from collections.abc import Sequence
from pathlib import Path

from utils.errors import ModelError
from utils.faults import model_error
from utils.models import trial
from utils.models.translation.package import Package, check_whole, look_into, read

# As argostranslate/translate.py has them (version 1.9).
BEAM = 4
LENGTH_PENALTY = 0.2
END, MOST_PIECES = "</s>", 256  # of a sentence; positions of the networks end at 512
_SENTENCE = re.compile(r"(?<=[.!?…])\s+|(?<=[。？！])\s*")
TRIAL_S = 120  # that a trial may take
_WORK = """
from utils.models.translation.package import look_into
from utils.translation.translator import Translator
for path in sys.argv[1:]:
    Translator(look_into(Path(path))).translate("One, two.")
"""


class Translator:
    """Translates from one language to another, on the processor, with one thread.

    Parameters
    ----------
    package : what was looked into, and tried by `check_usable` where it is a stranger's

    Raises
    ------
    ModelError : it is damaged, or a library is missing
    """

    def __init__(self, package: Package) -> None:
        try:
            import ctranslate2
            from sentencepiece import SentencePieceProcessor
        except (ImportError, OSError) as err:  # OSError: a library that cannot be read
            raise model_error(
                err,
                "translation",
                f"translation needs CTranslate2 and sentencepiece, and one is not installed ({err})"
                "; install it with: .venv/bin/pip install -r requirements.txt",
            ) from err
        contents = read(package)
        self._path, self._prefix = package.path, package.prefix
        self._end = [END] if contents.ends_source else []
        try:
            self._source = SentencePieceProcessor(model_proto=contents.source_pieces)
            self._target = SentencePieceProcessor(model_proto=contents.target_pieces)
            self._network = ctranslate2.Translator(
                str(contents.folder),
                device="cpu",
                compute_type="int8",
                inter_threads=1,
                intra_threads=1,
                files=contents.network,
            )
        except Exception as err:  # of kinds of their own
            raise self._unusable(err, "cannot be loaded") from err

    def translate(self, text: str) -> str:
        """The words in the other language; "" where nothing comes of them.

        Raises
        ------
        ModelError : the network cannot be run
        """
        pieces = [self._source.encode(part, out_type=str) for part in sentences(text)]
        pieces = [part[:MOST_PIECES] + self._end for part in pieces if part]
        if not pieces:
            return ""
        try:
            found = self._network.translate_batch(
                pieces,
                target_prefix=[[self._prefix]] * len(pieces) if self._prefix else None,
                beam_size=BEAM,
                length_penalty=LENGTH_PENALTY,
                replace_unknowns=True,
                max_input_length=0,
                max_decoding_length=MOST_PIECES,
            )
        except (RuntimeError, ValueError) as err:  # also of no memory
            raise self._unusable(err, "translates no more") from err
        return " ".join(filter(None, (self._joined(each.hypotheses[0]) for each in found)))

    def _unusable(self, err: Exception, what: str) -> ModelError:
        told = f"{self._path} {what} ({err}); get it again, or another one"
        return model_error(err, str(self._path), told)

    def _joined(self, pieces: Sequence[str]) -> str:
        if self._prefix and pieces[:1] == [self._prefix]:
            pieces = pieces[1:]
        return " ".join(self._target.decode([p for p in pieces if p != END]).split())


def sentences(text: str) -> list[str]:
    """The sentences of a line, which networks translate one by one.

    >>> sentences("Well, yes. Is it 3.5? It is")
    ['Well, yes.', 'Is it 3.5?', 'It is']
    """
    return [part for part in _SENTENCE.split(text.strip()) if part]


def check_usable(packages: Sequence[Package]) -> None:
    """Load models from strangers and let them translate, in a process that they may end.

    Parameters
    ----------
    packages : looked into already

    Raises
    ------
    ModelError : as `utils.models.trial.check_usable`, or one is damaged
    """
    for package in packages:
        check_whole(package.path)
    paths = [str(package.path.resolve()) for package in packages]
    trial.check_usable(
        *(_WORK, *paths),
        timeout_s=TRIAL_S,
        shown=" or ".join(paths),
        remedy="get it again, or another one",
    )


def load(path: Path) -> Translator:
    """The translator of a file or folder.

    Raises
    ------
    ModelError : as `look_into`, `check_usable` and `Translator`
    """
    package = look_into(path)
    check_usable([package])
    return Translator(package)
