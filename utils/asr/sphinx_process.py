"""What both passes of PocketSphinx share, and the process of the second pass.

`python -m utils.asr.sphinx_process` answers requests on two pipes. It is a plain program
and not a process pool: `fork` is unsafe under threads, and `spawn` would run the main
script's imports again. The end of its input ends it, so that it goes when the program
that started it goes, however that ends.
"""

import json
import signal
import struct
import sys
from typing import TYPE_CHECKING, BinaryIO

from utils.errors import ModelError

if TYPE_CHECKING:
    from pocketsphinx import Decoder

# Chosen on some 60 utterances of LibriSpeech dev-clean; `make bench` reports on others.
SEARCH = {
    "maxhmmpf": 3000,  # half the time of no such limit, at the same word error rate
    "wbeam": 1e-20,  # two thirds of the time of 7e-29, at the same word error rate
    "lponlybeam": 1e-20,  # goes with `wbeam`
    # With fewer states kept, a strong language model drops the right ones: the defaults
    # 6.5, 8.5 and 9.5 cost 4 points.
    "lw": 5.5,
    "fwdflatlw": 6.0,
    "bestpathlw": 6.5,
}
# Going over the words found once more, at the end, is worth 4 points. Growing text cannot.
FIRST_PASS = SEARCH | {"fwdflat": False, "bestpath": False}
SECOND_PASS = SEARCH | {"fwdflat": True, "bestpath": True}
# A key phrase needs no language model, so this decoder loads fast; it only makes cepstra.
NO_SEARCH = {"lm": None, "keyphrase": "hello"}

HEADER = struct.Struct("<cII")  # what to do, bytes of mean and of int16 samples that follow
NEW, MORE, END = b"N", b"M", b"E"
REPLY = struct.Struct("<I")  # bytes of JSON that follow


def open_decoder(options: dict) -> "Decoder":
    """Load the engine with its English model.

    Raises
    ------
    ModelError : PocketSphinx or its model is missing or does not fit
    """
    try:
        from pocketsphinx import Decoder

        decoder = Decoder(loglevel="FATAL", **options)
    except (ImportError, RuntimeError, KeyError, TypeError, ValueError) as err:
        raise ModelError(
            f"PocketSphinx does not load ({err}); expected pocketsphinx 5.1 with its English "
            "model: run `pip install 'pocketsphinx>=5.1,<6'`"
        ) from err
    # The very first utterance scores a little differently: let it be one of no use.
    decoder.start_utt()
    decoder.process_raw(bytes(1024))
    decoder.end_utt()
    return decoder


def begin(decoder: "Decoder", mean: str) -> None:
    """Start an utterance that owes nothing to the one before."""
    decoder.reinit_feat()  # else cepstra and noise level linger, and change the next text
    decoder.start_utt()
    decoder.set_cmn(mean)


class MeanCepstrum:
    """The mean cepstrum of a segment so far, as `Decoder.set_cmn` takes it.

    PocketSphinx's own live estimate leans on a typical voice for five seconds.
    """

    def __init__(self) -> None:
        self._decoder = open_decoder(NO_SEARCH)
        self.reset()

    def reset(self) -> None:
        """Forget the segment."""
        self._sum = [0.0] * 13
        self._n_bytes = 0

    def add(self, pcm: bytes) -> str:
        """Take the next stretch, at least 0.1 s of it; return the mean of all so far."""
        self._decoder.reinit_feat()
        self._decoder.start_utt()
        self._decoder.process_raw(pcm, no_search=True, full_utt=True)
        self._decoder.end_utt()
        mean = map(float, self._decoder.get_cmn(False).split(","))
        self._sum = [s + m * len(pcm) for s, m in zip(self._sum, mean, strict=True)]
        self._n_bytes += len(pcm)
        return ",".join(f"{s / self._n_bytes:.4f}" for s in self._sum)


def _show(word: str) -> str:
    """A word of the dictionary as people write it: "read(2)" -> "read", "i'm" -> "I'm"."""
    word = word.split("(")[0]
    return "I" + word[1:] if word == "i" or word.startswith("i'") else word


def text_so_far(decoder: "Decoder") -> str:
    """What the open utterance sounds like by now."""
    hypothesis = decoder.hyp()
    return " ".join(map(_show, hypothesis.hypstr.split())) if hypothesis else ""


def spoken_words(decoder: "Decoder") -> list[list]:
    """Spoken words as [text, first frame, last frame]; pauses and noises left out."""
    segments = decoder.seg() or ()
    return [
        [_show(s.word), s.start_frame, s.end_frame]
        for s in segments
        if not s.word.startswith(("<", "[", "+"))
    ]


class _SecondPass:
    """The second pass over one segment at a time; lives in the process of its own."""

    def __init__(self) -> None:
        self._decoder = open_decoder(SECOND_PASS)
        self._started = False

    def more(self, mean: str, pcm: bytes) -> None:
        """Decode the next stretch under the mean of all that is known by now."""
        if not pcm:
            return
        if not self._started:
            begin(self._decoder, mean)
            self._started = True
        self._decoder.set_cmn(mean)
        self._decoder.process_raw(pcm)

    def end(self) -> list[list]:
        """Close the segment; its words."""
        if not self._started:
            return []
        self._decoder.end_utt()
        self._started = False
        return spoken_words(self._decoder)


def _serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Answer requests until their end. The first reply says that the decoder is loaded."""

    def reply(answer: dict) -> None:
        data = json.dumps(answer).encode()
        replies.write(REPLY.pack(len(data)) + data)
        replies.flush()

    try:
        second = _SecondPass()
    except ModelError as err:
        reply({"error": str(err)})
        return
    reply({})
    while len(header := requests.read(HEADER.size)) == HEADER.size:
        kind, mean_size, size = HEADER.unpack(header)
        mean, pcm = requests.read(mean_size).decode(), requests.read(size)
        if len(pcm) < size:
            return
        if kind == NEW:
            second.end()
        second.more(mean, pcm)
        if kind == END:
            reply({"words": second.end()})


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends it through its input
    _serve(sys.stdin.buffer, sys.stdout.buffer)
