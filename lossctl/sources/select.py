"""Which columns of a table play which role."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from os.path import isfile

from lossctl.errors import DataError, nearest
from lossctl.sources.table import Column, Table
from lossctl.sources.text import listed, path_text, plain

# Lower case, singular; what a column is called is compared so.
_USUAL = {
    "prediction": ("y_pred", "pred", "prediction", "yhat", "score", "prob", "logit"),
    "target": ("y_true", "target", "label", "y", "truth", "actual"),
    "weight": ("weight", "sample_weight"),
}
# What pandas writes an index as: no data, unless there is nothing else.
_INDEX = re.compile(r"__index_level_\d+__|Unnamed: \d+|")
_ID = re.compile(r"(.*_)?(id|key|uid|uuid|guid|index|idx)", re.IGNORECASE)
_GLOB = frozenset("*?[")


def choose(
    table: Table,
    columns: str | None,
    role: str,
    taken: frozenset[str] = frozenset(),
    *,
    beside: frozenset[str] = frozenset(),
    alone: bool = True,
) -> tuple[Column, ...]:
    """Choose the columns of a role, as named or by their usual names.

    Args:
        table: The table.
        columns: A comma list with globs; None where the user named none.
        role: What the columns are for: prediction, target, weight, …
        taken: Columns of the same table that play another role; never chosen unless named.
        beside: Columns that serve as weight, group or key: taken by their usual name alone.
        alone: Whether the only numeric column is taken whatever its name; not where the
            table serves another input already, whose rest it may just be.

    Raises:
        DataError: No column, or more than one that could be meant.
    """
    if columns is not None:
        return _named(table, columns)
    if [column.name for column in table.columns] == [""]:
        return table.columns  # an array: there is nothing to choose
    free = [column for column in table.columns if column.name not in taken]
    numeric = [column for column in free if column.numeric]
    numeric = [column for column in numeric if not _INDEX.fullmatch(column.name)] or numeric
    # Text is taken only where no numbers go by the name: the reader then says what is wrong.
    found = [column for column in numeric if goes_by(column.name, role)] or [
        column for column in free if goes_by(column.name, role)
    ]
    only = [column for column in numeric if column.name not in beside and not is_id(column.name)]
    if alone and len(only) == 1 and (not found or found == only):
        return (only[0],)
    if len(found) == 1:
        return (found[0],)
    raise _undecided(table, free, found, role)


def _named(table: Table, columns: str) -> tuple[Column, ...]:
    by_name = {column.name: column for column in table.columns}
    if columns in by_name:  # also where the name itself holds a comma
        return (by_name[columns],)
    chosen: dict[str, Column] = {}
    for word in _words(columns):
        for column in _matching(table, word, by_name):
            chosen.setdefault(column.name, column)
    return tuple(chosen.values())


def _words(columns: str) -> list[str]:
    """Split a comma list; a name with a comma is written in double quotes."""
    from csv import reader

    words = next(reader([columns], skipinitialspace=True), [])
    return [word if word.strip() == "" else word.strip() for word in words]


def _matching(table: Table, word: str, by_name: dict[str, Column]) -> list[Column]:
    if word in by_name:
        return [by_name[word]]
    if _GLOB & set(word):
        found = [column for column in table.columns if fnmatchcase(column.name, word)]
        if found:
            return found
        raise DataError(
            f"{path_text(table.source)}: no column matches {plain(word)}",
            f"its columns: {_columns(table.columns)}",
        )
    alike = _alike(word, by_name)
    if not alike and isfile(word):
        raise DataError(
            f"{path_text(table.source)}: no column {path_text(word)}: it is a file",
            "give files without an option: the prediction's, then the target's",
        )
    if list(by_name) == [""]:
        raise DataError(
            f"{path_text(table.source)}: no column {plain(word)}: it holds one array",
            "leave the column out",
        )
    hint = alike or f"its columns: {_columns(table.columns)}"
    raise DataError(f"{path_text(table.source)}: no column {plain(word)}", hint)


def _alike(word: str, by_name: dict[str, Column]) -> str:
    same = [name for name in by_name if _simple(name) == _simple(word)]
    found = f"did you mean {' or '.join(same[:3])}?" if same else nearest(word, list(by_name))
    return path_text(found)


def is_id(name: str) -> bool:
    """Whether a column by its name tells rows apart, and is nothing to predict."""
    return _ID.fullmatch(name) is not None


def goes_by(name: str, role: str) -> bool:
    """Whether a column has one of the usual names of a role."""
    usual = _USUAL.get(role, (role,))
    simple = _simple(name)
    return simple in usual or (simple.endswith("s") and simple[:-1] in usual)


def _simple(name: str) -> str:
    return name.strip().casefold()


def _undecided(table: Table, free: list[Column], found: list[Column], role: str) -> DataError:
    source = path_text(table.source)
    if found:
        return DataError(
            f"{source}: more than one column could be the {role}: {_columns(found)}",
            f"choose with {_option(role)}",
        )
    known = _columns(free) if free else "no other than those that are taken"
    hint = f"say it with {_option(role)}"
    pattern = _numbered(table, free) if role != "weight" else ""
    if pattern:
        several = _option(role).replace("COLUMN", f"'{pattern}'")
        hint += f"; for all columns of that name, side by side, {several}"
    return DataError(f"{source}: which column is the {role}? It has {known}", hint)


def _numbered(table: Table, free: list[Column]) -> str:
    """The pattern of columns such as p_0, p_1, … where it matches nothing else."""
    families: dict[str, list[str]] = {}
    for column in free:
        found = re.fullmatch(r"([^\W\d][\w.-]*?)\d+", column.name)
        if found and column.numeric:
            families.setdefault(found[1], []).append(column.name)
    for stem, names in sorted(families.items(), key=lambda item: -len(item[1])):
        matching = [c.name for c in table.columns if fnmatchcase(c.name, f"{stem}*")]
        if len(names) > 1 and matching == names:
            return f"{stem}*"
    return ""


def _option(role: str) -> str:
    if role in ("prediction", "target"):
        return f"--{role} COLUMN"
    return f"--{role} ::COLUMN" if role == "weight" else f"--input {role}=PATH::COLUMN"


def _columns(columns: list[Column] | tuple[Column, ...]) -> str:
    return listed(column.name for column in columns)
