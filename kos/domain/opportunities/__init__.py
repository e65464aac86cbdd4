"""What is worth betting on: hedges, scores, rankings and dutches."""
