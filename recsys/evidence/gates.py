"""stub"""

from typing import Literal

from pydantic import BaseModel


class Gate(BaseModel, frozen=True):
    """stub"""

    name: str
    colour: Literal["red", "amber", "green"]
    message: str
    remedy: str = ""
