"""News agencies: how each is named in datelines, what we call it, where its clock stands.

A vocabulary that ingest (time zones, uris), enrichment (datelines) and filters
(``sources``) share. Data, and lookups on it.
"""

import re
from functools import cache
from typing import NamedTuple


class Agency(NamedTuple):
    """One agency. ``name`` is what articles and filters call it, ``zone`` is an IANA time zone."""

    name: str
    zone: str
    domain: str
    aliases: tuple[str, ...] = ()


AGENCIES = (
    Agency("BelTA", "Europe/Minsk", "belta.by", ("БЕЛТА", "БелТА", "白通社", "白俄罗斯通讯社")),
    Agency("TASS", "Europe/Moscow", "tass.com", ("ТАСС", "塔斯社")),
    Agency("RIA Novosti", "Europe/Moscow", "ria.ru", ("РИА Новости", "РИА Навіны")),
    Agency("Interfax", "Europe/Moscow", "interfax.com", ("Интерфакс", "ИНТЕРФАКС-ЗАПАД", "Interfax-West")),
    Agency("dpa", "Europe/Berlin", "dpa.com", ("Deutsche Presse-Agentur", "德新社")),
    Agency("AFP", "Europe/Paris", "afp.com", ("Agence France-Presse", "АФП", "法新社")),
    Agency("AP", "America/New_York", "ap.org", ("Associated Press", "АП", "美联社")),
    Agency("Reuters", "Europe/London", "reuters.com", ("Рейтер", "路透社")),
    Agency("Xinhua", "Asia/Shanghai", "news.cn", ("Синьхуа", "新华社", "新华网")),
    Agency("China News Service", "Asia/Shanghai", "chinanews.com.cn", ("CNS", "中新社", "中新网")),
    Agency("PAP", "Europe/Warsaw", "pap.pl", ("ПАП",)),
    Agency("EFE", "Europe/Madrid", "efe.com", ("Agencia EFE", "埃菲社")),
    Agency("Europa Press", "Europe/Madrid", "europapress.es", ()),
    Agency("ANSA", "Europe/Rome", "ansa.it", ("安莎社",)),
    Agency("APA", "Europe/Vienna", "apa.at", ()),
    Agency("Keystone-SDA", "Europe/Zurich", "keystone-sda.ch", ("SDA", "ATS", "sda/ats")),
    Agency("KNA", "Europe/Berlin", "kna.de", ()),
    Agency("epd", "Europe/Berlin", "epd.de", ()),
    Agency("Belga", "Europe/Brussels", "belga.be", ()),
    Agency("ANP", "Europe/Amsterdam", "anp.nl", ()),
    Agency("Lusa", "Europe/Lisbon", "lusa.pt", ()),
    Agency("ČTK", "Europe/Prague", "ctk.cz", ("CTK", "ЧТК")),
    Agency("Ukrinform", "Europe/Kyiv", "ukrinform.net", ("Укрінформ", "Укринформ")),
    Agency("Kazinform", "Asia/Almaty", "inform.kz", ("Казинформ",)),
    Agency("Anadolu", "Europe/Istanbul", "aa.com.tr", ("AA", "Anadolu Agency", "Анадолу")),
    Agency("Kyodo", "Asia/Tokyo", "kyodonews.net", ("共同社", "Киодо")),
    Agency("Yonhap", "Asia/Seoul", "yna.co.kr", ("韩联社", "Ренхап")),
    Agency("PTI", "Asia/Kolkata", "ptinews.com", ()),
    Agency("AAP", "Australia/Sydney", "aap.com.au", ()),
    Agency("Prensa Latina", "America/Havana", "prensa-latina.cu", ()),
    Agency("UPI", "America/New_York", "upi.com", ()),
)

_PARTS = re.compile(r"[/,;&+]|\s[-–—]\s")
_NOISE = re.compile(r"^(?:корр|кар|сор|corr)\.?\s+", re.IGNORECASE)
_BRACKETS = re.compile(r"[(/（【]([^()/（）【】\n]{2,60})[)/）】]")
_PREFIX = re.compile(r"[\s【（(]{0,3}([\u4e00-\u9fff]{2,8}?(?:社|网))")
_SIGNED = re.compile(r"[-–—]\s([^.\n]{2,30})\.|\.\s{1,2}([^.\n]{2,30}?)\s[-–—]\s")
HEAD = 120
"""Characters at the start of a story in which a dateline can stand."""


def lookup(name: str) -> Agency | None:
    """Return the agency of a name as a dateline writes it (``Корр. БЕЛТА``, ``dpa/AFP``: the first of several)."""
    for part in (name, *_PARTS.split(name)):
        key = _NOISE.sub("", part.strip()).casefold()
        if found := _by_name().get(key):
            return found
    return None


def in_dateline(text: str) -> Agency | None:
    """Return the agency that a story's first words name in the manner of a dateline, if it is one we know."""
    head = text[:HEAD]
    if (prefix := _PREFIX.match(head)) and (found := lookup(prefix[1])):
        return found
    names = [match[1] for match in _BRACKETS.finditer(head)]
    names += [match[1] or match[2] for match in _SIGNED.finditer(head)]
    return next((found for name in names if (found := lookup(name))), None)


@cache
def _by_name() -> dict[str, Agency]:
    return {name.casefold(): agency for agency in AGENCIES for name in (agency.name, *agency.aliases)}
