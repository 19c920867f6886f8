"""The exact mode: SCALE-Sim 3.0.0's figures, without walking over cycles or words."""
