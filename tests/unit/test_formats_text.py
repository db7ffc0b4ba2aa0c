"""Pages as people copy them, and plain wire copy. All pages are invented."""

from datetime import UTC, datetime

import pytest

from newswire_ingest.formats.context import ParseContext
from newswire_ingest.formats.errors import MalformedInput
from newswire_ingest.formats.registry import parse
from newswire_schemas.article import Draft

NOW = datetime(2025, 11, 12, 12, tzinfo=UTC)
BODY = (
    "Der Hafen ist seit Freitag wieder offen, wie die Verwaltung mitteilte. "
    "Alle Schiffe dürfen ein- und auslaufen, sagte sie."
)
LONG = BODY + " Die Sperrung hatte zwei Wochen gedauert."


def read(text: str, **defaults: str) -> Draft:
    context = ParseContext(source="Desk One", now=NOW, defaults=defaults)
    return parse(text.encode(), context=context, content_type="text/plain")[1][0]


def codes(draft: Draft) -> list[str]:
    return [warning.code for warning in draft.warnings]


PAGES = {
    "de": (
        "Projekte\nStaatsorgane\nflag Freitag, 7 Februar 2025\nAlle Nachrichten\nAlle Nachrichten\nPolitik\n"
        "07 Februar 2025, 15:39\n\nHafen nach zwei Wochen wieder offen\n\n"
        f"MOSKAU, 7. Februar (BelTA) - {LONG}\n\nZweiter Absatz.\nAbonnieren Sie uns auf\nX\n"
        "Letzte Nachrichten aus dem Hafen",
        ("Hafen nach zwei Wochen wieder offen", "Politik", "BelTA", "2025-02-07T12:39", 2),
    ),
    "en": (
        "Skip to content\nHome > World > Europe\nFerry returns after winter repairs\n7 February 2025, 3:39 PM\nShare\n"
        "The old ferry carries passengers again after a long winter in dock\n"
        "BERGEN, Feb 7 (Reuters) - The ferry went back to work on Friday, the harbour office said. It is full.\n"
        "Follow us on\nFacebook\nMost read\nAnother story\n2 hours ago",
        ("Ferry returns after winter repairs", "World", "Reuters", "2025-02-07T15:39", 2),
    ),
    "ru": (
        "Главная\nПолитика\nЭкономика\nВсе новости\nОбщество\n7 февраля 2025, 15:39\n"
        "В Минске открылась новая библиотека\n"
        "7 февраля, Минск /Корр. БЕЛТА/. В Минске открылась новая библиотека. В ней три этажа.\nФото: БЕЛТА\n"
        "Второй абзац короткий.\nПодписывайтесь на нас в Telegram\nПоследние новости\nДругой заголовок",
        ("В Минске открылась новая библиотека", "Общество", "BelTA", "2025-02-07T12:39", 2),
    ),
    "be": (
        "Галоўная\nКультура\n7 лютага 2025, 15:39\nУ Мінску адкрылася выстава\n"
        "7 лютага, Мінск /Кар. БЕЛТА/. У Мінску адкрылася выстава старых карт, паведамілі ў музеі.\n"
        "Апошнія навіны\nІншы",
        ("У Мінску адкрылася выстава", "Культура", "BelTA", "2025-02-07T12:39", 1),
    ),
    "es": (
        "Inicio\nDeportes\n7 de febrero de 2025 15:39\nEl maratón reúne a diez mil corredores\n"
        "Madrid, 7 feb (EFE).- El maratón reunió este viernes a diez mil corredores.\n"
        "Síguenos en\nFacebook\nLo más leído",
        ("El maratón reúne a diez mil corredores", "Deportes", "EFE", "2025-02-07T14:39", 1),
    ),
    "zh": (
        "首页 > 国际 > 正文\n北京举行新年音乐会\n2025年2月7日 15:39\n"
        "新华社北京2月7日电（记者李明）新年音乐会7日在北京举行，来自多个国家的音乐家参加了演出。\n分享到\n微博\n相关阅读\n另一个标题",
        ("北京举行新年音乐会", "国际", "Xinhua", "2025-02-07T07:39", 1),
    ),
    "pl": (
        "Strona główna\nGospodarka\n07.02.2025 15:39\nNowy most otwarty\n"
        "Warszawa (PAP) - W piątek otwarto nowy most przez rzekę.\nCzytaj także\nInny artykuł",
        ("Nowy most otwarty", "Gospodarka", "PAP", "2025-02-07T14:39", 1),
    ),
    "fr": (
        "Accueil\nMonde\nUne nouvelle ligne de tramway à Varsovie\nPublié le 7 février 2025 à 15h39\n"
        "Par Jeanne Martin\n"
        "VARSOVIE, 7 février (AFP) - Une nouvelle ligne a été inaugurée vendredi.\nLire aussi\nAutre titre",
        ("Une nouvelle ligne de tramway à Varsovie", "Monde", "AFP", "2025-02-07T14:39", 1),
    ),
}


