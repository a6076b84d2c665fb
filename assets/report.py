"""`<study>/report`: one self-contained page that says what holds and what does not."""
