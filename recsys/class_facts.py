"""What classes say of themselves, read from their source: a list of all models imports neither torch nor any of them.

A class is rebuilt with its bases, so that Python itself resolves what is inherited. Literals and classes that can be
read in the same way become values; every other attribute is the syntax of its expression.
"""

import ast
from pathlib import Path
from typing import Any

from recsys import plugins
from recsys.definitions import Module


class ClassReader:
    """Classes of packages by module and name; a file is parsed at most once."""

    def __init__(self, root: Path) -> None:
        """`root` is the folder that holds the packages."""
        self._root = root
        self._modules: dict[str, Module | None] = {}
        self._classes: dict[tuple[str, str], type] = {}

    def find(self, module: str, name: str) -> type | None:
        """The class that a name stands for in a module; None where it is not a class of these packages."""
        read = self._module(module)
        if read is None:
            return None
        statement = next((each for each in read.definitions.get(name, ()) if isinstance(each, ast.ClassDef)), None)
        if statement is None:
            imported = (self.find(each.module, each.name) for each in read.imports.get(name, ()) if each.name)
            return next((found for found in imported if found), None)
        if (module, name) not in self._classes:
            bases = [found for base in statement.bases if (found := self._named(module, base))]
            attributes = {key: self._value(module, value) for key, value in _assigned(statement).items()}
            self._classes[module, name] = type(name, tuple(bases), attributes)
        return self._classes[module, name]

    def names(self, module: str) -> list[str]:
        """What a module itself defines, in the order of the file."""
        read = self._module(module)
        return list(read.definitions) if read else []

    def _named(self, module: str, node: ast.expr) -> type | None:
        node = node.value if isinstance(node, ast.Subscript) else node  # a generic base with its parameters
        return self.find(module, node.id) if isinstance(node, ast.Name) else None

    def _value(self, module: str, node: ast.expr) -> Any:
        try:
            return ast.literal_eval(node)
        except ValueError:
            return self._named(module, node) or node

    def _module(self, name: str) -> Module | None:
        if name not in self._modules:
            package, _, rest = name.partition(".")
            own = package == plugins.PACKAGE
            place = plugins.folder().joinpath(*rest.split(".")) if own else self._root.joinpath(*name.split("."))
            files = (place / "__init__.py", place.with_name(f"{place.name}.py"))
            self._modules[name] = next((Module.read(name, file) for file in files if file.is_file()), None)
        return self._modules[name]


def attributes_of(cls: type) -> dict[str, Any]:
    """The attributes of a class that was read, with those it inherits, in the order in which pydantic lists fields."""
    found: dict[str, Any] = {}
    for each in reversed(cls.__mro__):
        found |= {name: value for name, value in vars(each).items() if not name.startswith("__")}
    return found


def _assigned(statement: ast.ClassDef) -> dict[str, ast.expr]:
    """Values by name; the last of a name counts."""
    found: dict[str, ast.expr] = {}
    for each in statement.body:
        if isinstance(each, ast.Assign | ast.AnnAssign) and each.value is not None:
            targets = each.targets if isinstance(each, ast.Assign) else [each.target]
            found |= {target.id: each.value for target in targets if isinstance(target, ast.Name)}
    return found