@pytest.mark.parametrize(("page", "expected"), PAGES.values(), ids=PAGES.keys())
def test_a_copied_page_becomes_its_story(page: str, expected: tuple[str, str, str, str, int]) -> None:
    draft = read(page)
    assert draft.version_created is not None
    paragraphs = (draft.body_text or "").split("\n\n")
    assert (
        draft.headline,
        draft.section,
        draft.source,
        draft.version_created.strftime("%Y-%m-%dT%H:%M"),
        len(paragraphs),
    ) == expected
    assert codes(draft) == []


def test_the_same_page_twice_is_the_same_article() -> None:
    page = PAGES["de"][0]
    assert read(page).uri == read(page).uri
    assert str(read(page).uri).startswith("urn:newsml:belta.by:20250207:")
    assert read(page.replace("15:39", "15:40")).uri != read(page).uri


def test_a_page_without_time_is_told_from_others_by_its_text() -> None:
    one, other = read(f"Wetter am Abend\n\n{LONG}"), read(f"Wetter am Abend\n\n{BODY}")
    assert one.version_created is None
    assert one.uri != other.uri
    assert str(one.uri).startswith("urn:newsml:desk-one:00000000:")


def test_the_configured_time_zone_beats_the_agencys() -> None:
    draft = read(PAGES["de"][0], timezone="Asia/Tokyo")
    assert draft.version_created == datetime(2025, 2, 7, 6, 39, tzinfo=UTC)


def test_a_zone_on_the_page_beats_both() -> None:
    draft = read(PAGES["de"][0].replace("15:39", "15:39 (GMT+1)"), timezone="Asia/Tokyo")
    assert draft.version_created == datetime(2025, 2, 7, 14, 39, tzinfo=UTC)


def test_a_time_nobody_gives_a_zone_is_utc_with_a_warning() -> None:
    draft = read(f"Hafen wieder offen\n7. Februar 2025, 15:39\n\n{LONG}")
    assert draft.version_created == datetime(2025, 2, 7, 15, 39, tzinfo=UTC)
    assert codes(draft) == ["time-zone-missing"]


def test_first_published_and_updated_are_told_apart() -> None:
    draft = read(f"Hafen wieder offen\n7.2.2025 09:00\nAktualisiert: 7.2.2025 10:30\n\nBERLIN (dpa) - {LONG}")
    assert draft.first_created == datetime(2025, 2, 7, 8, tzinfo=UTC)
    assert draft.version_created == datetime(2025, 2, 7, 9, 30, tzinfo=UTC)


def test_a_language_without_month_table_is_read_by_dateparser() -> None:
    draft = read(f"Home\n7 febbraio 2025, 15:39\nNuova linea del tram inaugurata\n{LONG}")
    assert draft.version_created == datetime(2025, 2, 7, 15, 39, tzinfo=UTC)


