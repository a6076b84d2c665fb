"""The definitions of a source file, and the names that each of them reads; found in its syntax, nothing is imported.

Kept is what can change a result: docstrings, comments, layout, the annotations of functions and all under
`if TYPE_CHECKING` are left out. The annotations of a class body stay, since pydantic and dataclasses act on them.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Self

from recsys.errors import UserError

EFFECTS = "<effects>"
"""The name under which a module's statements stand that bind no name."""

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
COMPOUND = (ast.If, ast.For, ast.While, ast.With, ast.Try)


class Import(NamedTuple):
    """What an import binds: a module, or a name of it."""

    module: str
    name: str | None = None


class Read(NamedTuple):
    """Dotted names that code reads; `local` is the import they begin at where that stands in the same definition."""

    names: tuple[str, ...]
    local: Import | None = None


@dataclass(frozen=True)
class Module:
    """A source file taken apart.

    Attributes:
        name: dotted name.
        package: what relative imports start from.
        definitions: the statements that make each top-level name, without what does not count.
        imports: what each imported top-level name stands for; under `*` the modules it takes all names from.
    """

    name: str
    package: str
    definitions: dict[str, list[ast.stmt]] = field(default_factory=lambda: defaultdict(list))
    imports: dict[str, list[Import]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def read(cls, name: str, file: Path) -> Self:
        """Parse a file; UserError names the line where it is not Python."""
        module = cls(name, name if file.name == "__init__.py" else name.rpartition(".")[0])
        try:
            tree = ast.parse(file.read_text(encoding="utf-8"), file)
        except SyntaxError as error:
            raise UserError(f"{file}, line {error.lineno}: cannot be read: {error.msg}") from None
        for statement in _Meaning().visit(tree).body:
            module._add(statement)
        return module

    def _add(self, statement: ast.stmt) -> None:
        bound = _bound([statement], self.package)
        plain = isinstance(statement, ast.Import | ast.ImportFrom)
        for name, target in bound.items():
            if target is not None:
                self.imports[name].append(target)
            if not plain:
                self.definitions[name].append(statement)
        owner = _changed(statement)
        if owner in self.definitions:
            self.definitions[owner].append(statement)
        elif not bound or isinstance(statement, COMPOUND):
            self.definitions[EFFECTS].append(statement)

    def reads(self, definition: str) -> set[Read]:
        """The names that a definition takes from elsewhere."""
        return {read for node in self.definitions.get(definition, []) for read in _reads(node, {}, self.package)}


class _Meaning(ast.NodeTransformer):
    """Takes out of a module what does not change what it computes."""

    def __init__(self) -> None:
        self._in_class = False

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        return None if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.AST]:
        if ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING", "__name__ == '__main__'"}:
            rest = ast.Module(node.orelse, [])
            self.generic_visit(rest)
            return list(rest.body)
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._within(node, in_class=True)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self._within(node, in_class=False)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        node.returns = None
        return self._within(node, in_class=False)

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if self._in_class:
            return self.generic_visit(node)
        if node.value is None:
            return None
        return self.generic_visit(ast.Assign([node.target], node.value))

    def _within(self, node: ast.AST, *, in_class: bool) -> ast.AST:
        before, self._in_class = self._in_class, in_class
        self.generic_visit(node)
        self._in_class = before
        return node


def _arguments(args: ast.arguments) -> list[ast.arg]:
    further = [arg for arg in (args.vararg, args.kwarg) if arg is not None]
    return [*args.posonlyargs, *args.args, *args.kwonlyargs, *further]


def _bound(nodes: Sequence[ast.AST], package: str) -> dict[str, Import | None]:
    """Names that code binds in its own scope, with what those that are imported stand for."""
    bound: dict[str, Import | None] = {}
    elsewhere: set[str] = set()
    pending = list(nodes)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            bound |= _imports(node, package)
        elif isinstance(node, ast.Global):
            elsewhere |= set(node.names)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            bound.setdefault(node.name, None)
        elif not isinstance(node, (ast.Lambda, *COMPREHENSIONS)):
            for name in _name_bound(node):
                bound.setdefault(name, None)
            pending += ast.iter_child_nodes(node)
    return {name: target for name, target in bound.items() if name not in elsewhere}


