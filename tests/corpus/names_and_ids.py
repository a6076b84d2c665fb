"""Ids and names of columns as people write them, and words in other languages."""

import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd

from tests.corpus.shop import (
    N_ITEMS,
    ROWS,
    USUAL,
    Truth,
    folder,
    goods,
    lines,
    orders,
    plain,
    put,
    refused,
    text,
    title,
)


def renamed(item, user=str) -> Truth:
    """The truth where ids are written otherwise."""
    return USUAL.but(
        titles={item(n): title(n) for n in range(N_ITEMS)},
        pairs=[(user(row.user), item(row.item)) for row in ROWS],
    )


@folder()
def ids_with_a_fraction(place: Path) -> Truth:
    put(place, r_csv=orders(item=lambda row: f"{row.item}.0", user=lambda row: f"{row.user}.00"), i_csv=goods())
    return USUAL


@folder()
def ids_with_blanks(place: Path) -> Truth:
    put(place, r_csv=orders(item=lambda row: f"{row.item:<12}"), i_csv=goods(item=lambda n: f" {n}"))
    return USUAL


@folder()
def ids_with_zeros_on_both_sides(place: Path) -> Truth:
    put(place, r_csv=orders(item=lambda row: f"{row.item:010d}"), i_csv=goods(item=lambda n: f"{n:010d}"))
    return renamed(lambda n: f"{n:010d}")


@refused("they would match without leading zeros")
def ids_with_zeros_on_one_side(place: Path) -> Truth:
    put(place, r_csv=orders(item=lambda row: f"{row.item:010d}"), i_csv=goods())
    return USUAL


@refused("they would match without case")
def ids_in_another_case(place: Path) -> Truth:
    put(place, r_csv=orders(item=lambda row: f"sku{row.item:x}"), i_csv=goods(item=lambda n: f"SKU{n:X}"))
    return USUAL


@refused("they would match without scientific notation")
def ids_that_a_spreadsheet_wrote(place: Path) -> Truth:
    number = 9_780_000_000_000
    put(
        place,
        r_csv=orders(item=lambda row: f"{float(number + row.item * 10**7):.6E}"),
        i_csv=goods(item=lambda n: number + n * 10**7),
    )
    return USUAL


@folder()
def ids_longer_than_any_float(place: Path) -> Truth:
    def item(n: int) -> str:
        return str(10**18 + n)

    put(place, r_csv=orders(item=lambda row: item(row.item)), i_csv=goods(item=item))
    return renamed(item)


@folder()
def ids_that_are_markup(place: Path) -> Truth:
    def item(n: int) -> str:
        return f"[/x{n}] 100%"

    put(
        place,
        r_csv=orders(item=lambda row: item(row.item), user=lambda row: f"a b/{row.user}#ü"),
        i_csv=goods(item=item),
    )
    return renamed(item, lambda user: f"a b/{user}#ü")


@folder()
def ids_in_two_unicode_forms(place: Path) -> Truth:
    def item(n: int) -> str:
        return f"café-{n}"

    put(
        place,
        r_csv=orders(item=lambda row: unicodedata.normalize("NFD", item(row.item))),
        i_csv=goods(item=item),
    )
    return renamed(item)


@folder()
def repeated_rows(place: Path) -> Truth:
    written, again = goods(), lines([[5, "Wrong", "Not this"], [7, title(7), plain(7)]])
    put(place, r_csv=orders() + "".join(orders().splitlines(keepends=True)[1:11]), i_csv=written + again)
    return USUAL.of_rows([*ROWS, *ROWS[:10]]).but(says=("with an id that is there already",))


@folder()
def an_index_column_and_a_repeated_id(place: Path) -> Truth:
    """What pandas writes by itself; the numbers of the rows overlap with the ids by chance."""
    rng = np.random.default_rng(7)
    frame = pd.DataFrame({"item_id": rng.permutation(N_ITEMS)})
    frame["title"], frame["description"] = frame["item_id"].map(title), frame["item_id"].map(text)
    pd.concat([frame, frame.head(2)], ignore_index=True).to_csv(place / "i.csv")
    put(place, r_csv=orders())
    return USUAL


