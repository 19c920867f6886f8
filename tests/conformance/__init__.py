"""The conformance kits over everything that is registered."""