def test_wrapped_wire_copy_is_joined() -> None:
    draft = read(
        "STORM CLOSES NORTHERN PORTS\n\nOSLO, Feb 7 (Reuters) - A storm closed three ports on the northern coast on\n"
        "Friday, and the harbour office told ships to stay at sea until the wind\n"
        "drops, which it expects to happen late on "
        "Saturday evening.\n\nFerries will not run before Sunday, the office said in a short note to all\n"
        "shipping companies. It asked travellers to look at the timetable.\n"
    )
    assert draft.headline == "STORM CLOSES NORTHERN PORTS"
    assert [p[:7] for p in (draft.body_text or "").split("\n\n")] == ["OSLO, F", "Ferries"]
    assert "\n" not in (draft.body_text or "").replace("\n\n", "")


def test_a_flash_is_a_headline_alone() -> None:
    draft = read("EIL: Beben vor Island\n")
    assert (draft.headline, draft.body_text, draft.body_html) == ("EIL: Beben vor Island", None, None)


def test_short_copy_keeps_all_its_lines() -> None:
    draft = read("Regen in Minsk\n\nEs regnet den ganzen Tag.\nMorgen auch.")
    assert (draft.headline, draft.body_text) == ("Regen in Minsk", "Es regnet den ganzen Tag.\n\nMorgen auch.")


def test_text_after_an_end_phrase_is_kept_with_a_warning() -> None:
    draft = read(f"Hafen wieder offen\n\n{LONG}\n\nFolgen Sie uns auf Telegram\n\n{LONG} Ende.")
    assert (draft.body_text or "").endswith("Ende.")
    assert "Telegram" not in (draft.body_text or "")
    assert codes(draft) == ["doubtful-text"]


def test_a_doubtful_line_at_the_end_is_kept_with_a_warning() -> None:
    draft = read(f"Hafen wieder offen\n\n{LONG}\n\nFC Hafen gegen FC Werft 2:1")
    assert (draft.body_text or "").endswith("2:1")
    assert codes(draft) == ["doubtful-line"]


def test_running_text_that_begins_like_an_end_phrase_stays() -> None:
    draft = read(f"Hafen wieder offen\n\n{LONG}\n\nLetzte Nachrichten von Bord klangen gut.\n\n{LONG}")
    assert "Letzte Nachrichten von Bord klangen gut." in (draft.body_text or "")


def test_a_subheading_stays_in_the_text() -> None:
    assert "Ein neuer Kai" in (read(f"Hafen wieder offen\n\n{LONG}\n\nEin neuer Kai\n\n{LONG}").body_text or "")


def test_the_last_entry_of_a_menu_is_no_section() -> None:
    assert read(f"Politik\nKultur\nSport\nHafen wieder offen\n{LONG}").section is None


def test_a_byline_is_read_and_left_out_of_the_text() -> None:
    draft = read(f"Hafen wieder offen\nVon Anna Muster\n\n{LONG}")
    assert (draft.byline, draft.body_text) == ("Anna Muster", LONG)


@pytest.mark.parametrize("headline", ["Hafen | Wieder offen", "Hafen / Werft", "Regen", "Wer fährt da?"])
def test_a_short_headline_is_one_all_the_same(headline: str) -> None:
    assert read(f"Startseite\n7. Februar 2025, 15:39 (GMT+1)\n{headline}\n{LONG}").headline == headline


def test_markup_in_a_page_is_text() -> None:
    draft = read(f"Hafen <b>wieder</b> offen\n\n{LONG} <script>x</script>.")
    assert "&lt;script&gt;" in (draft.body_html or "")


@pytest.mark.parametrize("text", [LONG, f"7. Februar 2025, 15:39\n{LONG}", "Startseite\nSuche\nMenü"])
def test_text_without_headline_is_refused_and_says_what_is_missing(text: str) -> None:
    with pytest.raises(MalformedInput, match="headline"):
        read(text)


def test_line_ends_and_a_byte_order_mark_make_no_difference() -> None:
    page = PAGES["de"][0]
    assert read("\ufeff" + page.replace("\n", "\r\n")) == read(page)
