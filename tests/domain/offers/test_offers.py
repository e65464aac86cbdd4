# ruff: noqa: S106 - a token is a free bet here, no password
"""The life of an offer: the worked examples, and what each phase accepts and refuses."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from kos.domain.bets.exposure import ExchangeSide
from kos.domain.books.double_entry import AccountKind, capital, profit
from kos.domain.offers import facts as f
from kos.domain.offers.catalogue import Bonus, BonusKind, Offer, Qualifying, Trigger
from kos.domain.offers.due import ReminderKind, reminders
from kos.domain.offers.state import HedgeStatus, OfferOutcome, Phase, hedge_status
from kos.errors import CommandNotAllowed
from tests.domain.offers.one_offer import (
    CORAL,
    NOON,
    WEEK,
    Story,
    back,
    lay,
    refund,
    settled,
    token,
)


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
        'You cannot record credited while offer c1 is at "deposit sent". You can record: '
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
    with pytest.raises(CommandNotAllowed, match="placed until"):
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
    assert reminder.what == "£50.00 is still in transit between Coral and the bank"
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


def test_a_lay_filled_at_two_prices_risks_the_sum_of_both_fills() -> None:
    story = Story().begun()
    story.tell(f.QualifierPlaced(back=back("q")))
    story.tell(f.LayMatched(lay=lay("ql", "m1", 500, "2.50")))
    story.tell(f.LayMatched(lay=lay("ql", "m1", 492, "4.00")))
    bet = story.state.bet("ql")
    assert (bet.stake, bet.liability) == (992, 750 + 1476)
    assert round(bet.odds, 3) == Decimal("3.244")
    assert story.has(AccountKind.EXPOSURE, "betfair") == 2226
    story.tell(settled("ql", f.Result.LOST))
    assert story.has(AccountKind.AVAILABLE, "betfair") == 6000 - 2226
    assert story.state.bet("ql").profit == -2226


def test_average_odds_that_do_not_end_add_no_penny_to_the_liability() -> None:
    story = Story().begun(bank=20_000, float_=10_000)
    story.tell(f.QualifierPlaced(back=back("q")))
    story.tell(f.LayMatched(lay=lay("ql", "m1", 1995, "5.65")))
    story.tell(f.LayMatched(lay=lay("ql", "m1", 125, "4.65")))
    exact = Decimal("19.95") * Decimal("4.65") + Decimal("1.25") * Decimal("3.65")
    assert exact == Decimal("97.33")
    assert story.has(AccountKind.EXPOSURE, "betfair") == 9733


def test_a_liability_with_a_part_of_a_penny_takes_the_whole_penny() -> None:
    story = Story().begun()
    story.tell(f.QualifierPlaced(back=back("q")))
    story.tell(f.LayMatched(lay=lay("ql", "m1", 102, "2.54")))
    assert story.has(AccountKind.EXPOSURE, "betfair") == 158, "£1.5708"


@pytest.mark.parametrize(("stake", "status"), [(991, HedgeStatus.PART), (992, HedgeStatus.HEDGED)])
def test_a_lay_a_penny_short_of_the_penny_is_a_part_hedge(stake: int, status: HedgeStatus) -> None:
    story = Story().begun()
    story.tell(f.QualifierPlaced(back=back("q")))
    story.tell(f.LayMatched(lay=lay("ql", "m1", stake, "2.54")))
    assert hedge_status(story.state, "q") is status


def test_a_hedge_traded_out_is_no_hedge() -> None:
    story = Story().qualified()
    story.tell(
        f.HedgeAdded(
            lay=msgspec.structs.replace(lay("out", "m1", 992, "2.54"), side=ExchangeSide.BACK)
        )
    )
    assert hedge_status(story.state, "q") is HedgeStatus.UNHEDGED
    assert story.has(AccountKind.EXPOSURE, "betfair") == 0
    story.tell(settled("out", f.Result.WON))
    assert story.state.bet("out").profit == 1528


def kinds(story: Story, at: datetime) -> list[ReminderKind]:
    return [reminder.kind for reminder in reminders(story.state, at)]


def test_a_part_hedge_is_reminded_of_and_a_whole_one_is_not() -> None:
    story = Story().begun()
    bet = msgspec.structs.replace(back("q"), kickoff=NOON + timedelta(hours=1))
    story.tell(f.QualifierPlaced(back=bet))
    story.tell(f.LayMatched(lay=lay("ql", "m1", 500, "2.54")))
    (reminder,) = reminders(story.state, NOON)
    assert (reminder.kind, reminder.due_at) == (ReminderKind.UNHEDGED, bet.kickoff)
    assert "part" in reminder.what
    story.tell(f.LayMatched(lay=lay("ql", "m1", 492, "2.54")))
    assert kinds(story, NOON) == []
    overdue = NOON + timedelta(hours=6)
    assert kinds(story, overdue - timedelta(seconds=1)) == []
    assert kinds(story, overdue) == [ReminderKind.UNSETTLED]


def test_a_bet_without_a_kickoff_is_not_reminded_of() -> None:
    story = Story().begun()
    story.tell(f.QualifierPlaced(back=back("q")))
    assert kinds(story, NOON + WEEK) == []


def test_a_bonus_is_overdue_at_the_hour_the_terms_name_or_the_one_that_was_told() -> None:
    offer = msgspec.structs.replace(CORAL, credit_within_hours=24)
    day = timedelta(days=1)
    for told, due in ((None, NOON + day), (NOON + 2 * day, NOON + 2 * day)):
        story = Story(offer).begun()
        story.tell(f.QualifierPlaced(back=back("q")))
        story.tell(settled("q", f.Result.LOST))
        story.tell(f.Triggered(met_by="settled", credit_due_by=told))
        assert kinds(story, due - timedelta(seconds=1)) == []
        assert kinds(story, due) == [ReminderKind.CREDIT_OVERDUE]


@pytest.mark.parametrize(
    ("hours", "kind", "words"),
    [
        (48.1, None, ""),
        (48, ReminderKind.EXPIRING, "48 h"),
        (24, ReminderKind.EXPIRING, "24 h"),
        (3, ReminderKind.EXPIRING, "3 h"),
        (0, ReminderKind.EXPIRED, "t1"),
    ],
)
def test_a_token_is_reminded_of_from_two_days_before_its_end(
    hours: float, kind: ReminderKind | None, words: str
) -> None:
    story = Story().credited()
    at = NOON + WEEK - timedelta(hours=hours)
    assert kinds(story, at) == ([] if kind is None else [kind])
    assert words in "".join(reminder.what for reminder in reminders(story.state, at))


def test_nothing_of_a_closed_offer_or_a_staked_token_is_reminded_of() -> None:
    assert kinds(Story().converted(), NOON + WEEK) == []
    story = Story().credited()
    story.tell(f.Abandoned(reason="enough"))
    assert story.has(AccountKind.BONUS, "coral") == 0
    assert kinds(story, NOON + WEEK) == []


def test_a_settled_bet_keeps_when_it_was_settled() -> None:
    story = Story().qualified()
    later = NOON + timedelta(hours=3)
    story.tell(settled("q", f.Result.WON), at=later)
    assert story.state.bet("q").settled_at == later
    assert story.state.bet("ql").settled_at is None


def test_a_qualifier_may_be_placed_up_to_the_last_moment_of_its_days() -> None:
    within = Qualifying(min_stake=1000, within_days=7)
    offer = msgspec.structs.replace(CORAL, qualifying=within)
    story = Story(offer).begun()
    late = msgspec.structs.replace(back("q"), placed_at=NOON + WEEK + timedelta(microseconds=1))
    with pytest.raises(CommandNotAllowed):
        story.tell(f.QualifierPlaced(back=late), at=NOON + WEEK)
    story.tell(f.QualifierPlaced(back=back("q")), at=NOON + WEEK)
    assert story.phase() is Phase.QUALIFYING_PLACED


def test_a_hold_may_be_of_a_penny_and_made_again_at_its_end() -> None:
    story = Story().begun()
    end = NOON + timedelta(hours=1)
    hold = f.FloatHeld(hold="h", exchange="betfair", amount=1, expires_at=end)
    story.tell(hold, "")
    assert story.portfolio.free_float("betfair", NOON) == 5999
    assert story.portfolio.free_float("betfair", end) == 6000
    again = msgspec.structs.replace(hold, amount=7, expires_at=end + timedelta(hours=1))
    with pytest.raises(CommandNotAllowed):
        story.tell(again, "", at=end - timedelta(microseconds=1))
    story.tell(again, "", at=end)
    assert story.portfolio.free_float("betfair", end) == 5993


def test_a_placement_uses_up_its_hold() -> None:
    story = Story().begun(float_=1528)
    end = NOON + timedelta(hours=1)
    story.tell(f.FloatHeld(hold="h", exchange="betfair", amount=1528, expires_at=end), "")
    lays = (lay("ql", "m1", 992, "2.54"),)
    with pytest.raises(CommandNotAllowed, match="Betfair"):
        story.tell(f.QualifierPlaced(back=back("q"), lays=lays))
    story.tell(f.QualifierPlaced(back=back("q"), lays=lays, hold="h"))
    assert story.portfolio.holds == {}


def test_an_event_offer_pays_or_does_not_whatever_the_bet_did() -> None:
    offer = msgspec.structs.replace(refund(), trigger=Trigger.EVENT, trigger_event="a goal")
    for fact, phase, outcome in (
        (f.Triggered(met_by="a goal"), Phase.FREE_BET_PENDING, None),
        (f.NotTriggered(note="no goal"), Phase.QUALIFYING_PLACED, OfferOutcome.NOT_TRIGGERED),
    ):
        story = Story(offer).begun()
        story.tell(f.QualifierPlaced(back=back("q")))
        story.tell(settled("q", f.Result.WON))
        story.tell(fact)
        assert (story.state.phase, story.state.outcome) == (phase, outcome)


def test_a_stake_returned_token_pays_its_stake_too() -> None:
    story = Story().qualified()
    story.tell(settled("q", f.Result.LOST))
    story.tell(settled("ql", f.Result.WON))
    story.tell(f.Triggered(met_by="settled"))
    stake_returned = msgspec.structs.replace(token("t"), kind=BonusKind.SR)
    story.tell(f.Credited(tokens=(stake_returned,)))
    story.tell(f.FreeBetPlaced(back=back("b", odds="6")))
    story.tell(settled("b", f.Result.WON))
    assert story.has(AccountKind.CASH, "coral") == 6000


def test_a_lay_may_name_the_bet_it_covers() -> None:
    story = Story().begun()
    story.tell(f.QualifierPlaced(back=back("q")))
    story.tell(f.LayMatched(lay=msgspec.structs.replace(lay("l", "m1", 5, "2"), covers="q")))
    assert story.state.bet("l").covers == "q"


def test_what_was_reserved_is_free_again_when_the_rest_is_cancelled() -> None:
    story = Story().begun()
    planned = (f.Planned(exchange="betfair", liability=700),)
    story.tell(f.QualifierPlaced(back=back("q"), planned=planned))
    story.tell(f.LayCancelled(bet="l", exchange="betfair", released=300))
    assert story.portfolio.free_float("betfair", NOON) == 6000 - 400
    story.tell(f.LayCancelled(bet="l", exchange="betfair"))
    assert story.portfolio.free_float("betfair", NOON) == 6000


def test_an_exchange_loss_read_from_the_account_keeps_its_penny_apart() -> None:
    story = Story().qualified()
    story.tell(settled("ql", f.Result.LOST, 1530))
    assert story.has(AccountKind.QUALIFIER, "betfair") == 1528
    assert story.has(AccountKind.ROUNDING, "betfair") == 2
    assert story.has(AccountKind.AVAILABLE, "betfair") == 6000 - 1530


def test_a_bookmakers_limit_is_lifted_for_it_alone() -> None:
    story = Story()
    story.tell(f.Joined(name="Ann"), "")
    story.tell(f.BookmakerRestricted(bookmaker="coral", reason="gubbed"), "")
    story.tell(f.BookmakerRestricted(bookmaker="sky", reason="gubbed"), "")
    story.tell(f.BookmakerCleared(bookmaker="coral"), "")
    assert story.portfolio.restricted == {"sky": "gubbed"}
    story.tell(f.DepositSent(offer=CORAL.key, amount=0, terms=offer_without_deposit()))
    other = msgspec.structs.replace(offer_without_deposit(), key="second")
    story.tell(f.DepositSent(offer="second", amount=0, terms=other), "c2")
    assert set(story.portfolio.offers) == {"c1", "c2"}


def offer_without_deposit() -> Offer:
    return msgspec.structs.replace(CORAL, deposit_min=0)


def test_a_bet_settled_void_before_is_voided_without_settling_it_again() -> None:
    story = Story().qualified()
    story.tell(settled("q", f.Result.VOID))
    hedge = (f.Settlement(bet="ql", result=f.Result.VOID),)
    story.tell(f.QualifierVoided(reason="abandoned match", settled=hedge))
    assert story.phase() is Phase.DEPOSIT_SENT
    assert story.has(AccountKind.CASH, "coral") == 1000
    free = Story().converted()
    free.tell(settled("b", f.Result.VOID))
    hedge = (f.Settlement(bet="bl", result=f.Result.VOID),)
    free.tell(f.FreeBetVoided(settled=hedge))
    assert free.phase() is Phase.FREE_BET_CREDITED
    assert free.has(AccountKind.BONUS, "coral") == 1000


def test_an_offer_goes_on_with_the_token_that_is_left() -> None:
    story = Story().qualified()
    story.tell(settled("q", f.Result.LOST))
    story.tell(settled("ql", f.Result.WON))
    story.tell(f.Triggered(met_by="settled"))
    late = msgspec.structs.replace(token("t2"), expires_at=NOON + 2 * WEEK)
    story.tell(f.Credited(tokens=(token("t1"), late)))
    story.tell(f.Expired(token="t1"), at=NOON + WEEK)
    assert story.phase() is Phase.FREE_BET_CREDITED
    assert story.has(AccountKind.BONUS, "coral") == 1000
    assert kinds(story, NOON + WEEK) == []


def test_an_account_that_lost_promotions_ends_the_offer() -> None:
    story = Story().credited()
    story.tell(f.Restricted(reason="gubbed"))
    assert (story.state.outcome, story.state.reason) == (OfferOutcome.RESTRICTED, "gubbed")
    assert story.has(AccountKind.BONUS, "coral") == 0


def test_a_bookmaker_pays_early_and_the_lay_stays_open() -> None:
    story = Story().converted()
    story.tell(f.EarlyPayout(bet="b"))
    assert story.has(AccountKind.CASH, "coral") == 5000
    assert [bet.id for bet in story.state.open_bets()] == ["bl"]


def test_money_of_no_offer_goes_there_and_comes_back() -> None:
    story = Story()
    story.tell(f.Joined(name="Ann"), "")
    story.tell(f.Opened(amount=10_000), "")
    sent = f.MoneySent(place=f.Place.EXCHANGE, venue="betfair", amount=4000, is_instant=False)
    for fact in (
        sent,
        f.MoneyArrived(place=f.Place.EXCHANGE, venue="betfair", amount=2500),
        f.MoneyReturned(venue="betfair", amount=1500),
        f.CommissionCharged(exchange="betfair", amount=20),
        f.WithdrawalRequested(venue="betfair", amount=80),
        f.WithdrawalReversed(venue="betfair", amount=30),
        f.WithdrawalArrived(arrivals=(f.Arrival(venue="betfair", amount=50),)),
        f.MoneySent(place=f.Place.BOOKMAKER, venue="coral", amount=500),
        f.BonusPaid(venue="coral", amount=5),
        f.WithdrawalRequested(venue="coral", amount=7),
        f.Adjusted(place=f.Place.EXCHANGE, venue="betfair", difference=-3, reason="seen"),
        f.Drawn(amount=1000),
    ):
        story.tell(fact, "")
    assert story.has(AccountKind.BANK) == 10_000 - 4000 + 1500 + 50 - 500 - 1000
    assert story.has(AccountKind.AVAILABLE, "betfair") == 2500 - 20 - 50 - 3
    assert story.has(AccountKind.CASH, "coral") == 500 + 5 - 7
    assert story.has(AccountKind.TRANSIT, "betfair") == 0
    assert story.has(AccountKind.TRANSIT, "coral") == 7
    assert story.has(AccountKind.COMMISSION, "betfair") == 20


def test_a_paused_participant_resumes_and_begins_again() -> None:
    story = Story()
    for fact in (f.Joined(name="Ann"), f.Opened(amount=1000), f.Paused(), f.Resumed()):
        story.tell(fact, "")
    story.tell(f.DepositSent(offer=CORAL.key, amount=1000, terms=CORAL))
    assert story.state.transit == {"coral": 1000}
    story.tell(f.DepositCleared(amount=600))
    assert (story.has(AccountKind.CASH, "coral"), story.state.transit) == (600, {"coral": 400})


def test_a_withdrawal_of_an_offer_is_from_the_place_that_was_named() -> None:
    story = Story().converted()
    story.tell(settled("b", f.Result.WON))
    story.tell(f.FreeBetSettled(settled=(f.Settlement(bet="bl", result=f.Result.LOST),)))
    for fact in (
        f.WithdrawalRequested(venue="coral", amount=50, place=f.Place.BOOKMAKER),
        f.WithdrawalReversed(venue="coral", amount=20),
        f.WithdrawalRequested(venue="betfair", amount=8, place=f.Place.EXCHANGE),
        f.WithdrawalReversed(venue="betfair", amount=3),
    ):
        story.tell(fact)
    assert story.has(AccountKind.CASH, "coral") == 5000 - 30
    assert story.has(AccountKind.AVAILABLE, "betfair") == 2738 - 5
    assert story.state.transit == {"coral": 30, "betfair": 5}


def test_a_deposit_of_nothing_posts_nothing() -> None:
    story = Story(offer_without_deposit())
    story.tell(f.Joined(name="Ann"), "")
    story.tell(
        f.DepositSent(offer=CORAL.key, amount=0, is_instant=True, terms=offer_without_deposit())
    )
    assert story.entries == []
    assert story.phase() is Phase.DEPOSIT_SENT
