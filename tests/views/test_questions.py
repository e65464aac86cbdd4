"""The same question gets one answer from terminal, chat, page and replay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
import typer

from kos.cli import replay as replaying
from kos.cli import signals as asking
from kos.desk.arguments import quoted, words_of
from kos.desk.filters import KINDS, dutch_question_of, question_of
from kos.domain.opportunities.dutches import DutchQuery
from kos.domain.opportunities.filters import FILTERS, SignalKind
from kos.domain.opportunities.opportunity import OpportunityQuery, SignalKeys
from kos.domain.opportunities.queries import canonical
from kos.errors import InvalidInput
from kos.web.questions import question_of as page_question_of
from tests.opportunity_questions import DUTCH_QUESTIONS, LIMIT, QUESTIONS, SEEN, Asked

Query = OpportunityQuery | DutchQuery
COMMANDS = {kind: name for name, kind in KINDS.items()}
SWITCHES = {switch.name for declared in FILTERS for switch in declared.switches}


def options_of(command: Callable[..., None], asked: Asked, *first: str) -> dict[str, Any]:
    """What typer makes of the question typed as options."""
    app = typer.Typer()
    app.command("it")(command)
    typed = [*first, "--kind", asked.kind.value]
    for name, text in asked.filters.items():
        key = name.casefold().replace("-", "_")
        typed += [f"--{key.replace('_', '-')}", *([] if key in SWITCHES else [text])]
    return typer.main.get_command(app).make_context("it", typed).params


def at_the_terminal(asked: Asked) -> Query:
    own = {"detail", "as_json", "state_dir", "config"}
    given = {
        name: value for name, value in options_of(asking.signals, asked).items() if name not in own
    }
    return asking.query_of(given, lambda: SEEN)


def in_a_replay(asked: Asked) -> Query:
    own = {"paths", "as_json", "config"}
    given = {
        name: value
        for name, value in options_of(replaying.replay, asked, "files").items()
        if name not in own
    }
    return replaying.query_of(given)


def in_chat(asked: Asked) -> Query:
    text = " ".join(f"{name}={quoted(text)}" for name, text in asked.filters.items())
    if asked.kind is SignalKind.DUTCH:
        return dutch_question_of(words_of(text), SEEN).query
    return question_of(COMMANDS[asked.kind], words_of(text), SEEN).query


def on_the_page(asked: Asked) -> Query:
    return page_question_of({"kind": asked.kind.value} | asked.filters, SEEN)


FACES = pytest.mark.parametrize("face", [at_the_terminal, in_chat, on_the_page, in_a_replay])


def answer_of(face: Callable[[Asked], Query], asked: Asked) -> Query | str:
    """The query, or the words of the refusal."""
    try:
        query = face(asked)
    except InvalidInput as refusal:
        return str(refusal)
    # How many are shown unasked is each face's own: a terminal has less room than a page.
    limit = query.limit if "limit" in canonical(asked.filters) else LIMIT
    return msgspec.structs.replace(query, limit=limit)


def named(asked: Asked) -> str:
    return " ".join((asked.kind.value, *(f"{name}={text}" for name, text in asked.filters.items())))


@FACES
@pytest.mark.parametrize("asked", QUESTIONS, ids=named)
def test_a_question_gets_one_answer_from_every_face(
    face: Callable[[Asked], Query], asked: Asked
) -> None:
    assert answer_of(face, asked) == (asked.refusal or asked.query)


def test_there_are_sixty_questions_and_each_filter_is_in_one() -> None:
    assert len({named(asked) for asked in QUESTIONS}) >= 60
    used = {
        name
        for asked in (*QUESTIONS, *DUTCH_QUESTIONS)
        for name in canonical(
            {} if asked.refusal and "odds" in asked.filters else asked.filters, asked.kind
        )
    }
    assert used | {"kind", "odds"} == {declared.name for declared in FILTERS}


@pytest.mark.parametrize("face", [at_the_terminal, in_chat])
@pytest.mark.parametrize("asked", DUTCH_QUESTIONS, ids=named)
def test_a_question_about_dutches_gets_one_answer_from_terminal_and_chat(
    face: Callable[[Asked], Query], asked: Asked
) -> None:
    assert answer_of(face, asked) == (asked.refusal or asked.query)


@pytest.mark.parametrize("face", [on_the_page, in_a_replay])
def test_page_and_replay_say_that_they_know_no_dutching(face: Callable[[Asked], Query]) -> None:
    told = answer_of(face, Asked(kind=SignalKind.DUTCH, filters={}))
    assert told == "Kind cannot be 'dutch'. Enter qualifying, snr, sr, refund or arbs."


@pytest.mark.parametrize("face", [in_chat, on_the_page])
def test_a_filter_that_does_not_exist_is_refused_with_the_nearest(
    face: Callable[[Asked], Query],
) -> None:
    told = answer_of(face, Asked(kind=SignalKind.SNR, filters={"stak": "10"}))
    assert isinstance(told, str)
    assert told.startswith("Filter cannot be 'stak'. Enter one of ")
    assert told.endswith(" (did you mean stake?).")


@pytest.mark.parametrize("face", [at_the_terminal, in_chat, on_the_page])
def test_one_filter_under_two_names_has_one_value(face: Callable[[Asked], Query]) -> None:
    two = Asked(kind=SignalKind.SNR, filters={"min": "2", "min_odds": "3"})
    told = answer_of(face, two)
    assert told == "Minimum back odds cannot be '2 and 3'. Enter one value."


@pytest.mark.parametrize("face", [at_the_terminal, in_chat, on_the_page])
def test_a_competition_without_prices_is_refused_once_prices_are_known(
    face: Callable[[Asked], Query],
) -> None:
    told = answer_of(face, Asked(kind=SignalKind.SNR, filters={"sport": "soccer_epll"}))
    assert told == (
        "Sport cannot be 'soccer_epll'. Enter a sport that KOS knows (did you mean EPL?)."
    )


def test_two_letters_are_too_few_for_a_name() -> None:
    told = answer_of(at_the_terminal, Asked(kind=SignalKind.SNR, filters={"bookmaker": "wi"}))
    assert isinstance(told, str)
    assert told.startswith("Bookmaker cannot be 'wi'. Enter ")


def test_a_replay_takes_a_competition_and_a_bookmaker_that_its_files_may_have() -> None:
    filters = {"sport": "soccer_fa_cup", "bookmaker": "draftkings"}
    query = in_a_replay(Asked(kind=SignalKind.SNR, filters=filters))
    assert isinstance(query, OpportunityQuery)
    assert (query.sport, query.bookmaker) == ("soccer_fa_cup", "draftkings")


@pytest.mark.parametrize(
    ("bare", "named_words"),
    [
        ("coral soccer 2h £25 2-6", "bookmaker=coral sport=soccer within=2h stake=25 odds=2-6"),
        ("william hill epl", 'bookmaker="William Hill" sport=soccer_epl'),
        ("football smarkets 90m", "sport=soccer exchange=smarkets within=90m"),
        ("laid SOCCER_EPL 1,000", "sport=soccer_epl stake=1000"),
        ("paddy ice hockey", "bookmaker=paddypower sport=icehockey"),
    ],
)
def test_words_of_chat_without_names_mean_what_they_look_like(bare: str, named_words: str) -> None:
    query = question_of("snr", words_of(bare), SEEN).query
    assert query == question_of("snr", words_of(named_words), SEEN).query


@pytest.mark.parametrize("typed", ["corall", "socer", "smarket5"])
def test_a_word_of_chat_that_means_nothing_is_refused_with_the_nearest(typed: str) -> None:
    with pytest.raises(InvalidInput, match=rf"Word cannot be '{typed}'.*did you mean "):
        question_of("snr", words_of(typed), SEEN)


def test_a_word_with_and_without_its_name_has_one_value() -> None:
    both = words_of("coral bookmaker=paddypower")
    with pytest.raises(InvalidInput, match=r"Bookmaker cannot be 'paddypower and coral'"):
        question_of("snr", both, SEEN)
    with pytest.raises(InvalidInput, match=r"Stake cannot be '10 and 25'"):
        question_of("snr", words_of("coral 10 25"), SEEN)


def test_the_kind_of_a_dutch_in_chat_is_that_of_its_leg() -> None:
    query = dutch_question_of(words_of("coral kind=snr"), SEEN).query
    assert query == dutch_question_of(words_of("coral leg=snr"), SEEN).query
    with pytest.raises(InvalidInput, match="Filter cannot be 'kind'"):
        question_of("snr", words_of("coral kind=sr"), SEEN)


def test_a_question_in_chat_is_asked_again_by_its_command() -> None:
    question = question_of("snr", words_of("william hill football 90m £25 min=2"), SEEN)
    head, _, rest = question.command().partition(" ")
    assert head == "/snr_williamhill"
    assert question_of("snr", words_of(f"williamhill {rest}"), SEEN).query == question.query


def test_names_are_asked_for_only_where_one_is_given() -> None:
    def never() -> SignalKeys:
        raise AssertionError("asked for names")

    assert asking.query_of({"stake": "25"}, never).stake == 25
    with pytest.raises(AssertionError, match="asked for names"):
        asking.query_of({"sport": "epl"}, never)
