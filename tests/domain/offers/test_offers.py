# ruff: noqa: S106 - a token is a free bet here, no password
"""The life of an offer: the worked examples, and what each phase accepts and refuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from kos.domain.books.double_entry import (
    Account,
    AccountKind,
    Entry,
    capital,
    profit,
    trial_balance,
)
from kos.domain.offers import (
    HedgeStatus,
    OfferOutcome,
    OfferState,
    Phase,
    hedge_status,
    reminders,
)
from kos.domain.offers import facts as f
from kos.domain.offers.catalogue import Bonus, BonusKind, Offer, Qualifying, Trigger
from kos.domain.offers.portfolio import Portfolio, apply
from kos.errors import CommandNotAllowed

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


def test_the_worked_example_ends_at_7_38_with_its_transactions() -> None:
    story = Story().converted()
    assert story.has(AccountKind.AVAILABLE, "betfair") == 2738
    assert story.has(AccountKind.EXPOSURE, "betfair") == 4234
    story.tell(settled("b", f.Result.WON))
    won_lost = f.Settlement(bet="bl", result=f.Result.LOST)
    story.tell(f.FreeBetSettled(settled=(won_lost,)))
    assert story.phase() is Phase.FREE_BET_SETTLED
    assert profit(story.portfolio.balances) == 738
    story.tell(f.WithdrawalRequested(venue="coral", amount=5000))
    story.tell(f.WithdrawalRequested(venue="betfair", amount=2738))
    assert (
        story.has(AccountKind.TRANSIT, "coral") + story.has(AccountKind.TRANSIT, "betfair") == 7738
    )
    story.tell(
        f.WithdrawalArrived(
            arrivals=(
                f.Arrival(venue="coral", amount=5000),
                f.Arrival(venue="betfair", amount=2738),
            )
        )
    )
    final = story.tell(f.Completed())
    assert final is not None
    assert final.outcome is OfferOutcome.COMPLETED
    assert story.has(AccountKind.BANK) == 10_738
    assert len(story.entries) == 16
    assert capital(story.portfolio.balances) == 10_738
    assert [
        story.has(kind, venue)
        for kind, venue in (
            (AccountKind.QUALIFIER, "coral"),
            (AccountKind.QUALIFIER, "betfair"),
            (AccountKind.COMMISSION, "betfair"),
        )
    ] == [1000, -992, 20]


@pytest.mark.parametrize(
    ("qualifier_wins", "free_bet_wins", "pence"),
    [(True, True, 738), (False, True, 738), (False, False, 740), (True, False, 740)],
)
def test_each_branch_of_the_worked_example_ends_at_its_profit(
    qualifier_wins: bool, free_bet_wins: bool, pence: int
) -> None:
    story = Story().qualified()
    won, lost = f.Result.WON, f.Result.LOST
    story.tell(settled("q", won if qualifier_wins else lost))
    story.tell(settled("ql", lost if qualifier_wins else won))
    if not qualifier_wins:
        story.tell(f.CommissionCharged(exchange="betfair", amount=20))
    story.tell(f.Triggered(met_by="settled"))
    story.tell(f.Credited(tokens=(token("t1"),)))
    story.tell(f.FreeBetPlaced(back=back("b", odds="6"), lays=(lay("bl", "m2", 784, "6.4"),)))
    story.tell(settled("b", won if free_bet_wins else lost))
    story.tell(
        f.FreeBetSettled(
            settled=(
                f.Settlement(
                    bet="bl",
                    result=lost if free_bet_wins else won,
                    commission=0 if free_bet_wins else 16,
                ),
            )
        )
    )
    assert profit(story.portfolio.balances) == pence
    story.tell(f.Completed())
    assert story.state.is_closed


def test_an_expired_token_leaves_the_qualifying_loss() -> None:
    story = Story().credited()
    story.tell(f.Expired(), at=NOON + WEEK)
    assert story.state.outcome is OfferOutcome.EXPIRED
    assert profit(story.portfolio.balances) == -28
    assert story.has(AccountKind.BONUS, "coral") == 0
    assert story.has(AccountKind.AVAILABLE, "betfair") == 6972


def test_a_void_qualifier_goes_back_to_the_first_phase_with_all_money() -> None:
    story = Story().qualified()
    story.tell(
        f.QualifierVoided(
            reason="abandoned match", settled=(f.Settlement(bet="ql", result=f.Result.VOID),)
        )
    )
    assert story.phase() is Phase.DEPOSIT_SENT
    assert profit(story.portfolio.balances) == 0
    assert story.has(AccountKind.CASH, "coral") == 1000
    assert story.has(AccountKind.AVAILABLE, "betfair") == 6000
    story.tell(f.QualifierPlaced(back=back("q2")))
    assert story.phase() is Phase.QUALIFYING_PLACED


def test_a_refusal_says_the_phase_what_was_asked_and_what_is_allowed() -> None:
    story = Story().begun()
    with pytest.raises(CommandNotAllowed) as refusal:
        story.tell(f.Credited(tokens=(token("t1"),)))
    assert str(refusal.value) == (
        "You cannot record credited while offer c1 is at DEPOSIT_SENT. You can record: "
        "deposit_cleared, float_sent, deposit_failed, qualifier_placed, refused, restricted, "
        "abandoned"
    )


@pytest.mark.parametrize(
    ("stake", "odds", "why"),
    [
        (999, "2.5", "does not qualify"),
        (1000, "1.49", "needs 1.50 or more"),
        (1001, "2", "too little"),
    ],
)
def test_a_qualifier_below_the_terms_or_the_cash_is_refused(
    stake: int, odds: str, why: str
) -> None:
    story = Story().begun()
    with pytest.raises(CommandNotAllowed, match=why):
        story.tell(f.QualifierPlaced(back=back("q", stake, odds)))


def test_the_minimum_odds_are_inclusive_to_the_last_digit() -> None:
    story = Story().begun()
    story.tell(f.QualifierPlaced(back=back("q", 1000, "1.50")))
    assert story.phase() is Phase.QUALIFYING_PLACED


def test_a_bet_outside_the_window_is_refused() -> None:
    offer = Offer(
        key="short",
        bookmaker="coral",
        title="short",
        qualifying=Qualifying(min_stake=1000, within_days=7),
        bonuses=(Bonus(face=1000),),
    )
    story = Story(offer).begun()
    with pytest.raises(CommandNotAllowed, match="dates"):
        story.tell(f.QualifierPlaced(back=back("q")), at=NOON + timedelta(days=8))


def test_liability_beyond_the_float_is_refused_with_the_shortfall() -> None:
    story = Story().begun(float_=1000)
    story.tell(f.QualifierPlaced(back=back("q")))
    with pytest.raises(CommandNotAllowed, match=r"£5\.28 too little"):
        story.tell(f.LayMatched(lay=lay("ql", "m1", 992, "2.54")))


def test_what_one_placement_plans_is_kept_from_another() -> None:
    story = Story().begun(float_=2000)
    planned = (f.Planned(exchange="betfair", liability=1528),)
    story.tell(f.QualifierPlaced(back=back("q"), planned=planned))
    with pytest.raises(CommandNotAllowed, match=r"£5\.28 short"):
        story.tell(
            f.FloatHeld(
                hold="h", exchange="betfair", amount=1000, expires_at=NOON + timedelta(hours=1)
            ),
            "",
        )
    story.tell(f.LayMatched(lay=lay("ql", "m1", 992, "2.54")))
    assert story.state.planned == {}
    assert story.portfolio.free_float("betfair", NOON) == 472


def test_a_hold_runs_out_by_itself() -> None:
    story = Story().begun(float_=2000)
    hour = timedelta(hours=1)
    story.tell(f.FloatHeld(hold="h", exchange="betfair", amount=2000, expires_at=NOON + hour), "")
    with pytest.raises(CommandNotAllowed, match="short"):
        story.tell(f.WithdrawalRequested(venue="betfair", amount=1), "")
    story.tell(f.WithdrawalRequested(venue="betfair", amount=1), "", at=NOON + hour)


def test_a_once_only_offer_is_taken_up_once() -> None:
    story = Story().begun()
    with pytest.raises(CommandNotAllowed, match="only be used once"):
        story.tell(f.DepositSent(offer=CORAL.key, amount=1000, terms=CORAL), "c2")


def test_a_stake_below_the_token_forfeits_the_rest() -> None:
    story = Story().credited()
    story.tell(f.FreeBetPlaced(back=back("b", 600, "6")))
    assert story.has(AccountKind.BONUS, "coral") == 0
    assert story.state.tokens[0].face == 600


def test_a_divisible_token_keeps_the_rest_in_the_wallet() -> None:
    story = Story().qualified()
    story.tell(settled("q", f.Result.LOST))
    story.tell(settled("ql", f.Result.WON))
    story.tell(f.Triggered(met_by="settled"))
    story.tell(f.Credited(tokens=(token("t", divisible=True),)))
    story.tell(f.FreeBetPlaced(back=back("b", 600, "6")))
    assert story.has(AccountKind.BONUS, "coral") == 400
    assert story.phase() is Phase.FREE_BET_CREDITED
    story.tell(f.FreeBetPlaced(token="t/2", back=back("b2", 400, "6")))
    assert story.phase() is Phase.FREE_BET_PLACED
    story.tell(settled("b", f.Result.LOST))
    story.tell(f.FreeBetSettled(token="t"))
    assert story.phase() is Phase.FREE_BET_PLACED
    story.tell(settled("b2", f.Result.WON))
    story.tell(f.FreeBetSettled(token="t/2"))
    assert story.phase() is Phase.FREE_BET_SETTLED


def test_a_token_is_refused_at_its_expiry() -> None:
    story = Story().credited()
    with pytest.raises(CommandNotAllowed, match="expired"):
        story.tell(f.FreeBetPlaced(back=back("b", odds="6")), at=NOON + WEEK)


def test_a_void_free_bet_brings_the_token_back_or_ends_the_offer() -> None:
    void = (f.Settlement(bet="bl", result=f.Result.VOID),)
    story = Story().converted()
    story.tell(f.FreeBetVoided(settled=void, expires_at=NOON + 2 * WEEK))
    assert story.phase() is Phase.FREE_BET_CREDITED
    assert story.has(AccountKind.BONUS, "coral") == 1000
    lost = Story().converted()
    lost.tell(f.FreeBetVoidedLost(reason="terms", settled=void))
    assert lost.state.outcome is OfferOutcome.VOIDED
    assert lost.has(AccountKind.EXPOSURE, "betfair") == 0


def test_a_free_bet_is_settled_when_both_sides_are() -> None:
    story = Story().converted()
    story.tell(settled("b", f.Result.LOST))
    with pytest.raises(CommandNotAllowed, match="still open: bl"):
        story.tell(f.FreeBetSettled())


def test_an_offer_does_not_end_with_an_open_bet_or_money_on_its_way() -> None:
    story = Story().qualified()
    with pytest.raises(CommandNotAllowed, match="still open: q, ql"):
        story.tell(f.Abandoned(reason="tired"))
    story = Story()
    story.tell(f.Joined(name="Ann"), "")
    story.tell(f.Opened(amount=5000), "")
    story.tell(f.DepositSent(offer=CORAL.key, amount=1000, terms=CORAL))
    with pytest.raises(CommandNotAllowed, match="in transit"):
        story.tell(f.Refused(reason="no"))
    story.tell(f.DepositFailed(amount=1000))
    story.tell(f.Refused(reason="no"))
    assert story.state.outcome is OfferOutcome.REFUSED


def test_instant_credit_writes_the_trigger_too() -> None:
    offer = Offer(
        key="instant",
        bookmaker="coral",
        title="credit on placement",
        qualifying=Qualifying(min_stake=1000),
        trigger=Trigger.PLACEMENT,
        is_credited_at_once=True,
        bonuses=(Bonus(face=1000),),
    )
    story = Story(offer).begun()
    story.tell(f.QualifierPlaced(back=back("q")))
    story.phases.clear()
    version = story.state.version
    story.tell(f.Credited(tokens=(token("t"),)))
    assert story.phases == [Phase.FREE_BET_PENDING, Phase.FREE_BET_CREDITED]
    assert story.state.version == version + 2


def refund() -> Offer:
    return Offer(
        key="refund",
        bookmaker="coral",
        title="money back if it loses",
        qualifying=Qualifying(min_stake=1000),
        trigger=Trigger.LOSS,
        bonuses=(Bonus(face=1000, kind=BonusKind.CASH),),
    )


def test_a_refund_offer_whose_bet_won_is_not_triggered() -> None:
    story = Story(refund()).begun()
    story.tell(f.QualifierPlaced(back=back("q")))
    story.tell(settled("q", f.Result.WON))
    with pytest.raises(CommandNotAllowed, match="Record not_triggered"):
        story.tell(f.Triggered(met_by="hope"))
    story.tell(f.NotTriggered())
    assert story.state.outcome is OfferOutcome.NOT_TRIGGERED


def test_a_cash_refund_is_money_at_once_and_passes_through_each_phase() -> None:
    story = Story(refund()).begun()
    story.tell(f.QualifierPlaced(back=back("q")))
    story.tell(settled("q", f.Result.LOST))
    story.tell(f.Triggered(met_by="lost"))
    story.phases.clear()
    story.tell(f.Credited(tokens=(f.NewToken(token="r", face=1000, kind=BonusKind.CASH),)))
    assert story.phases == [
        Phase.FREE_BET_CREDITED,
        Phase.FREE_BET_PLACED,
        Phase.FREE_BET_SETTLED,
    ]
    assert profit(story.portfolio.balances) == 0
    story.tell(f.Completed())


def test_a_supervisor_reopens_a_wrong_end_and_its_posting_is_reversed() -> None:
    story = Story().credited()
    story.tell(f.Expired(), at=NOON + WEEK)
    with pytest.raises(CommandNotAllowed, match="supervisor"):
        story.tell(f.Reopened(reason="it was extended"))
    story.tell(f.Reopened(reason="it was extended"), role=f.Role.SUPERVISOR)
    assert story.phase() is Phase.FREE_BET_CREDITED
    assert not story.state.is_closed
    assert story.has(AccountKind.BONUS, "coral") == 1000


def test_penny_differences_go_to_rounding_and_larger_ones_are_refused() -> None:
    story = Story().qualified()
    with pytest.raises(CommandNotAllowed, match="record a partial settlement"):
        story.tell(settled("q", f.Result.WON, 2600))
    story.tell(settled("q", f.Result.WON, 2499))
    assert story.has(AccountKind.ROUNDING, "coral") == 1
    assert story.has(AccountKind.CASH, "coral") == 2499


def test_a_dead_heat_pays_what_it_pays() -> None:
    story = Story().qualified()
    story.tell(settled("q", f.Result.PARTIAL, 1250))
    story.tell(settled("ql", f.Result.PARTIAL, -268))
    assert story.has(AccountKind.STAKED, "coral") == 0
    assert story.has(AccountKind.EXPOSURE, "betfair") == 0
    assert profit(story.portfolio.balances) == 250 - 268


def test_hedge_status_follows_the_matched_lays() -> None:
    story = Story().begun()
    story.tell(f.QualifierPlaced(back=back("q")))
    assert hedge_status(story.state, "q") is HedgeStatus.UNHEDGED
    story.tell(f.LayMatched(lay=lay("ql", "m1", 500, "2.54")))
    assert hedge_status(story.state, "q") is HedgeStatus.PART
    story.tell(f.LayMatched(lay=lay("ql", "m1", 492, "2.54")))
    assert hedge_status(story.state, "q") is HedgeStatus.HEDGED
    assert story.state.bet("ql").stake == 992


def test_lays_of_one_market_reserve_their_worst_outcome_once() -> None:
    story = Story().begun()
    story.tell(f.QualifierPlaced(back=back("q")))
    story.tell(f.LayMatched(lay=lay("home", "m1", 2000, "2.5")))
    story.tell(f.HedgeAdded(lay=lay("draw", "m1", 1500, "3.6", "Draw")))
    assert story.has(AccountKind.EXPOSURE, "betfair") == 1900
    story.tell(settled("home", f.Result.WON))
    assert story.has(AccountKind.EXPOSURE, "betfair") == 3900
    story.tell(settled("draw", f.Result.LOST))
    assert story.has(AccountKind.EXPOSURE, "betfair") == 0
    assert story.has(AccountKind.AVAILABLE, "betfair") == 6000 + 2000 - 3900


def test_reminders_name_what_time_has_made_urgent() -> None:
    story = Story().credited()
    assert [each.what for each in reminders(story.state, NOON + WEEK - timedelta(hours=2))] == [
        "free bet t1 expires within 3 hours"
    ]
    assert reminders(story.state, NOON) == ()


def test_a_withdrawal_that_does_not_arrive_is_reminded_of_after_five_days() -> None:
    story = Story().converted()
    story.tell(settled("b", f.Result.WON))
    story.tell(f.FreeBetSettled(settled=(f.Settlement(bet="bl", result=f.Result.LOST),)))
    story.tell(f.WithdrawalRequested(venue="coral", amount=5000))
    assert reminders(story.state, NOON + timedelta(days=4)) == ()
    (reminder,) = reminders(story.state, NOON + timedelta(days=5))
    assert reminder.what == "£50.00 is still in transit between coral and the bank"
    story.tell(f.WithdrawalArrived(arrivals=(f.Arrival(venue="coral", amount=5000),)))
    assert reminders(story.state, NOON + timedelta(days=5)) == ()


def test_an_unhedged_bet_and_a_late_settlement_are_reminded_of() -> None:
    story = Story().begun()
    bet = f.Back(bet="q", stake=1000, odds=Decimal("2.5"), kickoff=NOON + timedelta(hours=1))
    story.tell(f.QualifierPlaced(back=bet))
    assert [each.what for each in reminders(story.state, NOON)] == ["bet q is not hedged"]
    late = reminders(story.state, NOON + timedelta(hours=6))
    assert [each.what for each in late] == [
        "bet q is not hedged",
        "bet q is overdue for settlement",
    ]


def test_tokens_have_phases_of_their_own() -> None:
    story = Story().qualified()
    story.tell(settled("q", f.Result.LOST))
    story.tell(settled("ql", f.Result.WON))
    story.tell(f.Triggered(met_by="settled"))
    story.tell(f.Credited(tokens=(token("t1"),), more_due=True))
    assert story.phase() is Phase.FREE_BET_PENDING
    story.tell(f.FreeBetPlaced(back=back("b", odds="6")))
    story.tell(f.FreeBetSettled(settled=(f.Settlement(bet="b", result=f.Result.LOST),)))
    assert story.phase() is Phase.FREE_BET_PENDING
    story.tell(f.Credited(tokens=(token("t2"),)))
    assert story.phase() is Phase.FREE_BET_CREDITED
    story.tell(f.Expired(), at=NOON + WEEK)
    assert story.phase() is Phase.FREE_BET_SETTLED
    assert not story.state.is_closed
