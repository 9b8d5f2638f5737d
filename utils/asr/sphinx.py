"""PocketSphinx with the English model of its own package: no files, no network.

A segment is decoded twice. The first pass, in this process, follows the speech and gives
the growing text: it must be quick, and knows the mean cepstrum of the voice and the room
only from what it has just heard. The second pass gives the final text: it follows a second
or two behind, under a mean taken ahead, searches more widely, and looks back at the end.

PocketSphinx keeps Python's global lock while it decodes, so a second pass in this process
would stop the capture and every page for its whole length; it runs in a process of its
own, see `utils.asr.sphinx_process`.
"""

import json
import logging
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from utils.asr import Transcriber
from utils.asr.sphinx_process import (
    END,
    FIRST_PASS,
    HEADER,
    MORE,
    NEW,
    REPLY,
    MeanCepstrum,
    begin,
    open_decoder,
    spoken_words,
    text_so_far,
)
from utils.audio import SAMPLE_RATE
from utils.errors import ModelError
from utils.events import Transcription, Word

if TYPE_CHECKING:
    from pocketsphinx import Decoder

log = logging.getLogger(__name__)

FRAME_RATE = 100  # of the model, Hz
BLOCK = 512  # samples the first pass takes at a time, so that no text depends on the frames
MEAN_STEP = 16 * BLOCK  # the mean cepstrum is taken anew about every half second
MIN_SAMPLES = SAMPLE_RATE // 10  # a shorter segment holds no word
AHEAD_FROM = 4 * MEAN_STEP  # the mean of less speech costs words; up to here the wait is short
PATIENCE_S = 2.0  # beyond the segment's length, until the second pass is given up


def _pcm(samples: np.ndarray) -> np.ndarray:
    return (np.clip(samples, -1, 1) * 32_767).astype("<i2")


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

    def send(self, kind: bytes, mean: str, pcm: np.ndarray) -> None:
        """Have it work on samples under a mean cepstrum; returns at once."""
        self._thread.submit(self._send, kind, mean, pcm.tobytes())

    def ask(self, mean: str, pcm: np.ndarray, sent: int) -> Future:
        """Close the segment, `sent` samples of which it has; its words, or None if it fails."""
        return self._thread.submit(self._ask, mean, pcm.tobytes(), sent * pcm.itemsize)

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
            [sys.executable, "-m", "utils.asr.sphinx_process"],
            cwd=Path(__file__).resolve().parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        try:
            error = self._read().get("error")
        except EOFError as err:
            self._stop()
            raise ModelError(
                "the process of the second pass ended while it loaded; "
                "run `python -m utils.asr.sphinx_process` to see why"
            ) from err
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

    def _send(self, kind: bytes, mean: str, pcm: bytes) -> None:
        if kind == NEW:
            self._lost = False
        if self._lost:
            return  # `_ask` will send the whole segment
        try:
            self._write(kind, mean, pcm)
        except OSError as err:
            self._replace(err)

    def _ask(self, mean: str, pcm: bytes, sent: int) -> list[list] | None:
        try:
            if self._lost:
                self._lost, sent = False, 0
                self._write(NEW, mean, b"")
            self._write(END, mean, pcm[sent:])  # nothing where it has more than the segment
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
        try:
            self._start()
        except (ModelError, OSError):
            log.exception("no second pass: the first gives the text until one starts")

    def _write(self, kind: bytes, mean: str, pcm: bytes) -> None:
        if self._process is None:
            raise BrokenPipeError("no process")
        header = HEADER.pack(kind, len(mean), len(pcm))
        self._process.stdin.write(header + mean.encode() + pcm)
        self._process.stdin.flush()

    def _read(self) -> dict:
        header = self._process.stdout.read(REPLY.size)
        if len(header) < REPLY.size:
            raise EOFError("no answer")
        (size,) = REPLY.unpack(header)
        return json.loads(self._process.stdout.read(size))


