"""One table of typed texts, put to every place that reads them: all give one value or refuse."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from kos.cli import books as terminal_books
from kos.cli.door import moment_said
from kos.cli.filters import texts_of
from kos.desk.arguments import quoted, words_of
from kos.desk.filters import question_of as chat_question
from kos.domain.books.calendar import LONDON
from kos.domain.books.periods import read_period
from kos.domain.calculators.table import KINDS
from kos.domain.offers import catalogue, past_bets
from kos.domain.offers import facts as f
from kos.domain.offers.typed_facts import spoken
from kos.domain.opportunities.filters import SignalKind
from kos.domain.opportunities.opportunity import OpportunityQuery, SignalKeys
from kos.domain.opportunities.queries import canonical, opportunity_query
from kos.errors import InvalidInput
from kos.web import books as page_books
from kos.web.forms import FIELD, happened_at, typed_fact
from kos.web.questions import question_of as page_question

NOW = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
SEEN = SignalKeys(as_of=NOW, bookmakers=(), exchanges=(), sports=())
REFUSED = "refused"
SENTENCE = re.compile(r".+ (cannot be|is missing).*\. Enter [^\n]+\.\Z")
"""What is wrong, then what to enter."""

BACK = {"bet": "q1", "stake": "10", "odds": "2", "selection": "Leeds"}
LAY = {
    "bet": "l1",
    "exchange": "betfair",
    "market": "1.1",
    "selection": "Leeds",
    "stake": "9.92",
    "odds": "2.54",
    "commission": "0.02",
}


def terminal_filters(**texts: str) -> OpportunityQuery:
    """The question of ``kos signals`` and ``kos replay`` with these options."""
    return opportunity_query(SignalKind.QUALIFYING, canonical(texts_of(texts)), SEEN, 10)


def chat_filters(**texts: str) -> OpportunityQuery:
    """The question of ``/qualifier`` with these words."""
    typed = " ".join(f"{name}={quoted(text)}" for name, text in texts.items())
    return chat_question("qualifier", words_of(typed), SEEN).query


def page_filters(**texts: str) -> OpportunityQuery:
    """The question of the page's address with these fields."""
    return page_question(texts, SEEN)


def said(**texts: str) -> f.QualifierPlaced:
    """The fact of the terminal's and the chat's words."""
    words = [f"{name}={text}" for name, text in (BACK | texts).items()]
    fact = spoken(f.OFFER_FACTS, "qualifier_placed", words, NOW)
    assert isinstance(fact, f.QualifierPlaced)
    return fact


def filled_in(**texts: str) -> f.QualifierPlaced:
    """The fact of the page's form."""
    form = {f"{FIELD}back.{name}": text for name, text in (BACK | texts).items()}
    fact = typed_fact(f.OFFER_FACTS, "qualifier_placed", form, NOW)
    assert isinstance(fact, f.QualifierPlaced)
    return fact


def commission_of(fact: f.Fact) -> Decimal | None:
    """The commission of the lay that was matched."""
    assert isinstance(fact, f.LayMatched)
    return fact.lay.commission


def offer_of(text: str, name: str) -> catalogue.Offer:
    """The offer of a catalogue in TOML with a value of its own."""
    values = {"min_stake": "10", "min_odds": "2", "face": "10", "starts_at": "2026-01-01"}
    values[name] = text
    toml = (
        '[[offer]]\nkey = "a"\nbookmaker = "coral"\ntitle = "A"\n'
        "starts_at = '{starts_at}'\n[offer.qualifying]\nmin_stake = '{min_stake}'\n"
        "min_odds = '{min_odds}'\n[[offer.bonuses]]\nface = '{face}'\n"
    )
    return catalogue.from_toml(toml.format(**values))[0]


def row_of(text: str, name: str) -> catalogue.Offer:
    """The offer of a catalogue in CSV with a value of its own."""
    values = {
        "key": "a",
        "bookmaker": "coral",
        "title": "A",
        "qualifying.min_stake": "10",
        "bonuses": '[{""face"": ""10""}]',
        name: text,
    }
    return catalogue.from_csv(
        f"{','.join(values)}\n" + ",".join(f'"{value}"' for value in values.values())
    )[0]


def past_bet(text: str, name: str) -> past_bets.PastBet:
    """The past bet of a CSV file with a value of its own."""
    values = {"date": "2026-01-02", "venue": "coral", "profit": "1", name: text}
    row = ",".join(f'"{value}"' for value in values.values())
    return past_bets.from_csv(f"{','.join(values)}\n{row}\n").bets[0]


