"""Check that imports go one way: from modules whose notebooks come earlier.

    python .ci/layers.py          check, and name what is wrong
    python .ci/layers.py --show   print each module with what it imports

The order is that of the notebooks' names, and the one in which README.md names the modules has to
agree. Imports inside functions count too, since they couple modules as well.
"""

import ast
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def module_of(notebook):
    "The module that a notebook exports to, None if it exports nothing."
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    for cell in cells:
        found = re.match(r"#\|\s*default_exp\s+(\w+)", "".join(cell["source"]))
        if found:
            return found[1]
    return None


def modules():
    "Modules in the order of their notebooks."
    found = [module_of(o) for o in sorted((ROOT / "nbs").glob("*.ipynb"))]
    return [o for o in found if o]


def imports(module):
    "Modules of the package that a module imports."
    tree = ast.parse((ROOT / "collapse_nb" / f"{module}.py").read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            name = node.module or ""
            if node.level or name.startswith("collapse_nb."):
                found.add(name.removeprefix("collapse_nb.").split(".")[0])
    return found - {""}


def named_in_readme():
    "Modules in the order in which the README's table names them."
    text = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Modules")[2]
    rows = re.findall(r"^\|.*\|$", text.partition("\n## ")[0], re.MULTILINE)
    return re.findall(r"`(\w+)`", "".join(rows))


def against(order, used):
    "Imports that go against an order of the modules, given what each module imports."
    places = {module: at for at, module in enumerate(order)}
    return [
        f"{module} imports {other}, which comes after it"
        for module in order
        for other in sorted(used[module])
        if places[other] > places[module]
    ]


def main():
    order, readme = modules(), named_in_readme()
    used = {module: imports(module) - {module} for module in order}
    if "--show" in sys.argv:
        for module in order:
            print(f"{module:<16}{', '.join(o for o in order if o in used[module])}")
    wrong = [f"README.md does not name {o}" for o in order if o not in readme]
    wrong += [f"README.md names {o}, which is no module" for o in readme if o not in order]
    if not wrong:
        wrong = [f"{o} (order of the notebooks)" for o in against(order, used)]
        wrong += [f"{o} (order of README.md)" for o in against(readme, used)]
    print("\n".join(wrong) or f"{len(order)} modules, all imports go one way")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
