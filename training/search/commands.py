"""`python -m training search`: settings of a network that unheard voices like best."""

import argparse
import hashlib
import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path

import optuna
from optuna.study import Study
from optuna.trial import TrialState

from training.arguments import at_least
from training.corpora import Clip
from training.emotion.arguments import ENCODER, Choice, add_features, add_settings, chosen
from training.emotion.bench import Bench
from training.emotion.fit import RECIPE
from training.emotion.protocols import PROTOCOLS
from training.emotion.space import Space, space_of, with_values
from training.inputs import features_here
from training.run import make_folder
from training.search.plots import draw_study
from training.search.study import (
    PRUNERS,
    SQLITE,
    check_file,
    check_place,
    n_finished,
    open_study,
    pruner_of,
    storage_errors,
)
from training.search.trials import Search, folds_inside, go_on
from training.sound.cache import FeatureCache
from utils.command_line.arguments import plain
from utils.command_line.output import counted
from utils.emotion.networks import check_here, check_name
from utils.emotion.networks.config import NAMES, OURS
from utils.emotion.spectra import SpectraConfig
from utils.errors import ConfigError, DataError

ABOUT = "search settings of a network, judged by voices of training that it never heard"
LONGEST = 200  # bytes of a name; systems allow 255
PLACES = {"cache": Path(".cache/features"), "runs": Path("runs")}  # need not be named


def add_arguments(
    command: argparse.ArgumentParser,
    shared: Iterable[Callable[[argparse.ArgumentParser], None]],
) -> None:
    """The network, how many trials, and whose voices; `shared` add what other commands have too."""
    command.set_defaults(run=search)
    command.add_argument(
        "model", metavar="MODEL", help=f"one of {', '.join(n for n in NAMES if n != OURS)}"
    )
    command.add_argument(
        "--trials",
        type=at_least(1),
        required=True,
        metavar="N",
        help="that the study is to have, with those that it has: the same command goes on",
    )
    command.add_argument(
        "--protocol",
        choices=PROTOCOLS,
        default="voices",
        metavar="NAME",
        help=f"whose training voices are used: {', '.join(PROTOCOLS)} (default: %(default)s)",
    )
    command.add_argument(
        "--fold",
        type=at_least(1),
        default=1,
        metavar="N",
        help="of the protocol, whose test voices the search never touches (default: %(default)s)",
    )
    command.add_argument(
        "--voices",
        type=at_least(2),
        default=3,
        metavar="K",
        help="parts that the training voices are dealt into; each judges once (default: "
        "%(default)s)",
    )
    command.add_argument(
        "--pruner",
        choices=PRUNERS,
        default="median",
        metavar="NAME",
        help=f"ends poor trials early: {', '.join(PRUNERS)} (default: %(default)s)",
    )
    command.add_argument(
        "--study", type=plain, metavar="NAME", help="(default: by protocol, network, fold)"
    )
    command.add_argument(
        "--storage",
        type=plain,
        metavar="URL",
        help="Optuna's storage, for one search on many machines: postgresql://…, mysql://…, or "
        "journal:///FILE in a shared folder (default: study.sqlite in RUNS/search/STUDY)",
    )
    for add in shared:
        add(command)
    add_settings(command.add_argument_group("settings", "What is given is kept, and not searched."))
    add_features(command)


def search(options: argparse.Namespace) -> None:
    """Try settings until there are so many trials, and tell the best."""
    choice, space = _asked(options)
    protocol = PROTOCOLS[options.protocol]
    name = options.study
    if name is None:
        name = f"{protocol.name}{choice.name}-fold{options.fold}"
    if name in ("", "..") or Path(name).name != name or len(name.encode()) > LONGEST:
        raise ConfigError(f"--study {name}: expected a name of a folder, with no / in it")
    clips = protocol.fold(protocol.read(options.folder), options.fold).train
    folds_inside(clips, options.voices, options.seed)
    folder = options.runs / "search" / name
    url = options.storage or f"{SQLITE}{folder / 'study.sqlite'}"
    about = _about(options, choice, space, clips)
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # trials have lines of ours
    make_folder(folder)
    if check_file(url):
        open_study(url, name, about)  # before features are computed for nothing
    else:
        check_place(url)
    bench = _benches(clips, options)
    folds = folds_inside(bench(choice).clips, options.voices, options.seed)
    run = Search(choice, space, folds, bench, options.seed, folder)
    study = open_study(url, name, about)
    study.pruner = pruner_of(options.pruner, run.epochs, len(folds))
    print(f"{name}: {n_finished(study)} of {options.trials} trials are there", flush=True)
    with storage_errors(url):
        go_on(study, run, options.trials, shared=bool(options.storage))
        if not study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
            raise DataError(
                f"{name}: none of {counted(n_finished(study), 'trial')} came to its end, as told "
                "above; ask for more --trials, or give settings with which networks learn"
            )
        _tell(study, with_values(choice, study.best_params), folder, options)


