"""XLSX: each sheet a page, each block of cells a table with addresses and stored numbers."""

from __future__ import annotations

from collections.abc import Iterator

from deepresearch.corpus.limits import LoadLimits
from deepresearch.corpus.parsed import Grid, GridCell, Parsed, TextBuilder
from deepresearch.corpus.tables import is_figure, is_period, make_table
from deepresearch.corpus.workbook import Sheet, SheetCell, Workbook, column_letters

Block = list[tuple[int, dict[int, SheetCell]]]  # rows of (row number, cells by column)


def parse_spreadsheet(data: bytes, limits: LoadLimits) -> Parsed:
    """Every sheet in order under a heading with its name.

    Empty rows and empty columns part a sheet into blocks. A lone line above a block is its caption, a lone
    line below or between is prose. Formulas show the value that was stored with them.
    """
    workbook = Workbook(data, limits)
    builder = TextBuilder()
    for number, sheet in enumerate(workbook.sheets(), start=1):
        start = builder.begin_page()
        if sheet.cells:
            _write(builder, sheet)
        builder.end_page(number, start, label=sheet.name)
        _note(builder, sheet)
    if workbook.room <= 0:
        builder.notes.append(f"Only the first {limits.cells:,} cells were read.")
    parsed = Parsed(
        text=builder.text,
        media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        pages=builder.pages,
        headings=builder.headings,
        tables=builder.tables,
        notes=builder.notes,
    )
    workbook.archive.properties(parsed)
    return parsed


def _note(builder: TextBuilder, sheet: Sheet) -> None:
    name = f"Sheet “{sheet.name}”"
    if sheet.hidden:
        builder.notes.append(f"{name} is hidden in the workbook; it was read.")
    if sheet.formulas_without_value:
        builder.notes.append(
            f"{name} has {sheet.formulas_without_value:,} formulas without a stored value; they are empty "
            "here. Open and save the workbook to store them."
        )
    if sheet.rows_left_out:
        many = "Rows" if sheet.rows_left_out < 0 else f"{sheet.rows_left_out:,} rows"
        builder.notes.append(f"{many} of {name[0].lower()}{name[1:]} beyond the limit were left out.")
    if sheet.columns_left_out:
        builder.notes.append(
            f"{name} has columns up to {column_letters(sheet.columns_left_out)}; the last were left out."
        )


def _write(builder: TextBuilder, sheet: Sheet) -> None:
    builder.heading(1, sheet.name or "Sheet")
    caption: str | None = None
    for block in _blocks(sheet):
        caption = _write_block(builder, sheet, block, caption)


def _blocks(sheet: Sheet) -> Iterator[Block]:
    """Runs of rows without an empty one, parted again at columns that are empty all the way."""
    rows: dict[int, dict[int, SheetCell]] = {}
    for (row, column), cell in sheet.cells.items():
        rows.setdefault(row, {})[column] = cell
    # A merged cell fills its whole range, also rows and columns that hold nothing else.
    spans = {row: bottom for row, _, bottom, _ in sheet.merged}
    block: Block = []
    last = 0
    for row in sorted(rows):
        if block and row > last + 1:
            yield from _columns(block, sheet)
            block = []
        block.append((row, rows[row]))
        last = max(last, row, spans.get(row, 0) if row in spans and spans[row] - row < 50 else row)
    if block:
        yield from _columns(block, sheet)


def _columns(block: Block, sheet: Sheet) -> Iterator[Block]:
    used = {column for _, cells in block for column in cells}
    first, last = block[0][0], block[-1][0]
    for row, left, bottom, right in sheet.merged:
        if row <= last and bottom >= first and right - left < 500:
            used.update(range(left, right + 1))
    groups: list[list[int]] = []
    for column in sorted(used):
        if groups and column == groups[-1][-1] + 1:
            groups[-1].append(column)
        else:
            groups.append([column])
    if len(groups) < 2 or any(len(group) < 2 for group in groups):
        yield block
        return
    for group in groups:
        low, high = group[0], group[-1]
        part = [(row, {c: cell for c, cell in cells.items() if low <= c <= high}) for row, cells in block]
        yield [(row, cells) for row, cells in part if cells]


