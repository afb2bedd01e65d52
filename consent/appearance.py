"""How a banner looks: an owner's wishes as one line of style sheet, and whether everybody can read the result; pure.

Only what differs from banner/style/control.css travels. Every declaration is important, like those there: inside a shadow root
that wins over anything the page says. Accepting and refusing share each of these declarations.
"""

from collections.abc import Iterator, Mapping

from consent.policy_types import Appearance, Palette

LIGHT = {"paper": "#ffffff", "ink": "#000000", "accent": "#2b5ea7", "accent_ink": "#ffffff", "line": "#777777"}
DARK = {**LIGHT, "paper": "#121212", "ink": "#ffffff"}
"""What colours are where an owner names only some; unnamed altogether, paper and ink are the system's own."""

TONE = "tone"
"""What the preferences' sections have behind them: the paper under a veil, `#8882` in banner/style/dialog.css."""
VEIL, SHARE = 0x88, 0x22 / 0xFF

PAIRS = (
    ("ink", "paper", 4.5, "text"),
    ("ink", "paper", 5.0, "buttons"),
    ("accent_ink", "accent", 5.0, "buttons"),
    ("line", "paper", 3.0, "controls"),
    ("ink", TONE, 4.5, "text"),
    ("line", TONE, 3.0, "controls"),
)
"""What is drawn on what, the least contrast, and what it is for."""

SPACES = {"compact": ".5em", "normal": ".75em", "wide": "1em"}
BANNER, MODAL, PREFERENCES, DOCK = (f":host(#consent-{name})" for name in ("banner", "modal", "preferences", "reopen"))

AWAY = ":host(#consent-banner[away])"
"""A banner that leaves its edge because what has the focus would lie under it."""


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours `#rgb` or `#rrggbb`, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def faults(appearance: Appearance) -> Iterator[tuple[str, str]]:
    """Everything that could not be read or does not fit together, as (path, what would be right)."""
    for name, palette in _palettes(appearance).items():
        colors = toned(palette)
        own = getattr(appearance, name)
        wrong: set[str] = set()
        for front, back, least, purpose in PAIRS:
            found = contrast(colors[front], colors[back])
            blamed = front if getattr(own, front) else "paper" if back == TONE else back
            if found < least and blamed not in wrong:
                wrong.add(blamed)
                yield (
                    f"appearance.{name}.{blamed}",
                    f"needs a contrast of {least:g}:1 for {purpose}, and {front} {colors[front]} on {back} "
                    f"{colors[back]} has {_cut(found)}:1",
                )
    fitting = {"bar": ("top", "bottom"), "box": ("bottom-left", "bottom-right", "top-left", "top-right")}
    right = fitting.get(appearance.layout, ())
    if appearance.position and appearance.position not in right:
        wish = f"must be one of {', '.join(right)}" if right else "must be left out"
        yield "appearance.position", f"{wish} with the layout {appearance.layout!r}"


def css(appearance: Appearance) -> str:
    """What to add to the banner's style sheet; '' for the looks it has by itself."""
    return "".join([*_look(appearance), *_place(appearance), *_logo(appearance)])


def _look(appearance: Appearance) -> Iterator[str]:
    said: dict[str, str] = {}
    if appearance.theme != "auto":
        said["color-scheme"] = appearance.theme
    if appearance.font:
        said["--font"] = appearance.font
    if appearance.font_size:
        said["--size"] = f"{appearance.font_size / 16:g}rem"
    if appearance.radius is not None:
        said["--round"] = f"{appearance.radius}px"
    if appearance.spacing != "normal":
        said["--space"] = SPACES[appearance.spacing]
    palettes = _palettes(appearance)
    first = "dark" if appearance.theme == "dark" else "light"
    yield _rule(":host([lang])", said | _variables(palettes.get(first, {})))
    if appearance.theme == "auto" and "dark" in palettes:
        yield "@media (prefers-color-scheme:dark){" + _rule(":host([lang])", _variables(palettes["dark"])) + "}"


