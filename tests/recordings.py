"""Recordings as people have them, and broken ones, made with FFmpeg's own encoders."""

from pathlib import Path

import av
import numpy as np

BLOCK = 1024  # samples to a frame that is encoded


def speechlike(duration_s: float, rate: int, n_channels: int = 1, seed: int = 0) -> np.ndarray:
    """Noise between 100 and 2,000 Hz that swells and dies away, float32 (n, n_channels)."""
    n = round(duration_s * rate)
    rng = np.random.default_rng(seed)
    frequencies = np.fft.rfftfreq(n, 1 / rate)
    spectrum = np.fft.rfft(rng.standard_normal(n))
    spectrum[(frequencies < 100) | (frequencies > min(2_000, 0.4 * rate))] = 0
    sound = np.fft.irfft(spectrum, n)
    swell = 0.2 + np.sin(2 * np.pi * 1.5 * np.arange(n) / rate) ** 2
    sound = 0.5 * sound * swell / np.abs(sound * swell).max()
    return np.repeat(sound[:, None], n_channels, axis=1).astype(np.float32)


def encode(
    path: Path,
    samples: np.ndarray,
    rate: int,
    codec: str,
    form: str | None = None,
    options: dict[str, str] | None = None,
    video: bool = False,
    begins_s: float = 0.0,
    layout: str | None = None,
) -> Path:
    """Write float (n, n_channels) with a codec of FFmpeg; return the path.

    Parameters
    ----------
    form : the container; by default what the file's name says
    options : of the container
    video : with a picture that moves, from 0 to the end of the sound
    begins_s : where in the video the sound begins
    layout : of the channels, as FFmpeg names it; None for one, two or six
    """
    with av.open(str(path), "w", format=form, options=options) as out:
        layout = layout or {1: "mono", 2: "stereo", 6: "5.1"}[samples.shape[1]]
        track = out.add_stream(codec, rate=rate, layout=layout)
        assert isinstance(track, av.AudioStream)
        if codec == "wmav2":
            track.bit_rate = 64_000
        pictures = out.add_stream("mpeg4", rate=10) if video else None
        if pictures is not None:
            pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        whole = np.round(np.clip(samples, -1, 1) * 32_767).astype(np.int16)
        for at in range(0, len(whole), BLOCK):
            frame = av.AudioFrame.from_ndarray(whole[at : at + BLOCK].reshape(1, -1), "s16", layout)
            frame.sample_rate = rate
            frame.pts = at + round(begins_s * rate)
            out.mux(track.encode(frame))
        out.mux(track.encode(None))
        if pictures is not None:
            for number in range(round(10 * (begins_s + len(whole) / rate))):
                image = np.full((48, 64, 3), number * 20 % 256, np.uint8)
                out.mux(pictures.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
            out.mux(pictures.encode(None))
    return path


def without_xing(mp3: bytes) -> bytes:
    """An MP3 as a pipe from an encoder gives it: without the frame that counts the others."""
    frame = mp3[: mp3.index(mp3[:2], 2)]
    assert b"Xing" in frame or b"Info" in frame
    return mp3[len(frame) :]


def wav_bytes(data: bytes, rate: int = 16_000, size: int | None = None) -> bytes:
    """A WAV of one channel of 16 bits whose header promises `size` bytes of sound."""
    size = len(data) if size is None else size
    numbers = (16, 1 | 1 << 16, rate, 2 * rate, 2 | 16 << 16)
    head = b"fmt " + b"".join(number.to_bytes(4, "little") for number in numbers)
    body = head + b"data" + size.to_bytes(4, "little") + data
    return b"RIFF" + min(4 + len(body), 2**32 - 1).to_bytes(4, "little") + b"WAVE" + body
