"""The describer before it has learnt anything: its words, what prepares its input, and its layers.

The architecture is Idefics3 (Laurençon et al., Building and Better Understanding Vision-Language Models, 2024), as
transformers has it: a vision transformer, a connector that merges neighbouring patches, and a Llama that reads the
merged patches among its tokens.
"""

from itertools import chain
from pathlib import Path
from typing import Any

import yaml
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import (
    GenerationConfig,
    Idefics3Config,
    Idefics3ForConditionalGeneration,
    Idefics3ImageProcessor,
    Idefics3Processor,
    PreTrainedTokenizerFast,
)

from recsys.content.vlm.market_describer.pictures import WORDS, answer
from recsys.data.market.rendering import SIDE

PROMPT = Path(__file__).parents[1] / "prompts" / "market_fields.yaml"
PATCH = 8
MERGED = 2
"""Neighbouring patches that become one token, along each side."""
N_IMAGE_TOKENS = (SIDE // PATCH // MERGED) ** 2
WIDTH = 128
LONGEST = 512
"""Tokens of a prompt and its answer at most."""

IMAGE_MARKS = ["<fake_token_around_image>", "<global-img>", "<image>"]
"""What Idefics3's processor puts around an image; in the vocabulary from the start, so that none is added to it."""
PIECES = r"(\}, )?\[[^\[\]]+\] \{|\}| ?[^\s\[\]{}.,:]+|."
"""What a text is cut into: a label with its brackets (and what ends the value before it), a word with the space
before it, or a single character. Nothing is lost, so an answer's pieces joined are the answer."""
TEMPLATE = (
    "<s>{% for message in messages %}{{ message['role'] | capitalize }}:{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] | trim }}{% endif %}{% endfor %}"
    "<end_of_utterance>{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}"
)


def make_processor() -> Idefics3Processor:
    """What turns pictures and words into the model's input: pictures of any size become SIDE x SIDE, in one piece."""
    side = {"longest_edge": SIDE}
    images = Idefics3ImageProcessor(size=side, max_image_size=side, do_image_splitting=False)
    return Idefics3Processor(images, _tokeniser(), image_seq_len=N_IMAGE_TOKENS, chat_template=TEMPLATE)


def make_model(processor: Idefics3Processor) -> Idefics3ForConditionalGeneration:
    """The model with random weights, of about 1.2 million parameters."""
    tokens = {name: getattr(processor.tokenizer, name) for name in ("pad_token_id", "bos_token_id", "eos_token_id")}
    vision = {
        "hidden_size": WIDTH,
        "intermediate_size": 4 * WIDTH,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "image_size": SIDE,
        "patch_size": PATCH,
    }
    text = {
        "model_type": "llama",
        "hidden_size": WIDTH,
        "intermediate_size": 2 * WIDTH,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 4,
        "vocab_size": len(processor.tokenizer),
        "max_position_embeddings": LONGEST,
        **tokens,
    }
    config = Idefics3Config(
        vision_config=vision, text_config=text, scale_factor=MERGED, image_token_id=processor.image_token_id, **tokens
    )
    model = Idefics3ForConditionalGeneration(config)
    model.generation_config = GenerationConfig(do_sample=False, max_new_tokens=32, **tokens)
    return model


def question(processor: Idefics3Processor) -> str:
    """What is asked of every picture: the prompt in the model's chat format."""
    prompt = yaml.safe_load(PROMPT.read_text(encoding="utf-8"))["text"]
    turn: Any = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": prompt}]}
    return processor.apply_chat_template([turn], add_generation_prompt=True)


def _tokeniser() -> PreTrainedTokenizerFast:
    """A token for each piece of the prompt and of the answers; any other piece is unknown."""
    spaces = normalizers.Replace(Regex(r"\s+"), " ")
    cut = pre_tokenizers.Split(Regex(PIECES), behavior="isolated")
    prompt = yaml.safe_load(PROMPT.read_text(encoding="utf-8"))["text"]
    texts = ["User:Assistant:", prompt.strip(), answer([words[0] for words in WORDS.values()])]
    pieces = [piece for text in texts for piece, _ in cut.pre_tokenize_str(spaces.normalize_str(text))]
    special = ["<pad>", "<unk>", "<s>", "<end_of_utterance>", *IMAGE_MARKS]
    vocabulary = dict.fromkeys([*special, *pieces, *chain.from_iterable(WORDS.values())])
    tokeniser = Tokenizer(models.WordLevel({piece: at for at, piece in enumerate(vocabulary)}, unk_token="<unk>"))
    tokeniser.normalizer, tokeniser.pre_tokenizer, tokeniser.decoder = spaces, cut, decoders.Fuse()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokeniser,
        pad_token="<pad>",
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="<end_of_utterance>",
        additional_special_tokens=IMAGE_MARKS,
        padding_side="left",
        clean_up_tokenization_spaces=False,
        model_max_length=LONGEST,
    )
