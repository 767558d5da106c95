"Everything is set in settings.ini: edit there, not here."

import shlex
from configparser import ConfigParser
from pathlib import Path

import setuptools

here = Path(__file__).resolve().parent
config = ConfigParser(delimiters=["="])
config.read(here / "settings.ini", encoding="utf-8")
cfg = config["DEFAULT"]
readme = here / "README.md"
suffix = "_requirements"  # settings.ini: NAME_requirements is the extra NAME
extras = {k.removesuffix(suffix): shlex.split(v) for k, v in cfg.items() if k.endswith(suffix)}

setuptools.setup(
    name=cfg["lib_name"],
    version=cfg["version"],
    description=cfg["description"],
    long_description=readme.read_text(encoding="utf-8") if readme.exists() else cfg["description"],
    long_description_content_type="text/markdown",
    keywords=cfg["keywords"].split(),
    author=cfg["author"],
    author_email=cfg["author_email"] or None,
    license="Apache-2.0",
    url=cfg["git_url"] or None,
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Intended Audience :: " + cfg["audience"],
        "Natural Language :: " + cfg["language"],
        "Programming Language :: Python :: 3",
    ],
    packages=setuptools.find_packages(include=[cfg["lib_path"], cfg["lib_path"] + ".*"]),
    package_data={
        cfg["lib_path"]: ["py.typed"]
    },  # type checkers take the annotations for what they are
    install_requires=shlex.split(cfg["requirements"]),
    extras_require={
        k.removesuffix("_requirements"): shlex.split(v)
        for k, v in cfg.items()
        if k.endswith("_requirements")
    },
    python_requires=">=" + cfg["min_python"],
    entry_points={
        "nbdev": [f"{cfg['lib_path']}={cfg['lib_path']}._modidx:d"],
        "console_scripts": shlex.split(cfg["console_scripts"]),
    },
    zip_safe=False,
)
