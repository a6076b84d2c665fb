"""Parameters of a request: how they are sent, and which of them a server says it does not take."""

import re
from collections.abc import Sequence
from typing import Any

from openai import APIStatusError

from recsys.content.vlm.options import EndpointOptions, VlmOptions

UNWANTED = re.compile(
    r"unsupported|not support|n't support|unrecogni[sz]ed|unknown|unexpected|not permitted"
    r"|extra (?:inputs|fields)|extra_|not allowed|does not accept|not accept|instead|deprecated|only the default",
    re.IGNORECASE,
)
"""Words in what servers say of a parameter that they do not take."""
MAY_GO = {"seed": "what is drawn cannot be repeated", "temperature": "the server draws as it likes"}
"""Parameters that are left out where a server does not take them, and what that means."""


class Parameters:
    """What is sent with every request.

    Attributes:
        now: by name, in a new dictionary after each change.
        adapted: what had to be changed for this server, a sentence each.
    """

    def __init__(self, options: VlmOptions, endpoint: EndpointOptions, fields: Sequence[str]) -> None:
        """As the options say; `fields` are those of the prompt."""
        self.now: dict[str, Any] = {
            "max_tokens": options.max_new_tokens,
            "temperature": options.temperature,
            "seed": options.seed,
        }
        if endpoint.structured and fields:
            self.now["response_format"] = schema(fields)
        self.now |= endpoint.extra_body
        self.adapted: list[str] = []
        self._own = set(endpoint.extra_body)

    def without(self, name: str) -> str | None:
        """Do without a parameter, and say what that means; None: it cannot be spared."""
        rest = {key: value for key, value in self.now.items() if key != name}
        if name == "max_tokens":
            self.now = rest | {"max_completion_tokens": self.now[name]}
            line = "the server does not take `max_tokens`, so `max_completion_tokens` is sent instead"
        elif name in MAY_GO and name not in self._own:
            self.now = rest
            line = f"the server does not take `{name}`, so it is left out: {MAY_GO[name]}"
        else:
            return None
        self.adapted.append(line)
        return line


def as_arguments(how: dict[str, Any]) -> dict[str, Any]:
    """Parameters as the client library takes them: those that it does not know go into the body as they are."""
    usual = {"max_tokens", "max_completion_tokens", "temperature", "seed", "response_format"}
    others = {key: value for key, value in how.items() if key not in usual}
    return {key: value for key, value in how.items() if key in usual} | ({"extra_body": others} if others else {})


def schema(fields: Sequence[str]) -> dict[str, Any]:
    """A demand for an object with each field as a string."""
    wanted = {
        "type": "object",
        "properties": {field: {"type": "string"} for field in fields},
        "required": list(fields),
        "additionalProperties": False,
    }
    return {"type": "json_schema", "json_schema": {"name": "fields", "strict": True, "schema": wanted}}


def unwanted(error: APIStatusError, how: dict[str, Any], options: EndpointOptions) -> str | None:
    """The parameter that a server says it does not take; None where it says something else."""
    said = str(error.body)
    if not UNWANTED.search(said):
        return None
    names = [*how, *options.query, *(["detail"] if options.detail else [])]
    if error.param in names:
        return error.param
    # `max_tokens` stands within `max_completion_tokens`, so that whole words are looked for.
    return next((name for name in names if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", said)), None)


def remedy(name: str, options: EndpointOptions) -> str:
    """Which option is to be changed where a server does not take a parameter."""
    if name in options.query:
        return f"fix or remove it in `endpoint: query: {{{name}: ...}}`"
    if name in options.extra_body:
        return f"fix or remove it in `endpoint: extra_body: {{{name}: ...}}`"
    return {
        "response_format": "set `endpoint: structured: false`",
        "detail": "remove `endpoint: detail`",
    }.get(name, "give another by `endpoint: extra_body`")