@folder()
def an_item_without_an_id(place: Path) -> Truth:
    put(place, r_csv=orders(), i_csv=goods() + ",Nothing,to see\nnan,Nothing,to see\n")
    return USUAL.but(says=("of the items without an id",))


@folder()
def rows_without_ids(place: Path) -> Truth:
    put(place, r_csv=orders() + ",3,4,1600000000\n5,,4,1600000000\n  ,,4,1600000000\n", i_csv=goods())
    return USUAL.but(says=("no user id", "no item id"))


@folder()
def unknown_items(place: Path) -> Truth:
    put(place, r_csv=orders() + "1,999,5,1600000000\n2,998,5,1600000000\n", i_csv=goods())
    return USUAL.but(says=("unknown item",))


@folder()
def names_of_the_program_itself(place: Path) -> Truth:
    head = ("item_id", "name", "description", "row", "title", "text", "image_path", "part", "user_id", "number")
    cells = [[n, title(n), plain(n), n % 3, f"t{n}", "", "p", "train", n, n] for n in range(N_ITEMS)]
    put(place, r_csv=orders(), i_csv=lines(cells, head=head))
    return USUAL.but(arguments=(*USUAL.arguments, "--title-column", "name"))


@folder()
def triplets_of_coordinates(place: Path) -> Truth:
    put(place, r_csv=orders(head=("row", "col", "data")), i_csv=goods(head=("col", "title", "row")))
    return USUAL.but(ratings=None, times=None, arguments=(*USUAL.arguments, "--title-column", "title"))


@folder()
def matrix_market(place: Path) -> Truth:
    """Coordinates count from 1."""
    cells = [[row.user, row.item + 1, row.rating] for row in ROWS]
    size = f"{max(row.user for row in ROWS)} {N_ITEMS} {len(ROWS)}"
    head = f"%%MatrixMarket matrix coordinate integer general\n% by hand\n{size}\n"
    put(place, r_mtx=head + lines(cells, " "), i_csv=goods(item=lambda n: n + 1))
    return renamed(lambda n: str(n + 1)).but(
        times=None, arguments=("--interactions", "r.mtx", "--items", "i.csv", "--user-column", "1")
    )


@folder()
def a_table_with_much_else(place: Path) -> Truth:
    head = ("order_no", "customer_id", "sku", "qty", "price", "shop", "order_date", "comment", "is_gift")
    cells = [
        [n, f"C{row.user}", f"S-{row.item}", 1 + n % 3, f"{n}.99", n % 2, row.time, "fast" if n % 4 else "", n % 2]
        for n, row in enumerate(ROWS)
    ]
    put(
        place,
        r_csv=lines(cells, head=head),
        i_csv=goods(head=("SKU", "Product Name", "Details"), item=lambda n: f"S-{n}"),
    )
    truth = renamed(lambda n: f"S-{n}", lambda user: f"C{user}")
    return truth.but(ratings=[float(1 + n % 3) for n in range(len(ROWS))], says=("not used",))


@refused("a table of people by items")
def a_wide_table(place: Path) -> Truth:
    rated = {(row.user, row.item): row.rating for row in ROWS}
    users = sorted({row.user for row in ROWS})
    cells = [[user, *(rated.get((user, n), "") for n in range(N_ITEMS))] for user in users]
    put(place, r_csv=lines(cells, head=("user", *map(str, range(N_ITEMS)))), i_csv=goods())
    return USUAL


@refused("a field holds several ids")
def several_ids_in_a_field(place: Path) -> Truth:
    users = sorted({row.user for row in ROWS})
    cells = [[user, " ".join(str(row.item) for row in ROWS if row.user == user)] for user in users]
    put(place, r_tsv=lines(cells, "\t", ("user_id", "item_id")), i_csv=goods())
    return USUAL.but(arguments=("--interactions", "r.tsv", "--items", "i.csv"))


