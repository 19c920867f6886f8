"""DRAM memory controller: a DDR3 or DDR4 rank behind a configurable controller, driven by a trace."""
