"""The people of an invented organisation, the Larkmoor Trust, their places, and what they call their devices.

Every name is drawn together from a first and a last name; mail addresses use the reserved domain `.example`
(RFC 2606, read 2026-11-22).
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from random import Random

DOMAIN = "larkmoor.example"


class Person(NamedTuple):
    """Somebody who carries a device."""

    first: str
    last: str
    username: str

    @property
    def real_name(self) -> str:
        """The full name in the order in which its owner writes it."""
        family_first = not self.first.isascii() and unicodedata.name(self.first[0]).startswith("CJK")
        return f"{self.last}{self.first}" if family_first else f"{self.first} {self.last}"

    @property
    def email(self) -> str:
        """The address at the organisation; always plain ASCII."""
        return f"{self.username}@{DOMAIN}"


class Place(NamedTuple):
    """A site of the organisation, with the departments in it and what a shared device there is called."""

    site_id: str
    site: str
    building: str
    departments: tuple[str, ...]
    shared_name: str


OFFICES = (
    Place(
        "1",
        "Head office",
        "Tanner House",
        ("Finance", "People", "Estates", "Digital", "Board"),
        "Meeting room",
    ),
    Place("2", "Riverside clinic", "Riverside", ("Nursing", "Therapies", "Reception", "Pharmacy"), "Ward"),
    Place("3", "Harbour clinic", "Harbour", ("Nursing", "Imaging", "Reception", "Outpatients"), "Bay"),
)
SCHOOLS = (
    Place("4", "Alder Grove School", "Alder Grove", ("Year 7", "Year 8", "Year 9", "Staff"), "Trolley"),
    Place("5", "Quarry Lane School", "Quarry Lane", ("Year 10", "Year 11", "Science", "Staff"), "Lab"),
)
FIELD = (Place("6", "Field services", "Depot North", ("Community care", "Transport", "Inspections"), "Van"),)

# One line is one culture: first names, last names. What is not written in Latin letters stands in `_LATIN`.
_CULTURES = """
Alice Harriet Owen Callum Imogen Rhys Niamh Declan Saoirse Eoin | Whitlock Penhale Garside Averill Llewelyn
Amara Chidi Ngozi Emeka Ifeoma Tunde Folake Kelechi Yewande Obinna | Okafor Adeyemi Eze Balogun Nwosu
Priya Arjun Meera Rohan Ananya Vikram Lakshmi Sanjay Kavya Nikhil | Raman Deshpande Iyer Chatterjee Bhatt
Wei Lihua Jun Xiuying Bo Meilin Jiahao Yating | Chen Liang Zhao Huang Zhou
美玲 志強 雅婷 建宏 思涵 | 李 王 陳
Haruto Yui Ren Aoi Sora Himari Kenji Naoko Takumi Emi | Tanaka Morimoto Fujita Hayashi Ogawa
Omar Layla Yusuf Zainab Karim Salma Tariq Nour | Haddad Mansour Khoury Farouk Nasser
ليلى يوسف مريم | الخطيب حداد
Noa Eitan Tamar Yael Amit Shira Ariel Dalia | Shapira Mizrahi Peretz Ben-Ami Golan
נועה איתן | כהן פרץ
Zoë Jürgen Käthe Björn Annelie Sören Ilse Matthias Gudrun Thea | Müller Krüger Weiß Schäfer Brandt
Łukasz Małgorzata Zofia Paweł Agnieszka Kasia Marek Jiří Tomáš Hana | Wójcik Kamiński Nowak Dvořák Černý
Lucía José Inés Mateo Begoña João Beatriz Thiago Conceição Rafael | Núñez García Ibáñez Araújo Magalhães
Ayşe Emre Gülşen Çağlar Elif Deniz Şule İbrahim Defne Ozan | Güneş Öztürk Şahin Doğan Çelik
Linh Minh Thảo Quang Hương Dũng Ngọc An Trúc Khánh | Nguyễn Trần Phạm Đặng Lê
Ingrid Åse Lars Søren Freja Mikkel Aino Juhani Sigrún Þór | Lindqvist Ødegård Jørgensen Virtanen Einarsson
Leilani Tane Aroha Wiremu Mele Sione Talia Kahu Manaia Ari | Tuilagi Ngata Kahale Faleolo Parata
Oksana Dmytro Iryna Taras Olena Nadia Mykola Bohdan | Shevchuk Koval Bondar Melnyk Tkach
Андрій Соломія | Бондар Мельник
Giulia Matteo Chiara Élodie Benoît Chloé Océane Théo Anaïs Loïc | Rossi Ferrari Lefèvre Bélanger Dubois
"""
_MORE_LAST = """
Ashdown Brightwell Carrow Dunmore Elphick Farrant Godbold Hathersage Ingleby Jessop Kestle Lanyon Mbeki
Dlamini Khumalo Mokoena Abebe Tadesse Wanjiru Otieno Kamau Mensah Owusu Boateng Diallo Fernando Perera
Tamang Gurung Rahman Chowdhury Siddiqui Kim Park Choi Santoso Wijaya Reyes
"""
_IN_LATIN = """
美玲=meiling 志強=zhiqiang 雅婷=yating 建宏=jianhong 思涵=sihan 李=li 王=wang 陳=chen ليلى=leila يوسف=youssef
مريم=maryam الخطيب=alkhatib حداد=haddad נועה=noa איתן=eitan כהן=cohen פרץ=peretz Андрій=andriy
Соломія=solomiya Бондар=bondar Мельник=melnyk
"""
_NAMES = [[half.split() for half in line.split("|")] for line in _CULTURES.strip().splitlines()]
_ANY_LAST = [name for _, lasts in _NAMES for name in lasts if name.isascii()] + _MORE_LAST.split()
_LATIN = {name: letters for name, _, letters in (pair.partition("=") for pair in _IN_LATIN.split())}
_LETTERS = str.maketrans({"ł": "l", "ø": "o", "ß": "ss", "đ": "d", "þ": "th", "æ": "ae", "ð": "d"})
_APPLES_OWN_STYLE = "{first}\N{RIGHT SINGLE QUOTATION MARK}s {product}"
_NAMING_STYLES = [_APPLES_OWN_STYLE] * 4 + [
    "{first}'s {product}",
    "{product} {last}",
    "{user} {product}",
    "{product}",
]
_MIXED_NAMES = 0.3
_PEOPLE_PER_NUMBER = 2000


def person(rng: Random, index: int) -> Person:
    """Somebody for the device `index`; in a large fleet user names get a number, as in large firms."""
    firsts, lasts = rng.choice(_NAMES)
    first = rng.choice(firsts)
    mixed = first.isascii() and rng.random() < _MIXED_NAMES
    last = rng.choice(_ANY_LAST if mixed else lasts)
    number = index // _PEOPLE_PER_NUMBER
    return Person(first, last, f"{latin(first)}.{latin(last)}{number or ''}")


@lru_cache(maxsize=1024)
def latin(name: str) -> str:
    """`name` in lower-case ASCII letters, as a mail address wants it."""
    written = _LATIN.get(name) or name.lower().translate(_LETTERS)
    letters = unicodedata.normalize("NFKD", written)
    return "".join(letter for letter in letters if letter.isascii() and letter.isalpha())


def personal_name(rng: Random, owner: Person, product: str) -> str:
    """What an owner's device is called; some people never rename theirs."""
    style = rng.choice(_NAMING_STYLES)
    return style.format(first=owner.first, last=owner.last, user=owner.username, product=product)


def shared_name(rng: Random, place: Place, product: str) -> str:
    """What a device without an owner is called: "Ward 3 iPad 07"."""
    return f"{place.shared_name} {rng.randint(1, 9)} {product} {rng.randint(1, 24):02}"
