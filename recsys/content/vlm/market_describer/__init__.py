"""How the describer that comes with the program was made: a tiny Idefics3 that says what the market's pictures show.

`python -m recsys.content.vlm.market_describer --out FOLDER` makes it anew, on one CPU thread in some minutes.
"""
