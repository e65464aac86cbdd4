"""Offers as TOML and CSV, and facts from typed words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kos.domain.offers import facts as f
from kos.domain.offers.catalogue import (
    Bonus,
    BonusKind,
    Offer,
    OfferKind,
    Qualifying,
    Trigger,
    csv_rows,
    from_csv,
    from_toml,
    to_csv,
    to_toml,
)
from kos.domain.offers.typed_facts import describe, spoken, spoken_names
from kos.errors import InvalidInput
from tests.profiles import examples

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)

TEXT = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_categories=["Cs"]),
    min_size=1,
    max_size=20,
).filter(lambda text: text.strip())
ODDS = st.decimals(Decimal("1.01"), Decimal(50), places=2)
PENCE = st.integers(1, 100_000)
MOMENTS = st.none() | st.integers(0, 10_000).map(lambda hours: NOON + timedelta(hours=hours))
LIST = st.lists(st.sampled_from(["soccer", "tennis", "1x2"]), max_size=2).map(tuple)

OFFERS = st.builds(
    Offer,
    key=TEXT,
    bookmaker=TEXT,
    title=TEXT,
    kind=st.sampled_from(OfferKind),
    is_once_only=st.booleans(),
    deposit_min=st.integers(0, 5000),
    qualifying=st.builds(
        Qualifying,
        min_stake=PENCE,
        max_stake=st.none() | PENCE,
        min_odds=ODDS,
        is_inclusive=st.booleans(),
        min_legs=st.integers(1, 5),
        sports=LIST,
        markets=LIST,
        within_days=st.none() | st.integers(1, 30),
        needs_opt_in=st.booleans(),
        code=st.sampled_from(["", "BET10"]),
    ),
    trigger=st.sampled_from([trigger for trigger in Trigger if trigger is not Trigger.EVENT]),
    bonuses=st.lists(
        st.builds(
            Bonus,
            face=PENCE,
            kind=st.sampled_from(BonusKind),
            count=st.integers(1, 5),
            min_odds=ODDS,
            is_divisible=st.booleans(),
            expires_after_days=st.none() | st.integers(1, 30),
        ),
        min_size=1,
        max_size=3,
    ).map(tuple),
    credit_within_hours=st.none() | st.integers(1, 72),
    starts_at=MOMENTS,
    terms=st.sampled_from(["", "18+, new customers"]),
)


@settings(max_examples=examples(60))
@given(st.lists(OFFERS, max_size=3, unique_by=lambda offer: offer.key))
def test_a_catalogue_comes_back_from_toml_and_csv(offers: list[Offer]) -> None:
    if offers:
        assert from_toml(to_toml(offers)) == tuple(offers)
    assert from_csv(to_csv(offers)) == tuple(offers)


def test_a_row_is_named_by_its_line_and_a_cell_keeps_its_spaces() -> None:
    with pytest.raises(InvalidInput, match=r"(?i)line 3 bonuses"):
        from_csv('terms,bonuses\n"of two\nlines",[1\n')
    columns, rows = csv_rows('a,b\n"one\ntwo", three\n')
    assert (columns, rows) == (["a", "b"], [(3, {"a": "one\ntwo", "b": " three"})])


SOUND = """
[[offer]]
key = "a"
bookmaker = "b"
title = "c"
[offer.qualifying]
min_stake = 10
[[offer.bonuses]]
face = 10
"""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[offer]", r"\[\[offer\]\] tables"),
        ("nonsense", "TOML"),
        ('[[offer]]\nkey = "a"', "Offer 1"),
        (SOUND.replace("min_stake = 10", "min_stake = 0.001"), "pounds and pence"),
        (SOUND.replace("face = 10", "face = 0"), "bonus 1"),
        (SOUND.replace('title = "c"', 'title = "c"\ncolour = "red"'), "colour"),
        (SOUND + SOUND, "each key only once"),
    ],
)
def test_a_catalogue_that_is_not_sound_is_refused_by_name(text: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        from_toml(text)


@pytest.mark.parametrize(
    ("typed", "moment"),
    [
        ("2026-07-08", datetime(2026, 7, 7, 23, 0, tzinfo=UTC)),
        ("2026-07-08 18:15:00", datetime(2026, 7, 8, 17, 15, tzinfo=UTC)),
        ("2026-07-08T18:15:00Z", datetime(2026, 7, 8, 18, 15, tzinfo=UTC)),
        ("'8 jul 2026 18:15'", datetime(2026, 7, 8, 17, 15, tzinfo=UTC)),
    ],
)
def test_the_dates_of_a_catalogue_are_in_uk_time(typed: str, moment: datetime) -> None:
    (offer,) = from_toml(SOUND.replace('title = "c"', f'title = "c"\nstarts_at = {typed}'))
    assert offer.starts_at == moment


def test_a_fact_is_spoken_in_pounds_odds_and_days() -> None:
    assert spoken(
        f.OFFER_FACTS, "qualifier_placed", ["bet=A1", "stake=10", "odds=6/4", "kickoff=+2h"], NOON
    ) == f.QualifierPlaced(
        back=f.Back(
            bet="A1",
            stake=1000,
            odds=Decimal("2.5"),
            odds_shown="6/4",
            kickoff=NOON + timedelta(hours=2),
        )
    )
    lays = spoken(
        f.OFFER_FACTS,
        "free_bet_settled",
        ["settled.0.bet=a", "settled.0.result=won", "settled.1.bet=b", "settled.1.result=lost"],
        NOON,
    )
    assert isinstance(lays, f.FreeBetSettled)
    assert [each.bet for each in lays.settled] == ["a", "b"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["bet"], "field=value"),
        (["bet=a", "bet=b"], "each word only once"),
        (["bet=a", "stake=ten", "odds=2"], "pounds and pence"),
        (["bet=a", "stake=10", "odds=1"], "odds above 1"),
        (["bet=a", "stake=10", "odds=2", "kickoff=soon"], "UK time"),
        (["bet=a", "colour=red"], "colour"),
        (["bet=a"], "stake"),
        (["terms=x"], "terms"),
    ],
)
def test_a_wrong_word_is_refused_by_name(words: list[str], why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        spoken(f.OFFER_FACTS, "qualifier_placed", words, NOON)


def test_what_kos_writes_itself_is_not_spoken() -> None:
    with pytest.raises(InvalidInput, match="one of deposit_sent"):
        spoken(f.OFFER_FACTS, "cash_advanced", ["token=t"], NOON)


@pytest.mark.parametrize("name", spoken_names(f.OFFER_FACTS | f.MONEY_FACTS))
def test_every_fact_describes_its_words(name: str) -> None:
    kind = (f.OFFER_FACTS | f.MONEY_FACTS)[name]
    assert "terms" not in describe(kind).split()
    assert "postings" not in describe(kind)


def test_a_moment_is_spoken_with_its_zone_and_several_parts_by_number() -> None:
    words = ["lay.bet=l", "lay.matched_at=2026-11-23T13:00:00+01:00", "exchange=x", "market=m"]
    words += ["selection=Leeds", "stake=5", "odds=2"]
    fact = spoken(f.OFFER_FACTS, "lay_matched", words, NOON)
    assert isinstance(fact, f.LayMatched)
    assert fact.lay.matched_at == NOON
