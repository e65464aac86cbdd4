"""One participant's story with one offer, told fact by fact to the stage that a test needs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from kos.domain.books.double_entry import Account, AccountKind, Entry, trial_balance
from kos.domain.offers import facts as f
from kos.domain.offers.catalogue import Bonus, BonusKind, Offer, Qualifying, Trigger
from kos.domain.offers.portfolio import Portfolio, apply
from kos.domain.offers.state import OfferState, Phase

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
WEEK = timedelta(days=7)

CORAL = Offer(
    key="coral-bet10-get10",
    bookmaker="coral",
    title="Bet £10, get a £10 free bet",
    deposit_min=1000,
    qualifying=Qualifying(min_stake=1000, min_odds=Decimal("1.5")),
    bonuses=(Bonus(face=1000),),
)


class Story:
    """One participant, told fact by fact."""

    def __init__(self, offer: Offer = CORAL) -> None:
        self.portfolio = Portfolio(participant="A")
        self.offer = offer
        self.entries: list[Entry] = []
        self.phases: list[Phase] = []

    def tell(
        self,
        fact: f.Fact,
        instance: str = "c1",
        at: datetime = NOON,
        role: f.Role = f.Role.OPERATOR,
    ) -> OfferState | None:
        self.portfolio, done = apply(self.portfolio, fact, at=at, instance=instance, role=role)
        for each in done:
            self.entries += each.entries
            if each.state is not None:
                self.phases.append(each.state.phase)
        assert trial_balance(self.portfolio.balances) == (0, 0)
        return self.portfolio.offers.get(instance)

    @property
    def state(self) -> OfferState:
        return self.portfolio.offers["c1"]

    def phase(self) -> Phase:
        return self.state.phase

    def has(self, kind: AccountKind, venue: str = "") -> int:
        return self.portfolio.balances.get(Account(kind, venue), 0)

    def begun(self, bank: int = 10_000, deposit: int = 1000, float_: int = 6000) -> Story:
        self.tell(f.Joined(name="Ann"), "")
        self.tell(f.Opened(amount=bank), "")
        self.tell(
            f.DepositSent(offer=self.offer.key, amount=deposit, is_instant=True, terms=self.offer)
        )
        self.tell(f.FloatSent(exchange="betfair", amount=float_))
        return self

    def qualified(self) -> Story:
        self.begun()
        self.tell(f.QualifierPlaced(back=back("q")))
        self.tell(f.LayMatched(lay=lay("ql", "m1", 992, "2.54")))
        return self

    def credited(self) -> Story:
        self.qualified()
        self.tell(settled("q", f.Result.LOST))
        self.tell(f.Triggered(met_by="qualifier settled"))
        self.tell(settled("ql", f.Result.WON))
        self.tell(f.CommissionCharged(exchange="betfair", amount=20))
        self.tell(f.Credited(tokens=(token("t1"),)))
        return self

    def converted(self) -> Story:
        self.credited()
        self.tell(f.FreeBetPlaced(back=back("b", odds="6.0")))
        self.tell(f.LayMatched(lay=lay("bl", "m2", 784, "6.4")))
        return self


def back(bet: str, stake: int = 1000, odds: str = "2.50") -> f.Back:
    return f.Back(bet=bet, stake=stake, odds=Decimal(odds), odds_shown=odds, selection="Leeds")


def lay(bet: str, market: str, stake: int, odds: str, selection: str = "Leeds") -> f.Lay:
    return f.Lay(
        bet=bet,
        exchange="betfair",
        market=market,
        selection=selection,
        stake=stake,
        odds=Decimal(odds),
        commission=Decimal("0.02"),
    )


def settled(bet: str, result: f.Result, amount: int | None = None) -> f.BetSettled:
    return f.BetSettled(settled=f.Settlement(bet=bet, result=result, amount=amount))


def token(name: str, face: int = 1000, *, divisible: bool = False) -> f.NewToken:
    return f.NewToken(token=name, face=face, expires_at=NOON + WEEK, is_divisible=divisible)


def refund() -> Offer:
    return Offer(
        key="refund",
        bookmaker="coral",
        title="money back if it loses",
        qualifying=Qualifying(min_stake=1000),
        trigger=Trigger.LOSS,
        bonuses=(Bonus(face=1000, kind=BonusKind.CASH),),
    )
