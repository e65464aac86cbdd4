"""Every message that crosses an actor's border, by conversation.

Grammar tells the kind: a command is an imperative and may be refused, an event is past tense
and is a fact, a query asks and names its reply. Nothing here has behaviour: a message is what
was said. :data:`MESSAGES` gathers them for the schema that encodes them between processes.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from datetime import datetime
from typing import ClassVar

import msgspec

from kos.domain.books.double_entry import Pence
from kos.domain.books.lines import (
    BalanceLine,
    BetLine,
    FloatLine,
    OfferLine,
    ParticipantLine,
    ProfitLine,
    RecordedEvent,
    ReminderLine,
    StatementLine,
)
from kos.domain.market.quotes import (
    Drop,
    EventMatch,
    EventQuotes,
    ExchangeMarket,
    MarketBook,
    Sport,
)
from kos.domain.market.sports import SportWanted
from kos.domain.matching import BookmakerFixture
from kos.domain.matching.aliases import AliasVerdict, NamePair, SettledAlias
from kos.domain.offers.catalogue import Offer
from kos.domain.offers.due import Reminder
from kos.domain.offers.facts import MoneyFact, OfferFact, Role, Source
from kos.domain.offers.state import Token
from kos.domain.opportunities.dutches import DutchAnswer, DutchQuery
from kos.domain.opportunities.opportunity import (
    OpportunityAnswer,
    OpportunityQuery,
    OpportunityState,
    SignalKeys,
)
from kos.domain.people.conversation import (
    Action,
    Answer,
    Kept,
    MenuLine,
    OutboxEntry,
    Person,
    Promise,
    PromiseOutcome,
    Seat,
)
from kos.domain.polling.credits import SportCreditsSpent
from kos.runtime.protocol import Delivery, Message

FETCHER = "fetcher."
"""The beginning of a fetcher's name; its sport key follows."""

# --- what conflates ------------------------------------------------------------------------


class Snapshot(Message, frozen=True, kw_only=True):
    """Base of what conflates: only the newest that waits for a receiver is delivered."""

    delivery: ClassVar[Delivery] = Delivery.SNAPSHOT


class SportSnapshot(Snapshot, frozen=True, kw_only=True):
    """Base of snapshots that conflate by their sport key."""

    sport_key: str

    def conflation_key(self) -> Hashable:
        """The sport key."""
        return self.sport_key


# --- anyone to a producer of snapshots -----------------------------------------------------


class Subscribe(Message, frozen=True, kw_only=True):
    """Send your last snapshots now, and every new one from now on, to ``subscriber``.

    A consumer says it at each start, so that a restart costs no remote call. Saying it again
    changes nothing but brings the snapshots again.
    """

    subscriber: str
    """The consumer's actor name."""


class Tick(Snapshot, frozen=True, kw_only=True):
    """A timer's message to its own actor: time to do ``what``. Conflates by ``what``."""

    what: str

    def conflation_key(self) -> Hashable:
        """One waiting tick of a kind is enough."""
        return self.what


# --- sports and fetchers --------------------------------------------------------------------


class SportsListed(Snapshot, frozen=True, kw_only=True):
    """The odds feed's active sport keys, after the filter of the settings."""

    sports: tuple[Sport, ...]
    listed_at: datetime


class QuotesFetched(SportSnapshot, frozen=True, kw_only=True):
    """One poll of one sport key: the whole current list of its events."""

    events: tuple[EventQuotes, ...]
    fetched_at: datetime
    drops: tuple[Drop, ...] = ()
    job_id: str = ""
    """Follows the poll through all processes and logs."""


class FixturesListed(SportSnapshot, frozen=True, kw_only=True):
    """The two-sided events of one sport key, complete; sent with each QuotesFetched."""

    fixtures: tuple[BookmakerFixture, ...]


class FetchNow(Message, frozen=True, kw_only=True):
    """Poll this sport key now, from the on-demand reserve; answered by FetchAnswered."""

    reason: str
    """Who asked, and why; goes to the log."""


class FetchAnswered(Message, frozen=True, kw_only=True):
    """The result of a FetchNow."""

    is_done: bool
    detail: str
    """What was fetched, or why not, for the operator."""


# --- credits ---------------------------------------------------------------------------------


