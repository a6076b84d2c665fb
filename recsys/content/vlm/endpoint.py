"""Vision-language models behind an address: vLLM, or whatever else speaks OpenAI's chat completions.

Retries, back-off and `Retry-After` are the client library's own.
"""

import asyncio
import logging
import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import httpx2
from openai import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AsyncOpenAI,
    DefaultAsyncHttpxClient,
    OpenAIError,
    Timeout,
)

from recsys.content.vlm.chat import Reply, read, refusal, refuse_broken, turn
from recsys.content.vlm.describer import UnfinishedError, VlmInput, VlmOutput
from recsys.content.vlm.options import SPEAKS_FOR_ALL, EndpointOptions, VlmOptions
from recsys.content.vlm.parameters import Parameters, as_arguments, remedy, unwanted
from recsys.errors import UserError

log = logging.getLogger(__name__)

CONNECT_S = 10.0
"""Longest wait for a connection; an answer may take longer."""
REFUSES_ITEM = {400, 413, 422}
"""What servers say to one request that they cannot or will not answer."""
REFUSES_KEY, KNOWS_NOTHING = {401, 403}, {404, 405}
"""What they say to every request where the key, or the model's name or the address, is wrong."""
SAYS_NOTHING_OF_ITEM = REFUSES_ITEM | KNOWS_NOTHING | {401, 402, 429, 503}
"""What has a meaning of its own, or means that there is no time or money: never that one item is at fault."""
GREETING = [{"role": "user", "content": "Say yes."}]
"""What a server is asked that breaks at an item, before it has answered about any."""
MAX_SIDE = 768
"""Longer side of the pictures that are sent, in pixels, unless the study says otherwise: about 100 kB each."""
LONGEST = 200
"""Characters of what a server says that are passed on."""
NO_KEY = "EMPTY"
"""What is sent where no key is set, as in vLLM's own examples; the client library demands one."""


