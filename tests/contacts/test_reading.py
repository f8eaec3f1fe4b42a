"""Files as they come."""

import csv
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contacts.importing.encodings import Unreadable, detect
from contacts.importing.reading import inspect, rows

TABLE = [["name", "email"], ["José", "a@x.example"], ["Müller", "b@x.example"]]


def written(path: Path, table: list[list[str]], delimiter: str = ",", encoding: str = "utf-8") -> Path:
    with path.open("w", newline="", encoding=encoding) as file:
        csv.writer(file, delimiter=delimiter).writerows(table)
    return path


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "mac_roman"]
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encoding_and_delimiter_are_found(tmp_path: Path, encoding: str, delimiter: str) -> None:
    path = written(tmp_path / "x.csv", TABLE, delimiter, encoding)
    sheet = inspect(path)
    assert (sheet.delimiter, sheet.header) == (delimiter, TABLE[0])
    assert [cells for _, cells in rows(path, sheet.encoding, sheet.delimiter)] == TABLE[1:]


@pytest.mark.parametrize(
    ("words", "encoding"),
    [
        ("Иван Петров Сергей", "cp1251"),
        ("山田太郎 鈴木一郎", "cp932"),
        ("김철수 이영희 박민수", "euc_kr"),
        ("Łukasz Wójcik Żółć", "cp1250"),
    ],
)
def test_lists_in_other_alphabets_are_read(tmp_path: Path, words: str, encoding: str) -> None:
    table = [["name", "note"], *[[word, word] for word in words.split()]] * 3
    sheet = inspect(written(tmp_path / "x.csv", table, encoding=encoding))
    assert sheet.samples[0][0] == words.split()[0]


def test_an_ascii_beginning_proves_nothing_of_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"name,email\n" + b"Ann,a@x.example\n" * 100_000 + "José,b@x.example\n".encode("cp1252"))
    sheet = inspect(path)
    *_, (number, last) = rows(path, sheet.encoding, sheet.delimiter)
    assert (number, last[0]) == (100_002, "José")


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_any_line_ending_is_one(tmp_path: Path, ending: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(ending.join(["name,note", 'Ann,"two\nlines"', "", "Bob,x", ""]).encode())
    assert list(rows(path, "utf-8", ",")) == [(2, ["Ann", "two\nlines"]), (4, ["Bob", "x"])]


def test_excel_s_hint_about_the_delimiter_is_not_a_row_of_people(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("sep=;\nname;email\nAnn;a@x.example\n")
    assert inspect(path).header == ["name", "email"]
    assert list(rows(path, "utf-8", ";")) == [(3, ["Ann", "a@x.example"])]


def test_nuls_are_dropped_and_blank_columns_are_named(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"name,,email,,\nAnn\x00a,x,a@x.example,,\n" + b"Bob,y,b@x.example,,\n" * 30)
    assert inspect(path).header == ["name", "Column 2", "email"]
    assert next(rows(path, "utf-8", ","))[1][0] == "Anna"


@pytest.mark.parametrize("filler", [b"a", b"\x00", b'"', b"\xff"], ids=["letters", "holes", "quotes", "bytes"])
def test_a_line_of_300_megabytes_is_refused_without_being_read_into_memory(tmp_path: Path, filler: bytes) -> None:
    path = tmp_path / "x.csv"
    with path.open("wb") as file:
        file.write(b"name,email\n")
        if filler == b"\x00":
            file.truncate(300 * 2**20)  # sparse: takes no room on the disk
        else:
            for _ in range(300):
                file.write(filler * 2**20)
    tracemalloc.start()
    try:
        with pytest.raises(Unreadable) as refusal:
            inspect(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        path.unlink()
    assert str(refusal.value).endswith(".")
    assert peak < 40 * 2**20


@pytest.mark.parametrize(
    ("head", "sentence"),
    [
        (b"PK\x03\x04", "Excel workbook"),
        (b"\xd0\xcf\x11\xe0", "old Excel"),
        (b"\x1f\x8b", "compressed"),
        (b"%PDF-1.7", "PDF"),
        (b"\x89PNG", "picture"),
        (b"\x7fELF\x01\x01\x00\x02\x03\x04\x05", "not a text file"),
    ],
)
def test_other_kinds_of_file_are_called_by_their_name(tmp_path: Path, head: bytes, sentence: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(head + bytes(range(256)))
    with pytest.raises(Unreadable, match=sentence):
        detect(path)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.one_of(
        st.binary(max_size=3000), st.text(max_size=2000).map(lambda text: text.encode("utf-8", "surrogatepass"))
    )
)
def test_any_bytes_are_either_read_or_refused_with_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    sentence, found = "", []
    try:
        sheet = inspect(path)
        found = list(rows(path, sheet.encoding, sheet.delimiter))
    except Unreadable as refusal:
        sentence = str(refusal)
    assert sentence.endswith(".") if sentence else found
    assert all("\x00" not in cell for _, cells in found for cell in cells)


_cells = st.text(st.characters(exclude_characters="\x00\r\ufeff", exclude_categories=["Cs", "Cc"]), max_size=20)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.lists(st.tuples(_cells, _cells, _cells), min_size=1, max_size=20))
def test_what_python_s_csv_writer_wrote_is_read_back(tmp_path: Path, body: list[tuple[str, str, str]]) -> None:
    table = [["name", "note", "email"], *[[f"x{a}", b.strip(), f"x{c}"] for a, b, c in body]]
    path = written(tmp_path / "x.csv", table, encoding="utf-8-sig")
    assert [cells for _, cells in rows(path, "utf-8-sig", ",")] == table[1:]


@pytest.mark.conformance
def test_the_csv_spectrum_is_read(shared_data) -> None:
    files = sorted((shared_data / "csv_import").glob("spectrum_*.csv"))
    assert len(files) == 12
    for path in files:
        with path.open(newline="", encoding="utf-8") as file:
            header, *expected = [row for row in csv.reader(file) if row]
        sheet = inspect(path)
        assert sheet.header == header, path.name
        assert [cells for _, cells in rows(path, sheet.encoding, sheet.delimiter)] == expected, path.name