class RequestCredits(Message, frozen=True, kw_only=True):
    """A fetcher asks leave to spend credits; answered by CreditsGranted or CreditsRefused."""

    sport_key: str
    cost: int
    """Credits the call will cost at most."""
    next_kickoff: datetime | None = None
    """Earliest kickoff not yet passed that the fetcher knows of; None when it knows none."""
    is_on_demand: bool = False


class CreditsGranted(Message, frozen=True, kw_only=True):
    """Leave to make one call; report it back with CreditsSpent."""

    grant_id: str
    cost: int


class CreditsRefused(Message, frozen=True, kw_only=True):
    """No call now."""

    reason: str
    retry_after_s: float


class CreditsSpent(Message, frozen=True, kw_only=True):
    """The actual cost of a granted call, with the server's counters if it sent them."""

    grant_id: str
    sport_key: str
    cost: int | None
    """Credits as counted by the server; None if it did not report them (then the grant's cost)."""
    used: int | None = None
    remaining: int | None = None
    is_failed: bool = False
    """The call failed; the grant is released unless the server reports a cost."""


class ServerCountersRead(Snapshot, frozen=True, kw_only=True):
    """The server's own counters, read from a free call."""

    used: int
    remaining: int


class PauseChanged(Snapshot, frozen=True, kw_only=True):
    """Sent to ``budget``: the pause in the ledger was set or ended. Read it now."""


class GetBudget(Message, frozen=True, kw_only=True):
    """Query: the state of the credits; answered by BudgetDescribed."""


class BudgetDescribed(Message, frozen=True, kw_only=True):
    """The state of the credits."""

    allowance: int
    """Credits a month."""
    used: int
    remaining: int
    reserve: int
    """Kept for on-demand checks."""
    lasts_until: datetime | None = None
    """Forecast of the day the credits run out at today's rate; None: not before the reset."""
    resets_at: datetime
    polls_today: int
    interval_s: dict[str, float] = msgspec.field(default_factory=dict)
    """Current poll interval by sport key, seconds; empty in a heartbeat."""
    is_paused: bool = False
    """Nothing is granted until a person resumes."""


# --- proxies ----------------------------------------------------------------------------------


class GetProxySession(Message, frozen=True, kw_only=True):
    """Query to ``proxies``: this caller's session; answered by ProxySessionGiven."""

    key: str
    """The sport key, or the service where one caller serves all."""


class ProxySessionGiven(Message, frozen=True, kw_only=True):
    """Answers GetProxySession. The caller builds the address itself: no message contains a login."""

    session_id: str
    """Empty when none serves."""
    retry_after_s: float


class ProxyUsed(Message, frozen=True, kw_only=True):
    """A call went through a session, or did not."""

    session_id: str
    problem: str
    """Empty when the remote answered, by whatever status."""


# --- exchange ---------------------------------------------------------------------------------


class CatalogueRead(Snapshot, frozen=True, kw_only=True):
    """Markets of one event type that the exchange offers, whole."""

    event_type: str
    """The exchange's name of the sport."""
    markets: tuple[ExchangeMarket, ...]
    read_at: datetime

    def conflation_key(self) -> Hashable:
        """A newer catalogue of an event type replaces the older one."""
        return self.event_type


class CatalogueWanted(Snapshot, frozen=True, kw_only=True):
    """Sports and kickoff window for which bookmaker events exist. Replaces the former wish."""

    sports: tuple[SportWanted, ...]
    until: datetime


class PricesWanted(Snapshot, frozen=True, kw_only=True):
    """The market ids that matched events need, most urgent first. Replaces the former list."""

    market_ids: tuple[str, ...]


class BooksRead(Snapshot, frozen=True, kw_only=True):
    """Prices of some exchange markets, as one call or one stream message brought them."""

    books: tuple[MarketBook, ...]

    def conflation_key(self) -> Hashable:
        """A newer read of the very same markets replaces the older one."""
        return tuple(book.market_id for book in self.books)


# --- matching and scoring ---------------------------------------------------------------------


class EventsMatched(SportSnapshot, frozen=True, kw_only=True):
    """The reconciler's result for every event of one sport key; replaces its earlier result."""

    matches: tuple[EventMatch, ...]
    markets: tuple[ExchangeMarket, ...]
    """The exchange markets that the matches name."""