def _write_block(builder: TextBuilder, sheet: Sheet, block: Block, caption: str | None) -> str | None:
    """Write one block; the caption it holds for the next block, if it is but a line of text."""
    wide = len({column for _, cells in block for column in cells}) > 1
    while block and _is_line(block[0][1]) and (not wide or len(block) == 1 or not _labels_rows(block)):
        text = next(iter(block[0][1].values())).text
        builder.block(text, tight=caption is not None and len(block) == 1)
        # The first line names the table; a second one ("in million EUR") is joined to it.
        caption = text if caption is None or len(caption) + len(text) > 200 else f"{caption}, {text}"
        block = block[1:]
    below: Block = []
    while len(block) > 2 and wide and _is_line(block[-1][1]) and _is_remark(block[-1][1]):
        below.insert(0, block[-1])
        block = block[:-1]
    if block:
        _write_table(builder, sheet, block, caption)
        caption = None
    for _, cells in below:
        builder.block(next(iter(cells.values())).text)
    return caption


def _is_line(cells: dict[int, SheetCell]) -> bool:
    if len(cells) != 1:
        return False
    cell = next(iter(cells.values()))
    return cell.number is None and not is_figure(cell.text) and not is_period(cell.text)


def _labels_rows(block: Block) -> bool:
    """Whether the first line is a section label in the first column of rows that are already data."""
    return len(block) > 1 and len(block[0][1]) == 1 and min(block[0][1]) > min(min(cells) for _, cells in block[1:])


def _is_remark(cells: dict[int, SheetCell]) -> bool:
    text = next(iter(cells.values())).text
    return len(text) > 40 or text.lower().startswith(
        ("source", "note", "quelle", "*", "¹", "1)", "hinweis", "anmerkung")
    )


def _write_table(builder: TextBuilder, sheet: Sheet, block: Block, caption: str | None) -> None:
    columns = [column for _, cells in block for column in cells]
    left, right = min(columns), max(columns)
    top = block[0][0]
    covered = _covered(sheet, block[0][0], block[-1][0])
    positions = {row: number for number, (row, _) in enumerate(block)}
    grid: Grid = []
    for row, cells in block:
        line: list[GridCell] = []
        for column in range(left, right + 1):
            address = f"{column_letters(column)}{row}"
            cell = cells.get(column)
            origin = covered.get((row, column))
            if cell is not None:
                line.append(GridCell(cell.text, address, cell.number))
            elif origin is not None and origin[0] in positions and _repeats(sheet.cells.get(origin), row, top):
                line.append(GridCell("", address, same_as=(positions[origin[0]], origin[1] - left)))
            else:
                line.append(GridCell("", address))
        grid.append(line)
    if right == left and len(grid) == 1:
        builder.block(grid[0][0].text)
        return
    start = builder.next_block()
    rows = builder.grid(grid)
    builder.tables.append(
        make_table(
            len(builder.tables) + 1,
            rows,
            start=start,
            end=builder.length,
            caption=caption or sheet.name or None,
            page=len(builder.pages) + 1,
            sheet=sheet.name,
        )
    )


def _covered(sheet: Sheet, first: int, last: int) -> dict[tuple[int, int], tuple[int, int]]:
    found: dict[tuple[int, int], tuple[int, int]] = {}
    for row, column, bottom, right in sheet.merged:
        if row > last or bottom < first or (bottom - row + 1) * (right - column + 1) > 10_000:
            continue
        for covered_row in range(row, bottom + 1):
            for covered_column in range(column, right + 1):
                if (covered_row, covered_column) != (row, column):
                    found[covered_row, covered_column] = (row, column)
    return found


def _repeats(origin: SheetCell | None, row: int, top: int) -> bool:
    """Labels and years hold for every cell a merged one covers; a figure repeated would be counted twice."""
    return origin is not None and (origin.number is None or (is_period(origin.text) and row - top < 4))
