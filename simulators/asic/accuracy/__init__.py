"""How accurate a searched network is: three evaluators behind one interface (``interface.py``)."""
