"""A recording of any kind, read to its end, whatever its headers say."""

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np

from utils.audio import headers
from utils.audio.convert import SAMPLE_RATE, Converter
from utils.audio.decoded import samples_of, silence
from utils.audio.formats import BYTES_TOLD, FORMATS, KNOWN, MISSING_S, TELL_LENGTH, TIMED
from utils.errors import AudioError
from utils.opening import Nameless, open_recording

BLOCK_S = 0.25  # handed out at a time: bounds memory
GAP_S, LONGEST_GAP_S = 0.1, 600.0
SLOWEST_HZ, FASTEST_HZ = 1_000, 1_000_000
TAGS = (b"ID3", b"TAG", b"APE")  # they stand between joined MP3s, and are no damage
MOST_STOPS = 10_000  # places that cannot be read, after which the rest is given up
# So many zeros at the end, and this part of the file, are no padding, but what is still to come
# of a file whose room was taken before it was fetched.
UNFETCHED_BYTES, UNFETCHED_PART, UNFETCHED_S = 65_536, 0.2, 1.0
AMR_BITS, AMR_GOOD = 0b10000111, 0b100  # that are alike in every good frame (RFC 4867, 5.3)
HIGHEST = 2.0**31  # no format's samples are larger, unless they are no sound


class Recording:
    """The sound of a file, from beginning to end: open, iterate once, close.

    Everything that can be decoded is handed out. What could not be, and an end that is
    missing, is told after it.

    Parameters
    ----------
    path : a file in any format of `FORMATS`; of a video its best sound track is taken

    Attributes
    ----------
    duration_s : its length as far as its header tells it; None where it does not

    Raises
    ------
    AudioError : missing, not a file, not a recording, or without sound (at once); damaged, or
        shorter than it says (in the end, after all that could be read)
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._done_s = 0.0  # handed out
        self._read_to = 0  # byte up to which it was decoded
        self._bad = ""  # what could not be since, in words
        self._spoiled: list[str] = []  # what was left out, in words
        self._file = open_recording(self._path)
        self._container: Any = None
        try:
            self._claim = headers.read(self._file)
            if self._claim.empty:
                raise AudioError(f"{self._path}: the recording is empty")
            self._open()
            self._blocks = self._read()
            self._first = next(self._blocks)
        except OSError as err:  # of a disk, or of what only looks like a file
            self.close()
            reason = err.strerror or str(err)
            raise AudioError(f"{self._path}: cannot be read ({reason}); give a file") from err
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the file go; more than once does no harm."""
        if self._container is not None:
            self._container.close()
        self._file.close()

    def __iter__(self) -> Iterator[tuple[np.ndarray, int]]:
        """Blocks as they are in the file: float32 (n, n_channels), and their rate in Hz."""
        yield self._first
        yield from self._blocks

    def voice(self) -> Iterator[np.ndarray]:
        """The same as one channel at 16 kHz, float32 (n,), in blocks; see `Converter`."""
        kind, converter, error = None, Converter(SAMPLE_RATE), None
        try:
            for block, rate in self:
                if kind != (rate, block.shape[1]):  # also in the middle, where files were joined
                    yield converter.finish()
                    kind, converter = (rate, block.shape[1]), Converter(rate)
                yield converter.push(block)
        except AudioError as err:
            error = err
        yield converter.finish()
        if error is not None:
            raise error

    def _open(self) -> None:
        import av  # 0.2 s and 20 MB, which listening to a microphone need not pay

        self._av = av
        options = {"format_whitelist": ",".join(FORMATS)}
        if self._claim.goes_on:
            options["ignore_length"] = "1"
        self._file.seek(0)
        try:
            # Without its name, which FFmpeg would believe more than what is inside.
            whole = Nameless(self._file, self._claim.readable)
            self._container = av.open(whole, "r", options=options, metadata_errors="ignore")
            track = self._container.streams.best("audio")
        except (av.FFmpegError, OSError, ValueError) as err:
            raise self._unreadable(err) from err
        if track is None:
            raise AudioError(f"{self._path}: holds no sound that can be read; {KNOWN}")
        self._track = track
        self._format = self._container.format.name.split(",")[0]
        self.duration_s = self._told_s()

    def _unreadable(self, err: Exception) -> AudioError:
        if self._claim.cut_short:
            whole = f" of {self._claim.end}" if self._claim.end else ""
            return AudioError(
                f"{self._path}: not a readable recording: only {self._claim.size}{whole} bytes are "
                "there, and nothing can be played without the rest; get the whole file again"
            )
        reason = getattr(err, "strerror", None) or str(err)
        return AudioError(f"{self._path}: not a readable recording ({reason}); {KNOWN}")

    def _told_s(self) -> float | None:
        if self._claim.counted and self._track.rate:
            return self._claim.counted / self._track.rate
        if self._format not in TELL_LENGTH or self._claim.goes_on:
            return None
        if self._track.duration:
            return float(self._track.duration * self._track.time_base)
        length = self._container.duration
        return length / self._av.time_base if length and length > 0 else None

    def _read(self) -> Iterator[tuple[np.ndarray, int]]:
        """Blocks of about `BLOCK_S`, each of one rate and number of channels."""
        parts: list[np.ndarray] = []
        rate, n_samples = 0, 0
        for part, part_rate in self._parts():
            if parts and (part_rate, part.shape[1]) != (rate, parts[0].shape[1]):
                yield np.concatenate(parts), rate
                parts, n_samples = [], 0
            rate = part_rate
            parts.append(part)
            n_samples += len(part)
            if n_samples >= BLOCK_S * rate:
                yield np.concatenate(parts), rate
                parts, n_samples = [], 0
        if parts:
            yield np.concatenate(parts), rate
        self._judge_end()

    def _parts(self) -> Iterator[tuple[np.ndarray, int]]:
        """What the decoder gives, with silence where the track leaves some out."""
        base_s = (self._container.start_time or 0) / self._av.time_base
        for frame in self._frames():
            rate = frame.sample_rate
            if not SLOWEST_HZ <= rate <= FASTEST_HZ:
                raise AudioError(
                    f"{self._path}: has {rate} samples a second, expected {SLOWEST_HZ} to "
                    f"{FASTEST_HZ}; record or convert it again"
                )
            part = self._sound(frame)
            if frame.time is not None and self._format in TIMED:
                gap_s = frame.time - base_s - self._done_s
                if GAP_S < gap_s < LONGEST_GAP_S:
                    self._done_s += round(gap_s * rate) / rate
                    yield from silence(gap_s, rate, part.shape[1], BLOCK_S)
                elif abs(gap_s) > GAP_S:  # its clock was set anew
                    base_s += gap_s
            self._done_s += len(part) / rate
            yield part, rate

    def _frames(self) -> Iterator[Any]:
        """Decoded frames; what cannot be decoded is left out, and noted where sound follows it."""
        for packet in self._packets():
            try:
                frames = [] if packet is None or self._is_padding(packet) else packet.decode()
            except self._av.FFmpegError:
                if bytes(packet)[:3] in TAGS:
                    continue
                frames, packet = [], None
            if packet is None:
                self._bad = self._bad or f"damaged after {self._done_s:.1f} s"
            frames = [frame for frame in frames if frame.samples]
            if frames:
                if self._bad:  # what follows the last sound is a tag, or an end that is missing
                    self._spoiled.append(self._bad)
                self._bad = ""
                self._read_to = max(self._read_to, (packet.pos or 0) + packet.size)
            yield from frames

    def _packets(self) -> Iterator[Any]:
        """Packets of the track; None for a place that cannot be read, behind which it goes on."""
        for _ in range(MOST_STOPS):
            try:
                yield from self._container.demux(self._track)
                return
            except (self._av.FFmpegError, OSError) as err:
                reason = getattr(err, "strerror", None) or str(err)
                if not isinstance(err, self._av.FFmpegError) or err.errno == errno.EIO:
                    break
            yield None
        self._spoiled.append(f"cannot be read on after {self._done_s:.1f} s ({reason})")

    def _is_padding(self, packet: Any) -> bool:
        """Whether FFmpeg would make sound of what is none: bytes behind the end of an AMR."""
        first = bytes(packet)[:1]
        return self._format == "amr" and bool(first) and first[0] & AMR_BITS != AMR_GOOD

    def _sound(self, frame: Any) -> np.ndarray:
        """A frame as float32 (n, n_channels); what is no number becomes silence, and is noted."""
        try:
            samples = samples_of(frame)
        except ValueError as err:  # a sample format that NumPy has no name for
            raise AudioError(f"{self._path}: {err}; convert it to 16-bit WAV or FLAC") from err
        good = np.abs(samples) <= HIGHEST  # False for NaN too
        if not good.all():
            at_s = self._done_s + np.argmin(good.all(axis=1)) / frame.sample_rate
            self._spoiled.append(f"NaN or infinite sample at {at_s:.3f} s")
            samples = np.where(good, samples, np.float32(0))
        return samples

    def _judge_end(self) -> None:
        """Raise AudioError where something was missing."""
        done_s, told_s = self._done_s, self.duration_s or 0.0
        missing = told_s - done_s > MISSING_S.get(self._format, float("inf"))
        if missing or self._claim.cut_short:
            if self._format in BYTES_TOLD and self._claim.end:
                told_s = done_s * self._claim.end / self._claim.size
            longer = told_s > done_s + 0.05
            promise = f"promises {told_s:.1f} s" if longer else "that is not its end"
            raise AudioError(
                f"{self._path}: ends at {done_s:.1f} s but {promise}; get the whole file again"
            )
        if self._ends_early() or (self._bad and not done_s):
            self._spoiled.append(self._bad or f"nothing can be read after {done_s:.1f} s")
        if self._spoiled:
            more = f" (and {len(self._spoiled) - 1} more)" if len(self._spoiled) > 1 else ""
            raise AudioError(
                f"{self._path}: {self._spoiled[0]}{more}; record, get or convert it again"
            )
        if self._done_s == 0:
            raise AudioError(f"{self._path}: the recording is empty")

    def _ends_early(self) -> bool:
        """Whether so much of the file was of no use that its end must have been lost."""
        size, end, told_s = self._claim.size, self._claim.end, self.duration_s
        left = size - self._read_to
        if left <= max(UNFETCHED_BYTES, UNFETCHED_PART * size):
            return False
        if (end and end <= size - left) or (told_s and told_s <= self._done_s + UNFETCHED_S):
            return False
        return bool(self._bad) or self._claim.zeros >= left - UNFETCHED_BYTES