class GetOpportunities(Message, frozen=True, kw_only=True):
    """Query: the best pairs for a question; answered by OpportunitiesRanked."""

    query: OpportunityQuery


class OpportunitiesRanked(Message, frozen=True, kw_only=True):
    """The answer from memory."""

    answer: OpportunityAnswer
    last_quotes_at: datetime | None
    """When the newest bookmaker prices came in; None before the first."""
    is_simulated: bool


class GetOpportunity(Message, frozen=True, kw_only=True):
    """Query: one opportunity as it is now; answered by OpportunityDescribed."""

    opportunity_id: str
    """`Opportunity.id`, as some answer gave it."""
    query: OpportunityQuery
    """Kind, stake and their details; bookmaker, filters and limit do not matter."""


class OpportunityDescribed(Message, frozen=True, kw_only=True):
    """Answers GetOpportunity."""

    state: OpportunityState
    last_quotes_at: datetime | None
    is_simulated: bool


class GetDutches(Message, frozen=True, kw_only=True):
    """Query: the best ways to cover all outcomes of an event; answered by DutchesRanked."""

    query: DutchQuery


class DutchesRanked(Message, frozen=True, kw_only=True):
    """Answers GetDutches, from memory."""

    answer: DutchAnswer
    last_quotes_at: datetime | None
    is_simulated: bool


class GetSignalKeys(Message, frozen=True, kw_only=True):
    """Query: bookmakers, exchanges and sports in the data now; answered by SignalKeysListed."""


class SignalKeysListed(Message, frozen=True, kw_only=True):
    """Answers GetSignalKeys."""

    keys: SignalKeys


class GetUnmatched(Message, frozen=True, kw_only=True):
    """Query: events seen on one side only; answered by UnmatchedDescribed."""

    sport: str | None = None


class UnmatchedDescribed(Message, frozen=True, kw_only=True):
    """Unmatched events, with the best candidate and why it was not accepted."""

    matches: tuple[EventMatch, ...]
    names: dict[str, str]
    """Event id to ``Home v Away`` for the bookmaker side."""
    pairs: dict[str, tuple[NamePair, ...]] = msgspec.field(default_factory=dict)
    """Event id to the names behind a doubt's best guess."""


class GetMatch(Message, frozen=True, kw_only=True):
    """Query to ``reconciler``: its result for one event, and why; answered by MatchDescribed."""

    event_id: str = ""
    text: str = ""
    """Without an ID: words of the event's name; the closest event is used."""


class MatchDescribed(Message, frozen=True, kw_only=True):
    """Answers GetMatch."""

    match: EventMatch | None
    """None: no such event is known."""
    name: str = ""
    """``Home v Away`` as the bookmaker feed has it."""
    exchange_name: str = ""
    """The exchange event of the result."""


class QueryRefused(Message, frozen=True, kw_only=True):
    """A query that is refused: what is wrong, and what is accepted."""

    reason: str


# --- ledger -------------------------------------------------------------------------------------

LEDGER = "ledger"
"""The actor that owns the books."""


class LedgerCommand(Message, frozen=True, kw_only=True):
    """Base of what the ledger writes. Answered by its own reply or CommandRefused, once durable.

    The same ``command_id`` again gets the first answer and changes nothing, so a sender repeats
    a command until it is answered. Another command under a used id is refused.
    """

    command_id: str
    """Idempotency key, 1 to 200 characters, chosen by the sender."""
    by: str
    """Who asks: a user's id, or an actor's name. No part of the command's identity, as the time."""
    occurred_at: datetime
    """When it happened in the real world; a repeat of the command may differ in it."""


class CommandRecorded(Message, frozen=True, kw_only=True):
    """The command is in the ledger and durable."""

    command_id: str
    sequence: int
    """Its place in the ledger; rising."""


class CommandRefused(Message, frozen=True, kw_only=True):
    """The command is refused on its merits and changed nothing; remembered like any answer."""

    command_id: str
    reason: str
    """What is wrong and what is accepted, for a person."""


class RecordCreditsSpent(LedgerCommand, frozen=True, kw_only=True):
    """Credits were spent on a sport key; answered by CommandRecorded."""

    sport_key: str
    credits: int
    """0 or more."""


class GetCreditsSpent(Message, frozen=True, kw_only=True):
    """Query: the credits spent from ``since`` (inclusive) until ``until`` (exclusive), UTC."""

    since: datetime
    until: datetime


