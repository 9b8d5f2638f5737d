"""A loaded model that tells the emotion of English words: a RoBERTa, run by transformers."""

from pathlib import Path

from utils.errors import ModelError
from utils.faults import model_error
from utils.models.places import damaged
from utils.models.text_emotion import SAFE, Package, check_whole, read_tokens

LONGEST = 5_000  # characters of a line that are read
# Of networks saved by older versions: numbers of places, and a layer that sorting does not use.
_UNUSED = ("roberta.embeddings.position_ids", "roberta.pooler.")
_TRIED = "I am glad."


class Classifier:
    """Tells the emotion of words, on the processor, with one thread.

    Parameters
    ----------
    package : looked through by `check_whole`

    Attributes
    ----------
    labels : the classes, in the page's words

    Raises
    ------
    ModelError : it is damaged, or a library is missing
    """

    def __init__(self, package: Package) -> None:
        try:
            # Each by its own path, as `transformers` itself looks for whatever it could import.
            import torch
            from tokenizers import ByteLevelBPETokenizer
            from transformers.models.roberta.configuration_roberta import RobertaConfig
            from transformers.models.roberta.modeling_roberta import (
                RobertaForSequenceClassification,
            )
        except (ImportError, OSError) as err:  # OSError: a library that cannot be read
            raise model_error(
                err,
                "the emotion of words",
                f"the emotion of words needs PyTorch, tokenizers and transformers, and one is not "
                f"installed ({err}); install it with: .venv/bin/pip install -r requirements.txt",
            ) from err
        from utils.checkpoint import build, fitting

        self.labels, self._path = package.labels, package.path
        self._torch = torch
        vocabulary, merges = read_tokens(package)
        try:
            self._tokenizer = ByteLevelBPETokenizer(vocabulary, merges)
        except Exception as err:  # of a kind of its own
            raise damaged(package.path, f"its tokens cannot be used ({err})") from err
        self._begin, self._end = vocabulary["<s>"], vocabulary["</s>"]
        config = RobertaConfig(
            **package.sizes, layer_norm_eps=package.epsilon, num_labels=len(self.labels)
        )
        # The places count from behind the filler's number.
        self._most = config.max_position_embeddings - config.pad_token_id - 1
        with fitting(package.path, "get it again"):
            weights = {n: w for n, w in _weights(package).items() if not n.startswith(_UNUSED)}
            self._network = build(lambda: RobertaForSequenceClassification(config), weights)
            self.scores(_TRIED)

    def scores(self, text: str) -> dict[str, float]:
        """The network's own probability of each class, not calibrated; they sum to 1.

        Parameters
        ----------
        text : in English; what is beyond the network's longest is left out

        Raises
        ------
        ModelError : the answers are no numbers, which damaged weights can give to some words alone
        """
        from utils.threads import one_thread

        torch = self._torch
        found = self._tokenizer.encode(text[:LONGEST], add_special_tokens=False).ids
        ids = torch.tensor([[self._begin, *found[: self._most - 2], self._end]])  # (1, n)
        with one_thread(), torch.inference_mode():
            logits = self._network(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                token_type_ids=torch.zeros_like(ids),
            ).logits[0]
            shares = logits.double().softmax(dim=0)
        if not torch.isfinite(shares).all():
            raise damaged(self._path, "its answers are no numbers")
        return dict(zip(self.labels, shares.tolist(), strict=True))


def _weights(package: Package) -> dict:
    """Name -> tensor.

    Raises
    ------
    ValueError, ModelError : they cannot be read
    """
    if package.weights.name == SAFE:
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return load_file(package.weights)
        except (SafetensorError, OSError) as err:
            raise damaged(package.path, f"its {SAFE} cannot be read ({err})") from err
    from utils.checkpoint import unpack

    found = unpack(package.weights)
    if not isinstance(found, dict):
        raise ModelError(f"{package.weights} holds no weights; get it again")
    return {str(name): tensor for name, tensor in found.items()}


def load(path: Path) -> Classifier:
    """The classifier of a folder.

    Raises
    ------
    ModelError : as `check_whole` and `Classifier`
    """
    return Classifier(check_whole(path))
