"""Make README.md from nbs/index.ipynb, or HTML pages from all notebooks, without Quarto.

python .ci/render.py readme
python .ci/render.py html [DIR]     (default: _html)

What the docs workflow publishes is made by Quarto (nbdev_docs). Here, other than there: formulas
are MathML without JavaScript, the search runs over a list in search.js, dark mode follows the
system, a page of each module's code is linked in place of the repository, cells for a GPU or for
minutes say so, a dead link or an image without alt text is an error, images of notebooks are
embedded, long code in a table may break at its signs, columns of words in a data frame begin at the
left, and on a phone each figure has its own least width (with Quarto one for all). The same in
both: which cells are folded or left out, figures and their alt texts, the slider of page 02, the
order of pages and the links from each to the next.
"""

import ast
import base64
import dataclasses
import inspect
import io
import json
import os
import re
import shutil
import sys
from pathlib import Path

import nbdev.showdoc
import nbformat
import yaml
from bs4 import BeautifulSoup
from execnb.nbio import nb2str, read_nb
from jinja2 import Template, pass_context
from latex2mathml.converter import convert
from nbconvert import HTMLExporter, MarkdownExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbdev.config import get_config
from nbdev.doclinks import nbglob
from nbdev.processors import FilterDefaults, exec_show_docs
from PIL import Image
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

cfg = get_config()
root, nbs = cfg.config_path, cfg.nbs_path
site = Path(__file__).parent / "site"  # the page around a notebook, its style, its search
link = re.compile(r'(\]\(|\b(?:href|src)=")(?![a-z]+:|#|/)([^)\s"#]+)')
source = re.compile(rf"{re.escape(cfg.git_url)}/blob/{cfg.branch}/([\w/]+)\.py(?:#L(\d+))?")


def written_fields(
    file: Path,  # A module
    name: str,  # One of its classes
):  # The head of the class and its public fields as they are written; None if it has none
    "The source of a named tuple or a data class without its docstring and methods."
    text = file.read_text(encoding="utf-8")
    lines = text.splitlines()
    [parsed] = [o for o in ast.parse(text).body if getattr(o, "name", None) == name]
    fields = [o for o in parsed.body if isinstance(o, ast.AnnAssign)]
    if not fields or any(o.end_lineno > o.lineno for o in fields):
        return None
    kept = [lines[o.lineno - 1] for o in fields if not o.target.id.startswith("_")]
    return "\n".join([lines[parsed.lineno - 1], *kept])


def short_signature(
    text: str,  # A signature
    sym,  # Whose it is
):  # Types without their modules; `Options()` for a default of which no field was changed
    "A signature that fits the page."
    try:
        parameters = inspect.signature(sym).parameters.values()
    except ValueError:  # an exception without an `__init__`, in some versions of Python
        parameters = ()
    for o in parameters:
        default = o.default
        if dataclasses.is_dataclass(default) and default == type(default)():
            text = text.replace(repr(default), f"{type(default).__name__}()")
    modules = rf"collections\.abc|typing|pathlib|__main__|{cfg.lib_path.name}\.\w+"
    return re.sub(rf"\b({modules})\.(?=[A-Z])", "", text)


class ReadableSignatures(nbdev.showdoc.BasicMarkdownRenderer):
    """What `show_doc` shows, but of a class of fields these, with types and comments.

    nbdev shows a named tuple as `(*args, **kwargs)`, and a data class without its comments.
    """

    def _repr_markdown_(self):
        shown = super()._repr_markdown_()
        signature = shown[shown.index("```python\n") :].partition("\n```")[0]
        link = re.search(rf"/({cfg.lib_path.name}/\w+\.py)#", shown)
        fields = None
        if link and (dataclasses.is_dataclass(self.sym) or hasattr(self.sym, "_fields")):
            fields = written_fields(root / link[1], self.sym.__name__)
        if fields is None:
            return shown.replace(signature, short_signature(signature, self.sym))
        return shown.replace(signature, f"```python\n{fields}")