class SphinxStream:
    """The recognition of one segment, see `utils.asr.Stream`."""

    def __init__(
        self, decoder: "Decoder", cepstra: MeanCepstrum, worker: _Worker, mean: str
    ) -> None:
        self._decoder, self._cepstra, self._worker = decoder, cepstra, worker
        self._mean = mean  # of a typical voice, until there is enough of this one
        self._averaged = 0  # samples that `_mean` knows
        self._pcm = np.zeros(0, "<i2")
        self._decoded = 0  # samples of the first pass
        self._sent = 0  # samples of the second pass
        self._open = True
        cepstra.reset()
        begin(decoder, mean)

    def accept(self, samples: np.ndarray) -> str:
        """Take the next samples, float32 (n,) at 16 kHz; return the text so far."""
        self._pcm = np.concatenate([self._pcm, _pcm(samples)])
        while self._decoded + BLOCK <= len(self._pcm):
            block = self._pcm[self._decoded : self._decoded + BLOCK]
            self._decoder.process_raw(block.tobytes())
            self._decoded += BLOCK
            if self._decoded % MEAN_STEP == 0:
                self._average(self._decoded)
                self._decoder.set_cmn(self._mean)
                if self._decoded >= AHEAD_FROM:
                    self._send(self._decoded)
        return text_so_far(self._decoder)

    def _average(self, until: int) -> None:
        """Take the samples up to `until` into the mean cepstrum."""
        if until - self._averaged >= MIN_SAMPLES:
            self._mean = self._cepstra.add(self._pcm[self._averaged : until].tobytes())
            self._averaged = until

    def work_ahead(self) -> None:
        """Speech has paused: start on the final text, in case nothing more comes."""
        self._average(len(self._pcm))
        self._send(len(self._pcm))

    def finish(self, n_samples: int) -> Transcription:
        """End the segment after its first `n_samples` and return its final text."""
        n_samples = min(n_samples, len(self._pcm))
        self.abandon()
        if n_samples < MIN_SAMPLES:
            return Transcription("")
        self._average(n_samples)
        if self._sent < AHEAD_FROM:
            self._send(n_samples)
        answer = self._worker.ask(self._mean, self._pcm[:n_samples], self._sent)
        words = self._wait(answer, n_samples / SAMPLE_RATE)
        return Transcription(" ".join(w.text for w in words), words)

    def abandon(self) -> None:
        """End the first pass, for the next segment to use the decoder."""
        if self._open:
            self._decoder.end_utt()
            self._open = False

    def _send(self, until: int) -> None:
        """Give the second pass the samples up to `until`."""
        if until <= self._sent:
            return
        # What was decoded under the mean of too little speech is done again.
        start = self._sent if self._sent >= AHEAD_FROM else 0
        self._worker.send(MORE if start else NEW, self._mean, self._pcm[start:until])
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
            words = spoken_words(self._decoder)
        return tuple(
            Word(text, first / FRAME_RATE, min((last + 1) / FRAME_RATE, duration_s))
            for text, first, last in words
            if (first + last) / 2 / FRAME_RATE < duration_s
        )


class SphinxTranscriber(Transcriber):
    """PocketSphinx and its English model, see `utils.asr.Transcriber`.

    Raises
    ------
    ModelError : PocketSphinx or its model is missing or does not fit
    """

    name = "PocketSphinx (English)"
    # With 0.3 s less is right, with 0.6 s words come later and hardly more are right; see
    # `make bench ARGS=churn`.
    settle_s = 0.4

    def __init__(self) -> None:
        self._worker = _Worker()  # loads while this process does
        try:
            self._decoder = open_decoder(FIRST_PASS)
            self._cepstra = MeanCepstrum()
            self._worker.wait_until_loaded()
        except ModelError:
            self._worker.close()
            raise
        self._mean = self._decoder.get_cmn(False)
        self._stream: SphinxStream | None = None

    def stream(self) -> SphinxStream:
        """Begin a segment; one that was never finished is forgotten."""
        if self._stream is not None:
            self._stream.abandon()
        self._stream = SphinxStream(self._decoder, self._cepstra, self._worker, self._mean)
        return self._stream

    @property
    def worker_pid(self) -> int | None:
        """Process id of the second pass; None while it is being replaced."""
        return self._worker.pid

    def close(self) -> None:
        """End the second process."""
        self._worker.close()
