"""Every calculator by kind: named inputs as text in, named figures as text out."""

from kos.domain.calculators.table import KINDS, Calculator, Input, calculate

__all__ = ["KINDS", "Calculator", "Input", "calculate"]
