"""Delimited text as people have it: separators, quotes, headers or none, comments, encodings, damaged rows."""

import csv
import io
from pathlib import Path

from tests.corpus.shop import (
    GOODS_HEAD,
    N_ITEMS,
    ORDERS_HEAD,
    ROWS,
    TITLES,
    USUAL,
    Truth,
    folder,
    goods,
    in_quotes,
    lines,
    of,
    orders,
    put,
    refused,
    text,
    title,
    usual,
)


def by_the_book(quoting: int = csv.QUOTE_MINIMAL, words=text, **how: object) -> str:
    """The items as the csv module writes them."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=quoting, lineterminator="\n", **how)  # type: ignore[call-overload]
    writer.writerows([GOODS_HEAD, *([n, title(n), words(n)] for n in range(N_ITEMS))])
    return out.getvalue()


def cells(written: str) -> list[list[str]]:
    """Rows that stand in text without quotes."""
    return [line.split(",") for line in written.splitlines()]


folder()(usual)


@folder()
def tabs_in_csv(place: Path) -> Truth:
    put(place, r_csv=orders("\t"), i_csv=goods("\t"))
    return USUAL.but(says=("separated by tabs",))


@folder()
def semicolons_and_decimal_commas(place: Path) -> Truth:
    put(place, r_csv=orders(";", rating=lambda row: f"{row.rating},5"), i_csv=goods(";", words=text))
    return USUAL.but(ratings=[row.rating + 0.5 for row in ROWS], says=("separated by semicolons",))


@folder()
def bars(place: Path) -> Truth:
    put(place, r_txt=orders("|"), i_txt=goods("|"))
    return USUAL.but(arguments=of("r.txt", "i.txt"))


@folder()
def double_colons(place: Path) -> Truth:
    put(place, r_dat=orders("::"), i_dat=goods("::"))
    return USUAL.but(arguments=of("r.dat", "i.dat"))


@folder()
def blanks_and_no_header(place: Path) -> Truth:
    put(place, r_txt=orders(" ", ()), i_csv=goods())
    return USUAL.but(arguments=of("r.txt", "i.csv"), says=("no header",))


@folder()
def no_header_of_either(place: Path) -> Truth:
    put(place, r_csv=orders(head=()), i_csv=goods(head=()))
    return USUAL.but(says=("no header",))


@folder()
def all_in_quotes(place: Path) -> Truth:
    put(place, r_csv=in_quotes(cells(orders())), i_csv=by_the_book(csv.QUOTE_ALL))
    return USUAL


@folder()
def quotes_within_quotes(place: Path) -> Truth:
    put(place, r_csv=orders(), i_csv=by_the_book(words=lambda n: f'The "{title(n)}", so called, of 12" x 5"'))
    return USUAL


@folder()
def quotes_after_backslashes(place: Path) -> Truth:
    i = by_the_book(csv.QUOTE_ALL, lambda n: f'The "{n}", so called', escapechar="\\", doublequote=False)
    put(place, r_csv=orders(), i_csv=i)
    return USUAL


@folder()
def texts_of_several_lines(place: Path) -> Truth:
    put(place, r_csv=orders(), i_csv=by_the_book(words=lambda n: f"{text(n)}\n\n- washable, 30 degrees\n- light"))
    return USUAL


@folder()
def quotation_marks_in_tsv(place: Path) -> Truth:
    names = {n: ('"' if n in (5, 20) else "") + title(n) for n in range(N_ITEMS)}
    put(place, r_tsv=orders("\t"), i_tsv=goods("\t", name=names.__getitem__))
    return USUAL.but(arguments=of("r.tsv", "i.tsv"), titles={str(n): name for n, name in names.items()})


@folder()
def a_quote_left_open(place: Path) -> Truth:
    put(place, r_csv=orders(), i_csv=goods(name=lambda n: ('"' if n == 5 else "") + title(n)))
    return USUAL.of_rows([row for row in ROWS if row.item != 5]).but(
        titles={item: name for item, name in TITLES.items() if item != "5"},
        says=("a quotation mark opens a field", "unknown item"),
    )


@folder()
def columns_in_single_quotes(place: Path) -> Truth:
    put(place, r_csv=in_quotes(cells(orders()), mark="'"), i_csv=in_quotes(cells(goods()), mark="'"))
    return USUAL


@folder()
def comments(place: Path) -> Truth:
    put(place, r_csv=f"# made by hand\n# in 2020\n{orders()}# end\n", i_csv=f"#{goods()}")
    return USUAL


@folder()
def what_excel_writes(place: Path) -> Truth:
    put(place, r_csv=f"sep=;\n{orders(';', end=chr(13) + chr(10))}", i_csv=b"\xef\xbb\xbf" + goods(";").encode())
    return USUAL


@folder()
def blank_lines(place: Path) -> Truth:
    put(place, r_csv="\n\n" + orders(end="\n\n") + "\n\n", i_csv=goods(end="\r\n\r\n"))
    return USUAL


@folder()
def lines_that_end_with_cr(place: Path) -> Truth:
    put(place, r_csv=orders(end="\r"), i_csv=goods(end="\r"))
    return USUAL


@folder()
def a_delimiter_at_the_end_of_all_lines(place: Path) -> Truth:
    put(place, r_csv=orders(end=",\n"), i_csv=goods(end=",\n"))
    return USUAL


@refused("rows have 5 fields where the header has 4")
def a_delimiter_too_many_but_in_the_header(place: Path) -> Truth:
    head, _, rest = orders().partition("\n")
    put(place, r_csv=head + "\n" + rest.replace("\n", ",\n"), i_csv=goods())
    return USUAL


@folder()
def rows_of_another_width(place: Path) -> Truth:
    written = orders().splitlines(keepends=True)
    written[3:3] = ["1,2\n", "1,2,3,4,5\n"]
    put(place, r_csv="".join(written), i_csv=goods())
    return USUAL.but(says=("fields where the header has 4",))


@folder()
def a_repeated_header(place: Path) -> Truth:
    written = orders().splitlines(keepends=True)
    put(place, r_csv="".join([*written[:50], written[0], *written[50:]]), i_csv=goods())
    return USUAL


@folder()
def damaged_bytes(place: Path) -> Truth:
    written = orders().splitlines(keepends=True)
    put(place, r_csv="".join([*written[:9], "7,\0,3,1600000000\n", *written[9:]]), i_csv=goods())
    return USUAL.but(says=("it holds a NUL byte",))


@folder()
def utf_16(place: Path) -> Truth:
    put(place, r_csv=orders("\t").encode("utf-16"), i_csv=goods("\t").encode("utf-16"))
    return USUAL.but(says=("read as utf-16",))


@folder()
def western_letters(place: Path) -> Truth:
    i = goods(words=lambda n: f"Für das Café “Ærø” Nummer {n}")
    put(place, r_csv=orders(), i_csv=i.encode("cp1252"))
    return USUAL.but(says=("read as cp1252",))


@refused("its encoding cannot be detected")
def an_encoding_of_its_own(place: Path) -> Truth:
    put(place, r_csv=orders(), i_csv=goods(name=lambda n: f"木椅橡木台灯 {n}").encode("gb18030"))
    return USUAL


@refused("it is empty")
def an_empty_file(place: Path) -> Truth:
    put(place, r_csv="", i_csv=goods())
    return USUAL


@refused("holds no row")
def a_header_alone(place: Path) -> Truth:
    put(place, r_csv=lines([], head=ORDERS_HEAD), i_csv=goods())
    return USUAL


@refused("two columns have the same name 'item_id'")
def two_columns_of_one_name(place: Path) -> Truth:
    put(place, r_csv=orders(head=("user_id", "item_id", "item_id", "timestamp")), i_csv=goods())
    return USUAL