nbdev.showdoc.BasicMarkdownRenderer = ReadableSignatures  # which `show_doc` takes by default


class ExportedAndImports(exec_show_docs):
    "Run what documentation is made from: exports, cells with nothing but imports, `show_doc`."

    def __call__(self, cell):
        if is_exported(cell) or only_imports(cell) or is_show_doc(cell):
            super().__call__(cell)


def is_exported(cell):
    return bool(cell.directives_.keys() & {"export", "exports", "exporti", "exec_doc"})


def is_show_doc(cell):
    "Is a cell one that documents a name? nbdev puts such cells behind exported ones."
    return cell.cell_type == "code" and re.search(r"^show_doc\(", cell.source, re.M) is not None


def only_imports(cell):
    "Does a cell hold imports and nothing else? nbdev would run any cell that holds one."
    if cell.cell_type != "code":
        return False
    try:
        statements = ast.parse(cell.source).body
    except SyntaxError:  # a magic command
        return False
    return all(isinstance(o, (ast.Import, ast.ImportFrom)) for o in statements)


class Processors(FilterDefaults):
    "nbdev's own, without links to the documentation's web address: pages link among themselves."

    def base_procs(self):
        kept = [o for o in super().base_procs() if o.__name__ != "add_links"]
        return [ExportedAndImports if o is exec_show_docs else o for o in kept]


def page(
    path: Path,  # A notebook
):  # Its title block and the processed notebook, free of directives
    "Run nbdev's processors on one notebook."
    os.environ["IN_TEST"] = "1"  # as nbdev does: cells for a reader's session stay out
    raw = read_nb(path)
    sources = {o.id: o.source for o in raw.cells}  # the processors drop nbdev's directives
    Processors()(raw)
    nb = nbformat.reads(nb2str(raw), as_version=4)
    head = title_block(nb)
    if bare := [o.source for o in nb.cells if is_show_doc(o) and not o.outputs]:
        sys.exit(f"{path}: nothing is shown for {bare[0]!r}")
    for o in nb.cells:
        o.pop("has_sd", None)
        if o.cell_type == "code":
            apply_directives(o, sources.get(o.id, o.source))
    nb.metadata.setdefault("language_info", {})["name"] = "python"
    title = f"# {head.get('title', path.stem)}\n\n"
    if head.get("description"):
        title += f"> {head['description']}\n\n"
    return title, nb


def title_block(nb):
    "The title block that nbdev wrote into the first cell, as a dict; the cell is taken out."
    if not nb.cells or nb.cells[0].cell_type != "raw":
        return {}
    return yaml.safe_load(nb.cells.pop(0).source.strip("-\n ")) or {}


GATES = {"slow": "takes minutes", "cuda": "needs a GPU"}


def apply_directives(cell, source):
    "Turn the directives in a code cell's source into metadata that the page is made from."

    def has(pattern):
        return re.search(rf"^#\|\s*{pattern}", source, re.M)

    if has(r"echo:\s*false"):
        cell.metadata["transient"] = {"remove_source": True}
    cell.metadata["fold"] = bool(has(r"code-fold:\s*true"))
    cell.metadata["gates"] = [text for flag, text in GATES.items() if has(rf"{flag}\s*$")]
    if alt := has(r"fig-alt:\s*(.+)"):
        cell.metadata["alt"] = alt[1]
        if not cell.outputs and not cell.metadata["gates"]:
            sys.exit(f"no figure is stored for: {alt[1]}")
    cell.source = re.sub(r"^#\|.*\n?", "", cell.source, flags=re.M)
    for data in markdown_outputs(cell):
        text = "".join(data["text/markdown"])
        data["text/markdown"] = re.sub(r'\{target="_blank"[^}]*\}', "", text)


def is_visible(cell):
    "Is a code cell's source on the page, unfolded, and run by default?"
    hidden = cell.metadata.get("transient", {}).get("remove_source", False)
    return not (hidden or cell.metadata.get("fold") or cell.metadata.get("gates"))