def calculator(kind: str, name: str) -> Callable[[str], object]:
    """The input of a calculator, as a command, a chat or a batch gives it."""
    known = KINDS[kind].inputs[name]
    return lambda text: known.reader.read(name, text)


# --- the tables ---------------------------------------------------------------------------------

POUNDS: Mapping[str, object] = {
    "10": 1000,
    "£9.92": 992,
    "1,000": 100_000,
    "£1,000.50": 100_050,
    " 2.5 ": 250,
    "1,50": REFUSED,
    "10,00": REFUSED,
    "1_0": REFUSED,
    "NaN": REFUSED,
    "Infinity": REFUSED,
    "1e3": REFUSED,
    "٣": REFUSED,
    "ten": REFUSED,
    "1/1": REFUSED,
    "2%": REFUSED,
    "£": REFUSED,
    "--5": REFUSED,
}
READ_POUNDS: Mapping[str, Callable[[str], object]] = {
    "terminal question": lambda text: terminal_filters(stake=text).stake * 100,
    "chat question": lambda text: chat_filters(stake=text).stake * 100,
    "page question": lambda text: page_filters(stake=text).stake * 100,
    "terminal and chat fact": lambda text: said(stake=text).back.stake,
    "page fact": lambda text: filled_in(stake=text).back.stake,
    "catalogue in TOML": lambda text: offer_of(text, "min_stake").qualifying.min_stake,
    "catalogue in CSV": lambda text: row_of(text, "qualifying.min_stake").qualifying.min_stake,
    "past bets": lambda text: past_bet(text, "profit").fact.profit,
    "calculator": lambda text: calculator("qualifying", "back_stake")(text) * 100,  # type: ignore[operator]
}

ODDS: Mapping[str, object] = {
    "2.5": Fraction(5, 2),
    "6/4": Fraction(5, 2),
    "evens": 2,
    "Evs": 2,
    "1/1": 2,
    "+150": Fraction(5, 2),
    "-200": Fraction(3, 2),
    "+100": 2,
    "1.01": Fraction(101, 100),
    "1,50": REFUSED,
    "1,000": REFUSED,
    "1_0": REFUSED,
    "NaN": REFUSED,
    "Infinity": REFUSED,
    "1e1": REFUSED,
    "٣": REFUSED,
    "0.5": REFUSED,
    "+50": REFUSED,
    "0/1": REFUSED,
    "£2": REFUSED,
    "2%": REFUSED,
}
READ_ODDS: Mapping[str, Callable[[str], object]] = {
    "terminal question": lambda text: terminal_filters(min_odds=text).min_odds,
    "chat question": lambda text: chat_filters(min=text).min_odds,
    "page question": lambda text: page_filters(min_odds=text).min_odds,
    "terminal and chat fact": lambda text: said(odds=text).back.odds,
    "page fact": lambda text: filled_in(odds=text).back.odds,
    "catalogue in TOML": lambda text: offer_of(text, "min_odds").qualifying.min_odds,
    "catalogue in CSV": lambda text: row_of(text, "qualifying.min_odds").qualifying.min_odds,
    "past bets": lambda text: past_bet(text, "odds").fact.odds,
    "calculator": calculator("qualifying", "back_odds"),
    "accumulator": lambda text: calculator("accumulator_odds", "odds")(text)[0],  # type: ignore[index]
    "minimum odds": lambda text: calculator("minimum_odds", "odds")(text)[0],  # type: ignore[index]
}

RATES: Mapping[str, object] = {
    "2%": Fraction(1, 50),
    "0.02": Fraction(1, 50),
    "6.5 %": Fraction(13, 200),
    "0": 0,
    "2": REFUSED,
    "1": REFUSED,
    "100%": REFUSED,
    "-1%": REFUSED,
    "1,5%": REFUSED,
    "1_0%": REFUSED,
    "NaN": REFUSED,
    "1e-2": REFUSED,
    "٢%": REFUSED,
}
READ_RATES: Mapping[str, Callable[[str], object]] = {
    "terminal and chat fact": lambda text: commission_of(
        spoken(
            f.OFFER_FACTS,
            "lay_matched",
            [f"{name}={value}" for name, value in (LAY | {"commission": text}).items()],
            NOW,
        )
    ),
    "page fact": lambda text: commission_of(
        typed_fact(
            f.OFFER_FACTS,
            "lay_matched",
            {f"{FIELD}lay.{name}": value for name, value in (LAY | {"commission": text}).items()},
            NOW,
        )
    ),
    "calculator": calculator("qualifying", "commission"),
}

