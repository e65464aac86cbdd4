"""Markets as they are quoted: fixtures, prices, odds, ladders, commission."""
