"""The page of the linter's rules is that of the rules."""

import lint_page


def test_the_page_is_up_to_date():
    assert lint_page.PAGE.read_text(encoding="utf-8") == lint_page.rendered()
