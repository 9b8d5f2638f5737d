"""What the program reaches on this machine: `make bench` prints one table after another.

Every figure comes from the program's own parts at work on `../shared`. Parts can be named:
`make bench ARGS="words noise"`; the hour of sound, the other programs and the odd inputs run only
when they are named.
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
    """

    module: str
    every: int | None = None
    skip: int | None = None
    named: bool = False


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
    "attack": Part("bench_attack", named=True),
    "emotion": Part("bench_emotion", every=10),
    "loudness": Part("bench_loudness"),
    "nemo": Part("bench_nemo", every=10),
    "peers": Part("bench_peers", every=10, named=True),
    "fuzz": Part("bench_fuzz", named=True),
    "hour": Part("bench_start", named=True),
}


def main() -> int:
    """Run the parts that are named, or all but the longest."""
    usual = ", ".join(f"{name} {part.every}" for name, part in PARTS.items() if part.every)
    parser = argparse.ArgumentParser(prog="tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--every", type=int, help=f"take each N'th recording ({usual})")
    parser.add_argument("--skip", type=int, help="begin after so many (words, live, context 2)")
    args = parser.parse_args()
    if unknown := set(args.parts) - set(PARTS):
        parser.error(f"unknown part {', '.join(unknown)}; choose of {', '.join(PARTS)}")
    if not SHARED.is_dir():
        parser.error(f"{SHARED} does not exist: the recordings to measure with are not here")
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} processors; load before {load:.1f}", flush=True)
    for name in args.parts or [name for name, part in PARTS.items() if not part.named]:
        part = PARTS[name]
        options = {}
        if part.every is not None:
            options["every"] = args.every or part.every
        if part.skip is not None:
            options["skip"] = part.skip if args.skip is None else args.skip
        # Imported when it runs: no part needs what another has loaded.
        getattr(import_module(f"tests.{part.module}"), f"bench_{name}")(**options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
