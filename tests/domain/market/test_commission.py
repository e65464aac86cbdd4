from __future__ import annotations

from decimal import Decimal

import pytest

from kos.domain.market.commission import read_rate
from kos.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("2%", "0.02"),
        ("0.02", "0.02"),
        (" 6.5 % ", "0.065"),
        ("0", "0"),
        ("0%", "0"),
        ("99.99%", "0.9999"),
        (".05", "0.05"),
    ],
)
def test_a_rate_is_read_from_a_percentage_or_a_fraction_of_one(text: str, rate: str) -> None:
    assert read_rate("commission", text) == Decimal(rate)


@pytest.mark.parametrize(
    "text",
    ["", "%", "2", "1", "100%", "200%", "-1%", "-0.01", "1,5%", "1_0%", "NaN", "inf%", "1e-2", "٢%",
     "2%%", "£2", "2/100", "two"],
)  # fmt: skip
def test_what_is_no_rate_is_refused_by_name_in_a_sentence(text: str) -> None:
    pattern = r"^Commission .+\. Enter a rate from 0% to below 100%, e\.g\. 2% or 0\.02\.$"
    with pytest.raises(InvalidInput, match=pattern) as refused:
        read_rate("commission", text)
    assert (refused.value.field, refused.value.value) == ("commission", text)