def _name_bound(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Name):
        return [] if isinstance(node.ctx, ast.Load) else [node.id]
    if isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
        return [node.name] if node.name else []
    return [node.rest] if isinstance(node, ast.MatchMapping) and node.rest else []


def _imports(node: ast.Import | ast.ImportFrom, package: str) -> dict[str, Import | None]:
    if isinstance(node, ast.Import):
        whole = {alias.asname or alias.name.split(".")[0]: alias for alias in node.names}
        return {name: Import(alias.name if alias.asname else name) for name, alias in whole.items()}
    base = package.rsplit(".", node.level - 1)[0] if node.level else ""
    module = ".".join(part for part in (base, node.module) if part)
    return {alias.asname or alias.name: Import(module, alias.name) for alias in node.names}


def _changed(statement: ast.stmt) -> str | None:
    """The name that a statement changes without binding it, such as `NAMES["x"] = 1` and `NAMES.append("x")`."""
    if isinstance(statement, ast.Assign):
        node: ast.AST = statement.targets[0]
    elif isinstance(statement, ast.AugAssign):
        node = statement.target
    elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        node = statement.value.func
    else:
        return None
    base = node
    while isinstance(base, ast.Attribute | ast.Subscript):
        base = base.value
    return base.id if isinstance(base, ast.Name) and base is not node else None


Scope = Mapping[str, Import | None]


def _reads(node: ast.AST, local: Scope, package: str) -> Iterator[Read]:
    """Dotted names that code reads and that none of its scopes binds, or that one of them imports."""
    if isinstance(node, ast.Name | ast.Attribute) and (names := _dotted(node)):
        if names[0] not in local or local[names[0]] is not None:
            yield Read(names, local.get(names[0]))
        return
    if isinstance(node, FUNCTIONS):
        outer, inner, local = _function(node, local, package)
    elif isinstance(node, COMPREHENSIONS):
        outer, inner, local = _comprehension(node, local, package)
    elif isinstance(node, ast.ClassDef):
        # Names of a class body hide nothing from its methods, so only its imports count.
        imports = {name: target for name, target in _bound(node.body, package).items() if target is not None}
        outer, inner, local = [], list(ast.iter_child_nodes(node)), {**local, **imports}
    elif isinstance(node, ast.AnnAssign):
        yield from _annotation(node.annotation, local, package)
        outer, inner = [], [each for each in (node.target, node.value) if each is not None]
    else:
        outer, inner = [], list(ast.iter_child_nodes(node))
    for each in inner:
        yield from _reads(each, local, package)
    yield from outer


def _function(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, local: Scope, package: str
) -> tuple[list[Read], list[ast.AST], Scope]:
    """Reads of defaults and decorators, which stand outside, and the body with its scope."""
    defaults = [each for each in (*node.args.defaults, *node.args.kw_defaults) if each is not None]
    outside = defaults + ([] if isinstance(node, ast.Lambda) else node.decorator_list)
    body: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else list(node.body)
    parameters = dict.fromkeys((arg.arg for arg in _arguments(node.args)), None)
    outer = [read for each in outside for read in _reads(each, local, package)]
    return outer, body, {**local, **parameters, **_bound(body, package)}


def _comprehension(
    node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp, local: Scope, package: str
) -> tuple[list[Read], list[ast.AST], Scope]:
    """Reads of the first iterable, which stands outside, and the rest with its scope."""
    first, *others = node.generators
    inner: list[ast.AST] = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
    inner += [*first.ifs, *(each for other in others for each in (other.iter, *other.ifs))]
    targets = _bound([each.target for each in node.generators], package)
    return list(_reads(first.iter, local, package)), inner, {**local, **targets}


def _annotation(node: ast.expr, local: Scope, package: str) -> Iterator[Read]:
    """Names in an annotation, those in quotes too."""
    yield from _reads(node, local, package)
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            try:
                quoted = ast.parse(each.value, mode="eval").body
            except SyntaxError:
                continue
            yield from _reads(quoted, local, package)


def _dotted(node: ast.expr) -> tuple[str, ...]:
    """`a.b.c` as its names; empty where it does not begin with a name."""
    names = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return (node.id, *reversed(names)) if isinstance(node, ast.Name) else ()
