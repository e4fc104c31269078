"""What the documentation points at is there: files behind links, options behind command lines, keys behind
settings.
"""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import click
import make_api_docs
import make_reference_docs
import pytest
from conftest import ROOT
from how_tos import fenced_lines

from kisaan_validate.cli.examples import HELP_OPTIONS
from kisaan_validate.cli.main import PROGRAM, cli
from kisaan_validate.contract.load import read_contract
from kisaan_validate.contract.rules import KINDS
from kisaan_validate.ops.config import load_config
from kisaan_validate.ops.config_model import ConfigFile
from kisaan_validate.probe.load import read_probes
from kisaan_validate.rollout.plan import read_plan
from kisaan_validate.suite.repairs import read_repair
from kisaan_validate.suite.settings import read_settings
from kisaan_validate.verdict.waivers import read_waivers

PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "demo" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
DESIGN = ROOT / "docs" / "design.md"


def outside_of_code(text: str) -> str:
    """The page without its fenced blocks and without what stands between backticks."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))


def links_of(text: str) -> list[str]:
    """The targets of links and pictures that lead into this repository."""
    found = re.findall(r"\]\(([^)\s]+)\)", outside_of_code(re.sub(r"\[`([^`\n]*)`\]", r"[\1]", text)))
    return [target for target in found if "://" not in target and not target.startswith("mailto:")]


def anchors_of(text: str) -> set[str]:
    """The fragments that GitHub gives the headings of a page."""
    headings = re.findall(
        r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE), re.MULTILINE
    )
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    """To a file or folder of this repository, and to a heading of it where one is named."""
    wrong = []
    for target in links_of(page.read_text(encoding="utf-8")):
        name, _, fragment = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        there = file.exists() and ROOT in [file, *file.parents]
        if not there or (fragment and fragment not in anchors_of(file.read_text(encoding="utf-8"))):
            wrong.append(target)
    assert not wrong


LINES = [
    (name, line)
    for name, page in zip(NAMES, PAGES, strict=True)
    if name != "docs/cli.md"
    for line in fenced_lines(page.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("page", "line"), LINES, ids=[f"{name}: {line}" for name, line in LINES])
def test_every_command_line_names_what_exists(page: str, line: str) -> None:
    """Each is parsed as the program would parse it, and not run: a command or option that is gone is
    named.
    """
    words = [word for word in shlex.split(line)[1:] if word != "…" and not word.startswith("[")]
    assert parsed(cli, click.Context(cli, info_name=PROGRAM, help_option_names=HELP_OPTIONS), words).name


def parsed(command: click.Command, context: click.Context, words: list[str]) -> click.Command:
    """The command that is meant: down the groups, whose options click's own parser can read."""
    if isinstance(command, click.Group) and words and not words[0].startswith("-"):
        name, found, rest = command.resolve_command(context, words)
        assert found is not None, f"no command {words[0]}"
        return parsed(found, click.Context(found, info_name=name, parent=context), rest)
    command.make_parser(context).parse_args(list(words))
    return command


def test_a_command_line_that_is_wrong_is_seen() -> None:
    """The test itself: an unknown command, an unknown option, an option without its value."""
    for line in ("prove", "run --sute checks", "baseline show --nothing", "run --suite"):
        with pytest.raises(click.UsageError):
            parsed(cli, click.Context(cli, info_name=PROGRAM, help_option_names=HELP_OPTIONS), line.split())
    before = "```toml\nx = 1\n```\n"  # the end of a block is not the beginning of the next
    assert fenced_lines(before + "```sh\nkisaan-validate run \\\n  --suite x   # why\n```\n") == [
        "kisaan-validate run    --suite x"
    ]


def settings_of(page: Path) -> list[str]:
    """The TOML blocks of a page."""
    return re.findall(
        r"^```toml.*?\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE
    )


SETTINGS = [(name, text) for name, page in zip(NAMES, PAGES, strict=True) for text in settings_of(page)]


