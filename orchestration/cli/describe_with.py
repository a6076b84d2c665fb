"""`modalift new --describe-with`: what a study file says so that a vision-language model describes the items."""

from pathlib import Path
from typing import Any

from recsys.errors import UserError
from recsys.wording import count

CORPUS = "seen"
PROMPT = "catalogue_fields"
WAYS = "give MODEL@ADDRESS, such as Qwen/Qwen2.5-VL-7B-Instruct@http://localhost:8000/v1"


def descriptions_of(given: str, *, pictures: bool, words: bool) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """The blocks `descriptions` and `content` of a study whose items are described by a model.

    Args:
        given: a server's address, MODEL@ADDRESS, a folder of weights, or ID@COMMIT of a hub model.
        pictures: whether items have pictures.
        words: whether they have titles or texts.

    Returns:
        The corpora by name, the sources that read them, and a line for each choice.

    Raises:
        UserError: the server or the model cannot be used, or there is nothing to show it.
    """
    if not (pictures or words):
        raise UserError(
            "--describe-with: the items have neither pictures nor texts to show a model; give --images DIR"
        )
    at = given.find("http://") if "http://" in given else given.find("https://")
    options = _served(given[: max(at, 0)].rstrip("@"), given[at:]) if at >= 0 else _here(given)
    inputs = ["image"] if pictures else ["text"]
    corpus = {**options, "prompt": PROMPT, "inputs": inputs, "max_new_tokens": 256}
    content: dict[str, Any] = {"descriptions": {"encoder": "keywords", "corpus": CORPUS}}
    if "endpoint" not in options:
        content["lvlm"] = {"encoder": "hidden_states", "corpus": CORPUS, "pooling": "answer_end"}
    reasons = [
        f"descriptions: {options['model']} is shown {'the picture' if pictures else 'title and text'} of each item",
        f"prompt: '{PROMPT}', which suits any catalogue; one for your domain may do better",
    ]
    return {CORPUS: corpus}, content, reasons


def _served(model: str, address: str) -> dict[str, Any]:
    """A server, and the only model that it lists where none is named."""
    from pydantic import ValidationError

    from recsys.content.vlm.options import EndpointOptions
    from recsys.content.vlm.served import served_models

    try:
        endpoint = EndpointOptions.model_validate({"address": address})
    except ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise UserError(f"--describe-with {address.split('?')[0]}: {reason}") from None
    served = served_models(endpoint)
    if not model and len(served) != 1:
        listed = f"lists {count(len(served), 'model')} ({', '.join(served[:5])}{', ...' if len(served) > 5 else ''})"
        raise UserError(f"{endpoint.address}: the server {listed if served else 'lists no model'}; {WAYS}")
    return {"model": model or served[0], "endpoint": {"address": endpoint.address, "concurrency": 16}}


def _here(given: str) -> dict[str, Any]:
    from recsys.content.weights import on_this_machine

    model, _, revision = given.partition("@")
    if (Path(model) / "config.json").is_file():
        return {"model": str(Path(model).absolute())}
    if on_this_machine(model, revision or None) is None and not revision:
        raise UserError(
            f"--describe-with {model}: no folder with a config.json; give MODEL@COMMIT for a model of the hub, or a "
            f"server: {WAYS}"
        )
    return {"model": model} | ({"revision": revision} if revision else {})
