"""What axe-core, run in headless Chromium, finds wrong with a page, and what a phone has to scroll sideways for."""

import json
import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from .browser import told

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]  # level AA, and headings in order
DARK = "(prefers-color-scheme: dark)"
# The dark colours are put in force in the same page, since starting the browser takes longest.
AUDIT = """<script>%(axe)s</script><script>
(async () => {
  const wide = () => document.documentElement.scrollWidth > document.documentElement.clientWidth;
  const audit = async () => {
    const found = await axe.run({runOnly: %(rules)s});
    const nodes = rule => rule.nodes.map(node => rule.id + ": " + node.html.slice(0, 150) + " " + node.failureSummary);
    return {wrong: found.violations.flatMap(nodes), passed: found.passes.map(rule => rule.id)};
  };
  const light = await audit();
  for (const style of document.querySelectorAll("style"))
    style.textContent = style.textContent.replaceAll(%(dark)s, "all");
  const dark = await audit();
  const place = document.createElement("pre");
  place.id = "audit";
  const background = getComputedStyle(document.body).backgroundColor;
  place.textContent = JSON.stringify({light, dark, too_wide: wide(), background});
  document.body.append(place);
})();</script></body>"""


@dataclass(frozen=True)
class Audit:
    """What was found: each violation with its element in a line, the rules that hold, whether the page is too wide."""

    light: list[str]
    dark: list[str]
    passed: set[str]
    too_wide: bool
    dark_background: str


def audit(page: Path, folder: Path, *, width: int = 500) -> Audit:
    """Audit a page in light and dark, in a window `width` pixels wide.

    The page forbids scripts, so it is a copy without its policy that is looked at.
    """
    axe = (files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")
    script = AUDIT % {"axe": axe, "rules": json.dumps(RULES), "dark": json.dumps(DARK)}
    text = re.sub(r"<meta http-equiv[^>]*>", "", page.read_text(encoding="utf-8"))
    copy = folder / "audited.html"
    copy.write_text(text.replace("</body>", script), encoding="utf-8")
    found = told(copy, folder, "audit", f"--window-size={width},3000")
    return Audit(
        found["light"]["wrong"],
        found["dark"]["wrong"],
        set(found["light"]["passed"]) & set(found["dark"]["passed"]),
        found["too_wide"],
        found["background"],
    )
