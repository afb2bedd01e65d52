"""Who may import whom; the rooms of the house."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "consent"

BASE = {"errors", "fields", "model", "times", "ids", "policy_types", "pieces", "tallies"}
PURE = BASE | {
    "access", "anchors", "appearance", "catalogue", "checkpoint", "choices", "crew", "examination", "claims", "drafting", "extras", "i18n", "keyring", "lean", "merkle", "origins", "packing", "paths", "policy", "policy_diff", "policy_rules", "patterns",
    "receipts", "regime", "remote", "renderings", "sealing", "settings", "shape", "state",
}  # fmt: skip
ALLOWED = {
    "errors": set(),
    "fields": set(),
    "times": set(),
    "ids": set(),
    "pieces": set(),
    "logs": set(),
    "policy_types": {"fields"},
    "model": {"fields", "policy_types"},
    "tallies": {"model", "times"},
    "storage": BASE | {"packing", "storage"},
    "tree": PURE | {"storage.base"},
    "erasure": PURE | {"storage.base"},
    "together": BASE | {"storage.base"},
    "editions": PURE | {"storage.base"},
    "people": PURE | {"storage.base"},
    "downloads": PURE | {"storage.base"},
    "sessions": PURE | {"storage.base", "people"},
    "openid": PURE | {"people"},
    "trail": PURE | {"storage.base", "ledger"},
    "drafts": PURE | {"storage.base", "ledger"},
    "reading": BASE | {"storage.base"},
    "search": PURE | {"storage.base", "reading"},
    "ledger": PURE | {"storage.base", "tree", "erasure", "together", "editions", "reading"},
    "verify": PURE,
    "evidence": PURE | {"ledger", "export", "tree", "storage.base"},
    "bundle": PURE | {"evidence", "verify"},
    "stored": PURE | {"storage.base", "tree", "verify"},
    "sheet": PURE | {"ledger", "banner"},
    "mirror": PURE | {"verify"},
    "copies": BASE | {"storage.base"},
    "checkup": PURE | {"open_ledger", "openid", "banner", "ledger", "reading", "storage"},
    "administrator": PURE | {"erasure", "ledger", "people", "search", "storage.base", "trail"},
    "keeper": PURE | {"administrator", "ledger", "storage.base", "tree"},
    "columns": PURE,
    "parquet": PURE | {"columns"},
    "export": PURE | {"ledger", "columns", "parquet"},
    "stats": PURE | {"ledger"},
    "banner": PURE | {"ledger"},
    "snippet": PURE | {"banner"},
    "client": {"model", "policy_types", "state"},
} | dict.fromkeys(PURE - BASE, PURE)
FRAMEWORKS = {"flask", "flask_wtf", "flask_cors", "werkzeug", "click", "gunicorn", "gevent"}
THIRD_PARTY = {
    "errors": set(),
    "fields": {"msgspec"},
    "model": {"msgspec"},
    "times": set(),
    "tallies": {"msgspec"},
    "ids": set(),
    "state": {"msgspec"},
}
SQL = ("SELECT ", "INSERT ", "UPDATE ", "DELETE FROM", "CREATE TABLE")


def modules() -> list[str]:
    return sorted(path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".") for path in ROOT.rglob("*.py"))


def tree(module: str) -> ast.Module:
    return ast.parse((ROOT / (module.replace(".", "/") + ".py")).read_text())


def imports(module: str) -> set[str]:
    """Dotted names of everything a module imports, inside functions too; not what only the type checker sees."""
    found: set[str] = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= names if node.module == "consent" else {node.module or ""}
    return found


def ours(module: str) -> set[str]:
    return {name.removeprefix("consent.") for name in imports(module) if name.startswith("consent.")}


def room(module: str) -> str:
    return module.partition(".")[0]


@pytest.mark.parametrize("module", [m for m in modules() if room(m) in ALLOWED])
def test_a_room_imports_only_what_it_may(module):
    allowed = ALLOWED[room(module)]
    foreign = {name for name in ours(module) if name not in allowed and room(name) not in allowed}
    assert not foreign


def test_every_room_has_a_rule():
    assert {room(module) for module in modules()} - set(ALLOWED) == {"__init__", "web", "cli"}


@pytest.mark.parametrize("module", [m for m in modules() if room(m) not in ("web", "cli", "__init__")])
def test_frameworks_stay_in_web_and_cli(module):
    assert not {name.partition(".")[0] for name in imports(module)} & FRAMEWORKS


@pytest.mark.parametrize("module", [m for m in modules() if room(m) == "web"])
def test_the_service_does_not_know_the_command_line(module):
    assert not {name for name in imports(module) if name.startswith(("click", "consent.cli"))}


@pytest.mark.parametrize("module", sorted(THIRD_PARTY))
def test_the_lowest_modules_rest_on_the_standard_library_and_msgspec(module):
    outside = {name.partition(".")[0] for name in imports(module)} - set(sys.stdlib_module_names) - {"consent"}
    assert outside <= THIRD_PARTY[module]


@pytest.mark.parametrize("module", [m for m in modules() if room(m) != "storage"])
def test_sql_stays_in_the_storage(module):
    texts = [node.value for node in ast.walk(tree(module)) if isinstance(node, ast.Constant)]
    assert not [text for text in texts if isinstance(text, str) and text.lstrip().startswith(SQL)]


def test_a_website_reads_the_cookie_without_a_framework():
    code = (
        "import sys, consent.client; print(*(m for m in ('flask', 'click', 'gunicorn', 'sqlite3') if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_download_is_a_process_without_what_only_the_service_or_other_commands_need():
    code = (
        "import sys; from consent.cli import main; main.get_command(None, 'export')\n"
        "print(*(m for m in ('flask', 'jinja2', 'gunicorn', 'limits', 'argon2', 'pyarrow') if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("module", modules())
def test_every_module_says_its_place(module):
    assert ast.get_docstring(tree(module)) or module == "static.__init__"


def test_functions_stay_readable_without_scrolling():
    long = [
        f"{module}.{node.name}"
        for module in modules()
        for node in ast.walk(tree(module))
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno >= 45
    ]
    assert not long


def test_modules_stay_short():
    assert not [m for m in modules() if (ROOT / (m.replace(".", "/") + ".py")).read_text().count("\n") > 350]
