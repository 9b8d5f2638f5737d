"""Small models that translate, made in a second: real networks in CTranslate2's real form.

A Transformer of one layer learns a few sentences by heart; SentencePiece cuts them into words.
"""

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from utils.threads import one_thread

SPECIAL = ["</s>", "<unk>"]  # the first two tokens
SIZE, HEADS, POSITIONS = 32, 2, 32
STEPS = 200


class Network(nn.Module):
    """A Transformer whose layers are those that CTranslate2 knows."""

    def __init__(self, n_tokens: int) -> None:
        super().__init__()
        layer: dict[str, Any] = {"dim_feedforward": 2 * SIZE, "dropout": 0, "batch_first": True}
        self.words = nn.Embedding(n_tokens, SIZE)
        self.places = nn.Parameter(0.5 * torch.randn(POSITIONS, SIZE))
        self.encoder = nn.TransformerEncoderLayer(SIZE, HEADS, **layer)
        self.decoder = nn.TransformerDecoderLayer(SIZE, HEADS, **layer)
        self.out = nn.Linear(SIZE, n_tokens)

    def forward(self, source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Scores of what follows each token of the target, (1, n, n_tokens)."""
        memory = self.encoder(self._placed(source))
        later = nn.Transformer.generate_square_subsequent_mask(target.shape[1])
        return self.out(self.decoder(self._placed(target), memory, tgt_mask=later))

    def _placed(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.words(tokens) + self.places[: tokens.shape[1]]


def make_opus(folder: Path, sentences: Mapping[str, str], ends: bool = True) -> Path:
    """The folder of an OPUS-MT that says each of these sentences in the other language.

    Parameters
    ----------
    folder : to be made, called FROM-TO
    ends : whether `</s>` ends what the network is given
    """
    pieces, tokens = _cut([*sentences, *sentences.values()])
    folder.mkdir(parents=True)
    with one_thread():
        _save(folder, tokens, _learn(pieces, tokens, sentences, ends))
    for name in ("source.spm", "target.spm"):
        (folder / name).write_bytes(pieces.serialized_model_proto())
    return folder


def make_argos(file: Path, sentences: Mapping[str, str], source: str, target: str) -> Path:
    """The same as a package of Argos Translate."""
    made = make_opus(file.with_suffix(".made"), sentences, ends=False)
    metadata = {"package_version": "1.0", "from_code": source, "to_code": target}
    with zipfile.ZipFile(file, "w") as package:
        package.writestr(f"{source}_{target}/metadata.json", json.dumps(metadata))
        package.write(made / "source.spm", f"{source}_{target}/sentencepiece.model")
        for name in ("model.bin", "config.json", "shared_vocabulary.json"):
            package.write(made / name, f"{source}_{target}/model/{name}")
    return file


def _cut(texts: list[str]):
    """A model of SentencePiece that knows these words, and its tokens."""
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts),
        model_writer=model,
        model_type="word",
        vocab_size=len({word for text in texts for word in text.split()}) + 3,
        normalization_rule_name="identity",
        character_coverage=1.0,
        minloglevel=2,
        num_threads=1,
    )
    pieces = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    known = [pieces.id_to_piece(i) for i in range(pieces.get_piece_size())]
    return pieces, SPECIAL + [piece for piece in known if piece not in {*SPECIAL, "<s>"}]


def _learn(pieces, tokens: list[str], sentences: Mapping[str, str], ends: bool) -> Network:
    def numbers(text: str, end: bool = True) -> torch.Tensor:
        found = [*map(tokens.index, pieces.encode(text, out_type=str))]
        return torch.tensor([found + [0] * end])

    pairs = [(numbers(source, ends), numbers(target)) for source, target in sentences.items()]
    torch.manual_seed(0)
    network = Network(len(tokens))
    optimizer = torch.optim.Adam(network.parameters(), lr=0.005)
    for step in range(STEPS):
        source, target = pairs[step % len(pairs)]
        before = torch.cat([torch.zeros(1, 1, dtype=torch.long), target[:, :-1]], 1)
        loss = nn.functional.cross_entropy(network(source, before)[0], target[0])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network


def _save(folder: Path, tokens: list[str], network: Network) -> None:
    from ctranslate2.specs import TransformerSpec
    from ctranslate2.specs.common_spec import Activation

    spec = TransformerSpec.from_config((1, 1), HEADS, pre_norm=False, activation=Activation.RELU)
    side: Any
    layer: Any
    for side, layer in ((spec.encoder, network.encoder), (spec.decoder, network.decoder)):
        words = side.embeddings[0] if side is spec.encoder else side.embeddings
        words.weight = _array(network.words.weight)
        side.scale_embeddings = False
        side.position_encodings.encodings = _array(network.places)
        told = side.layer[0]
        _attention(told.self_attention, layer.self_attn, layer.norm1, fused=True)
        if side is spec.decoder:
            _attention(told.attention, layer.multihead_attn, layer.norm2, fused=False)
        _linear(told.ffn.linear_0, layer.linear1)
        _linear(told.ffn.linear_1, layer.linear2)
        _norm(told.ffn.layer_norm, layer.norm3 if side is spec.decoder else layer.norm2)
    _linear(spec.decoder.projection, network.out)
    spec.register_source_vocabulary(tokens)
    spec.register_target_vocabulary(tokens)
    spec.config.eos_token, spec.config.unk_token = SPECIAL
    spec.config.decoder_start_token = SPECIAL[0]
    spec.validate()
    spec.optimize(quantization="float16")
    spec.save(str(folder))


def _attention(spec, attention: nn.MultiheadAttention, norm: nn.LayerNorm, fused: bool) -> None:
    weight, bias = _array(attention.in_proj_weight), _array(attention.in_proj_bias)
    cuts = [slice(None)] if fused else [slice(SIZE), slice(SIZE, None)]
    for linear, cut in zip(spec.linear, cuts):
        linear.weight, linear.bias = weight[cut], bias[cut]
    _linear(spec.linear[-1], attention.out_proj)
    _norm(spec.layer_norm, norm)


def _linear(spec, linear: nn.Linear) -> None:
    spec.weight, spec.bias = _array(linear.weight), _array(linear.bias)


def _norm(spec, norm: nn.LayerNorm) -> None:
    spec.gamma, spec.beta = _array(norm.weight), _array(norm.bias)


def _array(tensor: torch.Tensor):
    return tensor.detach().numpy()
