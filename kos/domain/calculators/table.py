"""The table of kinds: what each calculator takes, what it allows, what it gives.

A calculator is a function whose annotated signature says its inputs; the table is read off the
signatures once, when this module is imported, so the two cannot disagree.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, get_args, get_origin, get_type_hints

import msgspec

from kos.domain.calculators import (
    accumulators,
    dutching,
    markets,
    positions,
    prices,
    racing,
    single,
)
from kos.domain.calculators.outputs import Outputs
from kos.domain.calculators.readers import Choice, Many, Reader, RecordReader
from kos.domain.market.odds import as_decimal
from kos.errors import InvalidInput


class Input(msgspec.Struct, frozen=True):
    """One input of a kind."""

    name: str
    reader: Reader
    is_required: bool
    default: str
    """As a person would type it; empty where leaving it out means something of its own."""

    @property
    def is_list(self) -> bool:
        """Whether it takes several values."""
        return isinstance(self.reader, Many)

    @property
    def fields(self) -> tuple[str, ...]:
        """Fields of each entry where an entry is a record, else empty."""
        if isinstance(self.reader, Many) and isinstance(self.reader.each, RecordReader):
            return tuple(self.reader.each.fields)
        return ()


class Calculator(msgspec.Struct, frozen=True):
    """One kind of calculation."""

    kind: str
    summary: str
    inputs: Mapping[str, Input]
    outputs: tuple[str, ...]
    """Names it may give; ``#`` stands for a number and ``*`` for a name."""
    function: Callable[..., Outputs]

    def input_named(self, name: str) -> Input | None:
        """The input of this name, or that it is another name of; None where there is none."""
        return self.inputs.get(name) or self.inputs.get(ALIASES.get(name, ""))

    def run(self, values: Mapping[str, object]) -> Outputs:
        """The outputs for these inputs, as text.

        Raises:
            InvalidInput: An input is unknown, missing or out of its range.
        """
        read: dict[str, object] = {}
        for name, value in values.items():
            calculator_input = self.input_named(name)
            if calculator_input is None:
                raise InvalidInput(
                    name, value, f"an input of {self.kind}: {', '.join(self.inputs)}"
                )
            if calculator_input.name in read:
                raise InvalidInput(name, value, f"{calculator_input.name} only once")
            if value is not None:
                read[calculator_input.name] = calculator_input.reader.read(name, value)
        for name, calculator_input in self.inputs.items():
            if calculator_input.is_required and name not in read:
                raise InvalidInput(name, None, calculator_input.reader.allowed)
        return self.function(**read)


ALIASES = {
    "back_fee": "back_commission",
    "deduction": "deductions",
    "lay_commission": "commission",
    "odds": "decimal_odds",
    "stake": "back_stake",
}
"""Other names of inputs, taken only where a kind does not use them for something else."""


def _calculator(function: Callable[..., Outputs], outputs: str) -> Calculator:
    hints = get_type_hints(function, include_extras=True)
    inputs: dict[str, Input] = {}
    for parameter in inspect.signature(function).parameters.values():
        hint = hints[parameter.name]
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            (choices,) = get_args(hint)
            for name, chosen in get_type_hints(choices, include_extras=True).items():
                inputs[name] = Input(name, _reader(chosen), is_required=False, default="")
            continue
        is_required = parameter.default is inspect.Parameter.empty
        reader = _reader(hint)
        default = "" if is_required else _as_typed(parameter.default, reader)
        inputs[parameter.name] = Input(parameter.name, reader, is_required, default)
    return Calculator(
        function.__name__.rstrip("_"),
        (inspect.getdoc(function) or "").split("\n", 1)[0].replace("`", ""),
        inputs,
        tuple(outputs.split()),
        function,
    )


def _reader(hint: Any) -> Reader:
    if get_origin(hint) is types.UnionType or type(None) in get_args(hint):
        hint = next(arm for arm in get_args(hint) if arm is not type(None))
    reader: Reader = hint.__metadata__[0]
    return reader


def _as_typed(default: object, reader: Reader) -> str:
    if default is None or default == ():
        return ""
    if isinstance(reader, Many) and isinstance(default, tuple):
        return ",".join(_as_typed(entry, reader.each) for entry in default)
    if isinstance(default, Fraction):
        return f"{as_decimal(default):f}"
    return reader.word_for(default) if isinstance(reader, Choice) else str(default)


_LAY = """
    lay_stake liability profit_if_back_wins profit_if_back_loses guaranteed lay_winnings_net
    underlay_stake overlay_stake expected_value
"""
_SPREAD = """
    stake_# total_stake return_ profit profit_pct book_pct profit_if_# guaranteed
"""
_ACCUMULATOR = "lay_# liability_# net_win_# combined_back_odds combined_lay_odds total_liability"