def markdown_outputs(cell):
    "The data of a cell's outputs that are Markdown."
    return [o.data for o in cell.get("outputs", []) if "text/markdown" in o.get("data", {})]


def readme():
    "Write README.md from the index; links that are relative to nbs/ become relative to the top."
    title, nb = page(nbs / cfg.readme_nb)
    text, resources = MarkdownExporter().from_notebook_node(nb)
    if resources.get("outputs"):
        sys.exit(
            f"{cfg.readme_nb}: a README cannot hold a stored figure; show an image file instead."
        )
    text = link.sub(
        lambda m: m[1] + Path(os.path.relpath(nbs / m[2], root)).as_posix(), title + text.lstrip()
    )
    (root / "README.md").write_text(
        re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n", encoding="utf-8"
    )


def page_link(path, target, out):
    "Where a link of the notebook `path` leads: a notebook's page, or a copy of another file."
    file = path.parent / target
    if file.suffix == ".ipynb":
        return target[: -len("ipynb")] + "html"
    if file.is_file() and file.suffix != ".png":
        copy = out / path.relative_to(nbs).parent / target
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)
    return target


def mathml(text, display="inline"):
    "A formula as MathML, which browsers draw; a command that has no MathML is an error."
    # in braces, a letter of another style becomes a sign of its own
    out = convert(re.sub(r"(\\math[a-z]+) (\w)", r"\1{\2}", text), display=display)
    if "\\" in re.sub("<[^>]*>", "", out) or text.count("{") != text.count("}"):
        raise ValueError(f"no MathML for {text}")
    return out if display == "inline" else f'<div class="math">{out}</div>'


class Renderer(IPythonRenderer):
    "Markdown with its formulas as MathML."

    def inline_math(self, body):
        return mathml(body)

    def block_math(self, body):
        return mathml(body, "block")

    def latex_environment(self, name, body):
        return mathml(rf"\begin{{{name}}}{body}\end{{{name}}}", "block")


class Exporter(HTMLExporter):
    "nbconvert's, without a page around the cells."

    @pass_context
    def markdown2html(self, context, source):
        path = context["resources"]["metadata"]["path"]
        return MarkdownWithMath(
            Renderer(escape=False, embed_images=True, exclude_anchor_links=True, path=path)
        ).render(source)


def contents():
    "The sections of nbs/sidebar.yml, each with its notebooks: all there are, each once."
    items = yaml.safe_load((nbs / "sidebar.yml").read_text(encoding="utf-8"))["website"]["sidebar"][
        "contents"
    ]
    out = [(o.get("section"), o["contents"]) if isinstance(o, dict) else (None, [o]) for o in items]
    listed, there = (
        sorted(f for _, files in out for f in files),
        sorted(str(o.relative_to(nbs)) for o in nbglob(nbs, as_path=True)),
    )
    if listed != there:
        sys.exit(
            f"nbs/sidebar.yml must list each notebook once; differs in: {set(listed) ^ set(there)}"
        )
    return out


def notebook_body(path, title, nb, out):
    "The cells of a notebook as HTML, its links led to pages."
    exporter = Exporter(
        template_name="basic",
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        embed_images=True,
    )
    nb.cells.insert(0, nbformat.v4.new_markdown_cell(title))

    def to_page(text):
        text = link.sub(lambda m: m[1] + page_link(path, m[2], out), text)
        return source.sub(
            lambda m: (
                f"{os.path.relpath(nbs, path.parent)}/{m[1]}.html" + (f"#L-{m[2]}" if m[2] else "")
            ),
            text,
        )

    for o in nb.cells:
        if o.cell_type == "markdown":
            o.source = to_page(o.source)
        for data in markdown_outputs(o):
            data["text/markdown"] = to_page("".join(data["text/markdown"]))
    text, _ = exporter.from_notebook_node(
        nb, resources={"metadata": {"name": path.stem, "path": str(path.parent)}}
    )
    soup = BeautifulSoup(text, "html.parser")
    show_directives(soup, [o for o in nb.cells if o.cell_type == "code"])
    return soup


