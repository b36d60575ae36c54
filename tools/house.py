"""The gates on the house itself: sizes of functions and modules, cycles, annotations, licences.

Run by `make check`. Prints one line for each broken rule and ends with 1 when there is one.
"""

from __future__ import annotations

import ast
import re
import statistics
import sys
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "clew"
SPEC = ROOT / "spec"

FUNCTION_WALL = 60
FUNCTION_P90 = 30
MODULE_WALL = 600

# Licences that what we install may carry: permissive, weak copyleft used unmodified as a library.
ALLOWED_LICENCES = re.compile(
    r"\b(MIT|BSD|Apache|ISC|PSF|Python Software Foundation|MPL|Mozilla|Zlib|Unlicense|0BSD|CC0|HPND|CNRI|PIL|LLVM)",
    re.IGNORECASE,
)
# Never shipped with us, and their packages do not state a licence: what their own files say, and what they are for.
EXCEPTIONS: dict[str, str] = {
    "cvc5": "BSD-3-Clause by its COPYING file; the optional extra `solver`, and the oracle of the tests",
    "pysimdjson": "MIT by its LICENSE file; used by the benchmark only",
}


@dataclass(frozen=True, slots=True)
class Function:
    """One function of ours and its length in lines, docstring not counted."""

    module: Path
    name: str
    line: int
    length: int


Definition = ast.FunctionDef | ast.AsyncFunctionDef


def functions(module: Path, tree: ast.Module) -> list[Function]:
    """Every function of the module."""
    return [
        Function(module, node.name, node.lineno, _length(node))
        for node in ast.walk(tree)
        if isinstance(node, Definition)
    ]


def _length(node: Definition) -> int:
    total = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    ):
        total -= (first.end_lineno or first.lineno) - first.lineno + 1
    return total


def unannotated(module: Path, tree: ast.Module) -> list[str]:
    """Public functions that lack an annotation on an argument or the result."""
    return [
        f"{_where(module, node.lineno)}: `{node.name}` is public and not fully annotated"
        for node in ast.walk(tree)
        if isinstance(node, Definition) and not node.name.startswith("_") and not _is_annotated(node)
    ]


def _is_annotated(node: Definition) -> bool:
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    named = [a for a in arguments if a.arg not in {"self", "cls"}]
    return node.returns is not None and all(a.annotation is not None for a in named)


def cycles(trees: dict[Path, ast.Module]) -> list[str]:
    """Groups of our modules that import each other in a circle; imports inside functions count."""
    graph = {_dotted(path): _imports(path, tree) for path, tree in trees.items()}
    graph = {name: {target for target in targets if target in graph} for name, targets in graph.items()}
    return [f"import cycle: {' → '.join(sorted(group))}" for group in _components(graph) if len(group) > 1]


