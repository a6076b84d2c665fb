"""Whether a server can be asked for descriptions at all, found out by one light request."""

import os

import httpx2

from recsys.content.vlm.options import EndpointOptions
from recsys.errors import UserError

SECONDS = 5.0
"""Longest wait for a server that is asked what models it has."""
REFUSES_KEY = {401, 403}


def reach(endpoint: EndpointOptions, model: str) -> str:
    """Ask a server which models it has, and say what came of it; nothing is described, and nothing is paid for.

    Args:
        endpoint: where the server is, and the variable that holds its key.
        model: what the server calls the model.

    Raises:
        UserError: no server answers at the address, or it does not accept the key.
    """
    key = os.environ.get(endpoint.api_key_env, "").strip()
    address = httpx2.URL(endpoint.address)
    address = address.copy_with(path=f"{address.path.rstrip('/')}/models")
    try:
        # No redirect is followed: it would be told the key.
        answer = httpx2.get(address, headers={"Authorization": f"Bearer {key}"} if key else {}, timeout=SECONDS)
    except httpx2.HTTPError as error:
        reason = _words(str(error) or type(error).__name__, key)
        remedy = "start the server, or fix `address`"
        raise UserError(f"{endpoint.address}: no server answers there ({reason}); {remedy}") from None
    except (UnicodeError, ValueError):  # a header cannot hold such a key, and the error would quote it
        raise UserError(f"the environment variable {endpoint.api_key_env} holds no key: fix its characters") from None
    if answer.status_code in REFUSES_KEY:
        what = "does not accept the key" if key else "wants a key"
        remedy = f"put a valid key into the environment variable {endpoint.api_key_env}"
        raise UserError(f"{endpoint.address}: HTTP {answer.status_code}: the server {what}; {remedy}")
    names = _names(answer)
    if names and model not in names:
        return f"the server at {endpoint.address} answers, and does not list '{model}' ({', '.join(names[:5])})"
    return f"the server at {endpoint.address} answers"


def _names(answer: httpx2.Response) -> list[str]:
    """The models that the server lists; none where it lists nothing that can be read."""
    try:
        return [str(each["id"]) for each in answer.json()["data"]]
    except (ValueError, KeyError, TypeError):
        return []


def _words(text: str, key: str) -> str:
    return " ".join((text.replace(key, "<key>") if key else text).split())[:200]
