import pytest

from sequences.footer import opening, with_footer

LINK = "https://omnify.example/u/token"


def footed(text: str, address: str = "1 Main St, Springfield") -> str:
    return with_footer(text, business="Acme", address=address, unsubscribe=LINK)


def test_a_mail_ends_with_the_postal_address_and_the_way_out() -> None:
    assert footed("Hello").endswith("-- \nAcme, 1 Main St, Springfield\nUnsubscribe: https://omnify.example/u/token\n")


def test_what_the_text_already_says_is_not_said_twice() -> None:
    text = f"Hello\n\nAcme, 1 Main St,\nSpringfield\n{LINK}"
    assert footed(text) == text
    assert footed(f"Hello {LINK}").count(LINK) == 1


def test_without_an_address_there_is_still_the_way_out() -> None:
    assert "Unsubscribe" in footed("Hello", address="")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("Hi Pat!", ("AI assistant calling for Acme", "not to call again", "recorded")),
        ("Hi, I am Acme's AI assistant.", ("not to call again", "recorded")),
        ("Hi, the AI of Acme; say so and I will not call again. We are recording.", ()),
        ("Hi, a digital voice here.", ("calling for Acme",)),
    ],
)
def test_a_call_opens_with_what_its_own_words_leave_out(words: str, said: tuple[str, ...]) -> None:
    result = opening(words, business="Acme")
    assert result.endswith(words)
    for part in said:
        assert part in result.removesuffix(words)
    if not said:
        assert result == words