class CreditsSpentListed(Message, frozen=True, kw_only=True):
    """Answers GetCreditsSpent."""

    total: int
    by_sport: tuple[SportCreditsSpent, ...]
    by_day: dict[str, int]
    """UTC day as ``2026-11-23`` to credits."""


class RecordAlias(LedgerCommand, frozen=True, kw_only=True):
    """A person's decision about two names; the latest counts. CommandRecorded."""

    sport: str
    """The sport, as the matcher names it."""
    feed_name: str
    exchange_name: str
    verdict: AliasVerdict
    evidence: str
    """The reason: the person's own, or the matcher's reasons that were confirmed."""


class GetAliases(Message, frozen=True, kw_only=True):
    """Query: the pairs of names that are confirmed or rejected; answered by AliasesListed."""

    sport: str | None = None
    with_history: bool = False
    """The full history, oldest first, instead of decisions in force."""


class AliasesListed(Message, frozen=True, kw_only=True):
    """Answers GetAliases."""

    aliases: tuple[SettledAlias, ...]


class RecordFact(LedgerCommand, frozen=True, kw_only=True):
    """Something happened to a participant's offer or money; answered by FactRecorded."""

    participant: str
    fact: OfferFact | MoneyFact
    instance: str = ""
    """The offer instance; empty for the participant's own money."""
    role: Role = Role.OPERATOR
    source: Source = Source.TERMINAL
    note: str = ""
    expected_version: int | None = None
    """Refused if the instance has another count of facts by now; None asks for no check."""


class FactRecorded(Message, frozen=True, kw_only=True):
    """The fact and its postings are durable."""

    command_id: str
    sequence: int
    participant: str
    instance: str = ""
    phase: str = ""
    """Where the instance is now, by name; empty without one."""
    outcome: str | None = None
    version: int = 0
    transactions: tuple[int, ...] = ()
    """The numbers of the entries that were posted."""


class PutOffers(LedgerCommand, frozen=True, kw_only=True):
    """Offers for the catalogue; a known key gets a new revision. Answered by CommandRecorded."""

    offers: tuple[Offer, ...]


class EraseParticipant(LedgerCommand, frozen=True, kw_only=True):
    """Remove all that is known of a participant; refused while a bet is open. CommandRecorded."""

    participant: str
    reason: str


class LedgerQuery(Message, frozen=True, kw_only=True):
    """Base of questions about participants: their own, or a named operator's about all."""

    participant: str = ""
    """The participant; empty only for an operator's query about everyone."""
    operator: str = ""
    """Who asks when it is an operator."""


class GetOffers(LedgerQuery, frozen=True, kw_only=True):
    """Query: offer instances; answered by OffersListed."""

    with_closed: bool = True


class OffersListed(Message, frozen=True, kw_only=True):
    """Answers GetOffers."""

    offers: tuple[OfferLine, ...]


class GetOffer(LedgerQuery, frozen=True, kw_only=True):
    """Query: everything about one instance; answered by OfferDescribed or QueryRefused."""

    instance: str


class OfferDescribed(Message, frozen=True, kw_only=True):
    """Answers GetOffer."""

    line: OfferLine
    title: str
    bets: tuple[BetLine, ...]
    tokens: tuple[Token, ...]
    events: tuple[RecordedEvent, ...]
    allowed: tuple[str, ...]
    """Facts that may follow."""
    reminders: tuple[Reminder, ...]


class GetReminders(LedgerQuery, frozen=True, kw_only=True):
    """Query: open offers that need attention; answered by RemindersListed."""


class RemindersListed(Message, frozen=True, kw_only=True):
    """Answers GetReminders."""

    reminders: tuple[ReminderLine, ...]
    """Earliest due first."""


class GetBooks(LedgerQuery, frozen=True, kw_only=True):
    """Query: balances now, and profit within a time; answered by BooksDescribed."""

    since: datetime | None = None
    until: datetime | None = None


class BooksDescribed(Message, frozen=True, kw_only=True):
    """Answers GetBooks."""

    balances: tuple[BalanceLine, ...]
    floats: tuple[FloatLine, ...]
    capital: Pence
    """All assets, tokens left out."""
    locked: Pence
    profit: Pence
    """Within the time asked for."""
    by_kind: tuple[ProfitLine, ...]
    by_venue: tuple[ProfitLine, ...]
    by_offer: tuple[ProfitLine, ...]
    by_month: tuple[ProfitLine, ...]
    trial_balance: Pence
    """0 in sound books."""


