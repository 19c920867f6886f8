"""The literal model of the memory controller: agents, messages and the kernel queue, one file per concern.

It repeats what the reference simulator does step by step, so that every rule can be found and checked.  Read ``engine``
first (rounds and main loop), then ``controller`` (what happens at one point in time), then the parts it calls.  All times
inside are memory-clock cycles; only trace time stamps and results are in ps.
"""