def _place(appearance: Appearance) -> Iterator[str]:
    if appearance.layout == "bar":
        top = appearance.position == "top"
        inner = "max(calc(var(--space)*5/3),50% - 36em)"
        edge = {"inset": "0 0 auto" if top else "auto 0 0", "border-width": "0 0 1px" if top else "1px 0 0"}
        yield _rule(
            BANNER,
            edge
            | {
                "width": "auto",
                "max-width": "none",
                "max-height": "100%",
                "padding-inline": inner,
                "border-radius": "0",
            },
        )
        yield _rule("::slotted(#consent-choose)", {"flex": "1 8em"})
        yield _rule(AWAY, {"inset-block": "auto 0" if top else "0 auto"})
    elif appearance.layout in ("center", "modal"):
        yield _rule(BANNER, {"margin": "auto", "inset": "0", "height": "fit-content"})
        if appearance.layout == "modal":
            yield _rule(
                f"{MODAL} dialog[open]", {"padding": "0", "background": "none", "border": "0", "box-shadow": "none"}
            )
    else:
        beside = "bottom-right" if appearance.reopen == "right" else "bottom-left"
        corner = appearance.position or beside
        yield from _corner(BANNER, corner)
        if corner.startswith("top"):
            yield _rule(AWAY, {"inset-block": "auto 1em"})
    yield from _corner(DOCK, "bottom-right" if appearance.reopen == "right" else "bottom-left")
    if appearance.reopen == "hidden":
        yield _rule("::slotted(.reopen:not(:focus-visible))", {"clip-path": "inset(50%)"})
    if appearance.preferences == "drawer":
        sheet = {"width": "30em", "max-width": "100%", "height": "100%", "max-height": "none", "border-radius": "0"}
        yield _rule(f"{PREFERENCES} dialog[open]", {"margin": "0", "margin-inline-start": "auto"} | sheet)


def _corner(host: str, corner: str) -> Iterator[str]:
    """Left and right as in left-to-right languages; the others mirror them."""
    vertical, horizontal = corner.split("-")
    block = {"inset-block": "1em auto"} if vertical == "top" else {}
    inline = {"inset-inline": "auto 1em"} if horizontal == "right" else {}
    yield _rule(host, block | inline)


def _logo(appearance: Appearance) -> Iterator[str]:
    """On top of the words, at the side where they begin; nothing that assistive technology would read."""
    if appearance.logo:
        image = f'url("{appearance.logo}")0/contain no-repeat'
        yield _rule(f"{BANNER}::before", {"content": '""', "flex": "1 100%", "height": "2.5em", "background": image})
        yield _rule(":host(#consent-banner[dir=rtl])::before", {"background-position": "100%"})


def _palettes(appearance: Appearance) -> dict[str, dict[str, str]]:
    """The colours of each theme that is shown and has any of its own, all of them named."""
    shown = ("light", "dark") if appearance.theme == "auto" else (appearance.theme,)
    defaults = {"light": LIGHT, "dark": DARK}
    own: dict[str, Palette] = {name: getattr(appearance, name) for name in shown}
    return {
        name: {color: getattr(palette, color) or usual for color, usual in defaults[name].items()}
        for name, palette in own.items()
        if palette != Palette()
    }


def _variables(colors: Mapping[str, str]) -> dict[str, str]:
    return {"--" + name.replace("_", "-"): value for name, value in colors.items()}


def _rule(selector: str, said: Mapping[str, str]) -> str:
    declarations = ";".join(f"{name}:{value}!important" for name, value in said.items())
    return f"{selector}{{{declarations}}}" if said else ""


def toned(colors: Mapping[str, str]) -> dict[str, str]:
    """A theme's colours and the tone of the preferences' sections, as a browser blends it."""
    parts = [round(part + (VEIL - part) * SHARE) for part in _parts(colors["paper"])]
    return {**colors, TONE: "#" + "".join(f"{part:02x}" for part in parts)}


def _parts(color: str) -> list[int]:
    """Red, green and blue, 0 to 255."""
    digits = color[1:] if len(color) == 7 else "".join(digit * 2 for digit in color[1:])
    return [int(digits[at : at + 2], 16) for at in (0, 2, 4)]


def _luminance(color: str) -> float:
    """Relative luminance, 0 to 1 (WCAG 2.2, "relative luminance")."""
    parts = [part / 255 for part in _parts(color)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _cut(ratio: float) -> str:
    """Two decimals, never rounded up: 4.499 is not 4.5."""
    return f"{int(ratio * 100) / 100:.2f}"
