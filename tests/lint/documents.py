"""Rules for documents: a folder's README fits a screen, links lead somewhere, and what is named exists."""

import fnmatch
import pathlib
import posixpath
import re

SCREEN_LINES, SCREEN_COLUMNS = 60, 120
TOP_FOLDERS = ("crypto", "ledger", "consensus", "node", "rpc", "wallet-cli", "testnet", "tests", "docs")
LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
DOCUMENT = re.compile(r"(?<![\w./-])docs/[\w/-]+\.md\b")
CODE = re.compile(r"`([^`\n]+)`")
NAME = re.compile(r"[\w./*-]+")
# A table whose first column is headed so lists what stands in the README's own folder.
LISTS_FILES = re.compile(r"^\|\s*(file|part|folder|file or folder)\s*\|")


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def without_code_blocks(text):
    """The text with fenced and indented blocks blanked, line numbers kept."""
    lines, fenced = [], False
    for line in text.split("\n"):
        fence = line.lstrip().startswith("```")
        lines.append("" if fenced or fence or line.startswith("    ") else line)
        fenced ^= fence
    return "\n".join(lines)


def screen_lines(text):
    return sum(max(1, -(-len(line) // SCREEN_COLUMNS)) for line in text.splitlines())


def anchors(text):
    """The names that a browser of the repository gives to headings."""
    found = set()
    for heading in re.findall(r"^#+ +(.+?) *$", without_code_blocks(text), re.M):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        count = 0
        while slug + (f"-{count}" if count else "") in found:
            count += 1
        found.add(slug + (f"-{count}" if count else ""))
    return found


def exists(root, path):
    """True for a file, a folder, a file named without its ending, and a pattern that something matches."""
    at = root / path.rstrip("/")
    if at.exists():
        return True
    if path.endswith("/") or not at.parent.is_dir():
        return False
    return any(fnmatch.fnmatch(entry.name, at.name) or fnmatch.fnmatch(entry.name, at.name + ".*")
               for entry in at.parent.iterdir())


def check_length(path, text):
    lines = screen_lines(text)
    if path.endswith("/README.md") and lines > SCREEN_LINES:
        yield "readme-length", (f"{path}:1: {lines} lines of {SCREEN_COLUMNS} columns; a folder's README has at most "
                                f"{SCREEN_LINES}: split it along the folders, or move detail into docs/")


def check_links(root, path, text, files):
    prose = without_code_blocks(text)
    for match in LINK.finditer(prose):
        target, _, anchor = match.group(1).partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        where = f"{path}:{line_of(prose, match.start())}"
        resolved = posixpath.normpath(posixpath.join(posixpath.dirname(path), target)) if target else path
        if resolved.startswith("..") or not (root / resolved).exists():
            yield "link", f"{where}: links to {target}, which does not exist"
        elif anchor and resolved.endswith(".md") and anchor not in anchors(files.get(resolved, "")):
            yield "link", f"{where}: {resolved} has no heading #{anchor}"


def check_names(root, path, text):
    """Paths from the root in backticks, and the files that a README's table lists."""
    folder, listing = posixpath.dirname(path), False
    for number, line in enumerate(without_code_blocks(text).split("\n"), 1):
        listing = bool(LISTS_FILES.match(line)) or (listing and line.startswith("|"))
        first_cell = line.split("|")[1] if listing else ""
        for name in CODE.findall(line):
            if not NAME.fullmatch(name):
                continue
            if "/" in name and name.split("/")[0] in TOP_FOLDERS and exists(root, name):
                continue
            own = path.endswith("README.md") and f"`{name}`" in first_cell
            if own and not exists(root, posixpath.normpath(posixpath.join(folder, name)) + "/" * name.endswith("/")):
                yield "named-path", f"{path}:{number}: lists `{name}`, which is not in {folder or 'the root'}"
            elif not own and "/" in name and name.split("/")[0] in TOP_FOLDERS and not exists(root, posixpath.join(folder, name)):
                yield "named-path", f"{path}:{number}: names `{name}`, which does not exist"


def check_listed(files):
    """Every folder has its README, and every decision is in the list of decisions."""
    if "README.md" not in files:
        return
    for folder in TOP_FOLDERS:
        if any(path.startswith(folder + "/") for path in files) and f"{folder}/README.md" not in files:
            yield "unlisted", f"{folder}:1: has no README.md that says what is in it"
    decisions = "docs/decisions/"
    for path in files:
        if path.startswith(decisions + "0") and path.removeprefix(decisions) not in files.get(decisions + "README.md", ""):
            yield "unlisted", f"{path}:1: is not in the list of {decisions}README.md"


def check_documents(root, files):
    yield from check_listed(files)
    for path, text in files.items():
        for match in DOCUMENT.finditer(text):
            if not (root / match.group(0)).exists():
                yield "link", f"{path}:{line_of(text, match.start())}: names {match.group(0)}, which does not exist"
        if pathlib.PurePosixPath(path).suffix == ".md":
            yield from check_length(path, text)
            yield from check_links(root, path, text, files)
            if not path.startswith("docs/decisions/"):  # they speak of the code as it was
                yield from check_names(root, path, text)
