from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import typer
import typer.main

from sleevenotes import cli
from sleevenotes.settings import Settings
from sleevenotes.sources import contract, imagehosts, registry

CHECKOUT = Path(__file__).resolve().parents[2]
SETTINGS = (CHECKOUT / "docs/reference/settings.md").read_text("utf-8")
COMMANDS = (CHECKOUT / "docs/reference/cli.md").read_text("utf-8")


def commands() -> Iterator[tuple[str, str]]:
    """Yield every command's whole name, and the text of its section."""
    sections = dict(zip(*[iter(re.split(r"^## (\S+)$", COMMANDS, flags=re.MULTILINE)[1:])] * 2, strict=True))
    for command in cli.app.registered_commands:
        name = command.name or ""
        yield name, sections.get(name, "")
    for group in cli.app.registered_groups:
        for command in group.typer_instance.registered_commands if group.typer_instance else []:
            yield f"{group.name} {command.name}", sections.get(str(group.name), "")


@pytest.mark.parametrize("field", msgspec.structs.fields(Settings), ids=lambda field: str(field.name))
def test_every_setting_is_documented_with_its_default(field: msgspec.structs.FieldInfo) -> None:
    row = re.search(rf"^\| `{field.name}` \| (.+?) \| (.+) \|$", SETTINGS, re.MULTILINE)
    assert row, f"docs/reference/settings.md says nothing of {field.name}"
    shown = row[1].strip("`")
    if field.name != "contact":  # its default is an address of ours, said in words
        assert shown == (str(field.default) or "empty")


def test_no_setting_is_documented_that_does_not_exist() -> None:
    table, _, _ = SETTINGS.partition("## Names of sources")
    documented = set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))
    assert documented == {field.name for field in msgspec.structs.fields(Settings)}


def test_every_source_that_can_be_named_is_documented() -> None:
    _, _, table = SETTINGS.partition("## Names of sources")
    hosts = {source.name for source in (*imagehosts.HOSTS, imagehosts.ELSEWHERE)}
    every = {source.name for source in registry.every(contract.Keys())}
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == every - hosts


@pytest.mark.parametrize(("name", "section"), list(commands()), ids=[name for name, _ in commands()])
def test_every_command_is_documented(name: str, section: str) -> None:
    assert f"sleevenotes {name}" in section


def test_every_option_is_documented() -> None:
    group = typer.main.get_command(cli.app)
    options = set(options_of(group))
    missing = sorted(option for option in options - {"--help"} if option not in COMMANDS)
    assert not missing


def options_of(command: object) -> Iterator[str]:
    for parameter in getattr(command, "params", []):
        if not getattr(parameter, "hidden", False):
            yield from (name for name in parameter.opts if name.startswith("--"))
    for inner in getattr(command, "commands", {}).values():
        yield from options_of(inner)


@pytest.mark.parametrize(
    "page", sorted(CHECKOUT.glob("docs/**/*.md")) + sorted(CHECKOUT.glob("*.md")), ids=lambda page: str(page.name)
)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text("utf-8"))
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert not missing
