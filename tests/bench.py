"""What the program reaches on this machine: `make bench` prints one table after another.

Every figure comes from the program's own parts at work on `../shared`. Parts can be named:
`make bench ARGS="words noise"`; what is long, other programs and odd inputs run only when they are
named.
"""

import argparse
import os
import sys
from dataclasses import dataclass
from importlib import import_module

from tests.measuring import SHARED


@dataclass(frozen=True)
class Part:
    """Where `bench_NAME` is, and which recordings it takes where the command does not say.

    Parameters
    ----------
    module : in this folder
    every, skip : takes each so many'th, after the first few; None for a part that has no choice
    named : runs only when it is named
    folder : of recordings of one's own; "" where none is needed
    times, minutes : how often, how long
    """

    module: str
    every: int | None = None
    skip: int | None = None
    named: bool = False
    times: int | None = None
    minutes: float | None = None
    folder: str | None = None


PARTS = {
    "start": Part("bench_start"),
    "words": Part("bench_words", every=5, skip=2),
    "live": Part("bench_live", every=20, skip=2),
    "noise": Part("bench_noise", every=1),
    "digits": Part("bench_noise", every=10),
    "quiet": Part("bench_quiet", every=15),
    "korean": Part("bench_korean"),
    "phrases": Part("bench_phrases", every=1),
    "context": Part("bench_context", every=10, skip=2),
    "readers": Part("bench_readers", every=20),
    "nodes": Part("bench_nodes", every=20, named=True),
    "away": Part("bench_away", every=20, named=True, minutes=1),
    "rooms": Part("bench_rooms", named=True, times=4, minutes=2),
    "attack": Part("bench_attack", named=True),
    "emotion": Part("bench_emotion", every=10),
    "loudness": Part("bench_loudness"),
    "sounds": Part("bench_sounds", every=1, named=True, folder=""),
    "voices": Part("bench_voices", named=True),
    "page": Part("bench_page", named=True),
    "batch": Part("bench_batch", every=10, named=True),
    "nemo": Part("bench_nemo", every=10),
    "peers": Part("bench_peers", every=10, named=True),
    "fuzz": Part("bench_fuzz", named=True),
    "hour": Part("bench_start", named=True),
    "power": Part("bench_lasting", named=True, times=20),
    "kills": Part("bench_lasting", named=True, minutes=480),
    "soak": Part("bench_lasting", named=True, minutes=480),
}


def main() -> int:
    """Run the parts that are named, or all but the longest."""
    usual = ", ".join(f"{name} {part.every}" for name, part in PARTS.items() if part.every)
    parser = argparse.ArgumentParser(prog="tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--every", type=int, help=f"take each N'th recording ({usual})")
    parser.add_argument("--skip", type=int, help="begin after so many (words, live, context 2)")
    parser.add_argument("--times", type=int, help="power: cuts (20); rooms: at most (4)")
    parser.add_argument("--folder", help="sounds: recordings of music, all of it to be told")
    parser.add_argument(
        "--minutes",
        type=float,
        help="kills, soak: how long (480); away: Redis (1); rooms: of speech in each (2)",
    )
    args = parser.parse_args()
    if unknown := set(args.parts) - set(PARTS):
        parser.error(f"unknown part {', '.join(unknown)}; choose of {', '.join(PARTS)}")
    if not SHARED.is_dir():
        parser.error(f"{SHARED} does not exist: the recordings to measure with are not here")
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} processors; load before {load:.1f}", flush=True)
    for name in args.parts or [name for name, part in PARTS.items() if not part.named]:
        part = PARTS[name]
        options = {
            option: usual if given is None else given
            for option in ("every", "skip", "times", "minutes", "folder")
            if (usual := getattr(part, option)) is not None
            for given in [getattr(args, option)]
        }
        # Imported when it runs: no part needs what another has loaded.
        getattr(import_module(f"tests.{part.module}"), f"bench_{name}")(**options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
