"""How well a colour is seen on another, by the rules of WCAG 2.2."""

from __future__ import annotations

GROUNDS = ("#FBFAF6", "#15191C")  # .streamlit/config.toml, light and dark


def luminance(colour: str) -> float:
    """Relative luminance, from 0, black, to 1, white, of a colour as `#C75000`."""
    parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(colour: str, ground: str) -> float:
    """From 1, the same, to 21, black and white."""
    bright, dark = sorted((luminance(colour), luminance(ground)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)
