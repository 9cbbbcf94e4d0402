"""Whose mail it looks like."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration_alerts.mail.brand import OUR_COLOUR, OUR_NAME, Brand, contrast


@given(st.from_regex(r"#[0-9a-f]{6}", fullmatch=True))
def test_the_text_on_any_colour_can_be_read(colour: str) -> None:
    brand = Brand.of("", "", colour, "")
    assert brand.colour == colour
    assert contrast(colour, brand.text_colour) >= 4.5


@pytest.mark.parametrize(
    ("colour", "shown"),
    [("#FFB000", "#ffb000"), ("", OUR_COLOUR), ("#fff", OUR_COLOUR), ("red", OUR_COLOUR),
     ('#ffffff"onload=', OUR_COLOUR), ("#12345g", OUR_COLOUR)],
)  # fmt: skip
def test_what_is_no_colour_is_ours(colour: str, shown: str) -> None:
    assert Brand.of("", "", colour, "").colour == shown


@pytest.mark.parametrize(
    ("name", "shown"), [("Lantern", "Lantern"), ("", OUR_NAME), ("\r\n", OUR_NAME)]
)
def test_the_name_is_ours_where_there_is_none(name: str, shown: str) -> None:
    assert Brand.of(name, "", "", "").name == shown


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:image/png;base64,", "logo.png"])
def test_a_logo_is_taken_from_the_web_only(url: str) -> None:
    assert Brand.of("", url, "", "").logo_url == ""
    assert Brand.of("", "https://lantern.example/a.png", "", "").logo_url


@pytest.mark.parametrize(
    "address",
    ["help", "a@b@c", "a@lantern.example\r\nBcc: x@evil.example", "j\u00f6rg@lantern.example"],
)
def test_answers_go_to_the_sender_where_the_address_is_none_for_every_server(address: str) -> None:
    assert Brand.of("", "", "", address).reply_to == ""
    assert Brand.of("", "", "", "help@lantern.example").reply_to == "help@lantern.example"


def test_the_contrast_is_that_of_wcag() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=0.001)