def show_directives(soup, cells):
    "Fold the code of cells marked `code-fold`, and say above gated cells what they need."
    boxes = soup.select("div.code_cell")
    if len(boxes) != len(cells):
        sys.exit(f"{len(cells)} code cells, but {len(boxes)} on the page")
    for box, cell in zip(boxes, cells):
        code = box.select_one("div.input")
        if code is None:
            continue
        if cell.metadata.get("gates"):
            note = soup.new_tag("p", attrs={"class": "gate"})
            note.string = f"Not run by default: {' and '.join(cell.metadata['gates'])}."
            code.insert_before(note)
        if cell.metadata.get("fold"):
            summary = soup.new_tag("summary")
            summary.string = "Code"
            code.wrap(soup.new_tag("details", attrs={"class": "code"})).insert(0, summary)


def name_heads(soup):
    "Give headings the ids that Quarto gives them, tables a box to scroll in, text its width."
    taken = {}
    for o in soup.select("h1, h2, h3, h4"):
        id = (
            re.sub(
                r"^[\W\d_]+",
                "",
                re.sub(r"[^\w\s.-]", "", o.get_text()).strip().lower().replace(" ", "-"),
            )
            or "section"
        )
        taken[id] = taken.get(id, -1) + 1
        o["id"] = f"{id}-{taken[id]}" if taken[id] else id
    for o in soup.select("table"):
        o.wrap(soup.new_tag("div", attrs={"class": "scroll"}))
        align_text(o)
    for o in soup.select("td"):
        if len(o.get_text()) > 80:
            o["class"] = [*o.get("class", []), "long"]
        elif len(o.get_text()) < 25:
            o["class"] = [*o.get("class", []), "short"]


PHONE = 358  # CSS pixels that a page of 390 has for a figure


def readable_width(
    image: Image.Image,  # A stored figure
) -> int:  # CSS pixels
    """The width at which a figure's smallest labels are 9 pixels high.

    Those of the paper's pages are stored with 150 or more dots per inch, and their labels have at
    least 10 points; other figures are Matplotlib's own, with 8.
    """
    dots = image.info.get("dpi", (100, 100))[0]
    points = 10 if dots > 140 else 8
    return round(image.width / dots * 72 * 9 / points)


def scroll_figures(soup):
    "On a phone, a figure that is too wide to be read scrolls in a box."
    for o in soup.select('img[src^="data:image/png"]'):
        width = readable_width(Image.open(io.BytesIO(base64.b64decode(o["src"].partition(",")[2]))))
        if width > PHONE and not o.find_parent("svg"):
            o.wrap(soup.new_tag("span", attrs={"class": "figure", "style": f"--needs: {width}px"}))


def align_text(table):
    "In a data frame, a column of words begins at the left."
    if "dataframe" not in table.get("class", []):
        return
    rows = [row.find_all(["td", "th"]) for row in table.select("tbody tr")]
    heads = [row.find_all("th") for row in table.select("thead tr")]
    width = max(map(len, rows), default=0)
    full = [row for row in rows if len(row) == width]
    for column in range(1, width):
        cells = [row[column] for row in full]
        texts = {o.get_text().strip() for o in cells} - {"", "NaN", "None", "inf", "–"}
        if not texts or any(o[0].isdigit() or o[0] in "-−+≤<." for o in texts):
            continue
        for o in cells + [row[column] for row in heads if len(row) == width]:
            o["class"] = [*o.get("class", []), "text"]


def break_code(soup):
    "Let code in a table break after its signs, not inside words."
    for o in soup.select("td code"):
        first, *rest = re.split(r"(?<=[_/,+:=])", o.get_text())
        o.string = first
        for part in rest:
            o.extend([soup.new_tag("wbr"), part])


