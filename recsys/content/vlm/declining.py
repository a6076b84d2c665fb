"""Answers that decline to answer: "I'm sorry, but I can't assist with that" is no description of an item.

Servers say in a field of their own that something was refused, but many models say it in words alone. Taken for
descriptions, such words would make items alike that have nothing in common.
"""

import re

from recsys.content.texts import unwrap
from recsys.content.thinking import without_thinking

DECLINED = "the model declines in words"
"""Why an item has no answer, in the words that stand for it wherever refusals are counted."""
LONGEST = 600
"""Characters; a longer answer says something beside."""
TASK = (
    r"help|assist|provide|fulfil+|comply|answer|respond|describe|identify|determine|process|view|see|analy[sz]e|access"
    r"|generate|create|engage|discuss|complete|continue|do (?:that|this)|make"
)
UNABLE = (
    r"(?:can ?no?t|can't|unable to|not able to|(?:won't|will not)(?: be able to)?|do not|don't|not allowed to"
    rf"|do(?: not|n't) have the (?:ability|capability) to)(?: \w+ly)? (?:{TASK})\b"
)
PICTURE = r"(?:image|picture|photo)"
DECLINES = re.compile(
    rf"(?:(?:i'm|i am) (?:\w+ )?(?:sorry|afraid)|(?:i )?apologi[sz]e|sorry|my apologies|unfortunately"
    rf"|(?:i'm just|as) an? (?:ai|artificial|language|text)\b)[^\n]{{0,160}}?"
    rf"\b(?:{UNABLE}|no {PICTURE}\b|too blurry)"
    rf"|(?:i|we)(?:'m| am)? (?:{UNABLE})"
    r"|(?:can ?no?t|can't|unable to) (?:help|assist|comply)(?: with (?:that|this)\b.*)?[.!]?\Z"
    rf"|(?:it (?:seems|appears|looks like) (?:that )?|there (?:is|was) |i see )?no {PICTURE} (?:is |was |has been )?"
    r"(?:provided|attached|given|uploaded|here|to describe|in (?:this|the|our|your))"
    r"|(?:the|your|this)? ?request (?:was blocked|was rejected|can ?not be|can't be)"
    rf"|please (?:provide|upload|share|attach|send) (?:\w+ ){{0,3}}{PICTURE}"
    r"|(?:es tut mir leid|entschuldigung|leider|als (?:ki|sprachmodell))\b.{0,160}?\b(?:nicht|kein\w*)\b"
    r"|(?:sorry|helaas|het spijt me)\b.{0,160}?\b(?:niet|geen)\b"
    r"|(?:przepraszam|niestety)\b.{0,160}?\bnie (?:mog\u0119|jestem)\b"
    r"|(?:\u00fczg\u00fcn\u00fcm|maalesef)\b.{0,160}?(?:am\u0131yorum|emiyorum|amam|emem)\b"
    r"|(?:\u0438\u0437\u0432\u0438\u043d\u0438\u0442\u0435|"
    r"\u043a \u0441\u043e\u0436\u0430\u043b\u0435\u043d\u0438\u044e)"
    r"\b.{0,160}?\b\u043d\u0435 \u043c\u043e\u0433\u0443"
    r"|(?:\u0639\u0630\u0631\u0627|\u0639\u0630\u0631\u064b\u0627|\u0622\u0633\u0641)"
    r".{0,80}?\u0644\u0627 (?:\u0623\u0633\u062a\u0637\u064a\u0639|\u064a\u0645\u0643\u0646\u0646\u064a)"
    r"|(?:\uc8c4\uc1a1|\ubbf8\uc548).{0,80}?(?:\uc218 \uc5c6|\uc5b4\ub835)"
    r"|(?:je suis )?d\u00e9sol\u00e9e?\b.{0,160}?\bne (?:peux|puis|suis)"
    r"|(?:lo siento|lamento|mi dispiace|desculpe|sinto muito)\b.{0,160}?\b(?:no puedo|non posso|n\u00e3o posso)"
    r"|(?:\u5f88|\u975e\u5e38)?(?:\u62b1\u6b49|\u5bf9\u4e0d\u8d77|\u5c0d\u4e0d\u8d77).{0,80}?(?:\u65e0\u6cd5|\u7121\u6cd5|\u4e0d\u80fd)"
    r"|(?:\u7533\u3057\u8a33|\u3059\u307f\u307e\u305b\u3093).{0,80}?(?:\u3067\u304d\u307e\u305b\u3093|\u3067\u304d\u306a\u3044)",
    re.IGNORECASE | re.DOTALL,
)


def declines(answer: str) -> bool:
    """Whether an answer, its thinking aside, says nothing but that there is none."""
    text = " ".join(without_thinking(unwrap(answer)).replace("\u2019", "'").split())
    return len(text) <= LONGEST and DECLINES.match(text) is not None