class GetStatement(LedgerQuery, frozen=True, kw_only=True):
    """Query: every posting within a time, oldest first; answered by StatementListed."""

    since: datetime | None = None
    until: datetime | None = None


class StatementListed(Message, frozen=True, kw_only=True):
    """Answers GetStatement."""

    lines: tuple[StatementLine, ...]


class GetCatalogue(Message, frozen=True, kw_only=True):
    """Query: the latest terms of each offer; answered by CatalogueListed."""


class CatalogueListed(Message, frozen=True, kw_only=True):
    """Answers GetCatalogue."""

    offers: tuple[Offer, ...]


class GetParticipants(LedgerQuery, frozen=True, kw_only=True):
    """Query: who takes part; answered by ParticipantsListed."""


class ParticipantsListed(Message, frozen=True, kw_only=True):
    """Answers GetParticipants."""

    participants: tuple[ParticipantLine, ...]


class GetEverything(LedgerQuery, frozen=True, kw_only=True):
    """Query: all rows about one participant, for them to take along; answered by EverythingListed."""


class EverythingListed(Message, frozen=True, kw_only=True):
    """Answers GetEverything."""

    tables: dict[str, list[dict[str, str | int | None]]]
    """Table name to its rows."""


class VerifyLedger(Message, frozen=True, kw_only=True):
    """Query: is everything in the file as it must be; answered by LedgerVerified."""


class LedgerVerified(Message, frozen=True, kw_only=True):
    """Answers VerifyLedger."""

    problems: tuple[str, ...]
    """Empty when all is well."""
    counts: dict[str, int]
    """Rows looked at, by table."""


class BackUpLedger(Message, frozen=True, kw_only=True):
    """Write a consistent, checked copy while the ledger goes on; answered by LedgerBackedUp."""

    target: str
    """An absolute path that does not exist yet, on this machine."""


class LedgerBackedUp(Message, frozen=True, kw_only=True):
    """Answers BackUpLedger."""

    target: str
    sequence: int
    """The last command in the copy."""


# --- people and what was promised to them: the ledger's ------------------------------------------


class SetPerson(LedgerCommand, frozen=True, kw_only=True):
    """Give someone access, or change or remove it. CommandRecorded."""

    person: Person
    """Who added them and when is the ledger's to fill in: ``by`` and ``occurred_at``."""


class GetPeople(Message, frozen=True, kw_only=True):
    """Query: who may talk to KOS, by the ledger; answered by PeopleListed."""

    with_inactive: bool = False
    """Include removed people."""


class PeopleListed(Message, frozen=True, kw_only=True):
    """Answers GetPeople."""

    people: tuple[Person, ...]


class PutInvitation(LedgerCommand, frozen=True, kw_only=True):
    """A one-time code that makes its bearer a person. CommandRecorded."""

    code_digest: str
    """SHA-256 of the code in hex (:func:`kos.domain.people.invitations.code_digest`); the code itself is
    shown once and never stored."""
    seat: Seat
    participant: str = ""
    expires_at: datetime


class AcceptInvitation(LedgerCommand, frozen=True, kw_only=True):
    """The bearer of a code asks for their seat. PersonSeated, or CommandRefused.

    An unknown, a used and an expired code are refused with the same words. A code is judged at
    ``occurred_at``. If the person already has access, it is refused and the code stays unused.
    """

    code_digest: str
    user: str
    name: str


class PersonSeated(Message, frozen=True, kw_only=True):
    """Answers AcceptInvitation: the code is used up."""

    command_id: str
    sequence: int
    person: Person


class Conclude(LedgerCommand, frozen=True, kw_only=True):
    """Everything that one command of a person leaves behind, in one commit. CommandRecorded.

    Its ``command_id`` is the word's id (for Telegram ``telegram:<bot id>:<update id>``), so that
    a word that comes twice leaves nothing twice. Facts it caused were recorded before under ids
    that begin with it. The id alone decides what is the same: a repeated word may compose its
    answer otherwise (other prices, other ages), and still the first one counts and is answered.
    """

    kept: tuple[Kept, ...] = ()
    actions: tuple[Action, ...] = ()
    """Buttons shown."""
    used: tuple[str, ...] = ()
    """Actions used up: refused whole if one is used already or unknown. Expired ones are not
    refused here: facts may have been recorded on their strength a moment ago."""
    promises: tuple[Promise, ...] = ()


