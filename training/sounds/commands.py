"""What `python -m training sounds` does."""

import argparse
from pathlib import Path

from training.arguments import add_command, add_readers, add_weights
from training.inputs import encoder_here
from training.sounds import data, music, own
from training.sounds.bank import WEIGHTS as BANK
from training.sounds.bank import Bank
from training.sounds.fit import with_thresholds
from utils.checkpoint import check_place
from utils.command_line.arguments import filled, named_path
from utils.command_line.output import counted
from utils.sounds.head import WEIGHTS
from utils.sounds.own import own_folder

BANKED = 500  # takes that are kept to tell own sounds from
ABOUT = "train what names everyday sounds, and add sounds of one's own"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Give `sounds` its commands."""
    found = command.add_subparsers(required=True, metavar="COMMAND", title="commands")

    about = "train the head on all recordings, thresholds on those left out"
    training = add_command(found, "train", about)
    training.set_defaults(run=train)
    training.add_argument("--noise", type=named_path, required=True, metavar="DIR", help="ESC-10")
    add_readers(training)
    training.add_argument(
        "--cache",
        type=named_path,
        default=Path(".cache/sounds"),
        metavar="DIR",
        help="keeps what was heard (default: %(default)s)",
    )
    add_weights(training, WEIGHTS)

    music.add_arguments(add_command(found, "music", music.ABOUT))

    about = "have the program tell a sound of your own, by three or more recordings of it"
    adding = add_command(found, "add", about)
    adding.set_defaults(run=add)
    adding.add_argument("name", type=filled, help='what it is called, such as "front door bell"')
    adding.add_argument("recordings", type=named_path, nargs="+", metavar="RECORDING")
    adding.add_argument(
        "--folder",
        type=named_path,
        default=own_folder(),
        metavar="DIR",
        help="where the program looks for it (default: %(default)s)",
    )


def train(options: argparse.Namespace) -> None:
    """Train the head, and tell how it does on the folds that it was left out of."""
    check_place(options.weights)
    encoder = encoder_here()
    takes = [
        *data.sounds(options.noise, options.cache, encoder),
        *data.others(options.speech, options.cache, encoder),
    ]
    head = with_thresholds(takes, data.LABELS, encoder.identity)
    head.save(options.weights)
    Bank.of(takes[:: len(takes) // BANKED + 1]).save(options.weights.with_name(BANK.name))
    print(f"{options.weights}: {options.weights.stat().st_size / 1e6:.2f} MB")
    for label, counts in head.facts["left out"].items():
        print(
            f"  {label:16} found {counts['found']} of {counts['takes']}, wrong {counts['wrong']}, "
            f"from {head.least[label]:.3f} on; as speech from {head.least_as_speech[label]:.3f}"
        )


def add(options: argparse.Namespace) -> None:
    """Learn a sound of one's own, and tell how well it is told from others."""
    sound = own.add(options.name, options.recordings, encoder_here(), Bank.load())
    path = options.folder / own.file_name(options.name)
    sound.save(path)
    facts = sound.facts
    hours, wrong = facts["hours of other sound"], facts["wrong"]
    minutes = counted(round(60 * hours), "minute")
    often = f"{wrong / hours:.1f} times" if wrong else f"less than {1 / hours:.1f} times"
    print(
        f"{path}: [{sound.label}] is told from the program's next start on.\n"
        f"  Of {counted(facts['recordings'], 'recording')}, each left out in turn, "
        f"{facts['found when left out']} would be told.\n"
        f"  Wrong in an hour of other sound: {often} ({wrong} in {minutes})."
    )
    if facts["found when left out"] < facts["recordings"]:
        print("  More recordings, of other days and places, make it surer.")
