"""Connecting to a Ray cluster: one that is started on this machine, or one that is there."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping
from typing import Any

from archgym.errors import ArchGymError, MissingExtraError

LOCAL = "local"
KNOCK_SECONDS = 10.0


def import_ray(who: str) -> Any:
    """The library ``ray``.

    Args:
        who: wants it, for the error.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import ray
    except ImportError:
        raise MissingExtraError(who, "ray", "sweep") from None
    return ray


def connect(ray: Any, address: str, cores: int | None = None, resources: Mapping[str, float] | None = None) -> bool:
    """Connects this process to a cluster, unless it is connected already.

    Args:
        ray: the library.
        address: "local" starts a cluster on this machine; anything else is what ``ray.init`` connects to.
        cores: of a local cluster; those of this process by default.
        resources: further ones that a local cluster has.

    Returns:
        Whether there was no connection before: whoever made it ends it, with ``ray.shutdown``.

    Raises:
        ArchGymError: no cluster answers there.
    """
    if ray.is_initialized():
        return False
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR, "configure_logging": True}
    try:
        if address == LOCAL:
            os.environ.setdefault("RAY_AUTH_MODE", "disabled")  # nobody but this process knows of the cluster
            own = {"num_cpus": cores or len(os.sched_getaffinity(0)), "resources": dict(resources or {})}
            ray.init(address="local", include_dashboard=False, **own, **quiet)
        else:
            _knock(address)  # Ray itself takes minutes to find out that nobody is there
            ray.init(address=address, **quiet)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise ArchGymError(f"no Ray cluster answers at {address}: {error}. Start one with: ray start --head") from error
    return True


def _knock(address: str) -> None:
    """Raises ``OSError`` if nothing listens at ``HOST:PORT``; other forms of address are left to Ray."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), KNOCK_SECONDS).close()
