"""Goods of two kinds with titles in several scripts: the same words, and the same people, in every one of them."""

import numpy as np
import pandas as pd
from scipy import sparse

WORDS = {
    "English": (
        "wood chair table lamp shelf cupboard",
        "tent rope boots stove rucksack compass",
        "red new small round cheap heavy",
    ),
    "Chinese": (
        "木头 椅子 桌子 台灯 书架 橱柜",
        "帐篷 绳索 靴子 炉具 背包 罗盘",
        "红色 全新 小型 圆形 便宜 沉重",
    ),
    "Japanese": (
        "木材 いす テーブル ランプ 本棚 戸棚",
        "テント ロープ 長靴 こんろ リュック 羅針盤",
        "赤い 新しい 小さな 丸い 安い 重い",
    ),
    "Thai": (
        "ไม้ เก้าอี้ โต๊ะ โคมไฟ ชั้นวาง ตู้",
        "เต็นท์ เชือก รองเท้า เตา เป้ เข็มทิศ",
        "แดง ใหม่ เล็ก กลม ถูก หนัก",
    ),
    "Khmer": (
        "ឈើ កៅអី តុ ចង្កៀង ធ្នើ ទូ",
        "តង់ ខ្សែពួរ ស្បែកជើង ចង្ក្រាន កាបូប ត្រីវិស័យ",
        "ក្រហម ថ្មី តូច មូល ថោក ធ្ងន់",
    ),
    "Hindi": (
        "लकड़ी कुर्सी मेज़ दीपक ताक अलमारी",
        "तंबू रस्सी जूते चूल्हा बस्ता कुतुबनुमा",
        "लाल नया छोटा गोल सस्ता भारी",
    ),
    "Tamil": (
        "மரம் நாற்காலி மேசை விளக்கு அலமாரி பெட்டி",
        "கூடாரம் கயிறு காலணி அடுப்பு பை திசைகாட்டி",
        "சிவப்பு புதிய சிறிய வட்ட மலிவு கனமான",
    ),
    "Korean": (
        "나무 의자 책상 램프 선반 찬장",
        "텐트 밧줄 장화 난로 배낭 나침반",
        "빨간 새로운 작은 둥근 저렴한 무거운",
    ),
    "German": (
        "holz stuhl tisch lampen regal schrank",
        "zelt seil stiefel kocher rucksack kompass",
        "rot neu klein rund billig schwer",
    ),
}
"""By language: six words of either kind of goods, and six that both kinds have."""


def titles(language: str, join: str = " ", *, n_items: int = 240, seed: int = 0) -> list[str]:
    """Three words each, two of the item's kind and one that tells nothing, in any order."""
    *kinds, common = (words.split() for words in WORDS[language])
    random = np.random.default_rng((seed, 2))
    return [
        join.join(random.permutation([*(kinds[item % 2][word] for word in pair), random.choice(common)]))
        for item, pair in enumerate(_pairs(n_items, seed))
    ]


def purchases(n_users: int = 300, n_items: int = 240, *, n_each: int = 5, seed: int = 0) -> pd.DataFrame:
    """Who took what: most of it has the one word that the person looks for; columns `user` and `item`."""
    random = np.random.default_rng((seed, 1))
    pairs = _pairs(n_items, seed)
    rows = []
    for user in range(n_users):
        sought = (np.arange(n_items) % 2 == user % 2) & (pairs == random.integers(6)).any(axis=1)
        chance = np.where(sought, 20, 1) / np.where(sought, 20, 1).sum()
        rows += [(user, item) for item in random.choice(n_items, n_each, replace=False, p=chance)]
    return pd.DataFrame(rows, columns=["user", "item"])


def _pairs(n_items: int, seed: int) -> np.ndarray:
    """Which two of the six words of its kind each item has; every second item is of the other kind."""
    random = np.random.default_rng(seed)
    return np.stack([random.choice(6, 2, replace=False) for _ in range(n_items)])


def split(rows: pd.DataFrame, n_items: int = 240) -> tuple[sparse.csr_array, sparse.csr_array]:
    """All but the last two of each person's, and those two: binary, shape (n_users, n_items)."""
    later = rows.groupby("user").cumcount(ascending=False) < 2
    shape = rows["user"].max() + 1, n_items
    train, test = (
        sparse.csr_array((np.ones(len(part), np.float32), (part["user"], part["item"])), shape=shape)
        for part in (rows[~later], rows[later])
    )
    return train, test
