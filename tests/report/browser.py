"""A headless Chromium, driven over the DevTools protocol by two pipes: no driver, no library."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

START = """
import os, sys
read, write, *command = sys.argv[1:]
os.dup2(int(read), 3)
os.dup2(int(write), 4)
os.execv(command[0], command)
"""
SECONDS = 60


def chromium() -> str | None:
    """Where a Chromium is, if there is one."""
    return next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)


class Browser:
    """One page; use it in a ``with`` statement.

    Attributes:
        console: what the page and the browser have complained about or printed.
    """

    def __init__(self, program: str, profile: Path) -> None:
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        far = [fcntl.fcntl(end, fcntl.F_DUPFD, 20) for end in (theirs_in, theirs_out)]  # clear of 3 and 4
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe"]
        flags += ["--no-first-run", f"--user-data-dir={profile}", "--hide-scrollbars", "about:blank"]
        words = [sys.executable, "-c", START, *map(str, far), program, *flags]
        self._process = subprocess.Popen(words, pass_fds=far, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for end in (theirs_in, theirs_out, *far):
            os.close(end)
        self._buffer, self._number, self._session = b"", 0, ""
        self.console: list[str] = []

    def __enter__(self) -> Browser:
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._in)
        os.close(self._out)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return dict(answer["result"])

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            if not select.select([self._in], [], [], SECONDS)[0]:
                raise TimeoutError(f"Chromium said nothing for {SECONDS} s")
            piece = os.read(self._in, 1 << 20)
            if not piece:
                raise RuntimeError("Chromium has ended")
            self._buffer += piece
        line, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        kind, content = message.get("method"), message.get("params", {})
        if kind == "Runtime.consoleAPICalled":
            self.console.append(" ".join(str(each.get("value", each.get("description"))) for each in content["args"]))
        elif kind == "Runtime.exceptionThrown":
            self.console.append(str(content["exceptionDetails"].get("exception", {}).get("description", content)))
        elif kind == "Log.entryAdded":
            self.console.append(content["entry"]["text"])
        elif kind == "Network.requestWillBeSent" and not content["request"]["url"].startswith(("file:", "data:", "blob:")):
            self.console.append(f"request: {content['request']['url']}")
        return message

    def run(self, code: str) -> Any:
        """The value of a JavaScript expression; promises are awaited."""
        answer = self.call("Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"].get("description"))
        return answer["result"].get("value")

    def wait_for(self, code: str) -> None:
        """Until a JavaScript expression is true."""
        end = time.monotonic() + SECONDS
        while not self.run(code):
            if time.monotonic() > end:
                raise TimeoutError(f"never became true: {code}; console: {self.console}")
            time.sleep(0.02)

    def open(self, page: Path | str, *, width: int = 1280, height: int = 900, dark: bool = False) -> float:
        """Opens a page; the seconds until it has loaded."""
        phone = width < 600
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        start = time.monotonic()
        self.call("Page.navigate", url=page if isinstance(page, str) else page.absolute().as_uri())
        self.wait_for("location.href !== 'about:blank' && document.readyState === 'complete'")
        return time.monotonic() - start

    def screenshot(self, path: Path, *, whole: bool = False) -> None:
        """Writes a PNG file of what is visible, or of the whole page."""
        options: dict[str, Any] = {}
        if whole:
            size = self.call("Page.getLayoutMetrics")["cssContentSize"]
            options = {
                "captureBeyondViewport": True,
                "clip": {"x": 0, "y": 0, "scale": 1, "width": size["width"], "height": size["height"]},
            }
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", **options)["data"]))
