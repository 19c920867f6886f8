"""The conformance tests have a cache of their own, so that they see what is run now, not what was run once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="package", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ARCHGYM_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
