"""A whole conversation with the desk, word by word as agreed: every screen of the chat in one place."""

from __future__ import annotations

import re

from kos.desk import TABLE
from kos.domain.people.conversation import Answer, Seat
from kos.messages import OperatorAnswered
from tests.agreed import assert_agreed
from tests.desk.offices import Building, data_of, labels, text_of
from tests.desk.test_offers import shop  # noqa: F401 - a fixture
from tests.desk.test_operations import works  # noqa: F401 - a fixture

ADA, ANN, OLA, BOB, STRANGER = (
    "telegram:1",
    "terminal:ann",
    "telegram:2",
    "telegram:9",
    "telegram:66",
)
NAMES = {
    ADA: "ada, admin",
    ANN: "ann, admin",
    OLA: "operator",
    BOB: "bob, participant",
    STRANGER: "a stranger",
}

CODE = re.compile(r"(?<=/start )[\w-]{16,}")
"""An invitation's code, which is drawn."""

OPPORTUNITIES = (
    "/qualifier", "/qualifier_coral stake=25", "/qualifier nowhere", "/qualifier coral stake=0",
    "/qualifier coral within=1m", "/snr_coral stake=25", "/sr_laid", "/refund_coral stake=20",
    "/refund coral stake=10 back=5 cash=yes", "/arbs", "/qualifier all rank=rating", "[1]", "/snr_coral stake=500", "[1]", "/dutch",
    "/dutch_coral kind=snr stake=25", "/dutch arbs=only exchanges=no", "/snr tennis odds=2-3",
)  # fmt: skip
OFFER = (
    "/catalogue", "/catalogue coral", "/offers", "/due", "/start_offer ann settle amount=10 there=yes",
    "[Start offer]", "/offers", "/offer 1 colour=red", "/record ann 1 float_sent exchange=betfair amount=5 is_instant=no", "/cancel", "/offer 1", "[Qualifying bet placed]", "many", "5", "5/2",
    "Leeds & York <b>", "+3h", "[Record £5.00]", "/due", "/offer 1", "[Lay matched]",
    "4.95", "3.6", "[2%]", "[Record £4.95]", "/offer ann 1", "/exposure", "/float", "/balance",
    "/offer 1", "[Bet settled]", "[q1]", "[won]", "[Record]", "[Bet settled]", "[lost]", "[Record]",
    "[Offer terms met]", "[Record]", "[Free bet credited]", "[£10.00]", "[in 7 days]", "[Record]",
    "/offers all", "/offer 1", "[Free bet expired]", "/cancel", "/profit", "/profit ann 30d",
    "/profit 2026-27", "/profit someday", "/statement", "/statement ann year", "/balance ann",
    "/record ann 1 joined", "/record", "/record ann 9 credited", "/undo ann 99 reason=wrong",
)  # fmt: skip
ALERTS = (
    "/alerts", "/alert qualifier coral rating=98 stake=25", "/alert snr retention=80 digest",
    "/alert refund profit=1", "/alert arbs", "/alert nothing", "/alerts", "/unalert 1", "/unalert 9",
    "/quiet 22:30-07:00", "/quiet 25:00-07:00", "/mute 2h", "/mute ever", "/digest 30", "/digest 2",
    "/system_alerts off", "/alerts", "/quiet off", "/mute off", "/unalert all", "/alerts",
)  # fmt: skip
SYSTEM = (
    "/status", "/pause 8h night", "/status", "/resume", "/resume", "/recheck soccer_epl",
    "/recheck tiddlywinks", "/recheck epl", "/alias", "/why Leeds v York", "/why", "/people",
    "/invite operator", "/invite participant ann valid=2h", "/invite captain", "/people",
    "/remove telegram:9", "/remove telegram:1", "/version", "/start", "/nonsense", "hello", "",
)  # fmt: skip
CALCULATORS = (
    "/calc", "/calc qualifying", "/calc qualifying back_stake=10 back_odds=2.5 lay_odds=2.54 commission=2%",
    "/calc qualifying back_stake=-1", "/calc nothing",
    "/calc dutch_total odds=2.1,3.5,4.2 total_stake=50",
)  # fmt: skip


def conversation(building: Building, user: str, words: tuple[str, ...]) -> list[str]:
    """What is said and answered, with the labels of the buttons; ``[x]`` presses one."""
    lines: list[str] = []
    last: Answer | None = None
    for word in words:
        promised = len(building.ledger.promises)
        if word.startswith("["):
            assert last is not None
            said = building.said("", user, pressed=data_of(last, word[1:-1]))
        else:
            said = building.said(word, user)
        heard = building.desk.hear(said)
        answers = [*heard.answers]
        answers += [promise.answer for promise in building.ledger.promises[promised:]]
        last = answers[-1] if answers else last
        lines += [f"\n>>> {NAMES[user]}: {word}", *_lines(heard, answers)]
    return lines


def _lines(heard: OperatorAnswered, answers: list[Answer]) -> list[str]:
    lines = [f"({heard.notice})"] if heard.notice else []
    lines += ["(refused)"] if heard.is_refused else []
    for answer in answers:
        lines.append(CODE.sub("CODE", text_of(answer)))
        lines += [f"  [{'] ['.join(labels(answer))}]"] if answer.buttons else []
        lines += [f"  file {answer.file_name}:\n{answer.file.decode()}"] if answer.file else []
        lines += ["  a picture"] if answer.picture else []
    return lines


def test_every_screen_of_the_chat_reads_as_agreed(shop: Building, works: Building) -> None:  # noqa: F811
    assert shop is works
    shop.seat(BOB, Seat.PARTICIPANT, "bob")
    helped = tuple(f"/help {command.name}" for command in TABLE if not command.is_hidden)
    lines = ["# Help", *conversation(shop, ANN, ("/help", *helped))]
    for title, words in (
        ("Opportunities", OPPORTUNITIES),
        ("Calculators", CALCULATORS),
        ("Offers and books", OFFER),
        ("System", SYSTEM),
    ):
        lines += [f"\n\n# {title}", *conversation(shop, ANN, words)]
    lines += ["\n\n# Alerts", *conversation(shop, ADA, ALERTS)]
    lines += ["\n\n# Others", *conversation(shop, OLA, ("/help", "/offers", "/pause", "/status"))]
    lines += conversation(shop, BOB, ("/help", "/offers", "/balance ann", "/balance", "/people"))
    lines += conversation(shop, STRANGER, ("/help", "hello", "/start", "/start nope"))
    assert_agreed("chat.txt", "\n".join(lines))
