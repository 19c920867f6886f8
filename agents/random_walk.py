"""Random walk: every design drawn uniformly, whatever was seen before.  The baseline that everything has to beat."""

from __future__ import annotations

from archgym import Agent, Designs, DesignSpace


class RandomWalk(Agent):
    """Uniform random search with replacement.

    ArchGym calls it the random walker.  It has no hyper-parameters, so the spread of its runs is the spread of seeds alone.
    """

    name = "random_walk"
    asynchronous = True
    hyperparameters = DesignSpace(())

    def ask(self, n: int) -> Designs:
        """Draws ``n`` designs, (n, D) int32; how a run is cut into batches does not change what is drawn."""
        return self.space.sample(n, self.rng)
