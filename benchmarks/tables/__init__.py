"""How well values and simple arithmetic are read out of the tables of company reports (TAT-QA)."""
