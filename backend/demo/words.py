"""The words that made-up names are built from: absurd enough that nobody takes them for real artists or titles."""

from __future__ import annotations

from typing import Final

ADJECTIVES: Final = (
    "Amber", "Backward", "Borrowed", "Brass", "Crooked", "Damp", "Dotted", "Drowsy", "Dusty", "Faux", "Feral", "Fluent",
    "Folded", "Forty", "Frosted", "Gilded", "Gluten-Free", "Hollow", "Humming", "Imaginary", "Inflatable", "Invented",
    "Knitted", "Laminated", "Left-Handed", "Lukewarm", "Magnetic", "Marbled", "Misplaced", "Nervous", "Paper",
    "Patient", "Perforated", "Pickled", "Plastic", "Polite", "Quilted", "Reluctant", "Rented", "Rhubarb", "Rusty",
    "Second-Hand", "Sleepy", "Spare", "Striped", "Synthetic", "Tangled", "Tartan", "Tepid", "Tin", "Unlikely",
    "Upholstered", "Velcro", "Waterproof", "Wobbly", "Woollen",
)  # fmt: skip
NOUNS: Final = (
    "Abacus", "Accordion", "Aubergine", "Badger", "Barometer", "Biscuit", "Bobsleigh", "Bollard", "Cardigan",
    "Casserole", "Chandelier", "Compass", "Corkscrew", "Cupboard", "Dumpling", "Escalator", "Flamingo", "Funnel",
    "Gherkin", "Gondola", "Hammock", "Hinge", "Icicle", "Kettle", "Ladder", "Lampshade", "Lantern", "Lawnmower",
    "Lighthouse", "Marmalade", "Marzipan", "Mitten", "Napkin", "Newt", "Noodle", "Omelette", "Otter", "Paperclip",
    "Parsnip", "Pelican", "Periscope", "Pigeon", "Pudding", "Quiche", "Radiator", "Sandal", "Saucepan", "Spatula",
    "Stapler", "Teapot", "Thermos", "Trampoline", "Turnip", "Umbrella", "Walrus", "Wardrobe", "Wheelbarrow",
    "Windmill", "Yoghurt", "Zeppelin",
)  # fmt: skip
COINED_FIRST: Final = (
    "Bla", "Bru", "Çu", "Dro", "Fli", "Gno", "Hru", "Ju", "Kva", "Lur", "Mño", "Nub", "Ølu", "Plo", "Quo", "Rza",
    "Škru", "Sno", "Tvi", "Ümla", "Vro", "Wub", "Xilo", "Yor", "Žbu", "Zor",
)  # fmt: skip
COINED_LAST: Final = (
    "bbek", "bél", "dder", "dlo", "ffin", "gwit", "kket", "lgar", "mbø", "mpel", "ngo", "ñaz", "plix", "quill", "rkas",
    "ssö", "tnik", "vvý", "wock", "xter", "zzle",
)  # fmt: skip
ARTIST_FORMS: Final = (
    "The {adjective} {noun} Society", "{coined} {noun}", "{coined} & the {noun} Orchestra", "{adjective} {noun} {coined}",
)  # fmt: skip
TITLE_FORMS: Final = (
    "{adjective} {noun}", "{noun} in the Rain", "My {adjective} {noun}", "Waiting for the {noun}",
    "A {noun} Called {adjective}", "{adjective} Again", "No More {noun}", "{noun}, Pt. 2", "Song for a {adjective} {noun}",
    "Älskling, min {noun}", "¿Dónde está el {noun}?", "Красный {noun}", "{noun}の歌",
)  # fmt: skip
ALBUM_FORMS: Final = (
    "{adjective} {noun}", "Songs from the {adjective} {noun}", "The {noun} Sessions", "{noun} Season", "{adjective} Years",
    "Postcards to a {adjective} {noun}", "Ode to a {noun}", "{noun} / {adjective}", "Été de {noun}", "Übergrößen-{noun}",
)  # fmt: skip
LABELS: Final = ("Nowhere Wax", "Imaginary Discs", "Lukewarm Records", "Placebo Shellac", "Wardrobe Tapes")
