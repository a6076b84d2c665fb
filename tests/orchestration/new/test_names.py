"""What names of columns say, in the spellings and languages of public tables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.cli.own_data import names

SAID = {
    "user": """user_id userId User-ID reviewerID uid Kundennummer Kunde visitorid user_id:token 用户ID ユーザーID
        사용자 usuario utilisateur пользователь account_id usr_id""",
    "item": """item_id movieId ISBN parent_asin product_id Artikel ArtikelNr item_id:token 商品ID 商品番号
        상품 producto
        livre товар track_id business_id asin""",
    "rating": """rating Rating:float Book-Rating user_score review_overall stars Sterne Bewertung overall puntuación
        评分 評価 평점 оценка movieRating user_rating""",
    "time": """timestamp timestamp:float unix_timestamp unixReviewTime created_at t_dat Datum fecha 时间 日付 날짜 дата
        order_date event_time""",
    "title": """title product_title Book-Title prod_name Titel título 商品名称 映画タイトル 제목 название name
        title:token_seq""",
    "text": """description Book-Author genres detail_desc class:token_seq Beschreibung descripción 描述 説明 설명
        описание brand_name""",
}
OTHERS = ["rating_count", "avg_rating", "user_age", "price", "row", "col", "year", "dwell_time"]


@pytest.mark.parametrize(("role", "name"), [(role, name) for role, listed in SAID.items() for name in listed.split()])
def test_a_name_speaks_for_its_role_alone(role: names.Role, name: str) -> None:
    assert names.strength(role, name) == names.CERTAIN
    others: set[names.Role] = {"user", "item", "rating", "title"} - {role}
    assert [other for other in others if names.strength(other, name)] == []


@pytest.mark.parametrize("name", OTHERS)
def test_a_name_that_holds_a_word_of_a_role_may_say_something_else(name: str) -> None:
    roles: tuple[names.Role, ...] = ("user", "item", "rating", "time")
    assert [role for role in roles if names.strength(role, name) == names.CERTAIN] == []


SEPARATORS = st.sampled_from(["_", "-", " ", ".", ""])
CASES = st.sampled_from([str.lower, str.upper, str.title, str.capitalize])


@given(
    who=st.sampled_from(["user", "customer", "reviewer", "kunden", "usuario"]),
    what=st.sampled_from(["item", "product", "movie", "artikel", "libro"]),
    number=st.sampled_from(["id", "no", "nr", "key", "code"]),
    separator=SEPARATORS,
    case=CASES,
)
def test_spelling_makes_no_difference(who: str, what: str, number: str, separator: str, case) -> None:
    user, item = case(f"{who}{separator}{number}"), case(f"{what}{separator}{number}")
    assert (names.strength("user", user), names.strength("item", user)) == (names.CERTAIN, 0)
    assert (names.strength("item", item), names.strength("user", item)) == (names.CERTAIN, 0)


def test_columns_that_number_the_rows() -> None:
    assert names.index_columns(["Unnamed: 0", "item_id", "Unnamed: 0.1"]) == ["Unnamed: 0", "Unnamed: 0.1"]
    assert names.index_columns(["1", "item_id"]) == ["1"]  # the reader's name of a column without one
    assert names.index_columns(["1", "2", "3"]) == []  # a file without a header
    assert names.index_columns(["user", "2", "index", "__index_level_0__"]) == ["2", "index", "__index_level_0__"]


def test_of_two_columns_the_one_that_says_more_is_first() -> None:
    assert names.named("user", ["user_name", "session_id", "user_id"]) == ["user_id", "session_id", "user_name"]


@pytest.mark.parametrize(
    ("role", "name"),
    [("rating", "रेटिंग"), ("item", "उत्पाद"), ("title", "शीर्षक"), ("user", "ผู้ใช้"), ("title", "ชื่อ"), ("time", "เวลา_id")],
)
def test_marks_of_a_script_belong_to_their_letters(role: names.Role, name: str) -> None:
    assert names.strength(role, name) > 0


def test_numbers_are_no_names() -> None:
    assert names.alike("Item-ID", "item_id") and not names.alike("1", "1") and not names.alike("_", "-")


@pytest.mark.parametrize(
    "name",
    [
        "reviews",
        "review_text",
        "customerReviews",
        "user_comments",
        "Feedback",
        "also_bought",
        "レビュー",
        *("tags_by_users", "user_tags", "customerTags", "user_generated_tags", "KundenSchlagworte", "用户标签"),
        *("written_by_buyers", "vonKunden", "keywords from customers"),
    ],
)
def test_names_of_what_users_made(name: str) -> None:
    assert names.speaks_of_users(name)


MADE_OR_SOLD = st.sampled_from(["author", "designer", "developer", "manufacturer", "seller", "vendor", "staff"])


@given(
    whom=MADE_OR_SOLD,
    what=st.sampled_from(["review", "reviews", "feedback", "opinions", "testimonials"]),
    between=st.sampled_from(["", "on", "of", "about", "for", "to"]),
    turned=st.booleans(),
    separator=SEPARATORS.filter(bool),
    case=CASES,
)
def test_who_made_or_sells_an_item_may_be_what_users_write_of(whom, what, between, turned, separator, case) -> None:
    said = [what, between, whom] if between or turned else [whom, what]
    assert names.speaks_of_users(case(separator.join(filter(None, said))))


@pytest.mark.parametrize("name", ["comment_author", "commentDeveloper", "seller_comment", "press_reviews_user"])
def test_who_wrote_a_comment_is_open(name: str) -> None:
    assert names.speaks_of_users(name)


@pytest.mark.parametrize(
    "name",
    [
        *("description", "question_text", "tags", "author", "brand_story", "preview", "answer", "keywords"),
        *("user_manual", "buyer_guide", "target_customer", "Kunden_Information", "customerCareText"),
        *("editorial_review", "critic_review", "press_reviews", "developer_comment", "commentaire_editeur"),
        *("reviews_from_the_press", "comments_by_the_author", "feedback_from_manufacturer", "HerstellerKommentar"),
        *("text_by_author", "product_tags", "keywords_from_publisher"),
    ],
)
def test_names_of_what_may_be_an_items_own(name: str) -> None:
    assert not names.speaks_of_users(name)