def _asked(options: argparse.Namespace) -> tuple[Choice, Space]:
    """The network, and those of its settings that were not given."""
    check_name(options.model)
    check_here(options.model)
    if options.model == OURS:
        raise ConfigError(
            f"{OURS} has a recipe of its own (training/emotion/config.py), whose trials "
            f"training/README.md tells; search one of {', '.join(n for n in NAMES if n != OURS)}"
        )
    choice = chosen(options)
    space = {k: v for k, v in space_of(choice).items() if getattr(options, k) is None}
    if not space:
        raise ConfigError(
            f"every setting of {options.model} is given ({', '.join(space_of(choice))}): leave "
            "out those that are to be searched"
        )
    return choice, space


def _benches(clips: Sequence[Clip], options: argparse.Namespace) -> Callable[[Choice], Bench]:
    """Where networks are trained; those that hear the same features share what is computed."""

    @cache
    def heard(features: SpectraConfig | None) -> FeatureCache:
        return features_here(options, features)

    return lambda choice: Bench(
        clips, heard(choice.features), choice.fit, choice.network, choice.shape
    )


def _about(
    options: argparse.Namespace, choice: Choice, space: Space, clips: Sequence[Clip]
) -> dict[str, str]:
    """What a study is of; all of it has to be the same when it goes on."""
    names = sorted(clip.identity for clip in clips)
    digest = hashlib.sha256("\n".join(names).encode()).hexdigest()[:8]
    return {
        "network": choice.network,
        "features": str(choice.features or ENCODER),
        "protocol": f"{options.protocol}, fold {options.fold}",
        "recordings": f"{len(clips)} of {len({c.speaker for c in clips})} speakers ({digest})",
        "judged by": f"each of {options.voices} parts of the voices",
        "searched": ", ".join(sorted(space)),
        "settings": f"{choice.fit} {choice.shape}",
        "seed": str(options.seed),
        "trained by": f"recipe {RECIPE}",
    }


def _tell(study: Study, best: Choice, folder: Path, options: argparse.Namespace) -> None:
    """Draw the search, and print its best trial and how to train with that."""
    counts = Counter(trial.state for trial in study.get_trials(deepcopy=False))
    found = study.best_trial
    first = next((t for t in study.trials if t.state == TrialState.COMPLETE), found)
    print(
        f"{study.study_name}: {counted(n_finished(study), 'trial')}, "
        f"{counts[TrialState.PRUNED]} of them pruned; best is trial {found.number}, UAR "
        f"{found.value or 0:.1f} % (trial {first.number}, the recipe: {first.value or 0:.1f} %) "
        "on voices that it did not train on"
    )
    print("\n".join(map(str, draw_study(study, folder))))
    places = ["--corpora", str(options.folder)]
    for name, usual in PLACES.items():
        if getattr(options, name) != usual:
            places += [f"--{name}", str(getattr(options, name))]
    protocol = PROTOCOLS[options.protocol]
    only = ["--only", *protocol.corpora, "--weights", f"{study.study_name}.pt"]
    fold = ["crossval", protocol.name, "--fold", str(options.fold)]
    for about, words in (
        ("train with it", ["train", *only]),
        ("test it on the voices that the search never touched", fold),
    ):
        line = shlex.join(["python", "-m", "training", *words, *best.arguments, *places])
        print(f"{about}:\n  {line}")