class EndpointDescriber:
    """A model behind an address. It shows no hidden states."""

    def __init__(self, endpoint: EndpointOptions, options: VlmOptions, fields: Sequence[str] = ()) -> None:
        """A describer that asks the model at this address; `fields` are those of the prompt."""
        self.model, self.options, self.parallel = options.model, endpoint, endpoint.concurrency
        self._sent = Parameters(options, endpoint, fields)
        self.adapted = self._sent.adapted
        self._max_side = options.max_side or MAX_SIDE
        self._where = f"{endpoint.address}: model '{self.model}'"
        self._reached, self._answered, self._refused, self._next_start = False, 0, 0, 0.0
        self._witness: list[Any] = GREETING

    def describe(self, prompt: str, batch: Sequence[VlmInput]) -> VlmOutput:
        """Answers about a batch of items, in their order; an item that the server refuses gets an empty one.

        Raises:
            UserError: there is no such address or model, the key is not accepted, every item is refused, or a
                picture cannot be opened.
            UnfinishedError: a request failed, and so did its retries; the answers to others come with it.
        """
        replies = asyncio.run(self._all(prompt, batch))
        known = {row: reply for row, reply in enumerate(replies) if isinstance(reply, Reply)}
        errors = [reply for reply in replies if isinstance(reply, Exception)]
        kept_for = (UnfinishedError, UserError) if known else UnfinishedError
        if fault := next((error for error in errors if not isinstance(error, kept_for)), None):
            raise fault
        self._count(list(known.values()))
        said = _together(list(known.values()))
        if errors:  # what was answered is paid for
            raise UnfinishedError(str(errors[0]), list(known), said)
        return said

    async def _all(self, prompt: str, batch: Sequence[VlmInput]) -> list[Reply | BaseException]:
        """A reply or an error for each item; the first error stops the others."""
        hooks: dict[str, list[Any]] = {"request": [self._pace], "response": [refuse_broken]}
        timeout = Timeout(self.options.timeout_s, connect=min(self.options.timeout_s, CONNECT_S))
        limit = asyncio.Semaphore(self.options.concurrency)
        async with AsyncOpenAI(
            api_key=self._key() or NO_KEY,
            base_url=self.options.address,
            default_query=self.options.query,
            max_retries=self.options.retries,
            timeout=timeout,
            http_client=DefaultAsyncHttpxClient(event_hooks=hooks, timeout=timeout),
        ) as client:
            await self._reach(client)
            tasks = [asyncio.create_task(self._ask(client, limit, prompt, shown)) for shown in batch]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            finally:
                for task in tasks:
                    task.cancel()
            return await asyncio.gather(*tasks, return_exceptions=True)

    async def _reach(self, client: AsyncOpenAI) -> None:
        """Stop at once where nothing listens at the address; whatever answers there is good enough."""
        silence = ""
        if not self._reached:
            try:
                await client.with_options(max_retries=0).models.with_raw_response.list()
            except APIConnectionError as error:
                if isinstance(error.__cause__, httpx2.ConnectError | httpx2.ConnectTimeout):
                    silence = str(error.__cause__) or "no connection"
            except OpenAIError:
                pass
        if silence:
            raise UserError(
                f"{self.options.address}: no server answers there ({self._safe(silence)}); start the server, or fix "
                "`address`"
            )
        self._reached = True

    async def _ask(self, client: AsyncOpenAI, limit: asyncio.Semaphore, prompt: str, shown: VlmInput) -> Reply:
        async with limit:
            # Pictures are opened here, so that no more of them are held than are being asked about.
            messages = await asyncio.to_thread(turn, prompt, shown, self._max_side, self.options.detail)
            reply: Reply | UserError | UnfinishedError | None = None
            while reply is None:
                how, started = self._sent.now, time.monotonic()
                try:
                    response = await client.chat.completions.with_raw_response.create(
                        model=self.model, messages=messages, **as_arguments(how)
                    )
                    reply = replace(read(response.content), seconds=time.monotonic() - started)
                    self._witness = self._witness if reply.refused else messages
                except OpenAIError as error:
                    reply = self._judge(error, how)
                    if isinstance(reply, Exception) and _status(error) not in SAYS_NOTHING_OF_ITEM:
                        reply = await self._of_item(client, error, reply)
        # Raised out here, where the library's own error, which holds the request and so the key, does not cling to it.
        if isinstance(reply, Exception):
            raise reply
        return reply

    async def _of_item(
        self, client: AsyncOpenAI, error: OpenAIError, otherwise: UserError | UnfinishedError
    ) -> Reply | UserError | UnfinishedError:
        """A refusal where the server answers what it has answered before: it is this item that it breaks at.

        Else each run would stop at the same item.
        """
        try:
            await client.with_options(max_retries=0).chat.completions.create(
                model=self.model, messages=self._witness, **as_arguments(self._sent.now)
            )
        except OpenAIError:
            return otherwise
        status = _status(error)
        return Reply(
            refused=f"HTTP {status} each time" if status else "no answer each time", example=self._words(error)
        )

    def _judge(self, error: OpenAIError, how: dict[str, Any]) -> Reply | UserError | UnfinishedError | None:
        """What an error means: something for this item, for all of them, or for now; None: ask again, otherwise."""
        words, variable = self._words(error), self.options.api_key_env
        status = _status(error)
        if isinstance(error, APIStatusError) and status in REFUSES_ITEM:
            name = unwanted(error, how, self.options)
            return refusal(error, words) if name is None else self._adapt(name, how, words)
        if status in REFUSES_KEY:
            return UserError(
                f"{self._where}: HTTP {status} ({words}); put a valid key into the environment variable {variable}"
            )
        if status in KNOWS_NOTHING:
            return UserError(
                f"{self._where}: HTTP {status} ({words}); fix `model`, `address` (it often ends in /v1), or the "
                f"rights of the key in {variable}"
            )
        what = f"HTTP {status} ({words})" if status else words
        return UnfinishedError(f"{self._where}: {what}, even after up to {self.options.retries} retries")

    def _adapt(self, name: str, how: dict[str, Any], words: str) -> UserError | None:
        """Leave out a parameter that the server does not take, or say which option is to be changed."""
        if self._sent.now is not how:
            return None  # another request met the same, and has seen to it
        if (line := self._sent.without(name)) is None:
            return UserError(f"{self._where}: does not take `{name}` ({words}); {remedy(name, self.options)}")
        log.warning("%s: %s", self._where, line)
        return None

    def _count(self, replies: list[Reply]) -> None:
        """Tell of refusals; where there have been no answers, they are not about the items."""
        examples = {reply.refused: reply.example for reply in reversed(replies) if reply.refused}
        times = Counter(reply.refused for reply in replies if reply.refused)
        self._refused += times.total()
        self._answered += len(replies) - times.total()
        said = {why: self._safe(f"{why}: {examples[why]}" if examples[why] else why) for why in times}
        if times and not self._answered and self._refused >= SPEAKS_FOR_ALL:
            usual = said[max(times, key=times.__getitem__)]
            raise UserError(f"{self._where}: refuses every item ({usual}); fix the options, or take another model")
        for reason, n in times.most_common():
            log.warning("%s: no answer for %d of %d items (%s)", self._where, n, len(replies), said[reason])

    def _key(self) -> str:
        key = os.environ.get(self.options.api_key_env, "").strip()
        # A header cannot hold such a key, and the client library would quote it in its complaint.
        if not (key.isascii() and key.isprintable()):
            raise UserError(f"the environment variable {self.options.api_key_env} holds no key: fix its characters")
        return key

    def _words(self, error: OpenAIError) -> str:
        """What the server says, or what went wrong on the way to it."""
        if isinstance(error, APITimeoutError):
            return f"no answer within {self.options.timeout_s:g} s"
        if isinstance(error, APIStatusError):
            body = error.body
            return self._safe(str(body.get("message", body) if isinstance(body, dict) else body or "no reason given"))
        cause = error.__cause__ or error
        return self._safe(str(cause) or type(cause).__name__)

    def _safe(self, text: str) -> str:
        """A server's words on one line, without the key, which some servers repeat."""
        key = self._key()
        return " ".join((text.replace(key, "<key>") if key else text).split())[:LONGEST]

    async def _pace(self, request: httpx2.Request) -> None:
        """Hold a request back until its turn in the minute."""
        if self.options.requests_per_minute is not None:
            start = max(time.monotonic(), self._next_start)
            self._next_start = start + 60 / self.options.requests_per_minute
            await asyncio.sleep(start - time.monotonic())


def _status(error: OpenAIError) -> int | None:
    return error.status_code if isinstance(error, APIStatusError) else None


def _together(replies: Sequence[Reply]) -> VlmOutput:
    return VlmOutput(
        [reply.answer for reply in replies],
        n_tokens=[reply.n_tokens for reply in replies],
        n_prompt=[reply.n_prompt for reply in replies],
        cut_off=[reply.cut_off for reply in replies],
        refused=[reply.refused for reply in replies],
        seconds=[reply.seconds for reply in replies],
        models=sorted({reply.model for reply in replies} - {""}),
    )
