"""Imports run one way: from what knows little to what knows much. Only the Keras side imports Keras."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import resspec

ROOT = Path(resspec.__file__).parent

LAYERS = [
    {"diagnostics", "edits", "limits", "suggest", "sizes", "quiet"},
    {"tensor", "domain", "files", "yamledits", "yamlflow", "yamlnodes", "yamlscalars", "yamlsyntax", "yamltraps"},
    {"ops", "yamltree"},
    {"graph", "plugin", "chain"},
    {"language", "analysis", "frames", "keras_backend", "render", "report", "weights"},
    {"allow", "checks", "explain", "failures", "fixes", "flatten", "lints", "starter", "text", "network", "source"},
    {"api"},
    {"probes"},
    {"building", "lsp", "__init__"},
    {"cli"},
    {"__main__"},
]
"""a module imports from its own layer or lower ones"""

SIBLINGS = [{"language", "keras_backend", "render"}, {"language", "analysis", "keras_backend"}, {"weights", "render"}]
"""packages that do not import each other"""


def imports(path: Path) -> set[str]:
    """Modules of the package that a file imports when it is imported, by their first name; `keras` as it is."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "resspec":
                found |= {alias.name if (ROOT / f"{alias.name}.py").exists() else "__init__" for alias in node.names}
            elif node.module.startswith("resspec."):
                found.add(node.module.split(".")[1])
            else:
                found.add(node.module.split(".")[0])
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
    return found


def modules() -> dict[Path, str]:
    """Every file of the package and the module or package right below the root that it belongs to."""
    return {path: path.relative_to(ROOT).parts[0].removesuffix(".py") for path in sorted(ROOT.rglob("*.py"))}


def test_every_module_has_its_layer() -> None:
    assert set(modules().values()) == set().union(*LAYERS)


def test_imports_run_one_way() -> None:
    level = {name: number for number, layer in enumerate(LAYERS) for name in layer}
    lazy = {
        ("network", "keras_backend"),
        ("api", "keras_backend"),
        ("report", "__init__"),
        ("building", "keras_backend"),
    }
    for path, name in modules().items():
        for wanted in imports(path) & level.keys() - {name, "__init__"}:
            assert level[wanted] <= level[name] or (name, wanted) in lazy, f"{path.relative_to(ROOT)} imports {wanted}"


def test_siblings_do_not_import_each_other() -> None:
    for family in SIBLINGS:
        for path, name in modules().items():
            if name in family:
                assert not imports(path) & (family - {name}), path.relative_to(ROOT)


def test_only_the_keras_side_imports_keras_and_only_files_of_weights_numpy() -> None:
    for path, name in modules().items():
        if name == "probes":
            continue
        for_types = {"keras"} if name in ("api", "network", "building") else {"numpy"} if name == "weights" else set()
        if name != "keras_backend":
            assert not imports(path) & {"keras", "tensorflow", "jax", "torch", "numpy"} - for_types, path


def test_probes_are_known_without_keras_and_matplotlib() -> None:
    """`resspec probe gradients --help` answers at once."""
    code = "import sys, resspec.probes as p; [one.options for one in p.PROBES]; print([*sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "'numpy'" in loaded
    assert not {"'keras'", "'matplotlib'", "'sklearn'", "'tensorflow'"} & set(loaded.strip("[]\n").split(", "))
