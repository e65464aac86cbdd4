"""Bookmakers, exchanges and sports by every name that people use for them."""

from __future__ import annotations

import pytest

from kos.domain.opportunities.known_names import KnownNames, bookmakers, exchanges, sports
from kos.domain.opportunities.opportunity import SignalKeys, SignalPlace, SignalSport
from kos.errors import InvalidInput
from tests.builders import NOW


def seen(*, makers: tuple[str, ...] = (), keys: tuple[str, ...] = ()) -> SignalKeys:
    """The names with prices, each with a title made of its key."""
    return SignalKeys(
        as_of=NOW,
        bookmakers=tuple(SignalPlace(key=key, title=key.title(), events=1) for key in makers),
        exchanges=(),
        sports=tuple(SignalSport(key=key, title=key.title(), events=1) for key in keys),
    )


LISTED = seen(
    makers=("skybet", "betfair_sb_uk", "newbook_uk"),
    keys=("soccer_epl", "soccer_serie_a", "soccer_cup", "basketball_cup", "tennis"),
)


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("skybet", "skybet"),
        ("Sky Bet", "skybet"),
        ("BETFAIR SPORTSBOOK", "betfair_sb_uk"),
        ("betfair_sb", "betfair_sb_uk"),
        ("newbook", "newbook_uk"),
        ("newb", "newbook_uk"),
        ("william hill", "williamhill"),
    ],
)
def test_a_bookmaker_goes_by_key_title_and_a_start_that_only_one_has(typed: str, key: str) -> None:
    assert bookmakers(LISTED).key_of(typed) == key


@pytest.mark.parametrize(
    ("typed", "allowed"),
    [
        ("ne", "the name of a bookmaker, e.g. "),
        ("bet", "a bookmaker that KOS knows (did you mean "),
        ("skybit", "did you mean Sky Bet?"),
        ("!!", "the name of a bookmaker, e.g. "),
    ],
)
def test_a_name_that_no_one_has_is_refused_with_the_nearest(typed: str, allowed: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        bookmakers(LISTED).key_of(typed)
    assert allowed in refused.value.allowed


def test_before_any_price_is_known_a_bookmaker_is_taken_as_it_is_typed() -> None:
    assert bookmakers(None).key_of("Zz Vw") == "zz_vw"
    assert bookmakers(seen()).key_of("Zz Vw") == "zz_vw"
    for typed in ("skybit", "!!"):
        with pytest.raises(InvalidInput):
            bookmakers(None).key_of(typed)


def test_an_exchange_is_one_of_those_that_kos_knows() -> None:
    assert exchanges().key_of("Smarkets") == "smarkets"
    with pytest.raises(InvalidInput, match="an exchange that KOS knows"):
        exchanges().key_of("smarkits")
    with pytest.raises(InvalidInput, match=r"the name of an exchange, e\.g\. Betfair"):
        exchanges().key_of("zz")


def test_names_of_no_known_brand_serve_as_examples_where_there_are_no_others() -> None:
    names = KnownNames("place", {"aa_zz": "Azalea"}, {}, is_closed=True)
    with pytest.raises(InvalidInput, match=r"e\.g\. Azalea"):
        names.key_of("?")


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("soccer", "soccer"),
        ("Football", "soccer"),
        ("premier league", "soccer_epl"),
        ("epl", "soccer_epl"),
        ("Soccer Serie", "soccer_serie"),
        ("soccer_ser", "soccer_ser"),
        ("serie a", "soccer_serie_a"),
        ("tennis", "tennis"),
    ],
)
def test_a_sport_goes_by_key_word_competition_and_any_start_of_keys(typed: str, key: str) -> None:
    assert sports(LISTED).key_of(typed) == key


def test_a_competition_that_two_sports_have_means_neither() -> None:
    assert sports(LISTED).exact("cup") is None
    assert sports(LISTED).exact("soccer cup") == "soccer_cup"


def test_any_competition_of_a_known_sport_is_taken_until_those_with_prices_are_known() -> None:
    assert sports(None).key_of("soccer_zz_top") == "soccer_zz_top"
    for known, typed in ((LISTED, "soccer_zz_top"), (None, "zz_top"), (None, "??")):
        with pytest.raises(InvalidInput):
            sports(known).key_of(typed)
