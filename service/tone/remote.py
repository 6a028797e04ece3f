"""A model behind everything that keeps it from being in the way.

    lexical labels -> which edits are worth asking about -> cache -> breaker -> slot
        -> (budget -> call -> validate)*

Each stage can only take an edit out of the question; what no stage answered keeps its lexical label. One
deadline, taken when the question arrives, covers all of it. The cache gets a quarter of the time-out a step at
most, so that a frozen Redis can neither eat the model's time nor hold back an answer that is there; the budget keeps
a time of its own, for a late permission is none and a refusal would be a lie.

An edit is not asked about when it is noise, when it has no sentence to show, or when its countable evidence
is already decisive. Edits of a batch with the same content are asked about once.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import anyio

from service.tone.answer import Reply, read
from service.tone.base import FINAL, Judgement, Pairs, Reason, State, ToneFailure, ToneRequest, ToneStats
from service.tone.breaker import Breaker
from service.tone.budget import CallBudget
from service.tone.cache import ToneCache, content_key
from service.tone.lexical import label
from service.tone.options import ToneOptions
from service.tone.prompt import PROMPT_VERSION, Prompt, pack
from service.tone.retry import RetryPolicy, retrying

log = logging.getLogger(__name__)
STORE_SHARE = 0.25  # of the time-out: for each word with the cache, which may be a frozen Redis
FAIR_SHARE = 0.25  # of the time-out: a call that got its slot with less left proves nothing when it is late


class ToneModel(Protocol):
    """One request to one model, without any care around it."""

    async def ask(self, prompt: Prompt) -> Reply:
        """What the model said; raises ToneFailure and cancellation only."""
        ...

    async def aclose(self) -> None: ...


@dataclass(slots=True)
class _Question:
    """One content to be judged, and the positions of the edits that have it."""

    pairs: Pairs
    positions: list[int] = field(default_factory=list)


class RemoteTone:
    """The classifier that asks a model where it is worth it."""

    def __init__(
        self,
        model: ToneModel,
        options: ToneOptions,
        *,
        cache: ToneCache,
        budget: CallBudget,
        breaker: Breaker,
        retries: RetryPolicy,
    ) -> None:
        self.stats = ToneStats()
        self._model = model
        self._options = options
        self._cache = cache
        self._budget = budget
        self._breaker = breaker
        self._retries = retries
        self._patience = options.timeout_seconds * STORE_SHARE
        self._slots = anyio.CapacityLimiter(options.max_concurrency)

    def state(self) -> State:
        return "open" if self._breaker.is_open else "available"

    async def aclose(self) -> None:
        await self._tell_usage(last=True)
        await self._model.aclose()

    async def classify(self, edits: Sequence[ToneRequest], *, late: bool = False) -> list[Judgement]:
        judgements = [Judgement(label(edit.delta)) for edit in edits]
        questions = self._questions(edits, judgements)
        if not questions:
            return judgements
        answers, failure = await self._answers(questions, late)
        missed = None if failure in FINAL else failure
        for key, question in questions.items():
            for position in question.positions:
                judgements[position] = answers.get(key, replace(judgements[position], missed=missed))
            if key not in answers:
                self.stats.fallbacks += len(question.positions)
        await self._tell_usage()
        return judgements

    async def _tell_usage(self, *, last: bool = False) -> None:
        if self._options.usage is not None:
            with anyio.move_on_after(self._patience):
                await self._options.usage.tell(self.stats, last=last)

    def _questions(self, edits: Sequence[ToneRequest], lexical: Sequence[Judgement]) -> dict[str, _Question]:
        questions: dict[str, _Question] = {}
        for position, (edit, judgement) in enumerate(zip(edits, lexical, strict=True)):
            decided = judgement.shift.confidence >= self._options.decisive_confidence
            if edit.delta.is_noise or decided or not edit.pairs:
                continue
            key = content_key(PROMPT_VERSION, self._options.model, edit.pairs)
            questions.setdefault(key, _Question(edit.pairs)).positions.append(position)
        return questions

    async def _answers(
        self, questions: Mapping[str, _Question], late: bool
    ) -> tuple[dict[str, Judgement], Reason | None]:
        """What is known about the questions in time, possibly nothing, and what kept the model from saying more."""
        deadline = anyio.current_time() + self._options.timeout_seconds
        found: dict[str, Judgement] = {}
        try:
            found.update(await self._cached(questions))
            missing = {key: question.pairs for key, question in questions.items() if key not in found}
            if missing:
                fresh = await self._fresh(missing, deadline, late)
                found.update(fresh)
                with anyio.CancelScope(deadline=min(deadline, anyio.current_time() + self._patience)):
                    await self._cache.put_many(fresh)
        except ToneFailure as failure:
            self._gave_up(failure)
            return found, failure.reason
        except Exception as error:  # noqa: BLE001 - tone is never a reason to fail a job, whatever a library invents
            self.stats.failures["internal"] += 1
            log.warning("tone: lexical answer after an unexpected %s", type(error).__name__)
            return found, "internal"
        return found, None

    async def _cached(self, questions: Mapping[str, _Question]) -> dict[str, Judgement]:
        found: dict[str, Judgement] = {}
        with anyio.move_on_after(self._patience):
            found = await self._cache.get_many(list(questions))
        hits = sum(len(question.positions) for key, question in questions.items() if key in found)
        self.stats.cache_hits += hits
        self.stats.cache_misses += sum(len(question.positions) for question in questions.values()) - hits
        return found

    async def _fresh(self, missing: Mapping[str, Pairs], deadline: float, late: bool) -> dict[str, Judgement]:
        prompt = pack(list(missing.values()), self._options.max_input_tokens)
        if prompt is None:
            return {}
        with self._breaker.guard():
            answers = await self._called(prompt, deadline, late)
        keys = list(missing)
        return {keys[position]: answer for position, answer in zip(prompt.positions, answers, strict=True)}

    async def _called(self, prompt: Prompt, deadline: float, late: bool) -> Sequence[Judgement]:
        fair = False
        try:
            with anyio.fail_after(max(0.0, deadline - anyio.current_time())):
                async with self._slots:
                    left = deadline - anyio.current_time()
                    fair = left > self._options.timeout_seconds * FAIR_SHARE
                    return await retrying(lambda: self._once(prompt, late), self._retries, self._count)
        except TimeoutError:
            # A full house is not the model's fault: only a call that had time counts against it.
            failure = ToneFailure("timeout" if fair else "busy")
            self._count(failure)
            raise failure from None

    async def _once(self, prompt: Prompt, late: bool) -> Sequence[Judgement]:
        refusal: Reason | None = await self._budget.take(prompt.max_tokens, late=late)
        if refusal is not None:
            raise ToneFailure(refusal)
        self.stats.calls += 1
        reply = await self._paid(prompt)
        return read(reply, len(prompt.positions), prompt.document)

    async def _paid(self, prompt: Prompt) -> Reply:
        """Ask, and account for what it cost; what got no answer in time may have been charged."""
        try:
            reply = await self._model.ask(prompt)
        except ToneFailure as failure:
            if failure.reason != "timeout":
                await self._budget.settle(prompt.max_tokens, 0)
            raise
        self.stats.tokens_in += reply.tokens_in
        self.stats.tokens_out += reply.tokens_out
        await self._budget.settle(prompt.max_tokens, reply.tokens_in + reply.tokens_out)
        return reply

    def _count(self, failure: ToneFailure) -> None:
        self.stats.failures[failure.reason] += 1

    def _gave_up(self, failure: ToneFailure) -> None:
        if failure.reason == "breaker_open":
            self._count(failure)  # refused before any try could count it; logged when it opened
            return
        log.warning("tone: lexical answer, model %s, breaker %s", failure.reason, self.state())