def _dotted(path: Path) -> str:
    base = ROOT if path.is_relative_to(SPEC) else SOURCE.parent
    parts = path.relative_to(base).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(path: Path, tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in _outside_type_checking(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.update(_imported_from(node.module, alias.name) for alias in node.names)
    return found - {_dotted(path)}


def _imported_from(module: str, name: str) -> str:
    """The module that `from module import name` needs: a submodule, else the module itself."""
    base = ROOT if module.split(".", maxsplit=1)[0] == SPEC.name else SOURCE.parent
    path = base.joinpath(*module.split("."), name)
    return f"{module}.{name}" if path.is_dir() or path.with_suffix(".py").is_file() else module


def _outside_type_checking(node: ast.AST) -> list[ast.AST]:
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        return []
    return [node, *(inner for child in ast.iter_child_nodes(node) for inner in _outside_type_checking(child))]


def _components(graph: dict[str, set[str]]) -> list[set[str]]:
    reach = {name: _reachable(graph, name) for name in graph}
    seen: set[str] = set()
    groups = []
    for name in graph:
        if name not in seen:
            group = {other for other in reach[name] if name in reach[other]} | {name}
            seen |= group
            groups.append(group)
    return groups


def _reachable(graph: dict[str, set[str]], start: str) -> set[str]:
    found: set[str] = set()
    stack = [start]
    while stack:
        for target in graph[stack.pop()] - found:
            found.add(target)
            stack.append(target)
    return found


def licences() -> dict[str, str]:
    """The licence of every installed package, as the package states it."""
    found = {}
    for distribution in distributions():
        metadata = distribution.metadata
        classifiers = [c for c in metadata.get_all("Classifier") or [] if c.startswith("License")]
        text = " ".join([*(metadata.get_all("License-Expression") or []), *classifiers]).strip()
        text = text or " ".join(metadata.get_all("License") or [])[:200]
        found[metadata["Name"] or "?"] = " ".join(text.split())
    return dict(sorted(found.items(), key=lambda item: item[0].lower()))


def unlisted(found: dict[str, str]) -> list[str]:
    """Packages whose licence is not on the list."""
    return [
        f"licence of `{name}` is not on the list: `{text or 'none stated'}`"
        for name, text in found.items()
        if name not in EXCEPTIONS and not ALLOWED_LICENCES.search(text)
    ]


def write_licences(found: dict[str, str]) -> Path:
    """Write the list beside the other build products."""
    path = ROOT / "build" / "licences.txt"
    path.parent.mkdir(exist_ok=True)
    lines = [f"{name}: {text or EXCEPTIONS.get(name, '')}" for name, text in found.items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _where(module: Path, line: int) -> str:
    return f"{module.relative_to(ROOT)}:{line}"


def sizes(found: list[Function], trees: dict[Path, ast.Module]) -> list[str]:
    """Functions and modules beyond their walls."""
    problems = [
        f"{_where(f.module, f.line)}: `{f.name}` has {f.length} lines; the wall is {FUNCTION_WALL}"
        for f in found
        if f.length > FUNCTION_WALL
    ]
    for path in trees:
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > MODULE_WALL:
            problems.append(f"{path.relative_to(ROOT)}: {lines} lines; the wall is {MODULE_WALL}")
    if p90(found) > FUNCTION_P90:
        problems.append(f"90 % of functions should have at most {FUNCTION_P90} lines; now {p90(found)}")
    return problems


def decisions(folder: Path = ROOT / "docs" / "decisions") -> list[str]:
    """Pages of decisions that share a number, or whose title says another."""
    problems, taken = [], dict[str, str]()
    for page in sorted(folder.glob("[0-9]*.md")):
        number = page.name.partition("-")[0]
        if number in taken:
            problems.append(f"docs/decisions/{page.name}: {taken[number]} has that number")
        taken[number] = page.name
        if not page.read_text(encoding="utf-8").startswith(f"# {int(number)}. "):
            problems.append(
                f"docs/decisions/{page.name}:1: expected a title that begins with `{int(number)}. `"
            )
    return problems


def p90(found: list[Function]) -> int:
    """The length that nine of ten functions stay within."""
    return sorted(f.length for f in found)[int(len(found) * 0.9)]


def main() -> int:
    """Check every gate, print the breaches and a summary."""
    modules = [*sorted(SOURCE.rglob("*.py")), *sorted(SPEC.rglob("*.py"))]
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in modules}
    found = [function for path, tree in trees.items() for function in functions(path, tree)]
    installed = licences()
    problems = sizes(found, trees) + cycles(trees) + unlisted(installed) + decisions()
    problems += [line for path, tree in trees.items() for line in unannotated(path, tree)]
    print("\n".join(problems) or "the house is in order", file=sys.stderr if problems else sys.stdout)
    median = statistics.median(f.length for f in found)
    print(f"{len(trees)} modules, {len(found)} functions: median {median:g} lines, p90 {p90(found)}")
    print(
        f"{len(installed)} installed packages and their licences: {write_licences(installed).relative_to(ROOT)}"
    )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
