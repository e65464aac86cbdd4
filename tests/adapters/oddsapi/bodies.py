"""Bodies in the feed's format, made by us, and hypothesis strategies for them."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

KICKOFF = "2026-11-28T15:00:00Z"
SEEN = "2026-11-23T12:00:00Z"


def outcome(name: str, price: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "price": price, **more}


def market(*outcomes: Any, key: str = "h2h", last_update: Any = SEEN) -> dict[str, Any]:
    return {"key": key, "last_update": last_update, "outcomes": list(outcomes)}


def bookmaker(*markets: Any, key: str = "coral", title: str = "Coral") -> dict[str, Any]:
    return {"key": key, "title": title, "last_update": SEEN, "markets": list(markets)}


def event(
    *bookmakers: Any,
    id: str = "a" * 32,  # noqa: A002 - the feed's own name
    sport_key: str = "soccer_epl",
    home: str | None = "Leeds United",
    away: str | None = "Hull City",
    **more: Any,
) -> dict[str, Any]:
    return {
        "id": id,
        "sport_key": sport_key,
        "sport_title": "EPL",
        "commence_time": KICKOFF,
        "home_team": home,
        "away_team": away,
        "bookmakers": list(bookmakers),
        **more,
    }


def match_event(*prices: Any, **more: Any) -> dict[str, Any]:
    """One event with one bookmaker quoting home, away and draw."""
    names = ("Leeds United", "Hull City", "Draw")
    quoted = [outcome(name, price) for name, price in zip(names, prices, strict=False)]
    return event(bookmaker(market(*quoted)), **more)


def body(*events: Any) -> bytes:
    return json.dumps(list(events)).encode()


rubbish: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**6), 10**6)
    | st.floats()
    | st.sampled_from(["", " ", "2.5", "NaN", "1_0", "Draw", KICKOFF, "x" * 400, "\x00", "\ud800"])
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=4,
)


@st.composite
def mutated(draw: st.DrawFn) -> list[Any]:
    """A sound list of events in which a few values, anywhere, were replaced, cut out or doubled."""
    prices = st.decimals("1.01", "90", places=2).map(float)
    events: list[Any] = [
        event(
            *(
                bookmaker(
                    market(
                        outcome("Leeds United", draw(prices)),
                        outcome("Hull City", draw(prices)),
                        outcome("Draw", draw(prices), point=None, link="https://a.b/c"),
                    ),
                    market(
                        outcome("Over", draw(prices), point=2.5),
                        outcome("Under", draw(prices), point=2.5),
                        key="totals",
                    ),
                    key=key,
                )
                for key in ("coral", "smarkets")
            ),
            id=f"{n:032x}",
        )
        for n in range(draw(st.integers(1, 2)))
    ]
    for _ in range(draw(st.integers(0, 4))):
        _spoil(draw, events)
    return events


def _spoil(draw: st.DrawFn, tree: Any) -> None:
    places: list[tuple[Any, Any]] = []

    def visit(node: Any) -> None:
        items = node.items() if isinstance(node, dict) else enumerate(node)
        for key, value in list(items):
            places.append((node, key))
            if isinstance(value, dict | list):
                visit(value)

    visit(tree)
    if not places:
        return
    node, key = draw(st.sampled_from(places))
    action = draw(st.sampled_from(["replace", "replace", "remove", "double", "add"]))
    if action == "replace":
        node[key] = draw(rubbish)
    elif action == "remove":
        del node[key]
    elif action == "double" and isinstance(node, list):
        node.append(node[key])
    elif isinstance(node, dict):
        node["new_field"] = draw(rubbish)
