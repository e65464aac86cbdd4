"""What bets pay and how they are covered."""
