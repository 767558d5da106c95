"Write nbs/results/public_names.json: each module's public names, which the next version keeps."

import ast
import json
from pathlib import Path

root = Path(__file__).resolve().parent.parent


def public_names(file):
    "The `__all__` of a module."
    for o in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(o, ast.Assign) and getattr(o.targets[0], "id", "") == "__all__":
            return sorted(ast.literal_eval(o.value))
    return []


names = {f.stem: public_names(f) for f in sorted((root / "collapse_nb").glob("[!_]*.py"))}
text = json.dumps(names, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
(root / "nbs/results/public_names.json").write_text(text, encoding="utf-8")
