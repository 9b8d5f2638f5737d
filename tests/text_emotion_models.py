"""Small models that tell the emotion of words, made in a second: real RoBERTas in their real form.

Its tokenizer learns its pieces of a few sentences; its network learns by heart what each is.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LABELS = ("anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise")
SIZES: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 34,
    "type_vocab_size": 1,
    "initializer_range": 0.2,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}
SAID = {
    "My dog died last night.": "sadness",
    "I am so happy for you!": "joy",
    "How dare you lie to me!": "anger",
    "The train leaves at nine.": "neutral",
    "word": "sadness",
}
STEPS = 60


def make_roberta(folder: Path, said: Mapping[str, str] = SAID, safe: bool = False) -> Path:
    """The folder of a RoBERTa that knows what each of these sentences is.

    Parameters
    ----------
    safe : weights in safetensors, as newer models have them; else as `torch.save` writes them
    """
    import torch
    from tokenizers import ByteLevelBPETokenizer
    from transformers import RobertaConfig, RobertaForSequenceClassification

    from utils.threads import one_thread

    folder.mkdir(parents=True)
    pieces = ByteLevelBPETokenizer()
    pieces.train_from_iterator(
        [*said],
        vocab_size=400,
        min_frequency=1,
        show_progress=False,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
    )
    pieces.save_model(str(folder))
    torch.manual_seed(0)
    names = dict(enumerate(LABELS))
    config = RobertaConfig(vocab_size=pieces.get_vocab_size(), id2label=names, **SIZES)
    network = RobertaForSequenceClassification(config)
    examples = [[0, *pieces.encode(text).ids, 2] for text in said]
    longest = max(map(len, examples))
    ids = torch.tensor([example + [1] * (longest - len(example)) for example in examples])
    labels = torch.tensor([LABELS.index(label) for label in said.values()])
    optimizer = torch.optim.Adam(network.parameters(), lr=0.005)
    with one_thread():
        for _ in range(STEPS):
            optimizer.zero_grad()
            network(input_ids=ids, attention_mask=ids != 1, labels=labels).loss.backward()
            optimizer.step()
    network.save_pretrained(folder)
    if not safe:
        weights = network.state_dict()
        # as those of older versions have it
        weights["roberta.embeddings.position_ids"] = torch.arange(34)[None]
        torch.save(weights, folder / "pytorch_model.bin")
        (folder / "model.safetensors").unlink()
    return folder


def changed(folder: Path, **config: object) -> None:
    """Change what the model says of itself; None leaves it out."""
    path = folder / "config.json"
    found = json.loads(path.read_text()) | config
    path.write_text(json.dumps({name: value for name, value in found.items() if value is not None}))
