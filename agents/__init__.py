"""Search agents: one algorithm, one readable file. An agent knows no simulator and no other agent."""