@refused("has an id that is in column 'item_id' of the items")
def ids_that_do_not_meet(place: Path) -> Truth:
    put(place, r_csv=orders(item=lambda row: f"a{row.item}"), i_csv=goods(item=lambda n: f"b{n * 7}"))
    return USUAL


@refused("hardly anyone took two items")
def as_many_people_as_rows(place: Path) -> Truth:
    put(place, r_csv=orders(user=lambda row: row.time), i_csv=goods())
    return USUAL


@refused("column 'user_id' holds 1 id ('me') where at least 3 are needed, and cannot be the person's id")
def one_person(place: Path) -> Truth:
    put(place, r_csv=orders(user=lambda row: "me"), i_csv=goods())
    return USUAL


@refused("no column looks like a person's id")
def no_people(place: Path) -> Truth:
    put(place, r_csv=lines([[row.item, row.rating] for row in ROWS], head=("item_id", "rating")), i_csv=goods())
    return USUAL


WORDS = {
    "german": (
        "Kunde;Artikel;Sterne;Datum",
        "Artikel;Bezeichnung;Beschreibung",
        "Eichenholzstuhl Nr {}",
        "Baumwollzelt Nr {}",
    ),
    "spanish": (
        "usuario;producto;calificación;fecha",
        "producto;título;descripción",
        "Silla de montaña {}",
        "Tienda de campaña {}",
    ),
    "chinese": ("用户ID;商品ID;评分;时间", "商品ID;商品名称;描述", "橡木椅子{}", "绿色帐篷{}"),
    "japanese": ("ユーザーID;商品ID;評価;日時", "商品ID;商品名;説明", "木の椅子{}番", "緑のテント{}番"),
    "korean": ("사용자;상품;평점;시간", "상품;상품명;설명", "갈색 나무 의자 {}", "초록 방수 텐트 {}"),
    "russian": ("пользователь;товар;оценка;дата", "товар;название;описание", "Дубовый стул {}", "Палатка {}"),
    "thai": ("ผู้ใช้;สินค้า;คะแนน;เวลา", "สินค้า;ชื่อ;รายละเอียด", "เก้าอี้ไม้โอ๊ค{}", "เต็นท์สีเขียว{}"),
    "hindi": ("उपयोगकर्ता;उत्पाद;रेटिंग;समय", "उत्पाद;शीर्षक;विवरण", "लकड़ी की कुर्सी {}", "हरा तम्बू {}"),
    "arabic": ("مستخدم;منتج;تقييم;تاريخ", "منتج;عنوان;وصف", "كرسي خشبي {}", "خيمة خضراء {}"),
}


def _in(language: str):
    of_orders, of_goods, chair, tent = WORDS[language]

    def name(n: int) -> str:
        return (chair if n % 2 == 0 else tent).format(n)

    def write(place: Path) -> Truth:
        put(
            place,
            r_csv=orders(";", of_orders.split(";")),
            i_csv=goods(";", of_goods.split(";"), name=name, words=lambda n: f"{name(n)}, {n}"),
        )
        return USUAL.but(titles={str(n): name(n) for n in range(N_ITEMS)})

    write.__name__ = f"in_{language}"
    return write


for _language in WORDS:
    folder()(_in(_language))


@folder()
def numbers_for_names(place: Path) -> Truth:
    """What pandas writes of columns without names, and ids of people that are found among those of the items."""
    r = orders(head=("0", "1", "2", "3"), user=lambda row: row.user % 25)
    put(place, r_csv=r, i_csv=goods(head=("0", "1", "2")))
    return USUAL.but(
        pairs=[(str(row.user % 25), str(row.item)) for row in ROWS],
        says=("r.csv: the first row numbers the columns", "i.csv: the first row numbers the columns"),
    )


@folder()
def titles_among_the_orders(place: Path) -> Truth:
    head = ("user_id", "item_id", "rating", "timestamp", "title")
    cells = [[row.user, row.item, row.rating, row.time, title(row.item)] for row in ROWS]
    put(place, r_csv=lines(cells, head=head), i_csv=goods())
    return USUAL