def search_entries(url, title, soup):
    "The text of a page, heading by heading: [address, page, heading, text]."
    out = []
    for o in soup.select("h1, h2, h3, h4, p, li, td, pre"):
        text = " ".join(o.get_text().split())
        if o.name[0] == "h":
            out.append([f"{url}#{o['id']}", title, text, ""])
        elif o.name != "pre" and out:
            out[-1][3] += " " + text
    return out


def faults(pages):
    "What is broken on the pages: dead links and anchors, images without alt text, raw formulas."
    ids = {file: set(re.findall(r'\bid="([^"]+)"', text)) for file, text in pages.items()}
    for file, text in pages.items():
        for tag in re.findall("<img [^>]*>", text):
            if not re.search('alt="(?!No description|")', tag):
                yield f"{file}: an image without alt text"
        for formula in re.findall(
            r"\$[^$<]+\$", re.sub(r"(?s)<(code|pre|style|script)\b.*?</\1>", "", text)
        ):
            yield f"{file}: a formula left as {formula}"
        for href in sorted(set(re.findall(r'<a [^>]*href="(?![a-z]+:)([^"]+)"', text))):
            target, _, anchor = href.partition("#")
            to = Path(os.path.normpath(file.parent / target)) if target else file
            if not to.exists() or (anchor and anchor not in ids.get(to, ())):
                yield f"{file}: a link to {href}, which is not there"


def html(
    out: str = "_html",  # Folder to write to
):
    "Write a page for each notebook and one for each module's code; stop if one is broken."
    out, listed = Path(out), contents()
    read = {f: page(nbs / f) for _, files in listed for f in files}
    name = lambda f: read[f][0].splitlines()[0].removeprefix("# ")
    url = lambda f: str(Path(f).with_suffix(".html"))
    sections = [(section, [(url(f), name(f)) for f in files]) for section, files in listed]
    order = [None] + [o for _, files in sections for o in files] + [None]
    template, pages, index = (
        Template((site / "page.html").read_text(encoding="utf-8"), trim_blocks=True),
        {},
        [],
    )

    def write(here, title, body, heads=(), before=None, after=None):
        file = out / here
        file.parent.mkdir(parents=True, exist_ok=True)
        text = template.render(
            lib=cfg.title,
            title=title,
            here=here,
            up="../" * here.count("/"),
            sections=sections,
            body=body,
            heads=heads,
            before=before,
            after=after,
        )
        file.write_text(text, encoding="utf-8")
        pages[file] = text
        print(file)

    for before, (here, title), after in zip(order, order[1:-1], order[2:]):
        path = nbs / Path(here).with_suffix(".ipynb")
        soup = notebook_body(path, *read[str(path.relative_to(nbs))], out)
        name_heads(soup)
        scroll_figures(soup)
        break_code(soup)
        index += search_entries(here, title, soup)
        write(
            here,
            title,
            soup,
            [(o["id"], o.get_text()) for o in soup.select("h2, h3")],
            before,
            after,
        )
    for path in sorted(cfg.lib_path.glob("[a-z]*.py")):
        here, code = path.relative_to(root).with_suffix(".html"), path.read_text(encoding="utf-8")
        body = highlight(code, PythonLexer(), HtmlFormatter(linenos="table", lineanchors="L"))
        write(
            str(here),
            str(path.relative_to(root)),
            f'<h1>{path.relative_to(root)}</h1><div class="scroll">{body}</div>',
        )
    light, dark = [
        HtmlFormatter(style=o).get_style_defs(".highlight") for o in ("default", "github-dark")
    ]
    (out / "style.css").write_text(
        f"{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n"
        + (site / "style.css").read_text(encoding="utf-8"),
        encoding="utf-8",
    )
    (out / "search.js").write_text(
        f"const sections = {json.dumps(index, ensure_ascii=False)}\n"
        + (site / "search.js").read_text(encoding="utf-8"),
        encoding="utf-8",
    )
    if broken := list(faults(pages)):
        sys.exit("\n".join(broken))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["readme"]:
            readme()
        case ["html", *out] if len(out) < 2:
            html(*out)
        case _:
            sys.exit(__doc__)
