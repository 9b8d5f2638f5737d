"""What `python -m training extract`, `merge` and `plots` do."""

import argparse
from pathlib import Path

from training.arguments import add_command, at_least, number
from training.corpora import READERS
from training.emotion.arguments import add_features, spectra
from training.features import table
from training.features.describe import CUT, FORMS, Form, describe
from training.features.merge import merge, read_map
from training.features.pictures import draw_features
from training.inputs import features_here, read_all
from training.run import make_folder
from utils.command_line.arguments import named_path
from utils.command_line.output import counted
from utils.errors import ConfigError

ABOUT_MERGE = "make one data set of several, labels mapped, small classes dropped"
ABOUT_PLOTS = "draw what features show of a recording"
OF_FORMS = {"segment": CUT, "channels": ("images",)}  # settings that other forms have no use for
OF_A_FILE = ("nfreq", "rate", "hop", "mixnoise", "form", "segment", "channels")


def add_extract(command: argparse.ArgumentParser) -> None:
    """What `extract` takes to write a file of features."""
    add_features(command)
    command.add_argument(
        "--only", choices=READERS, nargs="+", metavar="CORPUS", help="of these corpora alone"
    )
    group = command.add_argument_group("file", "with --features, one file of them is written")
    group.add_argument("--out", type=named_path, metavar="FILE", help=".csv or .npz")
    group.add_argument(
        "--form",
        choices=FORMS,
        help="a row for each recording (mean), frame, segment of one length, or image of 224 x 224 "
        "(default: mean; the last two into an .npz)",
    )
    group.add_argument("--segment", type=number, metavar="S", help="length of a segment (3)")
    group.add_argument("--channels", type=int, choices=(1, 3), help="of an image (1)")


def add_merge(command: argparse.ArgumentParser) -> None:
    """Files that `extract` wrote, and how they become one."""
    command.set_defaults(run=merge_)
    command.add_argument(
        "files", type=named_path, nargs="+", metavar="FILE", help=".csv or .npz that extract wrote"
    )
    command.add_argument(
        "--out", type=named_path, required=True, metavar="FILE", help=".csv or .npz"
    )
    command.add_argument(
        "--map",
        nargs="+",
        default=[],
        metavar="OLD=NEW",
        help="new names of labels, such as calm=neutral; nothing after = leaves them out",
    )
    command.add_argument(
        "--min-clips",
        type=at_least(1),
        default=1,
        metavar="N",
        help="recordings that a class needs (default: %(default)s)",
    )


def add_plots(command: argparse.ArgumentParser) -> None:
    """`plots features FILE`."""
    found = command.add_subparsers(required=True, metavar="WHAT", title="pictures")
    about = "waveform, spectrogram, mel, MFCC, chroma, zero-crossing rate and RMS"
    features = add_command(found, "features", about)
    features.set_defaults(run=plots_features)
    features.add_argument("file", type=named_path, metavar="FILE", help="a recording or a video")
    features.add_argument(
        "--out",
        type=named_path,
        metavar="PNG",
        help="where it goes (default: the recording's name with -features.png, here)",
    )


def check_bare(options: argparse.Namespace) -> None:
    """Refuse settings of a file of features where none was asked for."""
    if given := [f"--{name}" for name in OF_A_FILE if getattr(options, name) is not None]:
        raise ConfigError(
            f"{', '.join(given)}: only for a file of features; give --features KIND --out FILE too"
        )


def extract_file(options: argparse.Namespace) -> None:
    """Write features as .csv or .npz."""
    if not options.features or not options.out:
        raise ConfigError(
            "a file of features needs both what is extracted and a name: --features KIND --out FILE"
        )
    table.check_out(options.out)
    form = _form(options)
    if options.out.suffix == ".csv" and form.name in CUT:
        raise ConfigError(f"--form {form.name}: pictures go into an .npz, not into {options.out}")
    config = spectra(options.features, options)
    clips = read_all(options.folder, options.only)
    cache = features_here(options, config)
    found = describe(cache.prepare(clips, 1), cache, form)
    found.save(options.out)
    sizes = " x ".join(map(str, found.values.shape))
    print(f"{options.out}: {sizes} values of {counted(len(set(found.clips)), 'recording')}")


def merge_(options: argparse.Namespace) -> None:
    """Merge data sets, and tell what the result holds."""
    table.check_out(options.out)
    labels = read_map(options.map)
    merged, said = merge(
        {str(path): table.load(path) for path in options.files}, labels, options.min_clips
    )
    merged.save(options.out)
    print("\n".join([*said, f"{options.out}: {counted(len(merged), 'row')}"]))


def plots_features(options: argparse.Namespace) -> None:
    """Draw a recording's features."""
    out = options.out or Path(f"{options.file.stem}-features.png")
    if out.suffix != ".png":
        raise ConfigError(f"--out {out}: expected a name that ends in .png")
    make_folder(out.parent, "--out")
    draw_features(options.file, out)
    print(out)


def _form(options: argparse.Namespace) -> Form:
    name = options.form or Form.name
    for setting, names in OF_FORMS.items():
        if getattr(options, setting) is not None and name not in names:
            raise ConfigError(f"--{setting} is for --form {' or '.join(names)}, not {name}")
    return Form(
        name,
        Form.segment_s if options.segment is None else options.segment,
        options.channels or Form.channels,
        options.mixnoise,
    )