_OUTPUTS: Mapping[Callable[..., Outputs], str] = {
    single.qualifying: _LAY + "qualifying_loss rating_pct",
    single.qualifying_back_fee_on_return: _LAY + "qualifying_loss rating_pct",
    single.price_boost: _LAY + "qualifying_loss rating_pct boost_value",
    single.free_bet_snr: _LAY + "retention_pct",
    single.free_bet_sr: _LAY + "retention_pct",
    single.snr_retention: "retention_pct retained",
    single.sr_retention: "retention_pct retained",
    single.refund_if_loses: _LAY,
    single.refund_back_fee_on_return: _LAY,
    single.win_bonus: _LAY,
    single.rollover_bonus: _LAY + "wagering_cost retained lost",
    single.money_back_trigger: _LAY
    + "profit_if_triggered break_even_probability_pct trigger_lay_stake trigger_gain"
    " guaranteed_with_trigger_lay",
    single.back_matched_by_lay: "back_stake_covered liability",
    single.lay_as_back: "equivalent_back_odds",
    positions.part_lay_: "remaining_lay_stake overlaid_stake liability profit_if_back_wins"
    " profit_if_back_loses guaranteed profit_if_back_wins_now profit_if_back_loses_now",
    positions.lay_fill: "lay_# lay_odds_# total_laid unmatched average_odds liability profit_if_back_wins"
    " profit_if_back_loses guaranteed",
    positions.multi_lay_: "lay_# profit_if_#_wins liability profit_if_back_loses guaranteed",
    positions.unwanted_lay: "back_stake total_if_selection_wins total_if_selection_loses guaranteed",
    positions.trade_out: "lay_stake liability profit total_staked profit_if_selection_wins"
    " profit_if_selection_loses guaranteed",
    positions.early_payout: "lay_stake liability profit_if_back_wins profit_if_back_loses guaranteed"
    " profit_if_both_pay break_even_probability_pct expected_value",
    positions.early_payout_lock_in: "lay_stake back_stake_in_play exchange_net_if_selection_wins"
    " exchange_net_if_selection_loses locked_profit expected_value_of_waiting",
    accumulators.sequential_lay: _ACCUMULATOR
    + " balance bookmaker_if_all_win guaranteed rating_pct",
    accumulators.accumulator_lay_all: "lay_# total_liability profit_if_all_win profit_if_one_loses profit_if_all_lose"
    " guaranteed",
    accumulators.accumulator_no_lay: "combined_odds expected_value",
    accumulators.accumulator_odds: "combined_odds combined_odds_minus_one return_ profit",
    dutching.dutch_total: _SPREAD,
    dutching.arb_back_back: _SPREAD + "is_arb",
    single.arb_back_lay: _LAY + "qualifying_loss rating_pct book_pct is_arb",
    dutching.dutch_target_profit: _SPREAD,
    dutching.dutch_fixed_first: "stake_# total_staked balance profit_if_# guaranteed retention_pct",
    dutching.dutch_mixed: "stake_# lay_stake_# total_stake return_ book_pct is_arb profit_if_# guaranteed",
    dutching.dutch_or_lay: "lay_effective_odds dutch_effective_odds profit_by_lay profit_by_dutch better stake_#",
    racing.each_way: "place_odds win_return place_return total_return total_staked win_lay_stake"
    " win_liability place_lay_stake place_liability profit_if_wins profit_if_places"
    " profit_if_unplaced profit_if_extra_place guaranteed break_even_extra_place_pct"
    " implied_extra_place_odds expected_value",
    racing.each_way_fair_edge: "win_edge_pct place_edge_pct total_edge_pct",
    racing.rule4: "new_odds deduction_pct profit return_",
    racing.dead_heat: "return_ profit lay_result total",
    markets.commission: "commission_if_* net_if_* commission net points rate_pct",
    markets.exposure: "if_* net_liability worst_liability shortfall is_allowed",
    markets.liability_float: "liability free shortfall is_allowed max_lay_stake",
    markets.liability_cap: "liability shortfall max_stake stake_used binding retention_pct",
    markets.ladder: "count is_valid up down nearest next_up next_down ticks moved",
    markets.min_stake: "valid_by_stake valid_by_payout is_placeable liability_exact liability_pence"
    " rounding_undercuts_liability",
    markets.typed_stake: "stake",
    markets.offer_value: "value bonuses",
    prices.odds_conversion: "decimal fractional traditional american american_display hong_kong implied_probability"
    " implied_pct",
    prices.minimum_odds: "combined_odds shortest_leg qualifies",
    prices.overround: "p# fair_odds_# param book_pct margin_pct method",
    prices.exchange_mid: "probability fair_odds micro_probability micro_fair_odds",
    prices.expected_value: "expected_value edge_pct",
    prices.kelly: "stake_fraction stake lay_stake stake_fraction_# stake_#",
}

KINDS: Mapping[str, Calculator] = {
    calculator.kind: calculator
    for calculator in (_calculator(function, names) for function, names in _OUTPUTS.items())
}
"""Every kind by its name."""


def calculate(kind: str, inputs: Mapping[str, object]) -> Outputs:
    """The figures of one calculation: names and text, money to the penny.

    Args:
        kind: A key of `KINDS`.
        inputs: By name; text, numbers, lists and objects as a person or JSON gives them.

    Raises:
        InvalidInput: Names the input at fault and what is allowed; nothing is clamped.
    """
    calculator = KINDS.get(kind)
    if calculator is None:
        raise InvalidInput("kind", kind, "one of " + ", ".join(KINDS))
    return calculator.run(inputs)
