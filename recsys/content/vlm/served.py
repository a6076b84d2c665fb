"""Which models a server lists, found out by one light request: nothing is described, and nothing is paid for."""

import os

import httpx2

from recsys.content.vlm.options import EndpointOptions
from recsys.errors import UserError

PATIENCE_S = 5.0
"""Longest wait for the list."""
REFUSES_KEY = {401, 403}
LONGEST = 200


def served_models(endpoint: EndpointOptions) -> list[str]:
    """Names of the models that a server lists; none where it keeps no list.

    Raises:
        UserError: nothing listens at the address, or the key is not accepted.
    """
    key = os.environ.get(endpoint.api_key_env, "").strip()
    if not (key.isascii() and key.isprintable()):
        raise UserError(f"the environment variable {endpoint.api_key_env} holds no key: fix its characters")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        # No redirect is followed: it would be given the key.
        answer = httpx2.get(f"{endpoint.address}/models", params=endpoint.query, headers=headers, timeout=PATIENCE_S)
    except httpx2.HTTPError as error:
        reason = " ".join((str(error) or type(error).__name__).split())[:LONGEST]
        raise UserError(
            f"{endpoint.address}: no server answers there ({reason}); start the server, or fix `address`"
        ) from None
    if answer.status_code in REFUSES_KEY:
        what = "does not accept the key" if key else "wants a key"
        remedy = f"put a valid key into the environment variable {endpoint.api_key_env}"
        raise UserError(f"{endpoint.address}: HTTP {answer.status_code}: the server {what}; {remedy}")
    try:
        return [str(each["id"]) for each in answer.json()["data"]]
    except (ValueError, KeyError, TypeError):
        return []