@pytest.mark.parametrize(
    ("page", "text"), SETTINGS, ids=[f"{name}: {text.split(chr(10))[0]}" for name, text in SETTINGS]
)
def test_every_setting_is_one(page: str, text: str, tmp_path: Path) -> None:
    """Each file is read by its own reader, which refuses unknown keys: a contract, probes, waivers,
    kisaan.toml, suite.toml.
    """
    file = tmp_path / "file.toml"
    given = tomllib.loads(text)
    if "promise" in given:
        assert read_contract(
            text if "format" in given else f'format = 1\nname = "any"\n{text}', page
        ).promises
    elif "health" in given:
        assert read_probes(text, page)
    elif "phase" in given:
        assert read_plan(text, page).forward
    elif "waiver" in given:
        assert read_waivers(text, page)
    elif given.keys() & set(ConfigFile.model_fields):
        file.write_text(text, encoding="utf-8")
        assert load_config(file)
    elif "step" in given:
        assert read_repair(text, page)
    elif given.keys() & {"schemas", "criteria", "ledger", "backup", "rehearsal"}:
        file.write_text(text if "name" in given else f'name = "any"\n{text}', encoding="utf-8")
        assert read_settings(file)
    else:
        assert set(given["project"]["entry-points"]) <= {"kisaan_validate.kinds", "kisaan_validate.formats"}


def test_the_page_of_the_python_api_is_what_the_package_says() -> None:
    """docs/api.md is generated."""
    assert make_api_docs.PAGE.read_text(encoding="utf-8") == make_api_docs.page(), (
        "run: python tests/make_api_docs.py"
    )


@pytest.mark.parametrize("page", make_reference_docs.PAGES, ids=lambda page: page.name)
def test_the_reference_is_what_the_code_says(page: Path) -> None:
    """docs/declarations.md, promises.md and configuration.md are generated."""
    assert page.read_text(encoding="utf-8") == make_reference_docs.PAGES[page](), (
        "run: python tests/make_reference_docs.py"
    )


def test_everything_in_the_reference_has_words() -> None:
    """Each line says something of what it names, and each function, kind and key has a line."""
    lines = [
        re.fullmatch(r"- `([^`]+)`: (.*)", line)
        for page in make_reference_docs.PAGES
        for line in page.read_text(encoding="utf-8").splitlines()
        if line.startswith("- ")
    ]
    assert all(line and re.search(r"\w{2}", line[2]) for line in lines)
    named = {re.split(r"[ (]", line[1])[0] for line in lines if line}
    assert set(make_reference_docs.functions()) | KINDS.keys() <= named
    keys = {
        key
        for model in make_reference_docs.FILES.values()
        for key, _, _ in make_reference_docs.keys_of(model)
    }
    assert keys | {"run.jobs", "personal", "criteria.text", "waiver.expires"} <= named


def test_the_design_stays_short() -> None:
    """Two hundred and fifty lines, and every row of the nouns and of the recipes leads to a file."""
    text = DESIGN.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 250
    for heading in ("## Recipes", "## The nouns"):
        section = text.split(f"{heading}\n")[1].split("\n## ")[0]
        rows = [line for line in section.splitlines() if line.startswith("| ")][2:]
        unlinked = [row for row in rows if "](" not in row and "the floors below" not in row]
        assert not unlinked


@pytest.mark.parametrize(
    "recipe",
    ["a check", "a kind of check", "a command", "an output format", "a kind of promise", "an importer"],
)
def test_every_recipe_is_in_the_design(recipe: str) -> None:
    """What a newcomer adds first has its row, one click from README.md."""
    assert re.search(rf"^\| {recipe}\b", DESIGN.read_text(encoding="utf-8"), re.MULTILINE)
    assert "(docs/design.md)" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_page_is_found_from_the_readme() -> None:
    """By following links: a page that nothing leads to is read by nobody."""
    seen, next_ones = set(), [ROOT / "README.md"]
    while next_ones:
        page = next_ones.pop()
        seen.add(page)
        targets = [target.partition("#")[0] for target in links_of(page.read_text(encoding="utf-8"))]
        pages = {(page.parent / target).resolve() for target in targets if target.endswith(".md")}
        next_ones += pages - seen - set(next_ones)
    assert [name for name, page in zip(NAMES, PAGES, strict=True) if page not in seen] == []
