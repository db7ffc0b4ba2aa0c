"""Datelines of many agencies and languages; no text of theirs is here but the dateline's form."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswire_enrichment.datelines import read
from newswire_schemas.agencies import in_dateline, lookup

DAY = date(2025, 2, 8)
FEB7 = "2025-02-07"


@pytest.mark.parametrize(
    ("text", "city", "country", "day", "agency", "written"),
    [
        ("MOSKAU, 7. Februar (BelTA) - Die", "Moscow", "RU", FEB7, "BelTA", "MOSKAU, 7. Februar (BelTA)"),
        ("MINSK, 7 February (BelTA) – The", "Minsk", "BY", FEB7, "BelTA", "MINSK, 7 February (BelTA)"),
        ("МОСКВА, 7 февраля /Корр. БЕЛТА/. В", "Moscow", "RU", FEB7, "BelTA", "МОСКВА, 7 февраля /Корр. БЕЛТА/"),
        ("МИНСК, 7 фев - РИА Новости. В", "Minsk", "BY", FEB7, "RIA Novosti", "МИНСК, 7 фев - РИА Новости"),
        ("Москва. 7 февраля. ИНТЕРФАКС - В", "Moscow", "RU", FEB7, "Interfax", "Москва. 7 февраля. ИНТЕРФАКС"),
        ("MOSCOW, February 7. /TASS/. The", "Moscow", "RU", FEB7, "TASS", "MOSCOW, February 7. /TASS/"),
        ("7 лютага, Мінск /Кар. БЕЛТА/. У", "Minsk", "BY", FEB7, "BelTA", "7 лютага, Мінск /Кар. БЕЛТА/"),
        ("Мінск, 7 лютага (БЕЛТА) – У", "Minsk", "BY", FEB7, "BelTA", "Мінск, 7 лютага (БЕЛТА)"),
        ("GROSSETO, Italy (AP) -- The", "Grosseto", "IT", None, "AP", "GROSSETO, Italy (AP)"),
        ("(AP) -- The", None, None, None, "AP", "(AP)"),
        ("新华社北京2月7日电（记者）新", "Beijing", "CN", FEB7, "Xinhua", "新华社北京2月7日电"),
        ("白通社明斯克2月7日电 白", "Minsk", "BY", FEB7, "BelTA", "白通社明斯克2月7日电"),
        ("Berlin (dpa) - Die", "Berlin", "DE", None, "dpa", "Berlin (dpa)"),
        ("Berlin/München (dpa/AFP) – Die", "Berlin", "DE", None, "dpa", "Berlin/München (dpa/AFP)"),
        ("VARSOVIE, 7 février (AFP) - La", "Warsaw", "PL", FEB7, "AFP", "VARSOVIE, 7 février (AFP)"),
        ("Madrid, 7 feb (EFE).- El", "Madrid", "ES", FEB7, "EFE", "Madrid, 7 feb (EFE)"),
        ("Warszawa, 7.02.2025 (PAP) - W", "Warsaw", "PL", FEB7, "PAP", "Warszawa, 7.02.2025 (PAP)"),
        ("ST. PETERSBURG, Feb 7 (Reuters) - A", "Saint Petersburg", "RU", FEB7, "Reuters",
         "ST. PETERSBURG, Feb 7 (Reuters)"),
        ("31 Dec, LONDON (Reuters) - A", "London", "GB", "2024-12-31", "Reuters", "31 Dec, LONDON (Reuters)"),
        ("BERGEN, 7. Februar (Nordlicht) - Die", "Bergen", "NO", FEB7, "Nordlicht", "BERGEN, 7. Februar (Nordlicht)"),
        ("LONDON — The", "London", "GB", None, None, "LONDON"),
    ],
)  # fmt: skip
def test_place_time_and_agency_are_read(  # noqa: PLR0917 - the columns of the table above
    text: str, city: str | None, country: str | None, day: str | None, agency: str | None, written: str
) -> None:
    found = read(text, DAY)
    assert found is not None
    line = found.dateline
    assert (line.city, line.country, line.date, line.agency, line.text) == (city, country, day, agency, written)
    assert text[found.end :].strip(" （")
    assert 0 < found.confidence < 1


@pytest.mark.parametrize(
    "text",
    [
        "Die Europäische Union (EU) - ein Bund von Staaten.",
        "NASA (USA) - the agency.",
        "Am 7. Februar - einem Freitag - war es kalt.",
        "El 7 de febrero - dijo - fue un día frío.",
        "Der Bericht (dpa) - so heißt es - liegt vor.",
        "Ein Satz ohne alles.",
        "Berlin - das ist eine Stadt.",
        "- - -",
        "",
    ],
)
def test_running_text_is_no_dateline(text: str) -> None:
    assert read(text, DAY) is None


@given(st.text(alphabet="MINSK Минск北京社电()/-–.,7月日 FebAP", max_size=200))
def test_any_beginning_is_read_or_left(text: str) -> None:
    found = read(text, DAY)
    if found is not None:
        assert found.dateline.text
        assert 0 < found.end <= len(text)


def test_an_agency_has_one_name_in_all_spellings() -> None:
    names = {found.name for name in ("БЕЛТА", "Корр. БЕЛТА", "BELTA", "白通社", "belta/dpa") if (found := lookup(name))}
    assert names == {"BelTA"}
    assert lookup("Nordlicht") is None


def test_an_agency_deep_in_the_text_names_no_dateline() -> None:
    assert in_dateline("Ein Satz. " * 20 + "(dpa)") is None
