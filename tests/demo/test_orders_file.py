"""The three forms in which Online Retail is published, and files that are none of them."""

import gzip
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from demo.orders_file import COLUMNS, read_lines
from extractors.errors import ConfigError
from tests.demo.lines import lines_of

LINES = lines_of(
    "536365 | 85123A | WHITE HANGING HEART    | 6  | 2010-12-01 08:26 | 2.55  | 17850",
    "536365 | 71053  |                        | -1 | 2010-12-01 08:26 | 3.395 |",
    "C53637 | 20713  | PÂTISSERIE, 'SET' OF 2 | 12 | 2011-10-31 18:05 | 0     | 12346",
)
PUBLIC = (
    f"{','.join(COLUMNS)}\r\n"
    "536365,85123A,WHITE HANGING HEART,6,12/1/2010 8:26,2.55,17850.0,United Kingdom\r\n"
    "536365,71053,,-1,12/1/2010 8:26,3.395,,United Kingdom\r\n"
    "C53637,20713,\"PÂTISSERIE, 'SET' OF 2\",12,10/31/2011 18:05,0,12346.0,United Kingdom\r\n"
)
# A sheet as Excel writes it: codes that look like numbers are numbers, times are days since 1900.
SHEET = """<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>
<row>{head}</row>
<row><c><v>536365</v></c><c t="inlineStr"><is><t>85123A</t></is></c><c t="inlineStr"><is><t>WHITE HANGING HEART</t></is></c><c><v>6</v></c><c s="1"><v>40513.3513888889</v></c><c><v>2.55</v></c><c><v>17850</v></c><c t="inlineStr"><is><t>United Kingdom</t></is></c></row>
<row><c><v>536365</v></c><c><v>71053</v></c><c/><c><v>-1</v></c><c s="1"><v>40513.3513888889</v></c><c><v>3.395</v></c><c/><c t="inlineStr"><is><t>United Kingdom</t></is></c></row>
<row><c t="inlineStr"><is><t>C53637</t></is></c><c><v>20713</v></c><c t="inlineStr"><is><t>PÂTISSERIE, 'SET' OF 2</t></is></c><c><v>12</v></c><c s="1"><v>40847.7534722222</v></c><c><v>0</v></c><c><v>12346</v></c><c t="inlineStr"><is><t>United Kingdom</t></is></c></row>
</sheetData></worksheet>"""  # noqa: E501  a row of a sheet is one line
BOOK = {
    "[Content_Types].xml": """<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/></Types>""",  # noqa: E501
    "_rels/.rels": """<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>""",  # noqa: E501
    "xl/workbook.xml": """<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Online Retail" sheetId="1" r:id="r1"/></sheets></workbook>""",  # noqa: E501
    "xl/_rels/workbook.xml.rels": """<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>""",  # noqa: E501
    "xl/styles.xml": """<?xml version="1.0"?><styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="22"/></cellXfs></styleSheet>""",  # noqa: E501
}


def published(lines: pa.Table) -> pa.Table:
    """Return lines under the publisher's column names."""
    return lines.rename_columns(list(COLUMNS))


def test_a_parquet_file_is_read_exactly(tmp_path: Path) -> None:
    parquet.write_table(published(LINES), tmp_path / "orders")

    assert read_lines(tmp_path / "orders").equals(LINES)


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_the_public_csv_is_read_with_its_dates_and_customer_numbers(
    tmp_path: Path, encoding: str
) -> None:
    (tmp_path / "data.csv").write_bytes(PUBLIC.encode(encoding))

    assert read_lines(tmp_path / "data.csv").equals(LINES)


def test_a_compressed_csv_with_iso_times_is_read(tmp_path: Path) -> None:
    plain = tmp_path / "orders.csv"
    csv.write_csv(published(LINES), plain)
    path = tmp_path / "orders.csv.gz"
    path.write_bytes(gzip.compress(plain.read_bytes()))

    assert read_lines(path).equals(LINES)


def test_a_workbook_is_read_with_codes_that_look_like_numbers(tmp_path: Path) -> None:
    path = tmp_path / "Online Retail.xlsx"
    head = "".join(f'<c t="inlineStr"><is><t>{name}</t></is></c>' for name in COLUMNS)
    with zipfile.ZipFile(path, "w") as book:
        for name, text in BOOK.items():
            book.writestr(name, text)
        book.writestr("xl/worksheets/sheet1.xml", SHEET.replace("{head}", head))

    assert read_lines(path).equals(LINES)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("1,A,x,two,2010-12-01 08:26:00,1,,UK", "row 2: Quantity is 'two', not a whole number"),
        ("1,A,x,1.5,2010-12-01 08:26:00,1,,UK", "row 2: Quantity is '1.5', not a whole number"),
        ("1,A,x,1,yesterday,1,,UK", "row 2: InvoiceDate is 'yesterday', not a time"),
        ("1,A,x,1,2010-12-01 08:26:00,1.0005,,UK", "UnitPrice is '1.0005', not an amount"),
        (",A,x,1,2010-12-01 08:26:00,1,,UK", "row 2: InvoiceNo is empty, not a document number"),
        ("1,,x,1,2010-12-01 08:26:00,1,,UK", "row 2: StockCode is empty, not a product code"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_its_row(
    tmp_path: Path, line: str, problem: str
) -> None:
    path = tmp_path / "orders.csv"
    good = "1,A,x,1,2010-12-01 08:26:00,1,,UK"
    path.write_text("\n".join([",".join(COLUMNS), good, line]))

    with pytest.raises(ConfigError, match=problem) as caught:
        read_lines(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "content", [b"", b"PAR1 no", b"PK\x03\x04 no", b"a,b\n1\n", b"\x00\xff\x01"]
)
def test_a_file_of_another_kind_is_one_clear_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "orders.parquet"
    path.write_bytes(content)

    with pytest.raises(ConfigError) as caught:
        read_lines(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_file_without_lines_is_refused(tmp_path: Path) -> None:
    parquet.write_table(published(LINES).slice(0, 0), tmp_path / "orders")

    with pytest.raises(ConfigError, match="no lines in it"):
        read_lines(tmp_path / "orders")


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    parquet.write_table(published(LINES).drop_columns(["Country"]), tmp_path / "orders")

    with pytest.raises(ConfigError, match="no column Country"):
        read_lines(tmp_path / "orders")
