"""Write ``docs/lint-rules.md``: a section for each rule, from the rules and their examples.

The code that a section shows is the first positive and the first negative example of the rule, which the
tests run on the three backends::

    python tools/lint_page.py            # write the page
    python tools/lint_page.py --check    # exit status 1 when it is out of date
"""

from __future__ import annotations

import sys
import textwrap
import tomllib
from pathlib import Path
from typing import Any

from backends_matrix.lint import rules as _rules
from backends_matrix.lint.rule import RULES, Rule

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "lint-rules.md"
EXAMPLES = ROOT / "tests" / "backends_matrix" / "lint" / "examples"
SHOWN = (
    "head",
    "init",
    "build",
    "call",
    "methods",
    "loss",
    "body",
    "model",
    "run",
    "image",
    "image_call",
)
FIELDS = {
    "init": "def __init__(self, {parameters}**kwargs):\n    super().__init__(**kwargs)\n",
    "build": "def build(self, input_shape):\n",
    "call": "def call(self, {signature}):\n",
    "image_call": "def call(self, x):\n",
    "loss": "def call(self, y_true, y_pred):\n",
    "body": "def build_model():\n",
}

assert _rules.LOADED, "the rules are defined when they are imported"


def read_examples() -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Examples by rule and kind."""
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for path in sorted(EXAMPLES.glob("*.toml")):
        found |= tomllib.loads(path.read_text(encoding="utf-8"))
    return found


def shown(example: dict[str, Any]) -> str:
    """The part of an example that a reader needs."""
    parts = []
    for field in SHOWN:
        text = example.get(field, "").strip("\n")
        if not text:
            continue
        frame = FIELDS.get(field)
        if frame is not None:
            opening = frame.format(
                parameters=example.get("parameters", ""),
                signature=example.get("signature", "x, training=None"),
            )
            text = opening + textwrap.indent(text, "    ")
        parts.append(text)
        if field == "head":
            parts.append("")
    for field, opening in (("config", "def get_config(self):"), ("optimizer", "")):
        if field == "config" and field in example:
            parts.append(f"{opening}\n    return {{**super().get_config(), {example[field]}}}")
        elif field in example:
            parts.append(f"optimizer = {example[field]}")
    return "\n".join(parts).strip("\n")


def section(rule: Rule, examples: dict[str, list[dict[str, Any]]]) -> str:
    """One rule."""
    lines = [
        f"## {rule.code} {rule.name}",
        "",
        rule.summary,
        "",
        f"**What goes wrong.** {rule.why}",
    ]
    if rule.seen:
        lines += ["", f"**What is seen.** {rule.seen}."]
    lines += ["", f"**Instead.** {rule.hint}"]
    if rule.static:
        lines += ["", f"Shown by no run: {rule.static}."]
    for kind, title in (("positive", "Found"), ("negative", "Left alone")):
        if kind in examples:
            example = examples[kind][0]
            lines += ["", f"{title}, {example['title']}:", "", "```text", shown(example), "```"]
    return "\n".join(lines)


def rendered() -> str:
    """The page."""
    examples = read_examples()
    codes = sorted(RULES)
    lines = [
        "# The rules of `portable lint`",
        "",
        "Made by `python tools/lint_page.py`. Each rule has at least three examples that it finds and "
        "three that it leaves alone, in `tests/backends_matrix/lint/examples`; `pytest -m backends` runs "
        "them on the three backends, where what is found fails or differs and what is left alone does not. "
        "How to run the linter is on [another page](lint.md).",
        "",
        "| code | name | group | finds |",
        "| --- | --- | --- | --- |",
    ]
    for code in codes:
        rule = RULES[code]
        anchor = f"{code} {rule.name}".lower().replace(" ", "-")
        lines.append(f"| [{code}](#{anchor}) | {rule.name} | {rule.group} | {rule.summary} |")
    for code in codes:
        lines += ["", section(RULES[code], examples.get(code, {}))]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write or check the page."""
    text = rendered()
    if "--check" in sys.argv[1:]:
        return 0 if PAGE.read_text(encoding="utf-8") == text else 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
