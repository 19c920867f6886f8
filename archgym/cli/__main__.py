"""``python -m archgym.cli``: the same as ``archgym``."""

from __future__ import annotations

import sys

from archgym.cli import main

sys.exit(main())
