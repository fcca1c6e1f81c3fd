"""Which columns of a table play which role."""

from __future__ import annotations

from fnmatch import fnmatchcase

from lossctl.errors import DataError, nearest
from lossctl.sources.table import Column, Table
from lossctl.sources.text import listed, path_text, plain

# Lower case, singular; what a column is called is compared so.
_USUAL = {
    "prediction": ("y_pred", "pred", "prediction", "yhat", "score", "prob", "logit"),
    "target": ("y_true", "target", "label", "y", "truth", "actual"),
    "weight": ("weight", "sample_weight"),
}
_GLOB = frozenset("*?[")


def choose(
    table: Table,
    columns: str | None,
    role: str,
    taken: frozenset[str] = frozenset(),
) -> tuple[Column, ...]:
    """Choose the columns of a role, as named or by their usual names.

    Args:
        table: The table.
        columns: A comma list with globs; None where the user named none.
        role: What the columns are for: prediction, target, weight, …
        taken: Columns of the same table that play another role; never chosen unless named.

    Raises:
        DataError: No column, or more than one that could be meant.
    """
    if columns is not None:
        return _named(table, columns)
    free = [column for column in table.columns if column.name not in taken]
    numeric = [column for column in free if column.numeric]
    if len(numeric) == 1:
        return (numeric[0],)
    usual = _USUAL.get(role, (role,))
    # Text is taken only where no numbers go by the name: the reader then says what is wrong.
    found = [column for column in numeric or free if _goes_by(column.name, usual)]
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
    if list(by_name) == [""]:
        raise DataError(
            f"{path_text(table.source)}: no column {plain(word)}: it holds one array",
            "leave the column out",
        )
    hint = _alike(word, by_name) or f"its columns: {_columns(table.columns)}"
    raise DataError(f"{path_text(table.source)}: no column {plain(word)}", hint)


def _alike(word: str, by_name: dict[str, Column]) -> str:
    same = [name for name in by_name if _simple(name) == _simple(word)]
    found = f"did you mean {' or '.join(same[:3])}?" if same else nearest(word, list(by_name))
    return path_text(found)


def _goes_by(name: str, usual: tuple[str, ...]) -> bool:
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
    known = _columns(free) if free else "all are taken"
    return DataError(
        f"{source}: which column is the {role}? It has {known}", f"say it with {_option(role)}"
    )


def _option(role: str) -> str:
    if role in ("prediction", "target"):
        return f"--{role} COLUMN"
    return f"--{role} ::COLUMN" if role == "weight" else f"--input {role}=PATH::COLUMN"


def _columns(columns: list[Column] | tuple[Column, ...]) -> str:
    return listed(column.name for column in columns)
