"""PocketSphinx with the English model of its own package: no files, no network.

A segment is decoded twice. The first pass, in this process, follows the speech and gives
the growing text. It knows the mean cepstrum of the voice and the room only from what it
has heard so far. The second pass gives the final text: it waits for a pause, takes the
mean of everything up to there, and so hears the beginning as well as the end.

PocketSphinx keeps Python's global lock while it decodes, so a second pass in this process
would stop the capture and every page for its whole length; it runs in a process of its
own. That is a plain `python -m utils.asr.sphinx` on two pipes and not a process pool:
`fork` is unsafe under threads, and `spawn` would run the main script's imports again.
The end of its input ends it, so that it goes when this program goes, however that ends.
"""

import json
import logging
import signal
import struct
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from utils.audio import SAMPLE_RATE
from utils.errors import ModelError
from utils.events import Transcription, Word

if TYPE_CHECKING:
    from pocketsphinx import Decoder

log = logging.getLogger(__name__)

BLOCK = 512  # samples a decoder is fed at a time, so that no result depends on the frames
FRAME_RATE = 100  # of the model, Hz
MIN_SAMPLES = SAMPLE_RATE // 10  # a shorter segment holds no word
MIN_AHEAD = 2 * SAMPLE_RATE  # less speech gives no mean worth starting the second pass on
PATIENCE_S = 2.0  # beyond the segment's length, until the second pass is given up
LIVE_MEANS = tuple(int(s * SAMPLE_RATE) // BLOCK * BLOCK for s in (0.5, 1, 2, 4, 8))

FIRST_PASS = {"fwdflat": False, "bestpath": False, "topn": 2, "maxhmmpf": 3000}
SECOND_PASS = {"fwdflat": True, "bestpath": True, "maxhmmpf": 3000}
# A key phrase needs no language model, so this decoder loads fast; it only makes cepstra.
NO_SEARCH = {"lm": None, "keyphrase": "hello"}

HEADER = struct.Struct("<cI")  # what to do, bytes that follow
NEW, MORE, END = b"N", b"M", b"E"
REPLY = struct.Struct("<I")  # bytes of JSON that follow


def _open(options: dict) -> "Decoder":
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
    decoder.process_raw(bytes(2 * BLOCK))
    decoder.end_utt()
    return decoder


def _begin(decoder: "Decoder", mean: str) -> None:
    """Start an utterance that owes nothing to the one before."""
    decoder.reinit_feat()  # else cepstra and noise level linger, and change the next text
    decoder.start_utt()
    decoder.set_cmn(mean)


def _pcm(samples: np.ndarray) -> np.ndarray:
    return (np.clip(samples, -1, 1) * 32_767).astype("<i2")


def _mean_cepstrum(decoder: "Decoder", pcm: bytes) -> str:
    """Mean cepstrum of a stretch, as `Decoder.set_cmn` takes it."""
    decoder.reinit_feat()
    decoder.start_utt()
    decoder.process_raw(pcm, no_search=True, full_utt=True)
    decoder.end_utt()
    return decoder.get_cmn(False)


def _show(word: str) -> str:
    """A word of the dictionary as people write it: "read(2)" -> "read", "i'm" -> "I'm"."""
    word = word.split("(")[0]
    return "I" + word[1:] if word == "i" or word.startswith("i'") else word


def _text(decoder: "Decoder") -> str:
    hypothesis = decoder.hyp()
    return " ".join(map(_show, hypothesis.hypstr.split())) if hypothesis else ""


# ---- the process of the second pass


def _words(decoder: "Decoder") -> list[list]:
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
        self._decoder = _open(SECOND_PASS)
        self._cepstra = _open(NO_SEARCH)
        self._pcm = b""
        self._started = False

    def more(self, pcm: bytes) -> None:
        """Decode the next stretch under the mean of all that is known by now."""
        self._pcm += pcm
        if not pcm:
            return
        mean = _mean_cepstrum(self._cepstra, self._pcm)
        if not self._started:
            _begin(self._decoder, mean)
            self._started = True
        self._decoder.set_cmn(mean)
        self._decoder.process_raw(pcm)

    def end(self) -> list[list]:
        """Close the segment; its words."""
        if not self._started:
            return []
        self._decoder.end_utt()
        self._started, self._pcm = False, b""
        return _words(self._decoder)


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
        kind, size = HEADER.unpack(header)
        pcm = requests.read(size)
        if len(pcm) < size:
            return
        if kind == NEW:
            second.end()
        second.more(pcm)
        if kind == END:
            reply({"words": second.end()})


# ---- the main process


class _Worker:
    """The other end: starts the process, talks to it, replaces it when it dies.

    One thread does the talking, because a pipe holds two seconds of sound: a longer
    stretch waits until the process has read it, and the caller must not.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen | None = None
        self._lost = False  # a process died with the beginning of this segment
        self._closed = False
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sphinx")
        self._loaded = self._thread.submit(self._start)

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def wait_until_loaded(self) -> None:
        self._loaded.result()

    def send(self, kind: bytes, pcm: np.ndarray) -> None:
        """Have it work on samples; returns at once."""
        self._thread.submit(self._send, kind, pcm.tobytes())

    def ask(self, pcm: np.ndarray, sent: int) -> Future:
        """Close the segment, `sent` samples of which it has; its words, or None if it fails."""
        return self._thread.submit(self._ask, pcm.tobytes(), sent * pcm.itemsize)

    def kill(self) -> None:
        """End a process that does not answer; whoever waits for it replaces it."""
        if self._process is not None:
            self._process.kill()

    def close(self) -> None:
        """End the process and what it has to do."""
        self._closed = True
        self.kill()
        self._thread.submit(self._stop)
        self._thread.shutdown(wait=True)

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "utils.asr.sphinx"],
            cwd=Path(__file__).resolve().parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        error = self._read().get("error")
        if error:
            self._stop()
            raise ModelError(error)

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.stdout.close()
        try:
            process.stdin.close()
        except BrokenPipeError:
            pass  # what was still to be written has no reader any more
        process.wait()

    def _send(self, kind: bytes, pcm: bytes) -> None:
        if kind == NEW:
            self._lost = False
        try:
            self._write(kind, pcm)
        except OSError as err:
            self._replace(err)

    def _ask(self, pcm: bytes, sent: int) -> list[list] | None:
        try:
            if self._lost:
                self._lost, sent = False, 0
                self._write(NEW, b"")
            self._write(END, pcm[sent:])
            return self._read()["words"]
        except (OSError, EOFError) as err:
            self._replace(err)
            return None

    def _replace(self, err: Exception) -> None:
        if self._closed:
            return
        log.warning("the second pass has died (%s); starting it again", err)
        self._lost = True
        self._stop()
        self._start()

    def _write(self, kind: bytes, pcm: bytes) -> None:
        if self._process is None:
            raise BrokenPipeError("no process")
        self._process.stdin.write(HEADER.pack(kind, len(pcm)) + pcm)
        self._process.stdin.flush()

    def _read(self) -> dict:
        header = self._process.stdout.read(REPLY.size)
        if len(header) < REPLY.size:
            raise EOFError("no answer")
        (size,) = REPLY.unpack(header)
        return json.loads(self._process.stdout.read(size))


class SphinxStream:
    """The recognition of one segment, see `utils.asr.Stream`."""

    def __init__(self, decoder: "Decoder", cepstra: "Decoder", worker: _Worker, mean: str) -> None:
        self._decoder, self._cepstra, self._worker = decoder, cepstra, worker
        self._pcm = np.zeros(0, "<i2")
        self._decoded = 0  # samples of the first pass
        self._sent = 0  # samples of the second pass
        _begin(decoder, mean)

    def accept(self, samples: np.ndarray) -> str:
        """Take the next samples, float32 (n,) at 16 kHz; return the text so far."""
        self._pcm = np.concatenate([self._pcm, _pcm(samples)])
        while self._decoded + BLOCK <= len(self._pcm):
            block = self._pcm[self._decoded : self._decoded + BLOCK]
            self._decoder.process_raw(block.tobytes())
            self._decoded += BLOCK
            if self._decoded in LIVE_MEANS:
                heard = self._pcm[: self._decoded].tobytes()
                self._decoder.set_cmn(_mean_cepstrum(self._cepstra, heard))
        return _text(self._decoder)

    def work_ahead(self) -> None:
        """Speech has paused: start on the final text, in case nothing more comes."""
        if len(self._pcm) >= MIN_AHEAD:
            self._send(MORE if self._sent else NEW, len(self._pcm))

    def finish(self, n_samples: int) -> Transcription:
        """End the segment after its first `n_samples` and return its final text."""
        n_samples = min(n_samples, len(self._pcm))
        self._decoder.end_utt()
        if n_samples < MIN_SAMPLES:
            return Transcription("")
        if self._sent > n_samples or not self._sent:
            self._sent = 0
            self._send(NEW, 0)
        answer = self._worker.ask(self._pcm[:n_samples], self._sent)
        words = self._wait(answer, n_samples / SAMPLE_RATE)
        return Transcription(" ".join(w.text for w in words), words)

    def _send(self, kind: bytes, until: int) -> None:
        self._worker.send(kind, self._pcm[self._sent : until])
        self._sent = until

    def _wait(self, answer: Future, duration_s: float) -> tuple[Word, ...]:
        """The words of the second pass or, if it fails, those of the first."""
        try:
            words = answer.result(timeout=PATIENCE_S + duration_s)
        except FutureTimeoutError:
            log.warning("the second pass does not answer; showing the first")
            self._worker.kill()
            words = None
        if words is None:
            words = _words(self._decoder)
        return tuple(
            Word(text, first / FRAME_RATE, min((last + 1) / FRAME_RATE, duration_s))
            for text, first, last in words
            if first / FRAME_RATE < duration_s
        )


class SphinxTranscriber:
    """PocketSphinx and its English model, see `utils.asr.Transcriber`.

    Raises
    ------
    ModelError : PocketSphinx or its model is missing or does not fit
    """

    name = "PocketSphinx (English)"

    def __init__(self) -> None:
        self._worker = _Worker()  # loads while this process does
        try:
            self._decoder = _open(FIRST_PASS)
            self._cepstra = _open(NO_SEARCH)
            self._worker.wait_until_loaded()
        except ModelError:
            self._worker.close()
            raise
        self._mean = self._decoder.get_cmn(False)

    def stream(self) -> SphinxStream:
        """Begin a segment."""
        return SphinxStream(self._decoder, self._cepstra, self._worker, self._mean)

    @property
    def worker_pid(self) -> int | None:
        """Process id of the second pass; None while it is being replaced."""
        return self._worker.pid

    def close(self) -> None:
        """End the second process."""
        self._worker.close()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends it through its input
    _serve(sys.stdin.buffer, sys.stdout.buffer)