MOMENTS: Mapping[str, object] = {
    "2026-12-08": datetime(2026, 12, 8, tzinfo=LONDON),
    "2026-12-08 18:15": datetime(2026, 12, 8, 18, 15, tzinfo=LONDON),
    "2026-07-08T18:15": datetime(2026, 7, 8, 18, 15, tzinfo=LONDON),
    "2026-07-08T18:15Z": datetime(2026, 7, 8, 18, 15, tzinfo=UTC),
    "8 dec 2026 18:15": datetime(2026, 12, 8, 18, 15, tzinfo=LONDON),
    "Tue 8 Dec 2026, 18:15": datetime(2026, 12, 8, 18, 15, tzinfo=LONDON),
    "2026-10-25 01:30": datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
    "2026-10-25T01:30+00:00": datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
    "2026-03-29 01:30": REFUSED,
    "2026-13-08": REFUSED,
    "31 feb 2026": REFUSED,
    "Mon 8 dec 2026": REFUSED,
    "٣ dec 2026": REFUSED,
    "soon": REFUSED,
}
READ_MOMENTS: Mapping[str, Callable[[str], object]] = {
    "terminal --at": moment_said,
    "terminal --since": lambda text: terminal_books._span(text, None, None)[0],
    "page when": lambda text: happened_at({"at": text}),
    "terminal and chat fact": lambda text: said(kickoff=text).back.kickoff,
    "page fact": lambda text: filled_in(kickoff=text).back.kickoff,
    "catalogue in TOML": lambda text: offer_of(text, "starts_at").starts_at,
    "catalogue in CSV": lambda text: row_of(text, "starts_at").starts_at,
    "past bets": lambda text: past_bet(text, "date").settled_at,
}

DURATIONS: Mapping[str, object] = {
    "90m": 90.0,
    "2h": 120.0,
    "3d": 4320.0,
    "2": 120.0,
    "1h 30 min": 90.0,
    "0m": REFUSED,
    "-2h": REFUSED,
    "1,5h": REFUSED,
    "NaN": REFUSED,
    "soon": REFUSED,
}
READ_DURATIONS: Mapping[str, Callable[[str], object]] = {
    "terminal question": lambda text: terminal_filters(within_hours=text).max_minutes_to_kickoff,
    "chat question": lambda text: chat_filters(within=text).max_minutes_to_kickoff,
    "page question": lambda text: page_filters(within_hours=text).max_minutes_to_kickoff,
}


@pytest.mark.parametrize(
    ("table", "places"),
    [
        pytest.param(POUNDS, READ_POUNDS, id="pounds"),
        pytest.param(ODDS, READ_ODDS, id="odds"),
        pytest.param(RATES, READ_RATES, id="rates"),
        pytest.param(MOMENTS, READ_MOMENTS, id="moments"),
        pytest.param(DURATIONS, READ_DURATIONS, id="durations"),
    ],
)
def test_every_place_reads_a_typed_text_alike(
    table: Mapping[str, object], places: Mapping[str, Callable[[str], object]]
) -> None:
    for text, value in table.items():
        read = {place: answered(reads, text) for place, reads in places.items()}
        assert read == dict.fromkeys(places, value), text


def answered(reads: Callable[[str], object], text: str) -> object:
    """The value that a place reads, or that it refuses in a sentence."""
    refusal = ""
    try:
        value = reads(text)
    except InvalidInput as error:
        refusal = str(error)
    if refusal:
        assert SENTENCE.match(refusal), refusal
        return REFUSED
    return Fraction(value) if isinstance(value, Decimal) else value


def test_a_void_leg_has_its_own_word_and_minimum_odds_may_be_any() -> None:
    for kind in ("accumulator_odds", "minimum_odds"):
        assert calculator(kind, "odds")("void") == (1,)
    for text in ("any", "1", "1.00"):
        assert offer_of(text, "min_odds").qualifying.min_odds == 1
        assert row_of(text, "qualifying.min_odds").qualifying.min_odds == 1


def test_a_minimum_of_evens_is_evens() -> None:
    outputs = KINDS["minimum_odds"].run({"odds": ["1/1"], "minimum": "evens"})
    assert (outputs["combined_odds"], outputs["qualifies"]) == ("2.00", "yes")


@pytest.mark.parametrize("text", ["all", "30d", "month", "tax", "year"])
def test_the_periods_of_the_page_are_those_of_chat_and_terminal(text: str) -> None:
    now = datetime.now(UTC)
    scope = page_books._scope({"period": text})
    since, until = terminal_books._span(text, None, None)
    chat = read_period("period", text, now)
    assert {scope.since, since} <= {
        chat[0],
        read_period("period", text, now + timedelta(minutes=1))[0],
    }
    assert (until, chat[1]) == (None, None)