class GetConclusion(Message, frozen=True, kw_only=True):
    """Query: has this command been handled; answered by ConclusionDescribed."""

    said_id: str


class ConclusionDescribed(Message, frozen=True, kw_only=True):
    """Answers GetConclusion."""

    is_concluded: bool


class GetKept(Message, frozen=True, kw_only=True):
    """Query: values that have not expired; answered by KeptListed."""

    owner: str = ""
    """Empty for all owners."""
    prefix: str = ""
    """The beginning of the names asked for."""


class KeptListed(Message, frozen=True, kw_only=True):
    """Answers GetKept."""

    kept: tuple[Kept, ...]


class GetAction(Message, frozen=True, kw_only=True):
    """Query: the stored action behind a button; answered by ActionDescribed."""

    action_id: str


class ActionDescribed(Message, frozen=True, kw_only=True):
    """Answers GetAction; None for an id that was never given out or is long past."""

    action: Action | None


class GetOutbox(Message, frozen=True, kw_only=True):
    """Query: promises that wait, most urgent first, then oldest; answered by OutboxListed."""

    limit: int = 50
    without_chats: tuple[str, ...] = ()
    """Chats that rest just now; their promises are counted and not listed."""


class OutboxListed(Message, frozen=True, kw_only=True):
    """Answers GetOutbox."""

    entries: tuple[OutboxEntry, ...]
    waiting: int
    """All that wait, listed or not."""


class MarkDelivered(LedgerCommand, frozen=True, kw_only=True):
    """The result of a promise. CommandRecorded.

    The first word on a promise counts and a later one changes nothing, but that it was sent after
    all. ``command_id`` and ``entry_id`` alone decide what is the same command.
    """

    entry_id: int
    outcome: PromiseOutcome
    message_id: int = 0
    """The message it became, as the chat numbers it."""
    reason: str = ""


# --- an operator and the desk ---------------------------------------------------------------------


class OperatorSaid(Message, frozen=True, kw_only=True):
    """A person's command from any screen; sent to ``desk``, answered by OperatorAnswered."""

    said_id: str
    """Unique for this command; the same ID again is the same command repeated."""
    user: str
    """``telegram:<user id>``, ``terminal:<login>`` or ``web:<login>``."""
    name: str
    """How the screen calls the person; foreign text."""
    chat: str
    """Where promised messages go, e.g. ``telegram:<chat id>``; the same as ``user`` elsewhere."""
    text: str = ""
    """The text typed; empty for a button."""
    pressed: str = ""
    """The data of the pressed button, forged until proved; empty for text."""
    message_id: int = 0
    """The message with the button."""
    said_at: datetime


class OperatorAnswered(Message, frozen=True, kw_only=True):
    """Answers OperatorSaid. Promised answers are already in the outbox."""

    answers: tuple[Answer, ...] = ()
    notice: str = ""
    """A short notice for a pressed button, up to 200 characters."""
    is_stranger: bool = False
    """No access: they get no reply."""
    is_refused: bool = False
    """Not understood, not allowed or not done; answers or notice say why."""


class GetMenu(Message, frozen=True, kw_only=True):
    """Query to ``desk``: the commands that a user may use; answered by MenuDescribed."""

    user: str


class MenuDescribed(Message, frozen=True, kw_only=True):
    """Answers GetMenu; empty for a stranger."""

    lines: tuple[MenuLine, ...]


class OutboxFilled(Snapshot, frozen=True, kw_only=True):
    """Sent to ``bot``: there is something to send. Conflates."""


def _concrete(base: type[Message]) -> Iterator[type[Message]]:
    for message in base.__subclasses__():
        if message.__module__ == __name__:
            yield from _concrete(message)
            if message not in {Snapshot, SportSnapshot, LedgerCommand, LedgerQuery}:
                yield message


MESSAGES: tuple[type[Message], ...] = tuple(_concrete(Message))
"""Every message of this module that is sent as such: all but the bases."""
