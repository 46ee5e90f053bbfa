"""One question of a call: masked, answered from what is stored or by a model, checked, restored."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

from ai_addons._call import wording
from ai_addons._call.account import code_of
from ai_addons._call.listening import Reading
from ai_addons._call.repeats import Repeats
from ai_addons._call.steps import AskModel
from ai_addons.errors import (
    AddOnsError,
    BadOutput,
    BudgetSpent,
    CallError,
    ConfigError,
    ContentBlocked,
    ProviderTimeout,
)
from ai_addons.events import OperatorAlert, emit
from ai_addons.llm.base import Attempt, ModelRequest
from ai_addons.llm.breaker import left_alone
from ai_addons.llm.costs import prompt_bytes
from ai_addons.llm.providers import is_offline
from ai_addons.llm.schema import AnswerType, BadAnswer
from ai_addons.money import PicoUsd
from ai_addons.privacy.base import Kind, Unresolved

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from ai_addons._call import stored
    from ai_addons._call.account import Account
    from ai_addons._call.progress import Progress
    from ai_addons._call.steps import Call, Kit, Step
    from ai_addons._call.telling import Teller
    from ai_addons.events import AttemptReason
    from ai_addons.llm.base import Exchange, Message, ModelReply
    from ai_addons.privacy.base import Json, Session
    from ai_addons.prompt import Prompt

R = TypeVar("R")

_REPAIR_SECONDS: Final = 2.0
"""With less time than this left a bad answer is not repaired."""


class NoAnswer(Exception):
    """No usable answer; carries what the caller sees where there is no fallback."""

    def __init__(self, error: AddOnsError) -> None:
        super().__init__(error.code)
        self.error = error


@dataclass(frozen=True, slots=True)
class Question:
    """A prompt made ready to send.

    Attributes:
        prompt: As the builder made it.
        answer: Type of the answer.
        messages: What is sent, masked.
        sample: A typical answer for the offline model, masked.
        name: Its name for a replay.
        cache_key: Its name in the answer cache.
        began: How many attempts the call had made before.
        aloud: Whether the reader is shown the answer while it is written.
    """

    prompt: Prompt[Any]
    answer: AnswerType
    messages: tuple[Message, ...]
    sample: str | None = field(repr=False)
    expects: tuple[Kind, ...]
    name: str
    cache_key: str
    began: int
    aloud: bool = False


class Interview(Generic[R]):
    """Puts the questions of one call and brings back usable answers.

    Attributes:
        repeats: The stored answers of this call.
    """

    def __init__(
        self,
        call: Call[R],
        kit: Kit,
        session: Session,
        account: Account[R],
        progress: Progress,
        teller: Teller[R],
    ) -> None:
        self._call = call
        self._kit = kit
        self._session = session
        self._account = account
        self._progress = progress
        self._teller = teller
        self.repeats = Repeats(call, kit, account)

    def answer(self, prompt: Prompt[Any], declared: object, *, aloud: bool = False) -> Generator[Step, Any, Any]:
        """The restored, validated answer to one prompt: replayed, stored or asked for.

        Args:
            prompt: The question.
            declared: The type of its answer.
            aloud: Show the reader what a model answers while it is written.

        Raises:
            NoAnswer: If there is none; the hold is still open then.
        """
        question = self._question(prompt, declared, aloud=aloud)
        try:
            return (yield from self._answer(question))
        except NoAnswer as none:
            # A replay gives again what was given: nothing older, and nothing better. Nor does a stored answer follow
            # one that the reader saw begin.
            settled = self._progress.shown or question.name in self._progress.replay
            found = None if settled else self.repeats.stale(question.cache_key)
            if found is not None and (value := self._kept(question, found.answer)) is not None:
                self._progress.stale, self._progress.model = none.error, found.model
                return value[0]
            self._progress.answers[question.name] = None
            raise

    def _answer(self, question: Question) -> Generator[Step, Any, Any]:
        if question.name not in self._progress.replay:
            hit = yield from self._repeat(question)
            if hit is not None:
                return hit[0]
            yield from self._hold(question)
        # The hold may have found that this very call was paid for meanwhile.
        if question.name in self._progress.replay:
            text = self._progress.replay[question.name]
            if text is None:
                raise NoAnswer(BadOutput())
            if (value := self._kept(question, text)) is not None:
                return value[0]
        return (yield from self._converse(question))

    def _repeat(self, question: Question) -> Generator[Step, Any, tuple[Any] | None]:
        """A stored answer, paid for where it is not free."""
        try:
            hit = yield from self.repeats.seek(question.cache_key, lambda found: self._kept(question, found.answer))
        except ProviderTimeout as late:
            self._progress.timed_out = True
            raise NoAnswer(late) from None
        if self.repeats.on:
            self._teller.cache("miss" if hit is None else hit[2])
        if hit is None:
            return None
        found, value, _ = hit
        if not self.repeats.is_free(found):
            yield from self._account.hold()
            self.repeats.paid_again(question.cache_key, found)
        self._progress.model = found.model
        self._progress.saved = PicoUsd(self._progress.saved + (found.cost or 0))
        return value

    def look(
        self, prompt: Prompt[Any], declared: object
    ) -> Generator[Step, Any, tuple[stored.Stored | None, Question]]:
        """What is stored for a prompt, and the prompt made ready, without asking, holding or charging."""
        question = self._question(prompt, declared)
        return (yield from self.repeats.look(question.cache_key)), question

    def _question(self, prompt: Prompt[Any], declared: object, *, aloud: bool = False) -> Question:
        """Mask a prompt and lay out its messages."""
        answer = AnswerType(declared if prompt.answer is None else prompt.answer)
        (system, user), data = self._session.mask([prompt.system, prompt.user], prompt.data, known=prompt.known)
        sample = None
        if prompt.sample is not None and any(map(is_offline, self._call.route)):
            sample = self._session.mask_text(answer.dump(prompt.sample()))
        messages = wording.messages(system, user, data, masked=bool(self._session.vault.counts))
        expects = tuple(self._expected(word) for word in prompt.expects)
        plain: Json = [[message.role, message.content] for message in messages]
        names = self.repeats.names(prompt, plain, answer)
        return Question(prompt, answer, messages, sample, expects, *names, len(self._progress.attempts), aloud)

    def _expected(self, word: str) -> Kind:
        """A type of which the answer must hold a value; there must be one to hold.

        Raises:
            ConfigError: If there is no such type, or nothing of it was masked.
        """
        made = self._session.vault.counts
        if word not in made:
            msg = (
                f"The prompt of {self._call.spec.key!r} expects a placeholder of the type {word!r} in its answer, but "
                f"its texts and data hold none (they hold: {', '.join(sorted(made)) or 'nothing personal'}). Nothing "
                "was charged. Mark the field with Pii, or leave the type out of `expects`."
            )
            raise ConfigError(msg)
        return Kind(word)

    def _kept(self, question: Question, text: str) -> tuple[Any] | None:
        """A stored answer made usable; None if it was written under an older schema or check."""
        try:
            value = self._usable(question, text)
        except (BadAnswer, NoAnswer):
            return None
        self._progress.answers[question.name] = text
        return (value,)

    def _hold(self, question: Question) -> Generator[Step, Any, None]:
        """Hold the price before a model is asked.

        Raises:
            UnpricedModel: If it could cost an unknown amount.
            NoAnswer: If the provider budget has not so much left, or every model is left alone.
        """
        if seconds := self._kit.breaker.rest(self._call.route):
            raise NoAnswer(left_alone(seconds).error)
        try:
            yield from self._account.hold(self.bound(question))
        except BudgetSpent as spent:
            raise NoAnswer(spent) from spent

    def bound(self, question: Question) -> PicoUsd:
        """The most this question can cost: every attempt at every model, and a repair that repeats it all."""
        size = prompt_bytes(question.messages, None) + question.answer.schema_bytes
        for model in self._call.route:
            # A model without a price, where that is allowed, cannot be bounded and counts with nothing.
            bound = self._kit.prices.bound(model, size, self._call.max_tokens) or 0
            self._progress.bounds[model] = max(bound, self._progress.bounds.get(model, 0))
        bounds = [self._progress.bounds[model] for model in self._call.route]
        return PicoUsd(self._call.attempts * (sum(bounds) + 2 * max(bounds)))

    def _converse(self, question: Question) -> Generator[Step, Any, Any]:
        """Ask the models of the route in order until one answers.

        Raises:
            NoAnswer: If none does, or the answer stays unusable.
        """
        last: AddOnsError = BadOutput()
        for place, model in enumerate(self._call.route):
            # A model that hangs must leave time for those after it.
            now = self._kit.clock.monotonic()
            share = (self._account.deadline - now) / (len(self._call.route) - place)
            why: AttemptReason = "fallback" if place else "first"
            reply = yield from self._ask(model, question.messages, question, now + share, why)
            if isinstance(reply, AddOnsError):
                last = reply
                continue
            try:
                return self._accept(question, model, reply)
            except BadAnswer as bad:
                faulty = bad
            return (yield from self._repaired(question, model, reply, faulty))
        raise NoAnswer(last)

    def _repaired(self, question: Question, model: str, reply: ModelReply, bad: BadAnswer) -> Generator[Step, Any, Any]:
        """Let the model correct its answer, once, if there is time."""
        if self._account.deadline - self._kit.clock.monotonic() < _REPAIR_SECONDS:
            raise NoAnswer(BadOutput())
        messages = (*question.messages, *wording.repair(reply, bad, question.answer))
        second = yield from self._ask(model, messages, question, self._account.deadline, "repair")
        if isinstance(second, AddOnsError):
            raise NoAnswer(second)
        try:
            return self._accept(question, model, second)
        except BadAnswer:
            raise NoAnswer(BadOutput()) from None

    def _ask(
        self, model: str, messages: tuple[Message, ...], question: Question, deadline: float, why: AttemptReason
    ) -> Generator[Step, Any, ModelReply | AddOnsError]:
        """One exchange with one model: its reply, or an error that the next model may mend.

        Raises:
            NoAnswer: If no other model can do better.
        """
        request = ModelRequest(
            model=model,
            messages=messages,
            max_tokens=self._call.max_tokens,
            thinking=self._call.thinking,
            schema=question.answer.schema,
            timeout=self._call.seconds,
            sample=question.sample,
            feature=self._call.spec.key,
        )
        self._progress.asked = True
        if question.aloud:
            exchange = yield from self._reading(question, why).exchange(request, deadline)
        else:
            exchange = yield from self._exchange(AskModel(request, deadline), why)
        self._note(exchange.attempts, why)
        failure = exchange.failure
        if failure is None:
            if exchange.attempts[-1].cost is None:
                self._alert("unpriced_answer", model)
            return cast("ModelReply", exchange.reply)
        if failure.alert is not None:
            self._alert(failure.alert, model)
        if not failure.next_model:
            raise NoAnswer(failure.error)
        error: AddOnsError = failure.error
        return error

    def _reading(self, question: Question, why: AttemptReason) -> Reading[R]:
        restorer = self._session.vault.stream(expects=question.expects)
        note = partial(self._note, why=why)
        return Reading(self._kit, self._account, self._progress, restorer, note=note)

    def _exchange(self, step: AskModel, why: AttemptReason) -> Generator[Step, Any, Exchange]:
        """Ask; what is interrupted on the way may be on the provider's bill, so its cost is unknown."""
        began = self._kit.clock.monotonic()
        try:
            exchange: Exchange = yield step
        except BaseException as error:
            if step.started:
                latency = round((self._kit.clock.monotonic() - began) * 1_000)
                lost = Attempt(
                    model=step.request.model,
                    answered_by=None,
                    usage=None,
                    cost=None,
                    latency_ms=latency,
                    error=code_of(error),
                    started_at=self._account.moment(began),
                )
                self._note((lost,), why)
            raise
        return exchange

    def _note(self, made: Sequence[Attempt], why: AttemptReason) -> None:
        self._progress.attempts += made
        self._teller.attempts(made, why)

    def _accept(self, question: Question, model: str, reply: ModelReply) -> Any:  # noqa: ANN401  # the answer's own type
        """Take a reply if it is usable, and note it for the cache and a replay."""
        if reply.finish == "blocked":
            raise NoAnswer(ContentBlocked())
        if reply.finish == "length":
            msg = "The AI model's answer was cut off at the output cap. Nothing was charged. Try again."
            raise NoAnswer(BadOutput(msg))
        text = reply.text or ""
        value = self._usable(question, text)
        self._progress.model = model
        self._progress.answers[question.name] = text
        self.repeats.answered(question.cache_key, text, model, self._progress.cost_since(question.began))
        return value

    def _usable(self, question: Question, text: str) -> Any:  # noqa: ANN401  # the answer's own type
        """Parse, check while masked, restore, validate again with the real values.

        Raises:
            BadAnswer: Naming what is wrong, without quoting any value.
            NoAnswer: If the feature's check says that no repair can help.
        """
        masked, facts = question.answer.parse(text), question.prompt.facts
        if question.prompt.check is not None or facts is not None:
            value = question.answer.validate(masked)
            self._check(question.prompt, value)
            # References are put in where `check` has seen them: in the texts as the answer's type understands them.
            masked = masked if facts is None else question.answer.plain(value)
        try:
            restored = self._session.vault.restore(masked, facts=facts, expects=question.expects)
        except Unresolved as refusal:
            raise BadAnswer(wording.unresolved(refusal)) from None
        return question.answer.validate(restored)

    def _check(self, prompt: Prompt[Any], value: object) -> None:
        """Let the feature look at a masked answer.

        Raises:
            BadAnswer: With what it found.
            NoAnswer: If it says that no repair can help.
        """
        try:
            faults = () if prompt.check is None else tuple(prompt.check(value))
        except CallError as hopeless:
            raise NoAnswer(hopeless) from None
        if faults:
            raise BadAnswer(faults)

    def _alert(self, code: str, detail: str) -> None:
        emit(self._kit.hooks, OperatorAlert(code=code, detail=detail))
