"""Runs a proxy's ONNX file: one thread, blocks that stay in the processor's cache."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.errors import MissingExtraError, ProxyError
from archgym.proxy.graphs import LEVELS

BLOCK = 256


class Session:
    """A loaded ONNX file.

    Args:
        content: the file.
        name: what messages call it.
        dimensions: D of the designs that it must take.
        outputs: names of the outputs that it must have.

    Attributes:
        outputs: names of all that it tells.

    Raises:
        MissingExtraError: onnxruntime is not installed.
        ProxyError: not an ONNX file, or one that was not written for this.
    """

    def __init__(self, content: bytes, name: str, dimensions: int, outputs: tuple[str, ...]) -> None:
        try:
            import onnxruntime
        except ImportError:
            raise MissingExtraError("a proxy", "onnxruntime", "proxy") from None
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's errors have no common base below Exception
            reason = str(error).splitlines()[0][:200]
            raise ProxyError(f"{name} cannot be read as an ONNX model: {reason}") from error
        inputs, found = self._session.get_inputs(), tuple(output.name for output in self._session.get_outputs())
        takes = [(entry.name, entry.type, entry.shape[1:]) for entry in inputs]
        if takes != [(LEVELS, "tensor(int64)", [dimensions])] or not set(outputs) <= set(found):
            raise ProxyError(
                f"{name} is an ONNX model, but not that of this proxy: expected {LEVELS} of {dimensions} columns and "
                f"the outputs {', '.join(outputs)}, got {takes} and {', '.join(found)}"
            )
        self.outputs = found
        self._only = onnxruntime.RunOptions()
        self._only.only_execute_path_to_fetches = True

    def run(self, levels: NDArray[np.int64], outputs: list[str]) -> list[NDArray[Any]]:
        """Wanted outputs for (N, D) int64 levels, N at least 1."""
        if len(levels) <= BLOCK:
            return list(self._session.run(outputs, {LEVELS: levels}, self._only))
        parts = [
            self._session.run(outputs, {LEVELS: levels[start : start + BLOCK]}, self._only)
            for start in range(0, len(levels), BLOCK)
        ]
        return [np.concatenate(column) for column in zip(*parts, strict=True)]
