"""Fails where a Markdown file links to a file or heading of this repository that is not there."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
_LINK = re.compile(r"(?<!\!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
_HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*$", re.MULTILINE)


def markdown_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    return [ROOT / name for name in listed if (ROOT / name).exists()]


def anchors_of(text: str) -> set[str]:
    """The anchors that a renderer makes from the headings."""
    headings = (re.sub(r"[`*]", "", heading).lower() for heading in _HEADING.findall(text))
    return {re.sub(r"[^\w\- ]", "", heading).strip().replace(" ", "-") for heading in headings}


def broken_links(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    found = []
    for match in _LINK.finditer(_CODE.sub("", text)):
        target, _, anchor = (match.group(1) or match.group(2)).partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        file = (path.parent / target).resolve() if target else path
        if not file.exists():
            found.append(f"{path.relative_to(ROOT)}: {match.group(0)} leads to no file")
        elif anchor and file.suffix == ".md" and anchor not in anchors_of(file.read_text(encoding="utf-8")):
            found.append(f"{path.relative_to(ROOT)}: {match.group(0)} leads to no heading")
    return found


if __name__ == "__main__":
    files = markdown_files()
    problems = [problem for path in files for problem in broken_links(path)]
    for problem in problems:
        print(problem)
    if problems:
        sys.exit(1)
    print(f"Links in {len(files)} Markdown files are good.")
