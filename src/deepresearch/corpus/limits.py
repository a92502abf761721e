"""How much of one file is read before it is refused."""

from __future__ import annotations

from pydantic import Field

from deepresearch.model.base import Value

MEGABYTE = 1_000_000


class LoadLimits(Value):
    """Bounds for reading one file. Sizes are in bytes, times in seconds.

    Beyond a size or the time the file is refused; beyond `table_rows`, `table_columns` and `cells` a table
    is cut and the document's `notes` say so. `table_seconds` and `table_pages` bound the search for ruled
    tables in one PDF.
    """

    text_bytes: int = Field(default=50 * MEGABYTE, gt=0)
    pdf_bytes: int = Field(default=200 * MEGABYTE, gt=0)
    office_bytes: int = Field(default=200 * MEGABYTE, gt=0)
    unpacked_bytes: int = Field(default=1_000 * MEGABYTE, gt=0)
    part_bytes: int = Field(default=150 * MEGABYTE, gt=0, description="One XML part that is parsed whole.")
    text_characters: int = Field(default=50_000_000, gt=0)
    table_rows: int = Field(default=20_000, gt=0)
    table_columns: int = Field(default=500, gt=0)
    cells: int = Field(default=200_000, gt=0, description="Cells of all tables of one document together.")
    table_pages: int = Field(default=60, ge=0)
    table_seconds: float = Field(default=15.0, ge=0)
    seconds: float = Field(default=120.0, gt=0, description="For one file in `load_many`.")
    memory_bytes: int = Field(default=2_000 * MEGABYTE, gt=0, description="For one worker in `load_many`.")
