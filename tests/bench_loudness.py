"""How often a line of read speech is called loud or quiet: where nobody raises their voice, seldom."""

from itertools import groupby

import numpy as np

from tests.measuring import SPEECH, share, table
from utils import audio
from utils.tags.loudness import LoudnessTag

RAISED_DB = 10.0
EVERY = 12  # of the lines: said with a raised voice


def bench_loudness() -> None:
    """Let each reader's utterances be lines of one session."""
    files = sorted(SPEECH.glob("*.ogg"))
    readers = [list(those) for _, those in groupby(files, lambda path: path.name.split("-")[0])]
    shares, found, raised = [], 0, 0
    for paths in readers:
        lines = [audio.load(path) for path in paths]
        tag = LoudnessTag()
        told = [tag.after_text("words", line) for line in lines]
        shares.append(sum(map(bool, told)) / len(lines))
        tag = LoudnessTag()
        for number, line in enumerate(lines, 1):
            louder = number % EVERY == 0
            gain = 10 ** (RAISED_DB / 20) if louder else 1.0
            heard = tag.after_text("words", gain * line)
            raised += louder
            found += louder and heard == "loud"
    table(
        f"Loudness of {len(files)} utterances of {len(readers)} readers",
        [
            ("lines called loud or quiet", f"{np.mean(shares):.1%}"),
            ("... of the reader with most", f"{max(shares):.1%}"),
            (
                f"of lines raised by {RAISED_DB:.0f} dB, each twelfth, called loud",
                share(found, raised),
            ),
        ],
    )
