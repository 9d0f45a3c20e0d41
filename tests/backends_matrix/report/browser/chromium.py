"""A headless Chromium, driven over pipes by the DevTools protocol: https://chromedevtools.github.io/devtools-protocol/."""

import base64
import io
import json
import os
import shutil
import subprocess
import sys

import matplotlib.image

NAMES = ("chromium", "chromium-browser", "google-chrome")
# Chromium reads commands from descriptor 3 and writes answers to 4; the pipes may have these numbers already.
LAUNCH = (
    "import fcntl, os, sys\n"
    "read, write = (fcntl.fcntl(int(each), fcntl.F_DUPFD, 100) for each in sys.argv[1:3])\n"
    "os.dup2(read, 3)\nos.dup2(write, 4)\nos.execv(sys.argv[3], sys.argv[3:])\n"
)
TAB = {"key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}


def found():
    """The path of a browser, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One page in one browser; events are kept as they come."""

    def __init__(self, path, folder):
        (read, self._write), (self._read, write) = os.pipe(), os.pipe()
        # --no-sandbox: in a container's root account there is no sandbox, and the page is our own.
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe"]
        options += [
            "--hide-scrollbars",
            "--no-first-run",
            f"--user-data-dir={folder}",
            "about:blank",
        ]
        self._process = subprocess.Popen(
            [sys.executable, "-c", LAUNCH, str(read), str(write), path, *options],
            pass_fds=(read, write),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(read)
        os.close(write)
        self._number, self._rest, self.events = 0, b"", []
        self._session = None
        pages = self.ask("Target.getTargets")["targetInfos"]
        page = next(each["targetId"] for each in pages if each["type"] == "page")
        attached = self.ask("Target.attachToTarget", targetId=page, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def close(self):
        os.close(self._write)
        self._process.terminate()
        self._process.wait()
        os.close(self._read)

    def ask(self, method, **parameters):
        """Send a command and wait for its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    def _next(self):
        while b"\0" not in self._rest:
            more = os.read(self._read, 1 << 20)
            assert more, "the browser has ended"
            self._rest += more
        text, _, self._rest = self._rest.partition(b"\0")
        return json.loads(text)

    def open(self, path, scheme="light", width=1280, height=1600):
        """Show a file in a light or dark scheme, and give the events until it has loaded."""
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.ask("Emulation.setEmulatedMedia", media="screen", features=[feature])
        self.events.clear()
        self.ask("Page.navigate", url=path.resolve().as_uri())
        while not any(each["method"] == "Page.loadEventFired" for each in self.events):
            self.events.append(self._next())
        return self.events

    def evaluate(self, expression):
        """The value of an expression of JavaScript; the page's own policy does not bind the protocol."""
        answer = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def press_tab(self):
        """Move the focus on by one."""
        for kind in ("rawKeyDown", "keyUp"):
            self.ask("Input.dispatchKeyEvent", type=kind, **TAB)

    def picture(self):
        """What is seen, as an array of shape (height, width, 3) from 0 to 1."""
        data = base64.b64decode(self.ask("Page.captureScreenshot", format="png")["data"])
        return matplotlib.image.imread(io.BytesIO(data), format="png")[..., :3]

    def printed(self):
        """The bytes of a PDF."""
        return base64.b64decode(self.ask("Page.printToPDF", preferCSSPageSize=True)["data"])
