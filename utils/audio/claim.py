"""What a recording's own headers say of its end."""

from dataclasses import dataclass
from typing import BinaryIO

# Sizes from here on, in 32 bits, are what programs write that cannot know the length.
UNKNOWN_BYTES = 2**31 - 2**16
MOST_CHUNKS = 100_000  # looked at: an MP4 in fragments has two a second
ZEROS = 16 * 1024 * 1024  # of a file's last bytes, as far as they are looked at


@dataclass(frozen=True)
class Claim:
    """What the headers say, and what is there.

    Parameters
    ----------
    size : of the file, in bytes
    end : byte up to which it must reach; None where it does not say
    goes_on : it holds more sound than its header says, or its header cannot know
    empty : a WAV without sound, which FFmpeg takes for one whose header cannot know
    stops : what stands behind the end is no sound, though FFmpeg may take it for some
    counted : samples of an MP3 that says how many frames it has; else 0
    unended : an Ogg without a last page
    zeros : bytes at the end of the file that are zero
    """

    size: int
    end: int | None = None
    goes_on: bool = False
    empty: bool = False
    stops: bool = False
    counted: int = 0
    unended: bool = False
    zeros: int = 0

    @property
    def cut_short(self) -> bool:
        """Whether the end is missing."""
        return self.unended or (self.end is not None and self.end > self.size)

    @property
    def readable(self) -> int:
        """Byte up to which it is to be read."""
        return self.end if self.stops and self.end is not None else self.size


def count_zeros(file: BinaryIO, size: int) -> int:
    """How many of the last bytes are zero, `ZEROS` at the most."""
    found, block = 0, 65_536
    while found < min(size, ZEROS):
        block = min(block, size - found)
        file.seek(size - found - block)
        left = len(file.read(block).rstrip(b"\0"))
        found += block - left
        if left:
            break
    return found
