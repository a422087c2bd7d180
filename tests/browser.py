"""Headless Chromium without a network: what a page holds when it has run, and what it asks for beside itself."""

import html
import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# No name resolves, so that whatever is asked of a network is refused.
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND"]
FLAGS += ["--virtual-time-budget=60000", "--dump-dom"]

POLICY = "default-src 'none'"
# Beside the policy of the page, which stays in force, one script that tells what came of it.
LOOK = """<script nonce="look">
const refused = [], failed = [];
addEventListener("securitypolicyviolation", told => refused.push(`${told.effectiveDirective} ${told.blockedURI}`));
addEventListener("error", told => failed.push(told.target.src || told.target.href || told.message), true);
addEventListener("load", async () => {
  const images = [...document.images];
  await Promise.allSettled([document.fonts.ready, ...images.map(image => image.decode())]);
  const told = {
    asked: performance.getEntriesByType("resource").map(entry => entry.name).filter(name => !name.startsWith("data:")),
    refused, failed,
    images: images.length,
    unseen: images.filter(image => !(image.complete && image.naturalWidth > 0)).map(image => image.alt || image.src),
    style_rules: [...document.styleSheets].map(sheet => sheet.href ? 0 : sheet.cssRules.length),
    fonts: [...document.fonts].map(font => font.family),
    scripts: document.scripts.length - 1,
  };
  const place = document.createElement("pre");
  place.id = "told";
  place.textContent = JSON.stringify(told);
  document.body.append(place);
});</script>"""


@dataclass(frozen=True)
class Seen:
    """What became of a page, as the browser tells.

    Parameters
    ----------
    asked : list of str
        Addresses that were asked for, but for those that hold what they stand for (`data:`).
    refused, failed : list of str
        What the policy of the page kept from being asked for, and what did not load.
    images : int
        How many images there are.
    unseen : list of str
        Those of them that show nothing.
    style_rules : list of int
        How many rules each style sheet has; 0 where it is not in the page.
    fonts : list of str
        Families of fonts that the page does not find on the machine but brings.
    scripts : int
        How many there are.
    """

    asked: list[str]
    refused: list[str]
    failed: list[str]
    images: int
    unseen: list[str]
    style_rules: list[int]
    fonts: list[str]
    scripts: int

    @property
    def whole(self) -> bool:
        """Return whether the page shows everything, and asked for nothing."""
        wanting = [*self.asked, *self.refused, *self.failed, *self.unseen, *self.fonts]
        return not wanting and not self.scripts and bool(self.style_rules) and all(self.style_rules)


def look(page: Path, folder: Path) -> Seen:
    """Open a page with its policy in force, from where it lies; `folder` is for the browser's own files."""
    text = page.read_text(encoding="utf-8")
    assert POLICY in text, "a page has a policy that forbids what it does not name"
    head, meta, rest = re.split(r"(<meta http-equiv[^>]*>)", text, maxsplit=1)
    copy = page.with_name("looked-at.html")
    copy.write_text(head + meta.replace(POLICY, f"{POLICY}; script-src 'nonce-look'") + LOOK + rest, encoding="utf-8")
    try:
        return Seen(**told(copy, folder, "told"))
    finally:
        copy.unlink()


def told(page: Path, folder: Path, element: str, *flags: str) -> Any:
    """Return what a script of the page wrote as JSON into an element."""
    command = [shutil.which("chromium"), *FLAGS, f"--user-data-dir={folder / 'profile'}", *flags, page.as_uri()]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=180)
    written = re.search(rf'<pre id="{element}">(.*?)</pre>', done.stdout, re.DOTALL)
    assert written, done.stderr
    return json.loads(html.unescape(written[1]))
